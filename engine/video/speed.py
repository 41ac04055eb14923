"""Speed modes, by the names that diffusers gives to what they use. "best" changes nothing in the picture.

    best        the fastest exact attention that this machine has; compiled blocks where that pays
    balanced    also the model's few-step LoRA, or a cache that skips what hardly changes between two steps
    draft       also half the steps, and a cache that skips more
"""

# torch and diffusers belong to the full engine; types are checked in the light one.
# pyright: reportMissingImports=false

from __future__ import annotations

import functools
import importlib.util
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.protocol import GenerateSettings
from engine.video.family import Family
from engine.video.load import Found

# The fastest first. Those of the second list round numbers to 8 bits.
DEFAULT_BACKEND = "native"
EXACT_BACKENDS = ("_flash_3", "flash", "_native_cudnn", DEFAULT_BACKEND)
ROUNDING_BACKENDS = ("sage",)
THRESHOLD = {"balanced": 0.08, "draft": 0.2}       # of the first block's change, below which the others are skipped
INTERVAL = {"balanced": 3, "draft": 5}             # steps of which TaylorSeer computes one
COMPILES_FROM = 180.0                              # seconds of a clip; compiling takes about one minute itself


@dataclass(frozen=True)
class Speed:
    """How fast a clip is made. few_steps: the LoRA's files, or (). cache: "" or one of the catalog's caches.

    note: what it trades, one sentence; "" where nothing.
    """

    name: str
    num_inference_steps: int
    guidance_scale: float
    few_steps: tuple[str, ...] = ()
    weight: float = 1.0
    cache: str = ""
    note: str = ""


def speed_of(settings: GenerateSettings, found: Found) -> Speed:
    """What the person chose and the model has. Steps and guidance that were given stay as they are."""
    model = found.model
    steps = settings.num_inference_steps or model.num_inference_steps
    guidance = settings.guidance_scale if settings.guidance_scale >= 0 else model.guidance_scale
    if settings.speed == "best":
        return Speed("best", steps, guidance)
    if model.few_steps and (files := _few_steps_here(found)):
        few = model.few_steps
        steps = settings.num_inference_steps or few.num_inference_steps
        guidance = settings.guidance_scale if settings.guidance_scale >= 0 else few.guidance_scale
        note = f"A LoRA draws the clip in {steps} steps: much faster, a little less motion and variety."
        return Speed(settings.speed, steps, guidance, files, few.weight, note=note)
    cache = model.caches[0] if model.caches else ""
    notes = ["Steps that hardly change the clip are skipped in part: faster, fine detail can differ."] if cache else []
    if settings.speed == "draft" and not settings.num_inference_steps and "num_inference_steps" in found.controls:
        steps = math.ceil(steps / 2)
        notes.insert(0, "Half the steps: for a first look.")
    note = " ".join(notes) or f"{model.name} knows no faster way than its own: this is the same as best."
    return Speed(settings.speed, steps, guidance, cache=cache, note=note)


def hurry(pipe: Any, family: Family, speed: Speed, device: str, expected_seconds: float) -> None:
    """Sets attention, cache and compiled blocks of a pipeline that is in its memory mode already."""
    denoisers = [part for name in family.denoisers if (part := getattr(pipe, name, None)) is not None]
    backend = best_backend(device, exact=speed.name == "best")
    for part in denoisers:
        if backend != DEFAULT_BACKEND and hasattr(part, "set_attention_backend"):
            part.set_attention_backend(backend)
        if speed.cache and hasattr(part, "enable_cache"):
            part.enable_cache(_cache(speed))
        if device == "cuda" and expected_seconds >= COMPILES_FROM and getattr(part, "_repeated_blocks", None) \
                and importlib.util.find_spec("triton"):
            import torch

            # A block that cannot be compiled on this machine runs as it is.
            torch._dynamo.config.suppress_errors = True
            part.compile_repeated_blocks(dynamic=False)


@functools.cache
def best_backend(device: str, exact: bool) -> str:
    """The fastest attention that really runs here: some pass their setter and fail in the call."""
    if device != "cuda":
        return DEFAULT_BACKEND
    import torch
    from diffusers.models.attention_dispatch import dispatch_attention_fn

    query = torch.zeros(1, 256, 4, 128, device=device, dtype=torch.bfloat16)
    for name in (*(() if exact else ROUNDING_BACKENDS), *EXACT_BACKENDS):
        try:
            dispatch_attention_fn(query, query, query, backend=name)
            torch.cuda.synchronize()
        except (RuntimeError, ValueError, ImportError, TypeError, KeyError, NotImplementedError, AttributeError):
            continue        # whatever a missing kernel raises: the next one is tried
        return name
    return DEFAULT_BACKEND


def _cache(speed: Speed) -> Any:
    from diffusers import FirstBlockCacheConfig, TaylorSeerCacheConfig

    if speed.cache == "taylorseer":
        return TaylorSeerCacheConfig(cache_interval=INTERVAL[speed.name])
    return FirstBlockCacheConfig(threshold=THRESHOLD[speed.name])


def _few_steps_here(found: Found) -> tuple[str, ...]:
    """The LoRA's files where they lie on this machine, else ()."""
    from engine.hub import Source, local_folder

    few = found.model.few_steps
    if few is None:
        return ()
    folder = local_folder(Source(few.repository, files=few.files))
    files = tuple(str(folder / file) for file in few.files) if folder else ()
    return files if files and all(Path(file).is_file() for file in files) else ()
