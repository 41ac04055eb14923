"""CogVideoX, with learned positions, and 1.5, with pairs of frames in a token."""

from tests.engine.tiny import Tiny
from tests.engine.tiny.parts import louder, seeded, t5_encoder, t5_tokenizer


def pipeline(**different):
    from diffusers import (
        AutoencoderKLCogVideoX,
        CogVideoXDPMScheduler,
        CogVideoXImageToVideoPipeline,
        CogVideoXTransformer3DModel,
    )

    words = t5_tokenizer()
    transformer = {
        "num_attention_heads": 2, "attention_head_dim": 16, "in_channels": 8, "out_channels": 4, "time_embed_dim": 2,
        "text_embed_dim": 32, "num_layers": 2, "sample_width": 4, "sample_height": 4, "sample_frames": 9,
        "patch_size": 2, "temporal_compression_ratio": 4, "max_text_seq_length": 226,
        "use_rotary_positional_embeddings": True, **different}
    return CogVideoXImageToVideoPipeline(
        tokenizer=words, text_encoder=t5_encoder(len(words)), scheduler=CogVideoXDPMScheduler(),
        transformer=louder(seeded(CogVideoXTransformer3DModel, **transformer)),
        vae=seeded(AutoencoderKLCogVideoX, down_block_types=("CogVideoXDownBlock3D",) * 4,
                   up_block_types=("CogVideoXUpBlock3D",) * 4, block_out_channels=(8,) * 4, latent_channels=4,
                   layers_per_block=1, norm_num_groups=2, temporal_compression_ratio=4))


def cogvideox_10():
    return pipeline(use_learned_positional_embeddings=True)


def cogvideox_15():
    return pipeline(patch_size_t=2, ofs_embed_dim=2, use_learned_positional_embeddings=False,
                    sample_width=16, sample_height=16)


TINY = {
    "cogvideox_10": Tiny(cogvideox_10, like="cogvideox-5b", seconds=1.1),
    "cogvideox_15": Tiny(cogvideox_15, like="cogvideox-1.5-5b", seconds=1.0),
}
