"""HunyuanVideo in its two layouts."""

from tests.engine.tiny import Tiny
from tests.engine.tiny.parts import clip_text, clip_tokenizer, llama_shape, llama_tokenizer, louder, seeded

MARKS = ("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<image>")
SIDE = 24       # the pipeline reckons with 24 x 24 tokens of the picture


def vae():
    from diffusers import AutoencoderKLHunyuanVideo

    return seeded(AutoencoderKLHunyuanVideo, latent_channels=4, block_out_channels=(8,) * 4, layers_per_block=1,
                  norm_num_groups=4)


def transformer_shape(**different):
    return {"in_channels": 4, "out_channels": 4, "num_attention_heads": 2, "attention_head_dim": 10, "num_layers": 1,
            "num_single_layers": 1, "num_refiner_layers": 1, "patch_size": 2, "patch_size_t": 1, "text_embed_dim": 16,
            "pooled_projection_dim": 8, "rope_axes_dim": (2, 4, 4), **different}


def words_and_pooled():
    """The second text encoder, which gives one vector for the prompt."""
    words = clip_tokenizer()
    return {"tokenizer_2": words, "text_encoder_2": clip_text(len(words), width=8)}


def llava(words):
    from transformers import CLIPImageProcessor, LlavaConfig, LlavaForConditionalGeneration

    encoder = {"model_type": "clip_vision_model", "hidden_size": 8, "intermediate_size": 16, "num_hidden_layers": 2,
               "num_attention_heads": 2, "image_size": SIDE, "patch_size": 1, "projection_dim": 8}
    config = LlavaConfig(vision_config=encoder, text_config={"model_type": "llama", **llama_shape(len(words))},
                         image_token_index=words.convert_tokens_to_ids("<image>"), pad_token_id=words.pad_token_id)
    return seeded(LlavaForConditionalGeneration, config), CLIPImageProcessor(crop_size=SIDE, size=SIDE)


def pipeline(**different):
    from diffusers import (
        FlowMatchEulerDiscreteScheduler,
        HunyuanVideoImageToVideoPipeline,
        HunyuanVideoTransformer3DModel,
    )
    from diffusers.pipelines.hunyuan_video.pipeline_hunyuan_video_image2video import DEFAULT_PROMPT_TEMPLATE

    words = llama_tokenizer(DEFAULT_PROMPT_TEMPLATE["template"], MARKS)
    encoder, processor = llava(words)
    return HunyuanVideoImageToVideoPipeline(
        tokenizer=words, text_encoder=encoder, image_processor=processor, **words_and_pooled(), vae=vae(),
        transformer=louder(seeded(HunyuanVideoTransformer3DModel, **transformer_shape(**different))),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=7.0))


def hunyuan_token():
    return pipeline(image_condition_type="token_replace", guidance_embeds=True)


def hunyuan_concat():
    return pipeline(image_condition_type="latent_concat", guidance_embeds=False, in_channels=2 * 4 + 1)


TINY = {
    "hunyuan_token": Tiny(hunyuan_token, like="hunyuan-video-i2v"),
    "hunyuan_concat": Tiny(hunyuan_concat, like="hunyuan-video-i2v-33ch"),
}
