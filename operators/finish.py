"""A clip's time and its finish: conform, retime, loop, freeze; upscale, deflicker, sharpen, grain."""

from __future__ import annotations

from typing import Any

import bpy

from ..engine.errors import BadSelection
from ..properties_combine import FINISHES, TIMES
from ..sequencer.selection import selected_strips
from .bridge import close_loop
from .combine import CombineOperator, work_on


def _wanted(scene: Any) -> list[Any]:
    """The selected strips but sounds. Raises BadSelection when there is none."""
    strips = [strip for strip in selected_strips(scene) if strip.type != "SOUND"]
    if not strips:
        raise BadSelection("No strip with a picture is selected in the Sequencer.", "Select clips and try again.")
    return strips


class DIORAMA_OT_change_time(CombineOperator, bpy.types.Operator):
    """Make a clip of each selected strip with another time; it goes above the strip, which is muted and stays"""

    bl_idname = "diorama.change_time"
    bl_label = "Change Time"

    def work(self, scene: Any) -> None:
        settings = scene.diorama_combine
        for strip in _wanted(scene):
            if settings.time == "loop" and settings.loop_by == "generate":
                close_loop(scene, strip, settings.time_step().frames)
                continue
            work_on(scene, strip, TIMES[settings.time][1], (settings.time_step(),), same_time=False)


class DIORAMA_OT_finish(CombineOperator, bpy.types.Operator):
    """Make a finished take of each selected strip; the strip shows it, and its own file stays the first take"""

    bl_idname = "diorama.finish"
    bl_label = "Finish"

    def work(self, scene: Any) -> None:
        settings = scene.diorama_combine
        for strip in _wanted(scene):
            work_on(scene, strip, FINISHES[settings.finish][1], (settings.finish_step(),), same_time=True)


CLASSES = (DIORAMA_OT_change_time, DIORAMA_OT_finish)
