"""The settings of the next clip and the button that makes it."""

from __future__ import annotations

from typing import Any

import bpy

from ..operators import results
from ..sequencer import compat
from ..sequencer.selection import selected_images
from .lens import draw_choice
from .models import draw_model_choice
from .text import draw_sentence


class SequencerPanel:
    """A panel of the tab Diorama in the Sequencer's sidebar."""

    bl_space_type = "SEQUENCE_EDITOR"
    bl_region_type = "UI"
    bl_category = "Diorama"

    @classmethod
    def poll(cls, context: Any) -> bool:
        return compat.sequencer_scene(context) is not None


class DIORAMA_PT_camera_move(SequencerPanel, bpy.types.Panel):
    bl_label = "Camera Move"
    bl_order = 0

    def draw(self, context: Any) -> None:
        layout, scene = self.layout, compat.sequencer_scene(context)
        settings = scene.diorama
        layout.use_property_split = True
        layout.use_property_decorate = False
        column = layout.column()
        column.prop(settings, "move")
        column.prop(settings, "amount", text="Depth Amount" if settings.move == "crop" else None)
        column.prop(settings, "cycle")
        if settings.cycle != "loop":  # a loop runs evenly or swings like a pendulum
            column.prop(settings, "easing")
        if settings.move == "handheld":
            column.prop(settings, "seed")
        if settings.move == "crop":
            for name, label in (("crop_from", "From"), ("crop_to", "To")):
                part = column.column(align=True)
                for index, side in enumerate(("X", "Y", "Width", "Height")):
                    part.prop(settings, name, index=index, text=f"{label} {side}" if index == 0 else side)
        draw_button(layout, scene)
        if results.last_error():
            draw_sentence(layout, context, results.last_error(), "ERROR", alert=True)


def draw_button(layout: Any, scene: Any) -> None:
    """The button, which says how many strips it will work on."""
    count = len(selected_images(scene))
    row = layout.row()
    row.scale_y = 1.5
    row.operator(
        "diorama.camera_move",
        text=f"Camera Move ({count} strips)" if count > 1 else "Camera Move",
        icon="OUTLINER_OB_CAMERA",
    )


class DIORAMA_PT_depth(SequencerPanel, bpy.types.Panel):
    bl_label = "Depth"
    bl_parent_id = "DIORAMA_PT_camera_move"
    bl_options = {"DEFAULT_CLOSED"}

    def draw_header_preset(self, context: Any) -> None:
        settings = compat.sequencer_scene(context).diorama
        self.layout.label(text=settings.bl_rna.properties["depth_source"].enum_items[settings.depth_source].name)

    def draw(self, context: Any) -> None:
        layout, settings = self.layout, compat.sequencer_scene(context).diorama
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(settings, "depth_source", text="Source")
        if settings.depth_source == "model":
            draw_model_choice(layout, context, settings)
        if settings.depth_source == "picture":
            layout.prop(settings, "depth_picture", text="File")
            layout.prop(settings, "near_is_bright")
        column = layout.column(align=True)
        column.prop(settings, "near")
        column.prop(settings, "far")
        column.prop(settings, "gamma")
        if settings.depth_source != "picture":
            column.prop(settings, "invert")
        layout.template_ID(settings, "correction", new="diorama.new_paint_over", open="image.open", text="Paint-Over")
        layout.operator("diorama.paint_over_from_strip", icon="SEQ_SEQUENCER")
        layout.prop(settings, "fill")
        draw_choice(layout, settings, "pivot")


CLASSES = (DIORAMA_PT_camera_move, DIORAMA_PT_depth)
