"""In the 3D view: what the scene's camera sees becomes a clip, and pictures go onto the set."""

from __future__ import annotations

from typing import Any

import bpy

from ..operators import results
from .text import draw_sentence


class DIORAMA_PT_camera_view(bpy.types.Panel):
    bl_label = "Camera View"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Diorama"
    bl_order = 1

    def draw(self, context: Any) -> None:
        column = self.layout.column()
        row = column.row(align=True)
        row.operator("diorama.animate_camera_view", icon="OUTLINER_OB_CAMERA").to = "MOVE"
        row.operator("diorama.animate_camera_view", text="Generate").to = "GENERATE"
        column.operator("diorama.project_still", icon="IMAGE_DATA")
        if results.last_error():
            draw_sentence(self.layout, context, results.last_error(), "ERROR", alert=True)


CLASSES = (DIORAMA_PT_camera_view,)
