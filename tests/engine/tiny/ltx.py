"""LTX-Video, before and after the models that take pictures anywhere in the clip."""

from tests.engine.tiny import Tiny
from tests.engine.tiny.parts import louder, seeded, t5_encoder, t5_tokenizer


def parts(finishing_vae=False):
    """finishing_vae: the last step of the denoising happens in the decoder, as from 0.9.1 on."""
    from diffusers import AutoencoderKLLTXVideo, FlowMatchEulerDiscreteScheduler, LTXVideoTransformer3DModel

    words = t5_tokenizer()
    yes_no = (True, True, False, False)
    return {
        "tokenizer": words,
        "text_encoder": t5_encoder(len(words)),
        "scheduler": FlowMatchEulerDiscreteScheduler(),
        "transformer": louder(seeded(
            LTXVideoTransformer3DModel, in_channels=8, out_channels=8, patch_size=1, patch_size_t=1,
            num_attention_heads=4, attention_head_dim=8, cross_attention_dim=32, num_layers=2, caption_channels=32)),
        "vae": seeded(AutoencoderKLLTXVideo, latent_channels=8, block_out_channels=(8,) * 4,
                      decoder_block_out_channels=(8,) * 4, layers_per_block=(1,) * 5, decoder_layers_per_block=(1,) * 5,
                      spatio_temporal_scaling=yes_no, decoder_spatio_temporal_scaling=yes_no,
                      decoder_inject_noise=(False,) * 5, upsample_residual=(False,) * 4, upsample_factor=(1,) * 4,
                      timestep_conditioning=finishing_vae, patch_size=1, patch_size_t=1),
    }


def ltx_090():
    from diffusers import LTXImageToVideoPipeline

    return LTXImageToVideoPipeline(**parts())


def ltx_095():
    from diffusers import LTXConditionPipeline

    return LTXConditionPipeline(**parts(finishing_vae=True))


TINY = {
    "ltx_090": Tiny(ltx_090, like="ltx-video-0.9"),
    "ltx_095": Tiny(ltx_095, like="ltx-video-0.9.5"),
}
