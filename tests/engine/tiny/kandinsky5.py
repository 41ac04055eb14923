"""Kandinsky 5 with HunyuanVideo's VAE."""

from tests.engine.tiny import Tiny
from tests.engine.tiny.cosmos25 import qwen
from tests.engine.tiny.hunyuan import vae, words_and_pooled
from tests.engine.tiny.parts import awake, louder, qwen_tokenizer, seeded


def words_of(template):
    """A vocabulary in which the words of the pipeline's own text are one token each: it cuts them off by number."""
    from transformers import AddedToken

    words = qwen_tokenizer()
    known = sorted({word for word in template.split() if word.isalpha() and len(word) > 1})
    words.add_tokens([AddedToken(word, single_word=True, lstrip=True, normalized=False) for word in known])
    return words


def kandinsky5():
    from diffusers import FlowMatchEulerDiscreteScheduler, Kandinsky5I2VPipeline, Kandinsky5Transformer3DModel
    from diffusers.pipelines.kandinsky6.pipeline_kandinsky6_ti2va import _PROMPT_TEMPLATE

    words = words_of(_PROMPT_TEMPLATE)      # all but one word of it is Kandinsky 5's too
    transformer = seeded(
        Kandinsky5Transformer3DModel, in_visual_dim=4, out_visual_dim=4, in_text_dim=16, in_text_dim2=8, time_dim=16,
        patch_size=(1, 2, 2), model_dim=24, ff_dim=32, num_text_blocks=1, num_visual_blocks=1, axes_dims=(4, 4, 4),
        visual_cond=True)
    return Kandinsky5I2VPipeline(
        transformer=awake(louder(transformer)), vae=louder(vae()), text_encoder=qwen(len(words)), tokenizer=words,
        **words_and_pooled(), scheduler=FlowMatchEulerDiscreteScheduler(shift=5.0))


TINY = {"kandinsky5": Tiny(kandinsky5, like="kandinsky-5-i2v-pro")}
