"""SkyReels V2, image to video."""

from tests.engine.tiny import Tiny
from tests.engine.tiny.parts import clip_vision, louder, seeded, t5_encoder, t5_tokenizer, unipc
from tests.engine.tiny.wan import vae


def transformer(**more):
    from diffusers import SkyReelsV2Transformer3DModel

    return louder(seeded(SkyReelsV2Transformer3DModel, patch_size=(1, 2, 2), num_attention_heads=2,
                         attention_head_dim=12, out_channels=16, text_dim=32, freq_dim=256, ffn_dim=32, num_layers=2,
                         rope_max_seq_len=32, **more))


def words_and_vae():
    words = t5_tokenizer()
    return {"tokenizer": words, "text_encoder": t5_encoder(len(words), umt5=True), "vae": vae(),
            "scheduler": unipc(8.0)}


def skyreels_i2v():
    from diffusers import SkyReelsV2ImageToVideoPipeline

    encoder, processor = clip_vision(width=8)
    return SkyReelsV2ImageToVideoPipeline(
        image_encoder=encoder, image_processor=processor, **words_and_vae(),
        transformer=transformer(in_channels=36, image_dim=8))


TINY = {"skyreels_i2v": Tiny(skyreels_i2v, like="skyreels-v2-i2v-14b-540p")}
