"""Jobs that make clips out of clips: their footage is found or rendered, the engine works, the clip is placed.

submit()    footage of strips -> a request -> a job; what cannot be read from a file is rendered first
PLACERS     by job.tag["do"]: puts the finished clip onto the timeline
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import bpy

from ..engine.errors import BadSelection, DioramaError
from ..engine.protocol import ClipPart, FinishRequest, FinishStep
from ..preferences import preferences
from ..sequencer import beside, compat, footage, identity, source, takes
from ..session import runtime
from ..session.installer import default_data_folder
from ..session.queue import Job
from . import results
from .bake import submit_render

KIND, FOOTAGE = "combine", "footage"
Make = Callable[[list[ClipPart]], Any]


@dataclass
class _Plan:
    """A job that waits for its footage."""

    parts: list[ClipPart | None]
    make: Make
    label: str
    tag: dict[str, Any]


PLACERS: dict[str, Callable[[Job, Any, Any], None]] = {}
_plans: dict[str, _Plan] = {}


class CombineOperator:
    """execute() calls work(scene) and tells what is wrong in a sentence."""

    bl_options = {"REGISTER"}  # the undo step is made when the clip is inserted

    def execute(self: Any, context: Any) -> set[str]:
        scene = compat.sequencer_scene(context)
        try:
            if scene is None or scene.sequence_editor is None:
                raise BadSelection("This scene has no timeline in the Sequencer.", "Add a strip there first.")
            self.work(scene)
        except DioramaError as error:
            self.report({"ERROR"}, results.remember_errors([error]))
            return {"CANCELLED"}
        results.remember_errors([])
        return {"FINISHED"}


def submit(
    scene: Any,
    strips: list[Any],
    make: Make,
    label: str,
    tag: dict[str, Any],
    found: list[footage.Footage | None] | None = None,
) -> None:
    """Queues a job that is made from the shown frames of strips. Raises a DioramaError; then nothing was queued.

    make: gets a ClipPart for each strip and returns the request. tag: with "do" and what its placer wants. found: the
    strips' footage where it is known already.
    """
    runtime.installer.require_python()
    for strip in strips:
        footage.check(strip)
    found = found or [footage.direct(scene, strip) for strip in strips]
    parts = [ClipPart(f.path, f.first, f.count) if f else None for f in found]
    plan = _Plan(parts, make, label, tag | {"kind": KIND, "source_id": "", "file": results.files_opened()})
    name = uuid.uuid4().hex
    if None not in parts:
        _go(plan)
        return
    _plans[name] = plan
    for index, strip in enumerate(strips):
        if parts[index] is None:
            _render(scene, strip, {"kind": FOOTAGE, "plan": name, "index": index})


def finish_request(
    fps: tuple[int, int], name: str, parts: list[ClipPart], steps: tuple[FinishStep, ...]
) -> FinishRequest:
    """A request for a clip of that name in the person's clip format. fps: of the project."""
    chosen = preferences()
    return FinishRequest(
        output=results.new_clip_path(chosen.clip_path(), name, chosen.clip_format),
        parts=tuple(parts),
        fps=fps,
        steps=steps,
        clip_format=chosen.clip_format,
    )


def _go(plan: _Plan) -> None:
    runtime.queue.submit(plan.make([part for part in plan.parts if part]), plan.label, plan.tag)


def _render(scene: Any, strip: Any, tag: dict[str, Any]) -> None:
    """Queues the strip, as the viewer sees it, for another Blender. Raises OutputFailed."""
    frames = list(range(compat.left_handle(strip), compat.right_handle(strip)))
    output = default_data_folder() / "footage" / uuid.uuid4().hex
    output.parent.mkdir(parents=True, exist_ok=True)
    copy = footage.prepare_alone(scene, strip)
    try:
        submit_render({"scene": copy.name, "sequence": frames}, str(output), {}, tag, f"{strip.name} (footage)")
    finally:
        bpy.data.scenes.remove(copy)


def _footage_done(job: Job) -> bool:
    """A strip was rendered: with the last one the job itself is queued."""
    assert job.result is not None
    plan = _plans[job.tag["plan"]]
    plan.parts[job.tag["index"]] = ClipPart(job.result["clip"], 0, job.result["num_frames"])
    if None not in plan.parts:
        _go(_plans.pop(job.tag["plan"]))
    return True


def _done(job: Job) -> bool:
    """Puts the finished clip where it belongs. Raises BadSelection when that is gone or full."""
    scene, strip = identity.require(job.tag, job.tag["file"] == results.files_opened())
    PLACERS[job.tag["do"]](job, scene, strip)
    return True


def _place_take(job: Job, scene: Any, strip: Any) -> None:
    assert job.result is not None
    takes.add_to(scene, strip, job.id, job.tag["move_label"], job.result, job.tag["first"])


def _place_above(job: Job, scene: Any, strip: Any) -> None:
    assert job.result is not None
    beside.above(scene, strip, job.id, job.tag["move_label"], job.result, job.tag["seen"])
    bpy.ops.ed.undo_push(message=job.tag["move_label"])


def work_on(scene: Any, strip: Any, label: str, steps: tuple[FinishStep, ...], same_time: bool) -> None:
    """Queues steps for the shown frames of one strip.

    same_time: every frame stays where it is, so the clip becomes a take of a strip that shows a file; else it goes
    above the strip. Raises a DioramaError.
    """
    found = footage.direct(scene, strip)
    if found is None and steps[0].name == "conform":
        found = footage.stretched(scene, strip)
        steps = (dataclasses.replace(steps[0], frames=footage.length(strip)),)
    as_take = same_time and found is not None and not found.still and not compat.content_trim_start(strip)
    tag = identity.mark(scene, strip) | {
        "do": "take" if as_take else "above",
        "move_label": label,
        "seen": found is None,
        "first": found.first if found else 0,
    }
    name, fps = f"{strip.name} {label}", source.frame_rate(scene)
    submit(scene, [strip], lambda parts: finish_request(fps, name, parts, steps), strip.name, tag, [found])


def clear() -> None:
    """For unregister and another file: nobody waits for footage any more."""
    _plans.clear()


PLACERS["take"], PLACERS["above"] = _place_take, _place_above
results.finishers[FOOTAGE], results.finishers[KIND] = _footage_done, _done
