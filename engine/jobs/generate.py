"""A still and a prompt become a clip: an image-to-video model of diffusers."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import BadRequest
from ..protocol import ASPECTS, CLIP_FORMATS, CONFORMS, MEMORY_MODES, SPEEDS, GenerateRequest, GenerateSettings
from .camera_move import MAX_FRAMES, MAX_SIDE
from .stages import Stages, record
from .still import frame_still

if TYPE_CHECKING:
    from ..video.load import Found
    from ..video.make import Maker
    from ..video.solve import Framing


def generate(job_id: str, request: GenerateRequest, stages: Stages) -> dict[str, Any]:
    """Makes the clip. Raises a DioramaError or JobCancelled; nothing with the clip's name is left behind then."""
    from ..finish.conform import conform
    from ..media.clip import ClipWriter
    from ..media.still import load_still
    from ..video.load import find
    from ..video.make import Make, Maker
    from ..video.plan import Size
    from ..video.solve import framing, from_model, seed_of, timing, to_model

    check_request(request)
    settings = request.generate
    clip = request.output.rstrip("/\\")
    warnings: list[str] = []
    with ExitStack() as stack:
        with stages.stage("load"):
            found = find(settings.model)
            refuse(found, request)
            still = load_still(request.image)
            still_size = [still.width, still.height]
            still, rect, _ = frame_still(still, request)
            frame = framing((still.width, still.height), found.model, request.aspect, (request.width, request.height),
                            (settings.width, settings.height))
            last = None
            if request.last_image:
                last, _, _ = frame_still(load_still(request.last_image), request)
                last = to_model(last.rgb, _same_part((last.width, last.height), frame))
            times = timing(request.num_frames, request.frame_rate, found.model.fps, found.rule, last is not None)
            width, height = frame.clip
            # Opened before the long work: a read-only folder or a full disk is told at once.
            writer = stack.enter_context(
                ClipWriter(request.output, request.clip_format, width, height, request.frame_rate))
            maker = Maker(found, settings, Size(*frame.working, times.made), warnings)
            wish = Make(to_model(still.rgb, frame), last, times.made, seed_of(settings.seed))
        warnings += maker.plan.warnings
        made = maker.make(wish, stages)
        with stages.stage("finish"):
            pictures: Iterator[np.ndarray] = (from_model(one, frame) for one in made.frames[: times.used])
            pictures = conform(pictures, times.used, request.num_frames, request.conform, warnings)
            for index, picture in enumerate(pictures):
                writer.write(picture)
                stages.step("finish", index + 1, request.num_frames)
        with stages.stage("write"):
            files = writer.commit()
    return record(
        job_id,
        clip + ".json",
        {
            "clip": clip,
            "files": files,
            "num_frames": request.num_frames,
            "fps": list(request.fps),
            "width": width,
            "height": height,
            "rect": rect,
            "still_size": still_size,
            "model": found.model.name,
            "seed": wish.seed,
            "plan": maker.plain(),
            "settings": _effective(request, maker, wish.seed, frame),
            "warnings": warnings,
            "seconds": stages.seconds,
        },
    )


def check_request(request: GenerateRequest) -> None:
    """Raises BadRequest for values that no job can work with."""
    settings = request.generate
    if not 1 <= request.num_frames <= MAX_FRAMES:
        raise BadRequest(f"A clip of {request.num_frames} frames cannot be made.", f"Choose 1 to {MAX_FRAMES} frames.")
    if request.fps[0] <= 0 or request.fps[1] <= 0:
        raise BadRequest("The frame rate is not above zero.", "Choose a frame rate such as 24 or 24000/1001.")
    check_names(
        (request.clip_format, CLIP_FORMATS, "clip format"),
        (request.aspect, ASPECTS, "aspect"),
        (request.conform, CONFORMS, "way to conform"),
    )
    check_settings(settings)
    if max(request.width, request.height, settings.width, settings.height) > MAX_SIDE:
        raise BadRequest("The clip is too large.", f"Choose sides up to {MAX_SIDE} pixels.")
    if not 0 <= request.mask_feather <= 0.5:
        raise BadRequest("The mask's feather is out of range.", "Choose 0 to 0.5 of the shorter side.")


def check_settings(settings: GenerateSettings) -> None:
    """Raises BadRequest for values that no model can work with."""
    check_names((settings.speed, SPEEDS, "speed"), (settings.memory, ("auto", *MEMORY_MODES), "memory mode"))
    if settings.motion > 1:
        raise BadRequest(f"A motion of {settings.motion:g} is out of range.", "Choose 0 (still) to 1 (much).")
    if len(settings.loras) != len(settings.lora_weights):
        raise BadRequest("There are not as many LoRA weights as LoRAs.", "Give one weight for each LoRA.")


def check_names(*chosen: tuple[str, tuple[str, ...], str]) -> None:
    """Each a name, those that there are, and what they are names of. Raises BadRequest."""
    for value, known, what in chosen:
        if value not in known:
            raise BadRequest(f"There is no {what} called '{value}'.", f"Choose one of: {', '.join(known)}.")


def refuse(found: Found, request: GenerateRequest) -> None:
    """Raises BadRequest, which names the model, for a control that it does not have."""
    settings = request.generate
    asked = {
        "prompt": (settings.prompt, "a prompt"),
        "negative_prompt": (settings.negative_prompt, "a negative prompt"),
        "num_inference_steps": (settings.num_inference_steps, "a number of steps"),
        "guidance_scale": (settings.guidance_scale >= 0, "a guidance scale"),
        "motion": (settings.motion >= 0, "an amount of motion"),
        "last_image": (request.last_image, "a last still"),
        "loras": (settings.loras, "LoRAs"),
        "size": (settings.width or settings.height, "another size than its own"),
        "previous_clip": (request.previous_clip, "a clip to go on from"),
    }
    for control, (value, words) in asked.items():
        if value and control not in found.controls:
            raise BadRequest(f"{found.model.name} does not take {words}.", "Leave it out, or choose another model.")
        if control in found.model.needs and not value:
            raise BadRequest(f"{found.model.name} needs {words}.", "Give it, or choose another model.")
    if request.views and not found.controls & {"camera_path", "control_video"}:
        raise BadRequest(f"{found.model.name} does not follow a camera.",
                         "Choose a model that does, or leave the camera out.")


def _same_part(size: tuple[int, int], frame: Framing) -> Framing:
    """How another still of that size is brought into the same frame: its middle, in the same aspect."""
    from ..video.solve import cut

    return dataclasses.replace(frame, content=cut(size, frame.inner[2] / frame.inner[3]))


def _effective(request: GenerateRequest, maker: Maker, seed: int, frame: Framing) -> dict[str, Any]:
    """The request with the values that were really used, as a request that repeats it."""
    settings = dataclasses.asdict(request)
    own = settings["generate"]
    controls = maker.found.controls
    own["seed"] = seed
    if "size" in controls:
        own["width"], own["height"] = frame.working
    settings["width"], settings["height"] = frame.clip
    if "num_inference_steps" in controls:
        own["num_inference_steps"] = maker.speed.num_inference_steps
    if "guidance_scale" in controls:
        own["guidance_scale"] = maker.speed.guidance_scale
    return settings
