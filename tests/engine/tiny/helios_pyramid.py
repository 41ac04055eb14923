"""Helios as distilled: three resolutions, few steps."""

from tests.engine.tiny import Tiny
from tests.engine.tiny.helios import parts


def distilled():
    from diffusers import HeliosDMDScheduler, HeliosPyramidPipeline

    # With the real gamma, 1/3, the pipeline's own noise is not positive definite on a CPU.
    return HeliosPyramidPipeline(scheduler=HeliosDMDScheduler(gamma=0.25), is_distilled=True, **parts())


# The smallest stage has a quarter of each side: 64 pixels are 2 latents there.
TINY = {"distilled": Tiny(distilled, like="helios-distilled", size=(64, 64))}
