"""HunyuanVideo 1.5."""

from tests.engine.tiny import Tiny
from tests.engine.tiny.parts import louder, qwen_text, qwen_tokenizer, seeded, siglip_vision, t5_encoder


def hunyuan15():
    from diffusers import (
        AutoencoderKLHunyuanVideo15,
        ClassifierFreeGuidance,
        FlowMatchEulerDiscreteScheduler,
        HunyuanVideo15ImageToVideoPipeline,
        HunyuanVideo15Transformer3DModel,
    )
    from transformers import ByT5Tokenizer

    words = qwen_tokenizer()
    encoder, processor = siglip_vision(width=16, patch=16)
    return HunyuanVideo15ImageToVideoPipeline(
        tokenizer=words, text_encoder=qwen_text(len(words)), tokenizer_2=ByT5Tokenizer(),
        text_encoder_2=t5_encoder(384, width=16), image_encoder=encoder, feature_extractor=processor,
        guider=ClassifierFreeGuidance(guidance_scale=6.0), scheduler=FlowMatchEulerDiscreteScheduler(shift=7.0),
        transformer=louder(seeded(
            HunyuanVideo15Transformer3DModel, in_channels=2 * 4 + 1, out_channels=4, num_attention_heads=2,
            attention_head_dim=10, num_layers=1, num_refiner_layers=1, text_embed_dim=16, text_embed_2_dim=16,
            image_embed_dim=16, rope_axes_dim=(2, 4, 4), target_size=640)),
        vae=seeded(AutoencoderKLHunyuanVideo15, latent_channels=4, block_out_channels=(8, 8, 8, 8, 8),
                   layers_per_block=1))


TINY = {"hunyuan15": Tiny(hunyuan15, like="hunyuan-video-1.5-480p", size=(48, 32))}
