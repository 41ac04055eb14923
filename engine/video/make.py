"""From a found model and a request to frames: the pipeline on its device, the call, what is done when memory runs out."""

# torch and diffusers belong to the full engine; types are checked in the light one.
# pyright: reportMissingImports=false

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.errors import WeightsMissing
from engine.protocol import GenerateSettings
from engine.video.family import Ask, Sound
from engine.video.load import INSTALL_FULL, Found, load, no_memory
from engine.video.run import Teller, run
from engine.video.warm import release, warm


@dataclass(frozen=True)
class Make:
    """picture, last: (h, w, 3) uint8, of the model's size. num_frames: valid for the model."""

    found: Found
    settings: GenerateSettings
    picture: np.ndarray
    last: np.ndarray | None
    num_frames: int
    seed: int


@dataclass(frozen=True)
class Made:
    """frames: (F, h, w, 3) uint8, of the model's size."""

    frames: np.ndarray
    sound: Sound | None


def make(wish: Make, stages: Teller, warnings: list[str]) -> Made:
    """Raises JobCancelled, BadModel, WeightsMissing, OutOfMemory, NoPicture."""
    try:
        import torch
    except ImportError as error:
        raise WeightsMissing("Image-to-video needs the full engine, which is not installed.", INSTALL_FULL) from error
    ask = ask_of(wish)
    found = wish.found
    try:
        key = (str(found.folder), found.family.pipeline_name(ask))
        with stages.stage("load"):
            pipe = warm(key, lambda: load(found, ask, {"default": torch.float32}))
        result = run(pipe, found.family, ask, stages)
    except (torch.OutOfMemoryError, MemoryError) as error:
        release()
        raise no_memory(found) from error
    return Made(np.rint(result.frames.clip(0, 1) * 255).astype(np.uint8), result.sound)


def ask_of(wish: Make) -> Ask:
    """What the family is asked for; the model's own values where the person chose none."""
    import torch
    from PIL import Image

    settings, model = wish.settings, wish.found.model
    height, width = wish.picture.shape[:2]
    return Ask(
        image=Image.fromarray(wish.picture),
        prompt=settings.prompt,
        negative_prompt=settings.negative_prompt or model.negative_prompt,
        num_frames=wish.num_frames,
        width=width,
        height=height,
        fps=model.fps,
        num_inference_steps=settings.num_inference_steps or model.num_inference_steps,
        guidance_scale=settings.guidance_scale if settings.guidance_scale >= 0 else model.guidance_scale,
        generator=torch.Generator("cpu").manual_seed(wish.seed),
        motion=settings.motion if settings.motion >= 0 else None,
        last_image=None if wish.last is None else Image.fromarray(wish.last),
        options=dict[str, Any](model.options),
    )
