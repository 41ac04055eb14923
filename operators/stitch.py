"""Selected shots end to end: cuts or fades at every seam, one colour, and a look at whether a seam stutters."""

from __future__ import annotations

from typing import Any

import bpy

from ..engine.errors import BadSelection
from ..sequencer import source, stitch
from ..sequencer.selection import selected_strips
from . import results
from .combine import CombineOperator


class DIORAMA_OT_stitch(CombineOperator, bpy.types.Operator):
    """Put the selected shots end to end, with a fade at every seam and colours that fit"""

    bl_idname = "diorama.stitch"
    bl_label = "Stitch"
    bl_options = {"REGISTER", "UNDO"}

    def work(self, scene: Any) -> None:
        settings, strips = scene.diorama_combine, selected_strips(scene)
        fade = "" if settings.fade == "NONE" else settings.fade
        stitch.join(scene, strips, settings.fade_frames, fade)
        if settings.match != "NONE":
            match(scene, strips, settings.match)


class DIORAMA_OT_match_colour(CombineOperator, bpy.types.Operator):
    """Bring the colours of the selected shots to those of one of them, by a Curves modifier on each strip"""

    bl_idname = "diorama.match_colour"
    bl_label = "Match Colour"
    bl_options = {"REGISTER", "UNDO"}

    def work(self, scene: Any) -> None:
        wanted = scene.diorama_combine.match
        match(scene, selected_strips(scene), "FIRST" if wanted == "NONE" else wanted)


def match(scene: Any, strips: list[Any], towards: str) -> None:
    """Matches the shots' faces. towards: FIRST, LONGEST or ACTIVE. Raises BadSelection."""
    shots = stitch.shots_of(strips)
    faces = [shot.face for shot in shots]
    reference = faces[0]
    if towards == "LONGEST":
        reference = max(shots, key=lambda shot: shot.end - shot.start).face
    if towards == "ACTIVE":
        active = scene.sequence_editor.active_strip
        found = [shot.face for shot in shots if active in shot.strips]
        if not found:
            raise BadSelection("The active strip is not one of the selected clips.", "Click the clip with the colours.")
        reference = found[0]
    stitch.match(faces, reference, lambda strip, frame: source.look_at(scene, strip, frame, results.new_still_path()))


CLASSES = (DIORAMA_OT_stitch, DIORAMA_OT_match_colour)
