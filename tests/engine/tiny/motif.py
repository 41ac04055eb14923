"""Motif-Video with Wan's VAE; its text encoder looks at the still as well."""

from tests.engine.tiny import Tiny
from tests.engine.tiny.parts import gemma_tokenizer, louder, seeded
from tests.engine.tiny.wan import vae


def text_encoder(words):
    from transformers import SiglipVisionConfig, T5Gemma2Encoder, T5Gemma2EncoderConfig
    from transformers.models.t5gemma2.configuration_t5gemma2 import T5Gemma2TextConfig

    text = T5Gemma2TextConfig(
        vocab_size=words + 3, hidden_size=16, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, head_dim=8, query_pre_attn_scalar=8, sliding_window=32, sliding_window_pattern=2,
        dropout_rate=0.0)
    vision = SiglipVisionConfig(hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
                                image_size=16, patch_size=8)
    config = T5Gemma2EncoderConfig(text_config=text, vision_config=vision, mm_tokens_per_image=4,
                                   image_token_index=words, boi_token_index=words + 1, eoi_token_index=words + 2)
    return seeded(T5Gemma2Encoder, config)


def motif():
    from diffusers import (
        AdaptiveProjectedGuidance,
        FlowMatchEulerDiscreteScheduler,
        MotifVideoImage2VideoPipeline,
        MotifVideoTransformer3DModel,
    )
    from transformers import SiglipImageProcessor

    words = gemma_tokenizer()
    transformer = seeded(
        MotifVideoTransformer3DModel, in_channels=33, out_channels=16, num_attention_heads=2, attention_head_dim=12,
        num_layers=1, num_single_layers=1, num_decoder_layers=1, mlp_ratio=2.0, text_embed_dim=16, image_embed_dim=16,
        rope_axes_dim=(4, 4, 4))
    return MotifVideoImage2VideoPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(), vae=louder(vae()), text_encoder=text_encoder(len(words)),
        tokenizer=words, transformer=louder(transformer), guider=AdaptiveProjectedGuidance(guidance_scale=8.0),
        feature_extractor=SiglipImageProcessor(size={"height": 16, "width": 16}))


TINY = {"motif": Tiny(motif, like="motif-video-2b")}
