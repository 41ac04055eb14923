"""What happens around the jobs of image-to-video models: what is asked for, all of it, before anything is queued."""

from __future__ import annotations

import dataclasses
import random
import uuid
from pathlib import Path
from typing import Any

import bpy

from ..engine.camera import View
from ..engine.errors import BadModel, BadSelection, EngineMissing, WeightsMissing
from ..engine.protocol import GenerateRequest
from ..preferences import preferences
from ..properties_generate import FOUND, MOST_SEED, prompt_of
from ..rig import bake, owned
from ..sequencer import baked, compat, live_preview, motion_mask, placement, rig_strip, source
from ..sequencer.selection import selected_stills
from ..session import runtime
from ..session.models import VideoModel
from . import results
from .piecewise import Piecewise

COMMON = frozenset(("prompt", "negative_prompt", "num_inference_steps", "guidance_scale", "size", "loras"))
NEEDS = {"last_image": "needs a last still: choose one under Ends With."}  # of a model's `needs`


_cameras = Piecewise()


# ------------------------------------------------------------------ models


def models() -> dict[str, VideoModel]:
    """Every image-to-video model by name; only Diorama's own where a person's list cannot be read."""
    try:
        return runtime.video_models()
    except BadModel:
        return runtime.shipped_video_models()


def controls_of(name: str) -> frozenset[str]:
    """What a model can be told: as its entry says, or as the engine found in a folder."""
    model = models().get(name)
    return model.controls if model else runtime.plans.controls.get(name, COMMON)


def guidance_of(settings: Any) -> float:
    """The guidance that counts: 1 and below turn the negative prompt off."""
    if settings.use_guidance:
        return settings.guidance
    model = models().get(settings.model_name())
    if model is None:
        return 2.0
    return model.few_guidance if settings.speed != "best" and model.few_guidance >= 0 else model.guidance


def label_of(name: str) -> str:
    """A model's name for people."""
    model = models().get(name)
    return model.name if model else Path(name).name or "Folder"


def needs_of(settings: Any) -> list[str]:
    """What the chosen models cannot do without and are not given, one sentence each."""
    chosen = [models()[name] for name in settings.model_names() if name in models()]
    given = {"last_image": settings.last_from != "none"}
    return [f"{model.name} {NEEDS[need]}" for model in chosen for need in sorted(model.needs) if not given[need]]


def check_models(settings: Any) -> None:
    """Raises a DioramaError for what is missing that the panel can tell beforehand."""
    runtime.installer.require_python()
    if not runtime.installer.full:
        raise EngineMissing("Image-to-video needs the full engine.", "Press Install Full Engine in the panel.")
    known = runtime.video_models()
    for name in settings.model_names():
        model = known.get(name)
        if model is None:
            if not name:
                raise BadModel("No model folder is chosen.", "Choose one that diffusers saved, or another model.")
            if not Path(name).is_dir():
                raise BadModel(f"There is no model folder at {name}.", "Choose one that diffusers saved.")
        elif runtime.models.downloaded is not None and name not in runtime.models.downloaded:
            raise WeightsMissing(f"{model.name} is not downloaded.", f"Press Download ({model.size}) in the panel.")
    for sentence in needs_of(settings):
        raise BadSelection(sentence, "Or choose another model.")


# ------------------------------------------------------------------ before a job


def submit(scene: Any, strip: Any) -> None:
    """Captures the strip's still and queues its takes: one a model and seed. Raises a DioramaError."""
    settings = scene.diorama_generate
    check_models(settings)
    last = _last_strip(scene, strip, settings)
    if last == strip:
        return  # the last of the row is where the one before it arrives
    names = settings.model_names()
    controls = {name: controls_of(name) for name in names}
    still = source.describe(scene, strip, new_input(), doubled=False)
    last_image = _last_image(scene, settings, last) if any("last_image" in one for one in controls.values()) else ""
    mask = _mask(scene, settings, still)
    requests = [
        GenerateRequest(
            image=still.image,
            output="",
            num_frames=still.num_frames,
            generate=settings.settings(controls[name], name, prompt_of(scene, strip), seed),
            fps=still.fps,
            clip_format=preferences().clip_format,
            last_image=last_image if "last_image" in controls[name] else "",
            aspect=settings.aspect,
            conform=settings.conform,
            mask=mask,
            mask_feather=round(settings.feather, 4),
            camera_lock=settings.camera_lock and not settings.use_rig,
            visible_only=True,
            frame_width=still.frame_width,
            frame_height=still.frame_height,
        )
        for seed in seeds(settings)
        for name in names
    ]
    tag = tag_of(scene, strip)
    rig, views = _rig_views(scene, strip, settings, still.num_frames)
    if rig is None:
        for request in requests:
            queue(request, strip.name, tag)
        return
    follows = [dataclasses.replace(one, folder=str(rig.folder)) for one in requests if follows_camera(one)]
    if not follows:
        raise BadSelection("The chosen model does not follow a camera.", "Choose one that does, or leave the rig out.")
    scale, label = _scale(scene, rig), strip.name

    def follow(cameras: list[View]) -> None:
        numbers = tuple(_view_numbers(view, scale) for view in cameras)
        for request in follows:
            queue(dataclasses.replace(request, views=numbers), label, tag)

    _cameras.add(views, follow)


