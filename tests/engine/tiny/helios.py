"""Helios with one resolution; the parts are those of its pyramid too."""

from tests.engine.tiny import Tiny
from tests.engine.tiny.parts import louder, seeded, t5_encoder, t5_tokenizer
from tests.engine.tiny.wan import vae


def parts():
    from diffusers import HeliosTransformer3DModel

    words = t5_tokenizer()
    transformer = seeded(
        HeliosTransformer3DModel, patch_size=(1, 2, 2), num_attention_heads=2, attention_head_dim=12, in_channels=16,
        out_channels=16, text_dim=32, freq_dim=32, ffn_dim=32, num_layers=1, rope_dim=(4, 4, 4))
    return {"tokenizer": words, "text_encoder": t5_encoder(len(words), umt5=True), "vae": louder(vae()),
            "transformer": louder(transformer)}


def helios():
    from diffusers import HeliosPipeline, HeliosScheduler

    scheduler = HeliosScheduler(stages=1, stage_range=[0, 1], use_dynamic_shifting=True)
    return HeliosPipeline(scheduler=scheduler, **parts())


TINY = {"helios": Tiny(helios, like="helios-base")}
