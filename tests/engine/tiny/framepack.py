"""FramePack."""

from tests.engine.tiny import Tiny
from tests.engine.tiny.hunyuan import MARKS, transformer_shape, vae, words_and_pooled
from tests.engine.tiny.parts import llama_shape, llama_tokenizer, louder, seeded, siglip_vision


def framepack():
    from diffusers import (
        FlowMatchEulerDiscreteScheduler,
        HunyuanVideoFramepackPipeline,
        HunyuanVideoFramepackTransformer3DModel,
    )
    from diffusers.pipelines.hunyuan_video.pipeline_hunyuan_video_framepack import DEFAULT_PROMPT_TEMPLATE
    from transformers import LlamaConfig, LlamaModel

    words = llama_tokenizer(DEFAULT_PROMPT_TEMPLATE["template"], MARKS)
    encoder, processor = siglip_vision(width=16, patch=16)
    shape = transformer_shape(has_image_proj=True, image_proj_dim=16, has_clean_x_embedder=True)
    return HunyuanVideoFramepackPipeline(
        tokenizer=words, text_encoder=seeded(LlamaModel, LlamaConfig(**llama_shape(len(words)))), **words_and_pooled(),
        image_encoder=encoder, feature_extractor=processor, vae=vae(),
        transformer=louder(seeded(HunyuanVideoFramepackTransformer3DModel, **shape)),
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True))


TINY = {"framepack": Tiny(framepack, like="framepack-i2v", seconds=1.2)}
