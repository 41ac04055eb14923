"""The one button: selected stills become moving clips."""

from __future__ import annotations

from typing import Any

import bpy

from ..engine.errors import DioramaError
from ..sequencer import compat
from ..sequencer.selection import selected_stills
from ..session import runtime
from . import results


class DIORAMA_OT_camera_move(bpy.types.Operator):
    """Make a moving clip from each selected photo; it appears above the photo when it is ready"""

    bl_idname = "diorama.camera_move"
    bl_label = "Camera Move"
    bl_options = {"REGISTER"}  # the undo step is made when the clip is inserted

    def execute(self, context: Any) -> set[str]:
        scene = compat.sequencer_scene(context)
        jobs, errors = 0, []
        try:
            runtime.installer.require_python()
            stills, errors = selected_stills(scene)
            for strip in stills:
                results.submit_still(scene, strip)
                jobs += 1
        except DioramaError as error:
            errors.append(error)
        if text := results.remember_errors(errors):
            self.report({"WARNING"} if jobs else {"ERROR"}, text)
        return {"FINISHED"} if jobs else {"CANCELLED"}


CLASSES = (DIORAMA_OT_camera_move,)
