"""Cosmos Predict 2 with Wan's VAE, and a guardrail that lets everything pass."""

from tests.engine.tiny import Tiny
from tests.engine.tiny.parts import louder, seeded, t5_encoder, t5_tokenizer
from tests.engine.tiny.wan import vae


class Guardrail:
    """Stands for the package's own, in tests alone: its networks are not to be had without a network."""

    def to(self, device):
        return self

    def check_text_safety(self, prompt):
        return True

    def check_video_safety(self, frames):
        return frames


def install_guardrail():
    """As if the package were there: for the whole process, which is a test's."""
    from diffusers.pipelines.cosmos import pipeline_cosmos2_video2world as cosmos

    cosmos.CosmosSafetyChecker = Guardrail


def transformer(**more):
    from diffusers import CosmosTransformer3DModel

    return seeded(CosmosTransformer3DModel, in_channels=17, out_channels=16, num_attention_heads=2,
                  attention_head_dim=16, num_layers=2, mlp_ratio=2, adaln_lora_dim=4, max_size=(4, 32, 32),
                  patch_size=(1, 2, 2), concat_padding_mask=True, **more)


def unguarded(pipeline):
    """As the folders are: the guardrail is no part of them."""
    pipeline.register_modules(safety_checker=None)
    return pipeline


def cosmos2():
    from diffusers import Cosmos2VideoToWorldPipeline, FlowMatchEulerDiscreteScheduler

    install_guardrail()
    words = t5_tokenizer()
    return unguarded(Cosmos2VideoToWorldPipeline(
        tokenizer=words, text_encoder=t5_encoder(len(words)), vae=louder(vae()), safety_checker=Guardrail(),
        transformer=louder(transformer(text_embed_dim=32, rope_scale=(1.0, 3.0, 3.0), extra_pos_embed_type=None)),
        scheduler=FlowMatchEulerDiscreteScheduler(use_karras_sigmas=True)))


TINY = {"cosmos2": Tiny(cosmos2, like="cosmos-predict2-2b")}
