"""What a clip remembers of its making."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import bpy

from ..engine.camera import EASINGS, MOVES
from ..sequencer import compat
from ..sequencer.depth_strip import depth_strips
from ..sequencer.selection import active_clip
from ..session.models import catalog
from .text import draw_sentence


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
        scene, clip = compat.sequencer_scene(context), active_clip(context)
        settings = json.loads(clip.diorama.request)
        if "move" not in settings:
            label = settings.get("engine") or "Engine"
            self.layout.label(text=f"Baked from a rig: {label}", icon="OUTLINER_OB_CAMERA")
            return
        move, depth = settings["move"], settings["depth"]
        column = self.layout.column(align=True)
        column.scale_y = 0.8
        column.label(text=f"{MOVES[move['name']].label}, amount {move['amount']:.3f}")
        column.label(text=f"{EASINGS[move['easing']].label}, pivot {move['pivot']:.2f}")
        column.label(text=f"Depth: {depth_name(depth)}")
        column.label(text=f"{settings['width']} × {settings['height']}, {settings['num_frames']} frames")
        row = self.layout.row(align=True)
        row.operator("diorama.show_depth", icon="IMAGE_ZDEPTH", depress=bool(depth_strips(scene, clip)))
        row.operator("diorama.use_depth")
        for sentence in clip.diorama.warnings.splitlines():
            draw_sentence(self.layout, context, sentence, "INFO")


def depth_name(depth: dict[str, Any]) -> str:
    """Where a clip's depth came from, for people."""
    model = depth["model"]
    if depth["picture"]:
        return "Picture"
    return catalog()[model].name if model in catalog() else Path(model).name.capitalize()


CLASSES = (DIORAMA_PT_clip,)
