"""SANA-Video with Wan's VAE."""

from tests.engine.tiny import Tiny
from tests.engine.tiny.parts import gemma_tokenizer, louder, seeded
from tests.engine.tiny.wan import vae


def gemma2(words, width=8):
    from transformers import Gemma2Config, Gemma2Model

    return seeded(Gemma2Model, Gemma2Config(
        vocab_size=words, hidden_size=width, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=2, head_dim=8))


def sana():
    from diffusers import FlowMatchEulerDiscreteScheduler, SanaImageToVideoPipeline, SanaVideoTransformer3DModel

    words = gemma_tokenizer()
    transformer = seeded(
        SanaVideoTransformer3DModel, in_channels=16, out_channels=16, num_attention_heads=2, attention_head_dim=12,
        num_layers=2, num_cross_attention_heads=2, cross_attention_head_dim=12, cross_attention_dim=24,
        caption_channels=8, mlp_ratio=2.5, sample_size=30, patch_size=(1, 2, 2), rope_max_seq_len=32)
    return SanaImageToVideoPipeline(
        tokenizer=words, text_encoder=louder(gemma2(len(words))), vae=louder(vae()), transformer=louder(transformer),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=8.0))


TINY = {"sana": Tiny(sana, like="sana-video-2b-480p")}
