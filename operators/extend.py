"""A clip goes on: along its own camera path, or from its last frame by a model. It is appended exactly."""

from __future__ import annotations

import dataclasses
import json
import uuid
from pathlib import Path
from typing import Any

import bpy

from ..engine.camera import Bounds, Intrinsics, Options, Shot, further
from ..engine.errors import BadSelection
from ..engine.protocol import ClipPart, DepthSettings, FinishStep, GenerateRequest, LayersRequest, PathRequest
from ..preferences import preferences
from ..rig import bake
from ..sequencer import beside, compat, footage, identity, look, placement, source
from ..sequencer.selection import selected_strips
from ..session import runtime
from ..session.installer import default_data_folder
from ..session.queue import Job
from . import generate_jobs, results
from .combine import KIND, PLACERS, CombineOperator, finish_request

MEET_FRAMES = 8  # over which the model's own rendering of the last frame gives way
NO_MOVE = "Select a clip that Camera Move made, or extend by Generate."


class DIORAMA_OT_extend(CombineOperator, bpy.types.Operator):
    """Make each selected clip longer: the new part lies exactly after it, or before it"""

    bl_idname = "diorama.extend"
    bl_label = "Extend"

    def work(self, scene: Any) -> None:
        settings = scene.diorama_combine
        strips = [strip for strip in selected_strips(scene) if strip.type != "SOUND"]
        if not strips:
            raise BadSelection("No clip is selected in the Sequencer.", "Select clips and try again.")
        runtime.installer.require_python()
        count = max(1, round(settings.extend_seconds * scene.render.fps / scene.render.fps_base))
        for strip in strips:
            extend = _by_model if settings.extend_by == "generate" else _by_move
            extend(scene, strip, count, settings.backward)


def tag_of(scene: Any, strip: Any, do: str, label: str, **more: Any) -> dict[str, Any]:
    """What a job that lies beside a strip remembers."""
    return identity.mark(scene, strip) | {
        "kind": KIND,
        "do": do,
        "move_label": label,
        "source_id": "",
        "file": results.files_opened(),
        **more,
    }


# ------------------------------------------------------------------ by the camera's own path


def _by_move(scene: Any, strip: Any, count: int, backward: bool) -> None:
    """Asks for the layers of the clip's photo; the camera follows when they are there. Raises a DioramaError."""
    made = json.loads(strip.diorama.request) if strip.diorama.is_clip else {}
    if "move" not in made:
        raise BadSelection(f"'{strip.name}' was not made by Camera Move.", NO_MOVE)
    if made["lens"]["f_stop"] > 0 or made["lens"]["vignette"] > 0:
        raise BadSelection(f"'{strip.name}' has depth of field or a vignette.", "Extend a clip without them.")
    start = compat.content_start(strip)
    end = start + compat.content_duration(strip)
    if (compat.left_handle(strip) if backward else compat.right_handle(strip)) != (start if backward else end):
        raise BadSelection(f"'{strip.name}' is trimmed there.", "Pull its handle out to the whole clip first.")
    ours = strip.diorama.source_id
    photos = [s for s in compat.strips_all(scene) if s.type == "IMAGE" and not placement.is_made(s)]
    photo = next((s for s in photos if ours and s.diorama.source_id == ours), None)
    if photo is None:
        raise BadSelection(f"The photo of '{strip.name}' is no longer on the timeline.", "Bring it back first.")
    still = source.describe(scene, photo, results.new_still_path())
    depth = DepthSettings(**made["depth"])
    if depth.correction:  # the paint-over of the panel, as it is now
        depth = dataclasses.replace(depth, correction=results.depth_settings(scene.diorama, still.image).correction)
    request = LayersRequest(
        image=still.image,
        output=str(default_data_folder() / "footage" / uuid.uuid4().hex),
        depth=depth,
        visible_only=True,
        frame_width=still.frame_width,
        frame_height=still.frame_height,
        pivot=made["move"]["pivot"],
    )
    tag = tag_of(scene, strip, "layers", "Extension", count=count, backward=backward, made=made)
    runtime.queue.submit(request, f"{strip.name}: layers", tag)


def _layers_done(job: Job, _scene: Any, strip: Any) -> None:
    """The photo's layers are there: the camera's further path is rendered through them."""
    assert job.result is not None
    facts, made, tag = job.result, job.tag["made"], job.tag
    move, fps = made["move"], tuple(made["fps"])
    shot = Shot(
        move["name"],
        move["amount"],
        move["easing"],
        move["cycle"],
        facts["pivot"],
        made["num_frames"],
        made["num_frames"] * fps[1] / fps[0],
        Intrinsics(*facts["intrinsics"]),
        facts["width"],
        facts["height"],
        made["width"],
        made["height"],
        Options(tuple(move["crop_from"]), tuple(move["crop_to"]), move["seed"]),
    )
    limits: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in facts["bounds"].items()}
    views = further(shot, Bounds(**limits), facts["margin_px"], tag["count"], tag["backward"])
    if not views:
        raise BadSelection(
            f"The photo of '{strip.name}' shows nothing more on that path.", "Make the clip anew with less amount."
        )
    chosen = preferences()
    request = PathRequest(
        folder=facts["folder"],
        output=results.new_clip_path(chosen.clip_path(), f"{strip.name} extension", chosen.clip_format),
        views=tuple(bake.numbers_of(view) for view in views),
        width=made["width"],
        height=made["height"],
        fps=(fps[0], fps[1]),
        clip_format=chosen.clip_format,
    )
    runtime.queue.submit(request, strip.name, tag | {"do": "extension", "seen": False})


