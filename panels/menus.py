"""Entries in Blender's own menus."""

from __future__ import annotations

from typing import Any

import bpy

VERBS = (  # of the submenu: operator and icon, None = a line
    ("diorama.camera_move", "OUTLINER_OB_CAMERA"),
    ("diorama.generate", "PLAY"),
    ("diorama.build_rig", "SCENE_DATA"),
    None,
    ("diorama.extend", "TRACKING_FORWARDS"),
    ("diorama.bridge", "ARROW_LEFTRIGHT"),
    ("diorama.stitch", "SEQ_STRIP_DUPLICATE"),
    ("diorama.sequence", "RENDERLAYERS"),
    None,
    ("diorama.change_time", "TIME"),
    ("diorama.finish", "SHADERFX"),
    None,
    ("diorama.render_out", "RENDER_ANIMATION"),
)


class DIORAMA_MT_strip(bpy.types.Menu):
    """What Diorama does with the selected strips, with the settings of its panels"""

    bl_label = "Diorama"

    def draw(self, _context: Any) -> None:
        for verb in VERBS:
            if verb is None:
                self.layout.separator()
            else:
                self.layout.operator(verb[0], icon=verb[1])


def draw_entry(menu: Any, _context: Any) -> None:
    menu.layout.separator()
    menu.layout.menu("DIORAMA_MT_strip", icon="OUTLINER_OB_CAMERA")


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


CLASSES = (DIORAMA_MT_strip,)
