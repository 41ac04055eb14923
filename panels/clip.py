"""What a clip remembers of its making."""

from __future__ import annotations

import json
from typing import Any

import bpy

from ..engine.camera import EASINGS, MOVES
from ..sequencer import compat


def active_clip(context: Any) -> Any:
    """The active strip if Diorama made it, else None."""
    editor = compat.sequencer_scene(context).sequence_editor
    strip = editor.active_strip if editor else None
    return strip if strip and strip.select and strip.diorama.is_clip else None


class DIORAMA_PT_clip(bpy.types.Panel):
    bl_label = "This Clip"
    bl_space_type = "SEQUENCE_EDITOR"
    bl_region_type = "UI"
    bl_category = "Diorama"
    bl_order = 2

    @classmethod
    def poll(cls, context: Any) -> bool:
        return active_clip(context) is not None

    def draw(self, context: Any) -> None:
        settings = json.loads(active_clip(context).diorama.request)
        move, depth = settings["move"], settings["depth"]
        column = self.layout.column(align=True)
        column.scale_y = 0.8
        column.label(text=f"{MOVES[move['name']].label}, amount {move['amount']:.3f}")
        column.label(text=f"{EASINGS[move['easing']].label}, pivot {move['pivot']:.2f}")
        column.label(text=f"Depth: {'Picture' if depth['picture'] else depth['model'].capitalize()}")
        column.label(text=f"{settings['width']} × {settings['height']}, {settings['num_frames']} frames")


CLASSES = (DIORAMA_PT_clip,)
