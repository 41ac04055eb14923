"""SkyReels V2 with diffusion forcing."""

from tests.engine.tiny import Tiny
from tests.engine.tiny.skyreels import transformer, words_and_vae


def skyreels_forcing():
    from diffusers import SkyReelsV2DiffusionForcingImageToVideoPipeline

    return SkyReelsV2DiffusionForcingImageToVideoPipeline(
        **words_and_vae(), transformer=transformer(in_channels=16, inject_sample_info=True))


TINY = {"skyreels_forcing": Tiny(skyreels_forcing, like="skyreels-v2-df-1.3b-540p")}
