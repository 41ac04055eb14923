"""Depth of field, vignette, and the two rows by which pivot and focus are chosen."""

from __future__ import annotations

from typing import Any

import bpy

from ..sequencer import compat


def draw_choice(layout: Any, settings: Any, name: str) -> None:
    """How the pivot or the focus is chosen, and only what that choice needs. name: "pivot" or "focus"."""
    layout.prop(settings, f"{name}_from")
    chosen = getattr(settings, f"{name}_from")
    if chosen == "depth":
        layout.prop(settings, name, text="Depth")
    elif chosen == "point":
        column = layout.column(align=True)
        column.prop(settings, f"{name}_point", index=0, text="X")
        column.prop(settings, f"{name}_point", index=1, text="Y")
        layout.operator("diorama.pick_point", text="Pick in Preview", icon="EYEDROPPER").target = name


class DIORAMA_PT_lens(bpy.types.Panel):
    bl_label = "Lens"
    bl_space_type = "SEQUENCE_EDITOR"
    bl_region_type = "UI"
    bl_category = "Diorama"
    bl_parent_id = "DIORAMA_PT_camera_move"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Any) -> None:
        layout, settings = self.layout, compat.sequencer_scene(context).diorama
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(settings, "use_dof")
        if settings.use_dof:
            layout.prop(settings, "f_stop")
            draw_choice(layout, settings, "focus")
        layout.prop(settings, "vignette")


CLASSES = (DIORAMA_PT_lens,)
