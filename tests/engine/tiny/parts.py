"""Parts that several tiny pipelines share: tokenizers of single characters, small encoders, small VAEs.

All weights are random, always the same ones, and hardly any; the pictures they make are noise. They prove shapes,
arguments, callbacks, seeds and the layout of folders. torch and its friends are imported inside the functions, so that
the light engine can still collect the tests.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

CHARACTERS = string.ascii_letters + string.digits + string.punctuation
WORD_START = "\u2581"


def drawn(make: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """What `make` gives, with the same random weights every time, ready to run."""
    import torch

    torch.manual_seed(0)
    part = make(*arguments, **named)
    return part.eval() if hasattr(part, "eval") else part


def save(pipeline: Any, folder: Path) -> None:
    """The whole pipeline as diffusers saves it."""
    pipeline.save_pretrained(str(folder), safe_serialization=True)


def t5_tokenizer() -> Any:
    from transformers import T5Tokenizer

    vocabulary = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), (WORD_START, -2.0)]
    vocabulary += [(letter, -3.0) for letter in CHARACTERS]
    vocabulary += [(WORD_START + letter, -3.5) for letter in string.ascii_letters]
    return T5Tokenizer(vocab=vocabulary, extra_ids=0, model_max_length=512)


def t5_encoder(words: int, width: int = 32, umt5: bool = False) -> Any:
    """Without dropout: else the same seed gives other frames. umt5: the kind that Wan has."""
    from transformers import T5Config, T5EncoderModel, UMT5Config, UMT5EncoderModel

    config, model = (UMT5Config, UMT5EncoderModel) if umt5 else (T5Config, T5EncoderModel)
    return drawn(
        model,
        config(
            vocab_size=words, d_model=width, d_kv=8, d_ff=37, num_layers=1, num_heads=4, dropout_rate=0.0,
            relative_attention_num_buckets=8, feed_forward_proj="gated-gelu",
        ),
    )  # fmt: skip


def clip_tokenizer() -> Any:
    from transformers import CLIPTokenizer

    vocabulary = {"<|startoftext|>": 0, "<|endoftext|>": 1}
    for letter in CHARACTERS.lower():
        for end in ("", "</w>"):
            vocabulary.setdefault(letter + end, len(vocabulary))
    return CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77)


def clip_text(words: int, width: int = 16) -> Any:
    from transformers import CLIPTextConfig, CLIPTextModel

    return drawn(
        CLIPTextModel,
        CLIPTextConfig(
            bos_token_id=0, eos_token_id=1, pad_token_id=1, hidden_size=width, projection_dim=width,
            intermediate_size=37, num_attention_heads=4, num_hidden_layers=1, vocab_size=words,
        ),
    )  # fmt: skip


def clip_vision(width: int = 32, projection: int = 32, patch: int = 1, size: int = 32) -> tuple[Any, Any]:
    """-> image encoder, image processor."""
    from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

    model = drawn(
        CLIPVisionModelWithProjection,
        CLIPVisionConfig(
            hidden_size=width, projection_dim=projection, num_hidden_layers=1, num_attention_heads=4 if width > 4 else 2,
            image_size=size, intermediate_size=37, patch_size=patch,
        ),
    )  # fmt: skip
    return model, CLIPImageProcessor(crop_size=size, size=size)


def gemma_tokenizer() -> Any:
    from transformers import GemmaTokenizer

    vocabulary = {"<pad>": 0, "<eos>": 1, "<bos>": 2, "<unk>": 3}
    for letter in [WORD_START, *CHARACTERS]:
        vocabulary.setdefault(letter, len(vocabulary))
    return GemmaTokenizer(vocab=vocabulary, merges=[], model_max_length=1024)


def wan_vae(**different: Any) -> Any:
    """AutoencoderKLWan as Wan 2.1 has it: 16 channels, 8 times smaller in space, 4 times in time."""
    from diffusers import AutoencoderKLWan

    return drawn(
        AutoencoderKLWan,
        **{
            "base_dim": 3, "z_dim": 16, "dim_mult": [1, 1, 1, 1], "num_res_blocks": 1,
            "temperal_downsample": [False, True, True], **different,
        },
    )  # fmt: skip


def unipc(flow_shift: float) -> Any:
    """The scheduler that Wan's folders come with."""
    from diffusers import UniPCMultistepScheduler

    return UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=flow_shift)


def flow_euler(**different: Any) -> Any:
    from diffusers import FlowMatchEulerDiscreteScheduler

    return FlowMatchEulerDiscreteScheduler(**different)
