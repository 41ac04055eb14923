"""What happens around the jobs of a rig: the layered still is asked for, then the scene is built, step by step."""

from __future__ import annotations

import re
import uuid
from collections.abc import Generator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import bpy

from ..engine.errors import BadSelection
from ..engine.protocol import DepthSettings, LayersRequest
from ..preferences import preferences
from ..rig import owned
from ..rig.scene import Plan, relayer_steps, steps
from ..rig.stack import move_from
from ..sequencer import placement, rig_strip, source
from ..session import runtime
from ..session.queue import Job
from . import results

BUILD, RELAYER = "rig", "relayer"

_running: dict[str, Generator[None, None, None]] = {}  # job id -> the steps that are still to be taken


def submit_build(scene: Any, strip: Any) -> Job:
    """Captures the strip's still and asks for its layers. Raises a DioramaError; then nothing was changed."""
    owned.check_editable(scene)
    settings = scene.diorama
    still = source.describe(scene, strip, results.new_still_path())
    chosen = settings.move_settings()
    request = LayersRequest(
        image=still.image,
        output=new_folder(strip.name),
        depth=results.depth_settings(settings, still.image),
        visible_only=True,
        frame_width=still.frame_width,
        frame_height=still.frame_height,
        pivot=chosen.pivot,
        pivot_point=chosen.pivot_point,
        fill=settings.fill_path(),
    )
    tag = {
        "kind": BUILD,
        "rig_id": uuid.uuid4().hex,
        "scene": scene.name,
        "strip": strip.name,
        "source_id": placement.mark_source(scene, strip),
        "picture": str(placement.still_path(strip)),
        "file": results.files_opened(),
        "num_frames": still.num_frames,
        "fps": [scene.render.fps, scene.render.fps_base],
        "move": asdict(chosen),
    }
    return runtime.queue.submit(request, strip.name, tag)


def submit_relayer(rig: owned.Rig, settings: Any, picture: str = "") -> Job:
    """Asks for the layers of a rig's photo with another depth: the panel's, or the depth picture of that path.

    Where the panel's pivot is a point or a depth, the rig's pivot goes there. Raises BadSelection when the photo is
    gone, or when the point is not on it.
    """
    owned.check_editable(rig.scene)
    still = rig.folder / "still.png"
    if not still.is_file():
        raise BadSelection(
            f"The photo of this rig is missing: {still}", "Bring its folder back, or build the rig again."
        )
    depth = results.depth_settings(settings, str(results.new_still_path()))
    if picture:
        depth = DepthSettings(picture=picture, near_is_bright=settings.near_is_bright)
    exact = Path(picture).suffix.lower() == ".exr"  # the z of a render, to scale
    chosen = settings.move_settings()
    request = LayersRequest(
        image=str(still),
        output=new_folder(rig.facts["strip"]),
        depth=DepthSettings() if exact else depth,
        intrinsics=tuple(rig.facts["intrinsics"]),
        pivot=chosen.pivot,
        pivot_point=_on_photo(rig, chosen.pivot_point),
        z_picture=picture if exact else "",
        fill=settings.fill_path(),
    )
    tag = {
        "kind": RELAYER,
        "rig_id": rig.id,
        "strip": rig.facts["strip"],
        "file": results.files_opened(),
        "pivot": settings.pivot_from != "middle",
    }
    return runtime.queue.submit(request, rig.facts["strip"], tag)


def _on_photo(rig: owned.Rig, point: tuple[float, float]) -> tuple[float, float]:
    """A point of the frame as shares of the rig's photo, which may fill a part of the frame; (-1, -1) = none."""
    if min(point) < 0:
        return point
    x, y, width, height = rig.facts["rect"]
    across, down = rig.facts["still_size"]
    found = (point[0] * across - x) / width, (point[1] * down - y) / height
    if min(found) < 0 or max(found) > 1:
        raise BadSelection("The chosen pivot lies outside of the photo.", "Choose a point on the photo.")
    return found


def new_folder(name: str) -> str:
    """A folder for a layered still that does not exist and that no unfinished job will make."""
    stem = re.sub(r"[^\w-]+", "_", name).strip("_") or "photo"
    taken = {getattr(job.request, "output", "") for job in runtime.queue.jobs}
    number = 1
    while True:
        folder = preferences().clip_path() / f"{stem}_rig_{number:03}"
        if str(folder) not in taken and not folder.exists():
            return str(folder)
        number += 1


# ------------------------------------------------------------------ when the layers are there


def finish_build(job: Job) -> bool:
    """One step of the building; at the end the rig is on the timeline, one undo step for all of it."""
    assert job.result is not None
    tag = job.tag
    found = placement.find_source(tag, tag["file"] == results.files_opened())
    if found is None:
        _stop(job)
        raise BadSelection(
            f"'{job.label}' is no longer on the timeline, so no rig was built.", "Build it again from another strip."
        )
    if job.id not in _running:
        facts = job.result | {"strip": tag["strip"], "source_id": tag["source_id"]}
        plan = Plan(tag["rig_id"], facts, tag["num_frames"], tuple(tag["fps"]), move_from(tag["move"]))
        _running[job.id] = steps(plan)
    if not _step(job):
        return False
    rig = owned.find(tag["rig_id"])
    assert rig is not None
    try:
        rig_strip.insert(*found, rig.scene, rig.id, tag["source_id"], rig.facts)
    except BadSelection:
        owned.remove(rig.id)
        raise
    bpy.ops.ed.undo_push(message="Build Camera Rig")
    return True


def finish_relayer(job: Job) -> bool:
    """One step of the new layers."""
    assert job.result is not None
    if job.id not in _running:
        if owned.find(job.tag["rig_id"]) is None:
            raise BadSelection("The rig was removed before its new layers were ready.", "Build it again.")
        _running[job.id] = relayer_steps(job.tag["rig_id"], job.result, job.tag["pivot"])
    if not _step(job):
        return False
    bpy.ops.ed.undo_push(message="Change Depth of Rig")
    return True


def _step(job: Job) -> bool:
    """The next step; True after the last. Whatever a step raises, its steps are over."""
    try:
        next(_running[job.id])
    except StopIteration:
        del _running[job.id]
        return True
    except BaseException:
        del _running[job.id]
        raise
    return False


def _stop(job: Job) -> None:
    if job.id in _running:
        _running.pop(job.id).close()


results.finishers[BUILD] = finish_build
results.finishers[RELAYER] = finish_relayer
