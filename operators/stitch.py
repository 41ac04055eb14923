"""Selected shots end to end: cuts or fades at every seam, one colour, and a look at whether a seam stutters."""

from __future__ import annotations

from collections.abc import Generator
from itertools import pairwise
from typing import Any

import bpy

from ..engine.errors import BadSelection
from ..engine.protocol import InspectRequest
from ..sequencer import compat, identity, source, stitch
from ..sequencer.selection import selected_strips
from ..session.queue import Job
from . import results
from .combine import PLACERS, CombineOperator, submit
from .piecewise import Piecewise

_matching = Piecewise()  # clips are looked at a frame at a time, between two redraws


class DIORAMA_OT_stitch(CombineOperator, bpy.types.Operator):
    """Put the selected shots end to end, with a fade at every seam and colours that fit"""

    bl_idname = "diorama.stitch"
    bl_label = "Stitch"

    def work(self, scene: Any) -> None:
        settings, strips = scene.diorama_combine, selected_strips(scene)
        faces = reference = None
        if settings.match != "NONE":
            faces, reference = faces_of(scene, strips, settings.match)
        stitch.join(scene, strips, settings.fade_frames, "" if settings.fade == "NONE" else settings.fade)
        if faces:
            _match(scene, faces, reference, self.bl_label)
        else:
            bpy.ops.ed.undo_push(message=self.bl_label)


class DIORAMA_OT_match_colour(CombineOperator, bpy.types.Operator):
    """Bring the colours of the selected shots to those of one of them, by a Curves modifier on each strip"""

    bl_idname = "diorama.match_colour"
    bl_label = "Match Colour"

    def work(self, scene: Any) -> None:
        wanted = scene.diorama_combine.match
        _match(scene, *faces_of(scene, selected_strips(scene), "FIRST" if wanted == "NONE" else wanted), self.bl_label)


def faces_of(scene: Any, strips: list[Any], towards: str) -> tuple[list[Any], Any]:
    """What is coloured, and the one that it shall look like. towards: FIRST, LONGEST or ACTIVE. Raises BadSelection."""
    shots = stitch.shots_of(strips)
    faces = [shot.face for shot in shots]
    if towards == "LONGEST":
        return faces, max(shots, key=lambda shot: shot.end - shot.start).face
    if towards == "FIRST":
        return faces, faces[0]
    active = scene.sequence_editor.active_strip
    found = [shot.face for shot in shots if active in shot.strips]
    if not found:
        raise BadSelection("The active strip is not one of the selected clips.", "Click the clip with the colours.")
    return faces, found[0]


def _match(scene: Any, faces: list[Any], reference: Any, title: str) -> None:
    """Takes earlier matches away; the new ones come when every clip was looked at, with one undo step for all of it."""
    for face in faces:
        if face != reference:
            stitch.unmatch(face)
    tags = [identity.mark(scene, face) for face in faces]
    _matching.add(_match_steps(tags, faces.index(reference), results.files_opened(), title))


def _match_steps(tags: list[dict[str, Any]], reference: int, file: int, title: str) -> Generator[None, None, None]:
    """One look at a strip a step. Raises BadSelection when a strip has gone meanwhile."""
    found: list[Any] = []
    for tag in tags:
        pictures: list[Any] = []
        for number in range(len(stitch.frames_to_look_at(identity.require(tag, file == results.files_opened())[1]))):
            scene, strip = identity.require(tag, file == results.files_opened())
            frame = stitch.frames_to_look_at(strip)[number]
            pictures.append(source.look_at(scene, strip, frame, results.new_still_path()))
            yield
        found.append(stitch.levels(pictures))
    strips = [identity.require(tag, file == results.files_opened())[1] for tag in tags]
    for number, strip in enumerate(strips):
        if number != reference:
            stitch.match(strip, found[number], found[reference])
    bpy.ops.ed.undo_push(message=title)


def advance() -> bool:
    """Called by the timer: the next look. Whether there is more."""
    return not results.blender_is_occupied() and _matching.advance()


class DIORAMA_OT_check_seams(CombineOperator, bpy.types.Operator):
    """Look for frames that are shown twice or left out, at the cuts between the selected shots and within them"""

    bl_idname = "diorama.check_seams"
    bl_label = "Check Seams"

    def work(self, scene: Any) -> None:
        shots = stitch.shots_of(selected_strips(scene))
        faces = [shot.face for shot in shots]
        cuts = [second.start == first.end for first, second in pairwise(shots)]
        scene.diorama_combine.seams = ""
        tag = identity.mark(scene, faces[0]) | {
            "do": "seams",
            "cuts": cuts,
            "starts": [compat.left_handle(face) for face in faces],
            "names": [face.name for face in faces],
        }
        submit(scene, faces, lambda parts: InspectRequest(tuple(parts)), "Check Seams", tag)


def _tell(job: Job, scene: Any, _strip: Any) -> None:
    """What was found, a sentence a line, for the panel."""
    assert job.result is not None
    starts, names, said = job.tag["starts"], job.tag["names"], []
    for start, name, clip in zip(starts, names, job.result["clips"], strict=True):
        for kind, words in (("repeats", "is shown twice"), ("jumps", "comes too late: frames are missing")):
            said += [f"'{name}': frame {start + frame} {words}." for frame in clip[kind]]
    for cut, start, seam in zip(job.tag["cuts"], starts[1:], job.result["seams"], strict=True):
        if cut and seam["repeat"]:
            said.append(f"Cut at frame {start}: the frame before it is shown twice.")
        elif cut and seam["jump"]:
            said.append(f"Cut at frame {start}: frames are missing.")
    scene.diorama_combine.seams = "\n".join(said) or "No frame is doubled or missing."


PLACERS["seams"] = _tell
results.background_work.append(advance)
CLASSES = (DIORAMA_OT_stitch, DIORAMA_OT_match_colour, DIORAMA_OT_check_seams)
