"""I2VGen-XL."""

from tests.engine.tiny import Tiny
from tests.engine.tiny.parts import clip_text, clip_tokenizer, clip_vision, seeded


def i2vgen():
    from diffusers import AutoencoderKL, DDIMScheduler, I2VGenXLPipeline, I2VGenXLUNet

    words = clip_tokenizer()
    encoder, processor = clip_vision(width=16)
    return I2VGenXLPipeline(
        tokenizer=words, text_encoder=clip_text(len(words)), image_encoder=encoder, feature_extractor=processor,
        scheduler=DDIMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="linear", clip_sample=False,
                                set_alpha_to_one=False),
        unet=seeded(I2VGenXLUNet, block_out_channels=(8, 16), layers_per_block=1, sample_size=32, norm_num_groups=4,
                    down_block_types=("CrossAttnDownBlock3D", "DownBlock3D"),
                    up_block_types=("UpBlock3D", "CrossAttnUpBlock3D"), cross_attention_dim=16, attention_head_dim=4),
        vae=seeded(AutoencoderKL, block_out_channels=(8,) * 4, latent_channels=4, norm_num_groups=2,
                   down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4))


TINY = {"i2vgen": Tiny(i2vgen, like="i2vgen-xl", size=(64, 64), seconds=0.9)}
