"""SANA-WM with a VAE that is as much smaller than its picture as the real one: 32 in space, 8 in time."""

from tests.engine.tiny import Tiny
from tests.engine.tiny.parts import awake, gemma_tokenizer, louder, seeded
from tests.engine.tiny.sana import gemma2


def vae():
    """Its patches are the 32 pixels of a latent."""
    from diffusers import AutoencoderKLLTX2Video

    return seeded(AutoencoderKLLTX2Video, in_channels=3, out_channels=3, latent_channels=4,
                  block_out_channels=(8, 8, 8), decoder_block_out_channels=(8, 8, 8), layers_per_block=(1, 1, 1),
                  decoder_layers_per_block=(1, 1, 1, 1), spatio_temporal_scaling=(True,) * 3,
                  decoder_spatio_temporal_scaling=(True,) * 3, decoder_inject_noise=(False,) * 4,
                  downsample_type=("temporal",) * 3, upsample_type=("temporal",) * 3, upsample_residual=(False,) * 3,
                  upsample_factor=(1,) * 3, timestep_conditioning=False, patch_size=32, patch_size_t=1,
                  encoder_causal=True, decoder_causal=False, decoder_spatial_padding_mode="zeros",
                  spatial_compression_ratio=32, temporal_compression_ratio=8)


def transformer():
    """The layers that carry the camera begin as zeros."""
    from diffusers import SanaWMTransformer3DModel

    return awake(seeded(
        SanaWMTransformer3DModel, in_channels=4, num_layers=2, hidden_size=32, num_attention_heads=2,
        linear_head_dim=16, softmax_every_n=2, caption_channels=8, chunk_plucker_post_attn_blocks=2, mlp_ratio=2.0,
        image_size=36))


def sana_wm():
    from diffusers import FlowMatchEulerDiscreteScheduler, SanaWMPipeline

    words = gemma_tokenizer()
    return SanaWMPipeline(tokenizer=words, text_encoder=louder(gemma2(len(words))), vae=louder(vae()),
                          transformer=transformer(), scheduler=FlowMatchEulerDiscreteScheduler(shift=8.0))


TINY = {"sana_wm": Tiny(sana_wm, like="sana-wm", size=(64, 32))}
