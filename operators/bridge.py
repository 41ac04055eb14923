"""From the last frame of one strip to the first frame of the next: the gap between them is filled exactly."""

from __future__ import annotations

import dataclasses
from typing import Any

import bpy

from ..engine.errors import BadModel, BadSelection
from ..engine.protocol import BridgeRequest, ClipPart, FinishStep
from ..preferences import preferences
from ..sequencer import beside, compat, footage, source
from ..sequencer.selection import selected_strips
from ..session import runtime
from ..session.queue import Job
from . import generate_jobs, results
from .combine import PLACERS, CombineOperator, finish_request
from .extend import MEET_FRAMES, controls, generate_request, tag_of


class DIORAMA_OT_bridge(CombineOperator, bpy.types.Operator):
    """Fill the gap between two selected strips: from the last frame of the first to the first frame of the second"""

    bl_idname = "diorama.bridge"
    bl_label = "Bridge"

    def work(self, scene: Any) -> None:
        runtime.installer.require_python()
        first, second = pair(scene)
        gap = compat.left_handle(second) - compat.right_handle(first)
        settings = scene.diorama_combine
        # The two frames that are there already are the clip's first and last: it is two longer than the gap.
        tag = tag_of(scene, first, "bridge", "Bridge")
        ends = (first, compat.right_handle(first) - 1), (second, compat.left_handle(second))
        if settings.bridge == "generate":
            _submit_generated(scene, ends, gap + 2, tag, "bridge")
            return
        stills = [results.new_still_path() for _ in ends]
        for (strip, frame), still in zip(ends, stills, strict=True):
            source.capture_to(scene, strip, frame, still)
        chosen = preferences()
        request = BridgeRequest(
            image=str(stills[0]),
            last_image=str(stills[1]),
            output=results.new_clip_path(chosen.clip_path(), f"{first.name} bridge", chosen.clip_format),
            num_frames=gap + 2,
            method=settings.bridge,
            amount=round(settings.bridge_amount, 4),
            fps=source.frame_rate(scene),
            clip_format=chosen.clip_format,
            depth=results.depth_settings(scene.diorama, str(results.new_still_path())),
            visible_only=True,
            frame_width=scene.render.resolution_x,
            frame_height=scene.render.resolution_y,
        )
        runtime.queue.submit(request, f"{first.name}: bridge", tag)


def pair(scene: Any) -> tuple[Any, Any]:
    """The two selected strips with a picture that have a gap between them. Raises BadSelection."""
    strips = [strip for strip in selected_strips(scene) if strip.type != "SOUND"]
    if len(strips) != 2:
        raise BadSelection(f"{len(strips)} strips are selected, not two.", "Select those around the gap.")
    first, second = strips
    for strip in strips:
        footage.check(strip)
    if compat.left_handle(second) <= compat.right_handle(first):
        raise BadSelection("There is no gap between the two strips.", "Move the second one, or stitch them.")
    return first, second


def close_loop(scene: Any, strip: Any, frames: int) -> None:
    """Asks a model for so many frames from the strip's last frame back to its first one. Raises a DioramaError.

    They go right after the strip; both together repeat without a frame shown twice.
    """
    footage.check(strip)
    if frames < 1:
        raise BadSelection("The way back to the first frame has no frames.", "Set Frames to 1 or more.")
    ends = (strip, compat.right_handle(strip) - 1), (strip, compat.left_handle(strip))
    tag = tag_of(scene, strip, "bridge", "Loop")
    _submit_generated(scene, ends, frames + 2, tag, "loop")


def _submit_generated(scene: Any, ends: Any, num_frames: int, tag: dict[str, Any], name: str) -> None:
    settings = scene.diorama_generate
    generate_jobs.check_models(settings)
    if "last_image" not in controls(settings):
        raise BadModel("The chosen model cannot end with a given picture.", "Choose one that takes a last image.")
    stills = [generate_jobs.new_input() for _ in ends]
    for (strip, frame), still in zip(ends, stills, strict=True):
        source.capture_to(scene, strip, frame, still)
    request = generate_request(scene, ends[0][0], str(stills[0]), num_frames)
    request = dataclasses.replace(request, last_image=str(stills[1]))
    more = {"do": "drawn", "generate": True, "name": name, "stills": [str(still) for still in stills]}
    runtime.queue.submit(request, f"{ends[0][0].name}: {name}", tag | more)


def _drawn(job: Job, _scene: Any, strip: Any) -> None:
    """The model's frames, which come away from the first still and arrive at the last one without a jump."""
    assert job.result is not None
    result, tag = job.result, job.tag
    steps: list[FinishStep] = []
    frames = min(MEET_FRAMES, result["num_frames"] - 1)
    for still in tag["stills"] if list(result["rect"]) == [0, 0, *result["still_size"]] else ():
        steps += FinishStep("meet", frames=frames, reference=still), FinishStep("reverse")
    parts = [ClipPart(result["clip"])]
    request = finish_request(tuple(result["fps"]), f"{strip.name} {tag['name']}", parts, tuple(steps))
    place = {name: result[name] for name in ("rect", "still_size")}
    runtime.queue.submit(request, strip.name, tag | {"do": "bridge", "place": place})


def _place(job: Job, scene: Any, strip: Any) -> None:
    """Puts the bridge after the strip, without the two frames that the strips themselves show."""
    assert job.result is not None
    label, result = job.tag["move_label"], job.result | job.tag.get("place", {})
    end = compat.right_handle(strip)
    new = beside.insert(scene, strip, job.id, label, result, end, trim=(1, 1), same_channel=True)
    beside.lay_in_frame(scene, new, result)
    bpy.ops.ed.undo_push(message=label)


PLACERS["drawn"], PLACERS["bridge"] = _drawn, _place
CLASSES = (DIORAMA_OT_bridge,)
