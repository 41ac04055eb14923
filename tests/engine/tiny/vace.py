"""Wan VACE: 2.1 with one transformer, 2.2 with two experts."""

from tests.engine.tiny import Tiny
from tests.engine.tiny.parts import louder, seeded, t5_encoder, t5_tokenizer, unipc
from tests.engine.tiny.wan import vae


def transformer():
    """Beside the noise stand 96 channels: 32 of the kept and the new picture, 64 of the mask, 8 x 8 pixels a latent."""
    from diffusers import WanVACETransformer3DModel

    return seeded(WanVACETransformer3DModel, patch_size=(1, 2, 2), num_attention_heads=2, attention_head_dim=12,
                  in_channels=16, out_channels=16, text_dim=32, freq_dim=32, ffn_dim=32, num_layers=2,
                  cross_attn_norm=True, vace_layers=[0, 1], vace_in_channels=96, rope_max_seq_len=32)


def pipeline(**more):
    from diffusers import WanVACEPipeline

    words = t5_tokenizer()
    return WanVACEPipeline(tokenizer=words, text_encoder=t5_encoder(len(words), umt5=True), vae=louder(vae()),
                           scheduler=unipc(3.0), transformer=transformer(), **more)


def vace21():
    return pipeline(transformer_2=None)


def vace22():
    return pipeline(transformer_2=transformer(), boundary_ratio=0.875)


TINY = {
    "vace21": Tiny(vace21, like="wan-2.1-vace-1.3b"),
    "vace22": Tiny(vace22, like="wan-2.2-vace-fun-a14b"),
}
