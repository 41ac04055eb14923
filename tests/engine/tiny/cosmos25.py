"""Cosmos Predict 2.5 with Wan's VAE."""

from tests.engine.tiny import Tiny
from tests.engine.tiny.cosmos2 import Guardrail, install_guardrail, transformer, unguarded
from tests.engine.tiny.parts import louder, qwen_tokenizer, seeded, unipc
from tests.engine.tiny.wan import vae

WIDTH, LAYERS = 16, 2      # of the text encoder; the transformer is given all its layers side by side


def qwen(words):
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    config = Qwen2_5_VLConfig(
        text_config={"vocab_size": words, "hidden_size": WIDTH, "intermediate_size": 16, "num_hidden_layers": LAYERS,
                     "num_attention_heads": 2, "num_key_value_heads": 2,
                     "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [1, 1, 2]}},
        vision_config={"depth": 1, "hidden_size": WIDTH, "intermediate_size": 16, "num_heads": 2,
                       "out_hidden_size": WIDTH})
    return seeded(Qwen2_5_VLForConditionalGeneration, config)


def cosmos25():
    from diffusers import Cosmos2_5_PredictBasePipeline

    install_guardrail()
    words = qwen_tokenizer()
    return unguarded(Cosmos2_5_PredictBasePipeline(
        tokenizer=words, text_encoder=qwen(len(words)), scheduler=unipc(5.0), vae=louder(vae()),
        safety_checker=Guardrail(),
        transformer=louder(transformer(
            text_embed_dim=32, rope_scale=(1.0, 3.0, 3.0), extra_pos_embed_type=None, use_crossattn_projection=True,
            crossattn_proj_in_channels=WIDTH * LAYERS, encoder_hidden_states_channels=32))))


TINY = {"cosmos25": Tiny(cosmos25, like="cosmos-predict2.5-2b")}
