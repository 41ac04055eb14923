"""The one button: selected stills become moving clips."""

from __future__ import annotations

from typing import Any

import bpy

from ..sequencer import compat
from . import results


class DIORAMA_OT_camera_move(bpy.types.Operator):
    """Make a moving clip from each selected photo; it appears above the photo when it is ready"""

    bl_idname = "diorama.camera_move"
    bl_label = "Camera Move"
    bl_options = {"REGISTER"}  # the undo step is made when the clip is inserted

    def execute(self, context: Any) -> set[str]:
        return results.submit_selected(self, compat.sequencer_scene(context), results.submit_still)


CLASSES = (DIORAMA_OT_camera_move,)