# ------------------------------------------------------------------ by a model


def _by_model(scene: Any, strip: Any, count: int, backward: bool) -> None:
    """Asks a model to go on from the strip's last frame, as the viewer sees it. Raises a DioramaError.

    Backward it goes on from the first frame, and is reversed.
    """
    footage.check(strip)
    settings = scene.diorama_generate
    generate_jobs.check_models(settings)
    frame = compat.left_handle(strip) if backward else compat.right_handle(strip) - 1
    still = generate_jobs.new_input()
    source.capture_to(scene, strip, frame, still)
    found = None if backward else footage.direct(scene, strip)
    request = generate_request(scene, strip, str(still), count + 1)
    last = found is not None and strip.type == "MOVIE" and "previous_clip" in controls(settings)
    if found and last and found.first + found.count == footage.own_frames(Path(found.path)):
        request = dataclasses.replace(request, previous_clip=found.path)
    more = {"generate": True, "count": count, "backward": backward, "still": str(still)}
    tag = tag_of(scene, strip, "generated", "Extension", **more)
    runtime.queue.submit(request, f"{strip.name}: extension", tag)


def controls(settings: Any) -> frozenset[str]:
    """What the chosen model can be told."""
    return generate_jobs.controls_of(settings.model_names()[0])


def generate_request(scene: Any, strip: Any, still: str, num_frames: int) -> GenerateRequest:
    """What the panel Generate would ask for from this still, as lossless pictures for the next step."""
    settings = scene.diorama_generate
    name = settings.model_names()[0]
    seed = generate_jobs.seeds(settings)[0]
    return GenerateRequest(
        image=still,
        output=str(default_data_folder() / "footage" / uuid.uuid4().hex),
        num_frames=num_frames,
        generate=settings.settings(controls(settings), name, generate_jobs.prompt_of(scene, strip), seed),
        fps=source.frame_rate(scene),
        clip_format="png",
        aspect=settings.aspect,
        conform=settings.conform,
        visible_only=True,
        frame_width=scene.render.resolution_x,
        frame_height=scene.render.resolution_y,
    )


def _generated(job: Job, _scene: Any, strip: Any) -> None:
    """The model's frames in the still's colours and grain. The first, which is the strip's own, is that very still, and
    the difference fades out: that is the overlap. Reversed for backward."""
    assert job.result is not None
    result, tag = job.result, job.tag
    whole = list(result["rect"]) == [0, 0, *result["still_size"]]
    steps = (FinishStep("hold_colour", reference=tag["still"] if whole else ""),)
    if whole:
        steps += (
            FinishStep("meet", frames=MEET_FRAMES, reference=tag["still"]),
            FinishStep("match_grain", reference=tag["still"]),
        )
    if tag["backward"]:
        steps += (FinishStep("reverse"),)
    parts = [ClipPart(result["clip"], 0, tag["count"] + 1)]
    request = finish_request(tuple(result["fps"]), f"{strip.name} extension", parts, steps)
    place = {name: result[name] for name in ("rect", "still_size")}
    runtime.queue.submit(request, strip.name, tag | {"do": "extension", "seen": True, "place": place})


# ------------------------------------------------------------------ onto the timeline


def _place(job: Job, scene: Any, strip: Any) -> None:
    """Puts the new part exactly after the strip, or before it, on its channel if that is free."""
    assert job.result is not None
    tag, result = job.tag, job.result | job.tag.get("place", {})
    result["fps"] = result.get("fps", [24, 1])
    shared = 1 if tag["seen"] else 0  # the strip's own frame, from which a model went on
    trim, start = (shared, 0), compat.right_handle(strip)
    if tag["backward"]:
        trim, start = (0, shared), compat.left_handle(strip) - result["num_frames"] + shared
    new = beside.insert(scene, strip, job.id, tag["move_label"], result, start, trim, same_channel=True)
    if tag["seen"]:
        beside.lay_in_frame(scene, new, result)
    else:
        look.copy_look(strip, new)
    bpy.ops.ed.undo_push(message="Extend")


PLACERS["layers"], PLACERS["generated"], PLACERS["extension"] = _layers_done, _generated, _place
CLASSES = (DIORAMA_OT_extend,)
