"""What a clip would take: memory, time, size, frames. Loads no weights and makes no file."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from pathlib import Path
from typing import Any

from ..errors import WeightsMissing
from ..protocol import PlanRequest
from .generate import check_settings
from .stages import Stages


def plan(request: PlanRequest, stages: Stages) -> dict[str, Any]:
    """As JSON; the keys are described in docs/protocol.md. A model that is not downloaded is planned by its entry.

    Raises BadModel, BadRequest.
    """
    from ..video.catalog import find_model
    from ..video.chain import chain
    from ..video.families import FAMILIES
    from ..video.load import Found, find, with_parameters
    from ..video.machine import machine
    from ..video.make import parts, plain
    from ..video.plan import Size
    from ..video.plan import plan as planned
    from ..video.solve import framing, model_frames
    from ..video.speed import speed_of

    settings = request.generate
    check_settings(settings)
    with stages.stage("plan"):
        try:
            found, here = with_parameters(find(settings.model)), True
        except WeightsMissing:
            model = find_model(settings.model)
            family = FAMILIES[model.family]
            found, here = Found(model, Path(), family, {}, {}, model.frames, model.controls), False
        model = found.model
        frame = framing((request.width, request.height), model, "crop", working=(settings.width, settings.height))
        wish = model_frames(request.num_frames, Fraction(*request.fps), model.fps)
        pieces = chain(wish, found.rule, "previous_clip" in found.controls)
        speed, device = speed_of(settings, found), machine()
        calls = 2 if speed.guidance_scale > 1 else 1
        size = Size(*frame.working, pieces.num_frames, speed.num_inference_steps, calls, pieces.count)
        made = planned(model, parts(found), size, device, settings.memory, settings.speed)
    return plain(made, speed) | {
        "model": model.name,
        "family": model.family,
        "downloaded": here,
        "device": device.name,
        "gpu_free": round(device.gpu_free / 1e9, 1),
        "main_free": round(device.main_free / 1e9, 1),
        "width": frame.working[0],
        "height": frame.working[1],
        "num_frames": pieces.total,
        "pieces": pieces.count,
        "fps": model.fps,
        "stable_seconds": round((found.rule.stable or found.rule.default) / model.fps, 2),
        "controls": sorted(found.controls),
        "needs": sorted(model.needs),
        "documented": [dataclasses.asdict(figure) for figure in model.memory],
    }
