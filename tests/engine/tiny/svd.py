"""Stable Video Diffusion."""

from tests.engine.tiny import Tiny
from tests.engine.tiny.parts import clip_vision, louder, seeded


def svd():
    """The pipeline always makes its picture for the image encoder 224 pixels large."""
    from diffusers import (
        AutoencoderKLTemporalDecoder,
        EulerDiscreteScheduler,
        StableVideoDiffusionPipeline,
        UNetSpatioTemporalConditionModel,
    )

    encoder, processor = clip_vision(width=32, patch=56, size=224)
    return StableVideoDiffusionPipeline(
        image_encoder=encoder, feature_extractor=processor,
        unet=louder(seeded(
            UNetSpatioTemporalConditionModel, block_out_channels=(32, 64), layers_per_block=1, sample_size=32,
            down_block_types=("CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal"),
            up_block_types=("UpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal"), cross_attention_dim=32,
            num_attention_heads=(2, 4), projection_class_embeddings_input_dim=96, addition_time_embed_dim=32,
            num_frames=5)),
        vae=seeded(AutoencoderKLTemporalDecoder, block_out_channels=(32,) * 4, layers_per_block=1, latent_channels=4,
                   down_block_types=("DownEncoderBlock2D",) * 4),
        scheduler=EulerDiscreteScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", prediction_type="v_prediction",
            sigma_max=700.0, sigma_min=0.002, steps_offset=1, timestep_spacing="leading", timestep_type="continuous",
            use_karras_sigmas=True))


TINY = {"svd": Tiny(svd, like="svd-xt", size=(64, 64), prompt=False, seconds=0.7)}