def queue(request: GenerateRequest, label: str, tag: dict[str, Any]) -> None:
    """Gives the request a file of its own and puts it into the queue."""
    chosen, name = preferences(), label_of(request.generate.model)
    output = results.new_clip_path(chosen.clip_path(), f"{label} {name}", request.clip_format)
    runtime.queue.submit(dataclasses.replace(request, output=output), f"{label}: {name}", tag | {"move_label": name})


def tag_of(scene: Any, strip: Any) -> dict[str, Any]:
    """What a job remembers of the strip that it was started for."""
    return {
        "generate": True,
        "scene": scene.name,
        "strip": strip.name,
        "source_id": placement.mark_source(scene, strip),
        "picture": str(placement.still_path(strip)),
        "file": results.files_opened(),
    }


def seeds(settings: Any) -> list[int]:
    """The seeds of the takes: drawn now, so that each is on record whatever becomes of its job."""
    if settings.random_seed:
        return [new_seed() for _ in range(settings.takes)]
    return [(settings.seed + number) % (MOST_SEED + 1) for number in range(settings.takes)]


def new_seed() -> int:
    return random.SystemRandom().randint(0, MOST_SEED)


def new_input() -> Path:
    """A file of its own for a still, beside the clips: it stays as long as they do."""
    return preferences().clip_path() / results.INPUTS / f"{uuid.uuid4().hex}.tif"


def follows_camera(request: GenerateRequest) -> bool:
    return bool(controls_of(request.generate.model) & {"camera_path", "control_video"})


def _last_strip(scene: Any, strip: Any, settings: Any) -> Any:
    """The strip whose still the clip ends with; the strip itself where it is the last of the row; None: none."""
    if settings.last_from != "next" or not any("last_image" in controls_of(n) for n in settings.model_names()):
        return None
    row, _ = selected_stills(scene)
    if len(row) < 2:
        raise BadSelection("Only one photo is selected, so there is no next one.", "Select two or more, in a row.")
    place = [one.name for one in row].index(strip.name)
    return row[min(place + 1, len(row) - 1)]


def _last_image(scene: Any, settings: Any, last: Any) -> str:
    if last is not None:
        return source.describe(scene, last, new_input(), doubled=False).image
    if settings.last_from != "image":
        return ""
    path = bpy.path.abspath(settings.last_image)
    if not Path(path).is_file():
        raise BadSelection("The last image is missing.", "Choose a picture for the end of the clip.")
    return path


def _mask(scene: Any, settings: Any, still: source.StillSource) -> str:
    """What may move, as a request wants it. Raises BadSelection and its kin."""
    kind = settings.mask_from
    if kind in FOUND:
        return kind
    path = new_input().with_suffix(".png")
    if kind == "image":
        return motion_mask.from_image(settings.mask_image, path)
    if kind == "mask":
        return motion_mask.from_mask(scene, settings.mask, still, path)
    return motion_mask.from_strip(scene, settings.mask_strip, still, path) if kind == "strip" else ""


# ------------------------------------------------------------------ a rig's camera


def rig_of(scene: Any, strip: Any) -> owned.Rig | None:
    """The rig that was built from a photo and lies on this timeline."""
    rig_id = next((rig_strip.rig_id_of(live) for live in _live(scene, strip)), "")
    return owned.find(rig_id) if rig_id else None


def _live(scene: Any, strip: Any) -> list[Any]:
    ours = strip.diorama.source_id
    return [s for s in compat.strips_all(scene) if ours and s.type == "SCENE" and s.diorama.source_id == ours]


def _rig_views(scene: Any, strip: Any, settings: Any, num_frames: int) -> tuple[owned.Rig | None, Any]:
    """The rig to be followed and the reading of its camera, or (None, None). Raises BadSelection."""
    if not settings.use_rig or not any(
        controls_of(n) & {"camera_path", "control_video"} for n in settings.model_names()
    ):
        return None, None
    rig = rig_of(scene, strip)
    if rig is None:
        raise BadSelection(f"'{strip.name}' has no camera rig.", "Build one, or leave Follow the Rig off.")
    shown = baked.frames_shown(_live(scene, strip)[0])
    frames = [shown[min(index, len(shown) - 1)] for index in range(num_frames)]
    return rig, bake.view_steps(rig.scene.name, frames)


def _scale(scene: Any, rig: owned.Rig) -> tuple[float, float]:
    (_, _, *shown), still, own = rig.facts["rect"], rig.facts["still_size"], bake.size_of(rig.scene)
    frame = scene.render.resolution_x, scene.render.resolution_y
    across, down = (shown[axis] * frame[axis] / still[axis] / own[axis] for axis in (0, 1))
    return across, down


def _view_numbers(view: View, scale: tuple[float, float]) -> tuple[float, ...]:
    lens = view.intrinsics.resized(*scale)
    return bake.numbers_of(dataclasses.replace(view, intrinsics=lens))


def show_previews() -> bool:
    """Reads what running jobs have drawn so far and moves it on; called by the timer."""
    running = [job for job in runtime.queue.jobs if not job.ended and job.preview]
    live_preview.forget({job.id for job in running})
    for job in running:
        live_preview.take(job.id, job.preview)
    return False


results.background_work += [_cameras.advance, show_previews]
