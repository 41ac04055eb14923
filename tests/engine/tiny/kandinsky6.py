"""Kandinsky 6 with sound, as trained and as distilled."""

from tests.engine.tiny import Tiny
from tests.engine.tiny.cosmos25 import qwen
from tests.engine.tiny.hunyuan import vae, words_and_pooled
from tests.engine.tiny.kandinsky5 import words_of
from tests.engine.tiny.parts import louder, seeded


def voice():
    """512 samples a step of the spectrogram, two steps a latent, 44100 samples a second: as in the real ones."""
    from diffusers import MMAudioVAE, MMAudioVocoder

    return {
        "audio_vae": seeded(MMAudioVAE, mel_bins=8, latent_channels=4, hidden_channels=8, channel_multipliers=(1, 1, 1),
                            layers_per_block=1),
        "vocoder": seeded(MMAudioVocoder, num_mels=8, upsample_initial_channel=8, upsample_rates=(16, 32),
                          upsample_kernel_sizes=(32, 64), resblock_kernel_sizes=(3,),
                          resblock_dilation_sizes=((1, 3),)),
    }


def pipeline(scheduler, guesses=1):
    """guesses: how many pictures the transformer gives at once: a distilled one tells a whole way."""
    from diffusers import Kandinsky6TI2VAPipeline, Kandinsky6Transformer3DModel
    from diffusers.pipelines.kandinsky6.pipeline_kandinsky6_ti2va import _PROMPT_TEMPLATE

    words = words_of(_PROMPT_TEMPLATE)
    transformer = seeded(
        Kandinsky6Transformer3DModel, in_visual_dim=4, out_visual_dim=4 * guesses, in_text_dim=16, in_text_dim2=8,
        time_dim=16, patch_size=(1, 2, 2), model_dim=24, ff_dim=32, num_text_blocks=1, num_visual_blocks=1,
        axes_dims=(4, 4, 4), in_audio_dim=4, out_audio_dim=4 * guesses, visual_cond=True,
        visual_token_type_num_embeddings=2)
    return Kandinsky6TI2VAPipeline(
        transformer=louder(transformer), vae=louder(vae()), text_encoder=qwen(len(words)), tokenizer=words,
        **words_and_pooled(), scheduler=scheduler, **voice())


def trained():
    from diffusers import FlowMatchEulerDiscreteScheduler

    return pipeline(FlowMatchEulerDiscreteScheduler(shift=5.0))


def distilled():
    from diffusers import PiflowScheduler

    return pipeline(PiflowScheduler(), guesses=10)


TINY = {
    "kandinsky6": Tiny(trained, like="kandinsky-6-pro"),
    "kandinsky6_distilled": Tiny(distilled, like="kandinsky-6-pro-distilled"),
}
