"""Wan in its four layouts."""

from tests.engine.tiny import Tiny
from tests.engine.tiny.parts import clip_vision, seeded, t5_encoder, t5_tokenizer, unipc

HALVES = [False, True, True]        # where the VAE halves time as well


def vae():
    from diffusers import AutoencoderKLWan

    return seeded(AutoencoderKLWan, base_dim=3, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1,
                  temperal_downsample=HALVES)


def vae_5b():
    from diffusers import AutoencoderKLWan

    return seeded(AutoencoderKLWan, base_dim=3, z_dim=48, in_channels=12, out_channels=12, is_residual=True,
                  patch_size=2, latents_mean=[0.0] * 48, latents_std=[1.0] * 48, dim_mult=[1, 1, 1, 1],
                  num_res_blocks=1, scale_factor_spatial=16, scale_factor_temporal=4, temperal_downsample=HALVES)


def transformer(channels_in=36, channels_out=16, layers=2, heads=2, head=12, **more):
    """36 = 16 of noise, 16 of the picture, 4 of its mask."""
    from diffusers import WanTransformer3DModel

    return seeded(WanTransformer3DModel, patch_size=(1, 2, 2), num_attention_heads=heads, attention_head_dim=head,
                  in_channels=channels_in, out_channels=channels_out, text_dim=32, freq_dim=256, ffn_dim=32,
                  num_layers=layers, cross_attn_norm=True, qk_norm="rms_norm_across_heads", rope_max_seq_len=32, **more)


def pipeline(scheduler_shift=3.0, **parts):
    from diffusers import WanImageToVideoPipeline

    words = t5_tokenizer()
    return WanImageToVideoPipeline(tokenizer=words, text_encoder=t5_encoder(len(words), umt5=True),
                                   scheduler=unipc(scheduler_shift), **parts)


def wan22_5b():
    return pipeline(5.0, vae=vae_5b(), transformer=transformer(48, 48), transformer_2=None, expand_timesteps=True)


def wan22_a14b():
    return pipeline(vae=vae(), transformer=transformer(), transformer_2=transformer(), boundary_ratio=0.9)


def wan21(**more):
    encoder, processor = clip_vision(width=8)
    return pipeline(vae=vae(), transformer=transformer(image_dim=8, **more), image_encoder=encoder,
                    image_processor=processor)


def wan21_flf():
    return wan21(pos_embed_seq_len=2 * 17)      # two pictures of 17 tokens


TINY = {
    "wan22_5b": Tiny(wan22_5b, like="wan-2.2-ti2v-5b"),
    "wan22_a14b": Tiny(wan22_a14b, like="wan-2.2-i2v-a14b"),
    "wan21": Tiny(wan21, like="wan-2.1-i2v-480p"),
    "wan21_flf": Tiny(wan21_flf, like="wan-2.1-flf2v-720p"),
}
