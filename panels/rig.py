"""The camera rig: in the Sequencer beside its strip, and in the 3D view of its own scene."""

from __future__ import annotations

from typing import Any

import bpy

from ..engine.camera import MOVES
from ..operators import rig as verbs
from ..rig import owned
from ..sequencer import compat, rig_strip
from ..sequencer.selection import selected_images
from .text import draw_sentence


def draw_rig(layout: Any, context: Any, rig: owned.Rig) -> None:
    """What can be done with a rig."""
    scene = verbs.home_of(context, rig)
    column = layout.column(align=True)
    if context.area.type == "VIEW_3D":
        column.prop(scene.diorama, "move", text="")
    row = column.row(align=True)
    row.operator("diorama.rig_move", icon="CAMERA_DATA").add = False
    row.operator("diorama.rig_move", text="Add", icon="ADD").add = True
    _draw_moves(column, rig)
    _draw_length(column, context, rig)
    column.operator("diorama.rig_fit", icon="FULLSCREEN_EXIT")
    column.operator_menu_enum("diorama.rig_depth", "source", icon="MOD_DISPLACE")
    percentage = rig.scene.render.resolution_percentage
    column.operator_menu_enum(
        "diorama.rig_live_size", "percentage", text=f"Live at {percentage} %", icon="PLAY"
    )
    row = layout.row(align=True)
    row.operator("diorama.bake_fast", icon="RENDER_ANIMATION").passes = scene.diorama_camera.passes
    row.operator_menu_enum("diorama.bake_blender", "engine", text="Render", icon="BLENDER")
    row = layout.row(align=True)
    row.prop(scene.diorama_camera, "passes")
    if scene != rig.scene:
        column = layout.column(align=True)
        live = rig_strip.is_live(scene, rig.id, verbs.active_strip(context))
        row = column.row()
        row.enabled = bool(rig_strip.clips_of(scene, rig.id))
        row.operator("diorama.rig_switch", text="Show Baked Clip" if live else "Show Live Rig", icon="UV_SYNC_SELECT")
    row = layout.row(align=True)
    if context.scene != rig.scene:
        row.operator("diorama.rig_open", icon="SCENE_DATA")
    row.operator("diorama.rig_remove", text="" if context.scene != rig.scene else "Remove Rig", icon="TRASH")


def _draw_length(layout: Any, context: Any, rig: owned.Rig) -> None:
    """Offered where the strip, or its photo, is longer or shorter than the camera's moves."""
    scene = verbs.home_of(context, rig)
    for live in rig_strip.meant(scene, rig.id, verbs.active_strip(context))[:1]:
        if rig_strip.frames_wanted(live) != rig.scene.frame_end - rig.scene.frame_start + 1:
            layout.operator("diorama.rig_length", icon="ARROW_LEFTRIGHT").to_photo = False
        photo = rig_strip.photo_of(scene, live)
        if photo is not None and compat.right_handle(photo) != compat.right_handle(live):
            layout.operator("diorama.rig_length", text="Stretch to Photo", icon="ARROW_LEFTRIGHT").to_photo = True


def _draw_moves(layout: Any, rig: owned.Rig) -> None:
    """What the camera does, move by move, each with its own strength."""
    layout = layout.column(align=True)
    layout.enabled = rig.moves
    for index, entry in enumerate(rig.scene.diorama_camera.moves):
        box = layout.box().column(align=True)
        row = box.row(align=True)
        row.prop(entry, "enabled", text="")
        left = f", {entry.share:.0%} left by Fit" if entry.share < 1 else ""
        row.label(text=f"{MOVES[entry.move].label}{left}")
        row.operator("diorama.rig_move_drop", text="", icon="X").index = index
        row = box.row(align=True)
        row.active = entry.enabled
        row.prop(entry, "amount", text="")
        row.prop(entry, "easing", text="")
        row.prop(entry, "cycle", text="")


class DIORAMA_PT_rig(bpy.types.Panel):
    bl_label = "Camera Rig"
    bl_space_type = "SEQUENCE_EDITOR"
    bl_region_type = "UI"
    bl_category = "Diorama"
    bl_order = 1

    @classmethod
    def poll(cls, context: Any) -> bool:
        return compat.sequencer_scene(context) is not None

    def draw(self, context: Any) -> None:
        layout = self.layout
        rig = verbs.rig_of_strip(verbs.active_strip(context))
        if rig is not None:
            layout.label(text=rig.scene.name, icon="OUTLINER_OB_CAMERA")
            draw_rig(layout, context, rig)
            return
        if verbs.lost_rig(context):
            draw_sentence(layout, context, "The rig of this strip was removed.", "INFO")
            layout.operator("diorama.rig_remove", text="Remove What Is Left", icon="TRASH")
        count = len(selected_images(compat.sequencer_scene(context)))
        layout.operator(
            "diorama.build_rig",
            text=f"Build Camera Rig ({count} strips)" if count > 1 else "Build Camera Rig",
            icon="OUTLINER_OB_CAMERA",
        )


class DIORAMA_PT_rig_scene(bpy.types.Panel):
    """The same in the 3D view, where the rig's scene is open."""

    bl_label = "Camera Rig"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Diorama"

    @classmethod
    def poll(cls, context: Any) -> bool:
        return owned.rig_of(context.scene) is not None

    def draw(self, context: Any) -> None:
        rig = owned.rig_of(context.scene)
        if rig is not None:
            draw_rig(self.layout, context, rig)


CLASSES = (DIORAMA_PT_rig, DIORAMA_PT_rig_scene)
