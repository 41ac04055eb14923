"""What a clip remembers of its making."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import bpy

from ..engine.camera import EASINGS, MOVES
from ..operators.generate_jobs import label_of
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
        if "generate" in settings:
            draw_generated(self.layout, context, clip, settings)
            return
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


def draw_generated(layout: Any, context: Any, clip: Any, settings: dict[str, Any]) -> None:
    """A clip of an image-to-video model: prompt, model, seed, and once more."""
    made = settings["generate"]
    column = layout.column(align=True)
    if made["prompt"]:
        draw_sentence(column, context, f"“{made['prompt']}”", "TEXT")
    facts = layout.column(align=True)
    facts.scale_y = 0.8
    facts.label(text=f"{label_of(made['model'])}, seed {made['seed']}")
    steps = f"{made['num_inference_steps']} steps, " if made["num_inference_steps"] else ""
    guidance = f"guidance {made['guidance_scale']:g}, " if made["guidance_scale"] >= 0 else ""
    facts.label(text=f"{steps}{guidance}speed: {made['speed']}")
    facts.label(text=f"{settings['width']} × {settings['height']}, {settings['num_frames']} frames")
    column = layout.column(align=True)
    row = column.row(align=True)
    row.operator("diorama.generate_again", text="Again, New Seed", icon="FILE_REFRESH").new_seed = True
    row.operator("diorama.generate_again", text="Again, Same").new_seed = False
    column.operator("diorama.generate_settings", icon="PASTEDOWN")
    for sentence in clip.diorama.warnings.splitlines():
        draw_sentence(layout, context, sentence, "INFO")


def depth_name(depth: dict[str, Any]) -> str:
    """Where a clip's depth came from, for people."""
    model = depth["model"]
    if depth["picture"]:
        return "Picture"
    return catalog()[model].name if model in catalog() else Path(model).name.capitalize()


CLASSES = (DIORAMA_PT_clip,)
