"""Tokenizers, text encoders and image encoders that several families share. No files, no network, weights from a seed.

The vocabularies are single characters, so that every prompt is another sequence.
"""

import string

CHARACTERS = string.ascii_letters + string.digits + string.punctuation
SPACE = "\u2581"


def seeded(make, *arguments, **more):
    """A module with weights from one seed, without dropout: a T5 in training mode never repeats itself."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return make(*arguments, **more).eval()


def louder(module, gain=2.0):
    """The same module with larger weights: what goes into so small a net hardly shows in what comes out of it else."""
    import torch

    with torch.no_grad():
        for weights in module.parameters():
            if weights.ndim > 1:
                weights.mul_(gain)
    return module


def awake(module, deviation=0.2):
    """The same module, random also where training begins with zeros, so that every layer does something."""
    import torch

    random = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weights in module.parameters():
            if weights.ndim > 1 and not weights.any():
                weights.normal_(std=deviation, generator=random)
    return module


def t5_tokenizer(length=512):
    from transformers import T5Tokenizer

    letters = [(SPACE + letter, -3.5) for letter in string.ascii_letters]
    vocabulary = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), (SPACE, -2.0), *((c, -3.0) for c in CHARACTERS)]
    return T5Tokenizer(vocab=vocabulary + letters, extra_ids=0, model_max_length=length)


def t5_encoder(words, width=32, umt5=False):
    """words: of the vocabulary. umt5: the one of the Wan models."""
    from transformers import T5Config, T5EncoderModel, UMT5Config, UMT5EncoderModel

    shape = {"vocab_size": words, "d_model": width, "d_kv": 8, "d_ff": 37, "num_layers": 2, "num_heads": 4,
             "relative_attention_num_buckets": 8, "dropout_rate": 0.0, "feed_forward_proj": "gated-gelu"}
    if umt5:
        return seeded(UMT5EncoderModel, UMT5Config(**shape))
    return seeded(T5EncoderModel, T5Config(**shape))


def clip_tokenizer():
    from transformers import CLIPTokenizer

    vocabulary = {"<|startoftext|>": 0, "<|endoftext|>": 1}
    for character in CHARACTERS.lower():
        for end in ("", "</w>"):
            vocabulary.setdefault(character + end, len(vocabulary))
    return CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77)


def clip_text(words, width=16):
    from transformers import CLIPTextConfig, CLIPTextModel

    return seeded(CLIPTextModel, CLIPTextConfig(
        vocab_size=words, hidden_size=width, projection_dim=width, intermediate_size=37, num_attention_heads=4,
        num_hidden_layers=2, bos_token_id=0, eos_token_id=1, pad_token_id=1))


def clip_vision(width=32, patch=8, size=32):
    """A CLIP image encoder and the processor of its pictures; (size / patch)^2 + 1 tokens, an embedding of width."""
    from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

    config = CLIPVisionConfig(hidden_size=width, projection_dim=width, num_hidden_layers=2, num_attention_heads=2,
                              intermediate_size=37, image_size=size, patch_size=patch)
    return seeded(CLIPVisionModelWithProjection, config), CLIPImageProcessor(crop_size=size, size=size)


def siglip_vision(width=32, patch=8, size=32):
    """A SigLIP image encoder and the processor of its pictures; (size / patch)^2 tokens of width."""
    from transformers import SiglipImageProcessor, SiglipVisionConfig, SiglipVisionModel

    config = SiglipVisionConfig(hidden_size=width, num_hidden_layers=2, num_attention_heads=2, intermediate_size=37,
                                image_size=size, patch_size=patch)
    return seeded(SiglipVisionModel, config), SiglipImageProcessor(size={"height": size, "width": size})


def gemma_tokenizer():
    from transformers import GemmaTokenizer

    vocabulary = {"<pad>": 0, "<eos>": 1, "<bos>": 2, "<unk>": 3}
    for character in (SPACE, *CHARACTERS):
        vocabulary.setdefault(character, len(vocabulary))
    return GemmaTokenizer(vocab=vocabulary, merges=[], model_max_length=1024)


def llama_tokenizer(template="", marks=()):
    """template: a text whose words are one token each, as in a real vocabulary: pipelines cut it off by its length.

    marks: special tokens.
    """
    from transformers import AddedToken, LlamaTokenizer

    vocabulary = {"<unk>": 0, "<s>": 1, "</s>": 2, SPACE: 3, "\n": 4}
    for character in CHARACTERS:
        vocabulary.setdefault(character, len(vocabulary))
    tokenizer = LlamaTokenizer(vocab=vocabulary, merges=[], pad_token="<pad>", padding_side="right")
    tokenizer.add_tokens([AddedToken(mark, special=True, normalized=False) for mark in marks], special_tokens=True)
    words = sorted({word for word in template.split() if word.isalpha() and len(word) > 1})
    tokenizer.add_tokens([AddedToken(word, single_word=True, lstrip=True, normalized=False) for word in words])
    return tokenizer


def llama_shape(words, width=16):
    """What a Llama's configuration needs, as a dict: a Llava holds one too."""
    return {"vocab_size": words, "hidden_size": width, "intermediate_size": 32, "num_hidden_layers": 3,
            "num_attention_heads": 2, "num_key_value_heads": 1, "max_position_embeddings": 2048}


def qwen_tokenizer():
    """With a chat template, which the pipelines call."""
    from transformers import Qwen2Tokenizer

    marks = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    vocabulary = {mark: number for number, mark in enumerate(marks)}
    for character in (*CHARACTERS, "\u0120", "\u010a"):     # space and new line as byte-level vocabularies write them
        vocabulary.setdefault(character, len(vocabulary))
    tokenizer = Qwen2Tokenizer(vocab=vocabulary, merges=[], padding_side="right")
    tokenizer.add_special_tokens({"additional_special_tokens": marks[1:]})
    tokenizer.chat_template = (
        "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
        "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}")
    return tokenizer


def qwen_text(words, width=16):
    """The language half of a Qwen2.5-VL."""
    from transformers import Qwen2_5_VLTextConfig, Qwen2_5_VLTextModel

    return seeded(Qwen2_5_VLTextModel, Qwen2_5_VLTextConfig(
        vocab_size=words, hidden_size=width, intermediate_size=32, num_hidden_layers=3, num_attention_heads=2,
        num_key_value_heads=1, max_position_embeddings=2048,
        rope_parameters={"rope_type": "default", "rope_theta": 1e6, "mrope_section": [1, 1, 2]}))


def unipc(flow_shift=3.0):
    """The scheduler of Wan's relatives."""
    from diffusers import UniPCMultistepScheduler

    return UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=flow_shift)
