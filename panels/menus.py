"""Entries in Blender's own menus."""

from __future__ import annotations

from typing import Any

import bpy


def draw_entry(menu: Any, _context: Any) -> None:
    menu.layout.separator()
    menu.layout.operator("diorama.camera_move", icon="OUTLINER_OB_CAMERA")
    menu.layout.operator("diorama.generate", icon="PLAY")
    menu.layout.operator("diorama.build_rig", icon="SCENE_DATA")


def draw_view_entry(menu: Any, _context: Any) -> None:
    menu.layout.separator()
    menu.layout.operator("diorama.animate_camera_view", icon="OUTLINER_OB_CAMERA")


def append() -> None:
    bpy.types.VIEW3D_MT_view.append(draw_view_entry)
    bpy.types.SEQUENCER_MT_strip.append(draw_entry)
    bpy.types.SEQUENCER_MT_context_menu.append(draw_entry)


def remove() -> None:
    bpy.types.SEQUENCER_MT_context_menu.remove(draw_entry)
    bpy.types.SEQUENCER_MT_strip.remove(draw_entry)
    bpy.types.VIEW3D_MT_view.remove(draw_view_entry)
