"""A still and a prompt become a clip: an image-to-video model of diffusers."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import BadRequest, OutputFailed
from ..protocol import ASPECTS, CONFORMS, MEMORY_MODES, SPEEDS, GenerateRequest, GenerateSettings
from .checks import check_clip, check_count, check_names, check_size
from .generate_camera import camera_guide
from .stages import Stages, record
from .still import frame_still

if TYPE_CHECKING:
    from ..finish.frames import Frames
    from ..video.chain import Chain
    from ..video.family import Sound
    from ..video.load import Found
    from ..video.make import Maker
    from ..video.solve import Framing

LONG_SECONDS = 8.0      # models are trained on clips of three to five seconds


def generate(job_id: str, request: GenerateRequest, stages: Stages) -> dict[str, Any]:
    """Makes the clip. Raises a DioramaError or JobCancelled; nothing with the clip's name is left behind then."""
    from ..media.clip import ClipWriter
    from ..media.sound import save_sound
    from ..media.still import load_still
    from ..video.chain import chain, chained, joined_sound, overlap_of
    from ..video.load import find
    from ..video.make import Make, Maker
    from ..video.mask import HeldLatents, feathered, motion_mask
    from ..video.plan import Size
    from ..video.preview import Preview
    from ..video.solve import framing, model_frames, seed_of, to_model

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
            picture = to_model(still.rgb, frame)
            last = None
            if request.last_image:
                last, _, _ = frame_still(load_still(request.last_image), request)
                last = to_model(last.rgb, _same_part((last.width, last.height), frame))
            before = previous_frames(request.previous_clip, overlap_of(found.rule), frame)
            lead = max(len(before) - 1, 0)
            mask = feathered(motion_mask(request.mask, still.rgb), request.mask_feather) if request.mask else None
            wish = model_frames(request.num_frames, request.frame_rate, found.model.fps)
            pieces = chain(wish + lead, found.rule, "previous_clip" in found.controls)
            guide = camera_guide(request, found, still, frame, pieces, wish, stages.check)
            width, height = frame.clip
            # Opened before the long work: a read-only folder or a full disk is told at once.
            writer = stack.enter_context(
                ClipWriter(request.output, request.clip_format, width, height, request.frame_rate))
            maker = Maker(found, settings, Size(*frame.working, pieces.num_frames, clips=pieces.count), warnings)
        warnings += [*maker.plan.warnings, *long_warnings(found, pieces, request)]
        seed = seed_of(settings.seed)
        preview = Preview()
        stack.callback(preview.close)
        held = HeldLatents(to_model(mask, frame)) if mask is not None else None
        sounds: list[Sound | None] = []

        def make(number: int, first: np.ndarray, previous: list[np.ndarray]) -> np.ndarray:
            ends = number == pieces.count - 1
            one = Make(first, last if ends else None, pieces.num_frames, seed + number, previous if number else before,
                       guide(number, first))
            made = maker.make(one, stages, [held, preview] if held else [preview], (number, pieces.count))
            sounds.append(made.sound)
            return made.frames

        frames = chained(picture, pieces, make)
        maker.make_room()
        with stages.stage("finish"):
            used = frames.in_order(range(lead, frames.num_frames if last is not None else lead + wish))
            pictures, facts = finished(used, still.rgb, frame, mask, request, stages, warnings)
            for index, shown in enumerate(pictures):
                writer.write(shown)
                stages.step("finish", index + 1, request.num_frames)
            sound = joined_sound(sounds, pieces, found.model.fps)
        with stages.stage("write"):
            track = ""
            if sound:
                start = round(lead / found.model.fps * sound.rate)
                track = save_sound(clip + ".wav", sound.samples[:, start:], sound.rate,
                                   float(request.num_frames / request.frame_rate))
            try:
                files = [*writer.commit(), *([track] if track else [])]
            except OutputFailed:
                if track:
                    Path(track).unlink(missing_ok=True)
                raise
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
            "seed": seed,
            "sound": track,
            "pieces": pieces.count,
            "held": ("latents and pixels" if held.used else "pixels") if held else "",
            **facts,
            "plan": maker.plain(),
            "settings": _effective(request, maker, seed, frame),
            "warnings": warnings,
            "seconds": stages.seconds,
        },
    )


def finished(
    frames: Frames, still: np.ndarray, frame: Framing, mask: np.ndarray | None, request: GenerateRequest,
    stages: Stages, warnings: list[str],
) -> tuple[Iterable[np.ndarray], dict[str, Any]]:
    """The model's frames as the clip's: size, camera lock, frame rate, and the still where nothing may move.

    still: (H, W, 3) uint8, mask: (H, W) float32 of it. Also facts for the result.
    """
    from ..finish.conform import retimed
    from ..finish.frames import Frames
    from ..finish.stabilise import lock
    from ..video.mask import blended
    from ..video.solve import from_model, shown

    facts: dict[str, Any] = {}
    whole = Frames(frames.num_frames, *frame.clip, lambda index: from_model(frames.frame(index), frame))
    if request.camera_lock:
        whole, facts = lock(whole, "fill", warnings, lambda *_: stages.check())
    whole = retimed(whole, request.num_frames, request.conform, warnings)
    if mask is not None:
        below, share = shown(still, frame), shown(mask, frame).clip(0, 1)
        whole = whole.changed(lambda _, picture: blended(below, picture, share))
    return whole, facts


def previous_frames(path: str, count: int, frame: Framing) -> list[np.ndarray]:
    """The end of a clip that is gone on from, as the model's pictures; [] where there is none. Raises BadClip."""
    if not path:
        return []
    from ..media.movie import open_clip
    from ..video.solve import to_model

    source = open_clip(path)
    try:
        part = _same_part((source.width, source.height), frame)
        first = max(source.num_frames - count, 0)
        return [to_model(source.frame(index), part) for index in range(first, source.num_frames)]
    finally:
        source.close()


def long_warnings(found: Found, pieces: Chain, request: GenerateRequest) -> list[str]:
    """What a person should know of a clip that is longer than the model is good for."""
    if pieces.count == 1:
        return []
    seconds = found.rule.stable / found.model.fps
    text = f"{found.model.name} is good for {seconds:.1f} s at a time, so the clip was made in {pieces.count} pieces."
    if request.num_frames / request.frame_rate > LONG_SECONDS:
        text += f" Over {LONG_SECONDS:g} s things may change their look, and motion may start anew at a seam."
    return [text]


def check_request(request: GenerateRequest) -> None:
    """Raises BadRequest for values that no job can work with."""
    settings = request.generate
    check_count(request.num_frames)
    check_clip(request)
    check_names((request.aspect, ASPECTS, "aspect"), (request.conform, CONFORMS, "way to conform"))
    check_settings(settings)
    check_size(settings.width, settings.height)
    if not 0 <= request.mask_feather <= 0.5:
        raise BadRequest("The mask's feather is out of range.", "Choose 0 to 0.5 of the shorter side.")


def check_settings(settings: GenerateSettings) -> None:
    """Raises BadRequest for values that no model can work with."""
    check_names((settings.speed, SPEEDS, "speed"), (settings.memory, ("auto", *MEMORY_MODES), "memory mode"))
    if settings.motion > 1:
        raise BadRequest(f"A motion of {settings.motion:g} is out of range.", "Choose 0 (still) to 1 (much).")
    if len(settings.loras) != len(settings.lora_weights):
        raise BadRequest("There are not as many LoRA weights as LoRAs.", "Give one weight for each LoRA.")


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
