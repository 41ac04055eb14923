"""LTX-2 in its layouts: 2.0, 2.3 (a vocoder that widens its band), 2.5 (a head that would guess the length)."""

from tests.engine.tiny import Tiny
from tests.engine.tiny.parts import gemma_tokenizer, louder, seeded

HIDDEN, LAYERS = 32, 2      # of the text encoder; the connectors need 4 heads of 8


def text_encoder(words):
    from transformers import Gemma3Config, Gemma3ForConditionalGeneration

    return seeded(Gemma3ForConditionalGeneration, Gemma3Config(
        text_config={"vocab_size": words + 8, "hidden_size": HIDDEN, "intermediate_size": 32,
                     "num_hidden_layers": LAYERS, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 8,
                     "sliding_window": 32},
        vision_config={"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
                       "image_size": 16, "patch_size": 8},
        mm_tokens_per_image=4, image_token_index=words, boi_token_index=words + 1, eoi_token_index=words + 2))


def connectors():
    from diffusers.pipelines.ltx2 import LTX2TextConnectors

    return seeded(LTX2TextConnectors, caption_channels=HIDDEN, text_proj_in_factor=LAYERS + 1,
                  video_connector_num_attention_heads=4, video_connector_attention_head_dim=8,
                  video_connector_num_layers=1, video_connector_num_learnable_registers=None,
                  audio_connector_num_attention_heads=4, audio_connector_attention_head_dim=8,
                  audio_connector_num_layers=1, audio_connector_num_learnable_registers=None,
                  connector_rope_base_seq_len=32, rope_theta=10000.0, rope_double_precision=False,
                  causal_temporal_positioning=False, rope_type="split")


def transformer(**more):
    from diffusers import LTX2VideoTransformer3DModel

    return seeded(LTX2VideoTransformer3DModel, in_channels=4, out_channels=4, patch_size=1, patch_size_t=1,
                  num_attention_heads=2, attention_head_dim=8, cross_attention_dim=16, audio_in_channels=4,
                  audio_out_channels=4, audio_num_attention_heads=2, audio_attention_head_dim=4,
                  audio_cross_attention_dim=8, num_layers=1, qk_norm="rms_norm_across_heads", caption_channels=HIDDEN,
                  rope_double_precision=False, rope_type="split", **more)


def vae(channels=4, halves=3):
    """halves: how often space and time are halved: 3 = 8 times smaller in both, as in time it really is."""
    from diffusers import AutoencoderKLLTX2Video

    return seeded(AutoencoderKLLTX2Video, in_channels=3, out_channels=3, latent_channels=channels,
                  block_out_channels=(8,) * halves, decoder_block_out_channels=(8,) * halves,
                  layers_per_block=(1,) * halves, decoder_layers_per_block=(1,) * (halves + 1),
                  spatio_temporal_scaling=(True,) * halves, decoder_spatio_temporal_scaling=(True,) * halves,
                  decoder_inject_noise=(False,) * (halves + 1), downsample_type=("spatiotemporal",) * halves,
                  upsample_residual=(False,) * halves, upsample_factor=(1,) * halves, timestep_conditioning=False,
                  patch_size=1, patch_size_t=1, encoder_causal=True, decoder_causal=False)


def audio_vae():
    from diffusers import AutoencoderKLLTX2Audio

    return seeded(AutoencoderKLLTX2Audio, base_channels=4, output_channels=2, ch_mult=(1,), num_res_blocks=1,
                  attn_resolutions=None, in_channels=2, resolution=32, latent_channels=2, norm_type="pixel",
                  causality_axis="height", dropout=0.0, mid_block_add_attention=False, sample_rate=16000,
                  mel_hop_length=160, is_causal=True, mel_bins=8)


def vocoder():
    """160 samples a step of the spectrogram, as its hop is."""
    from diffusers.pipelines.ltx2.vocoder import LTX2Vocoder

    return seeded(LTX2Vocoder, in_channels=16, hidden_channels=32, out_channels=2, upsample_kernel_sizes=[20, 16],
                  upsample_factors=[10, 16], resnet_kernel_sizes=[3], resnet_dilations=[[1, 3, 5]],
                  leaky_relu_negative_slope=0.1, output_sampling_rate=16000)


def pipeline(**different):
    from diffusers import FlowMatchEulerDiscreteScheduler, LTX2ImageToVideoPipeline

    words = gemma_tokenizer()
    return LTX2ImageToVideoPipeline(**{
        "scheduler": FlowMatchEulerDiscreteScheduler(), "vae": louder(vae()), "audio_vae": audio_vae(),
        "text_encoder": text_encoder(len(words)), "tokenizer": words, "connectors": connectors(),
        "transformer": louder(transformer()), "vocoder": vocoder(), **different})


def ltx25():
    from diffusers.pipelines.ltx2 import LTX2DurationHead

    head = seeded(LTX2DurationHead, video_cross_attention_dim=HIDDEN, audio_cross_attention_dim=HIDDEN,
                  pooler_hidden_dim=8, num_pooler_heads=2, mlp_hidden_dim=8)
    return pipeline(duration_head=head)


TINY = {
    "ltx2": Tiny(pipeline, like="ltx-2"),
    "ltx25": Tiny(ltx25, like="ltx-2.5"),
}
