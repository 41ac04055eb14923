"""Clips become a sequence: takes, joins, time, finish. One small panel, its tools folded below it."""

from __future__ import annotations

from typing import Any

import bpy

from ..engine.protocol import STEPS
from ..operators import takes as verbs
from ..properties_combine import MOST_STARS
from ..sequencer import compare, compat
from ..sequencer.selection import selected_strips
from .text import draw_sentence

MOST_SENTENCES = 8


class _CombinePanel:
    bl_space_type = "SEQUENCE_EDITOR"
    bl_region_type = "UI"
    bl_category = "Diorama"

    @classmethod
    def poll(cls, context: Any) -> bool:
        scene = compat.sequencer_scene(context)
        return scene is not None and scene.sequence_editor is not None


class DIORAMA_PT_combine(_CombinePanel, bpy.types.Panel):
    bl_label = "Combine Clips"
    bl_order = 2
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Any) -> None:
        pass


class _Part(_CombinePanel):
    bl_parent_id = "DIORAMA_PT_combine"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self: Any, context: Any) -> None:
        scene = compat.sequencer_scene(context)
        self.layout.use_property_split = True
        self.layout.use_property_decorate = False
        self.draw_part(self.layout, context, scene, scene.diorama_combine)


class DIORAMA_PT_takes(_Part, bpy.types.Panel):
    bl_label = "Takes"
    bl_options = set()

    def draw_part(self, layout: Any, context: Any, scene: Any, settings: Any) -> None:
        strip = verbs.taken_strip(context)
        if strip is not None:
            shot = strip.diorama_shot
            row = layout.row(align=True)
            row.operator("diorama.take_step", text="", icon="TRIA_LEFT").by = -1
            row.label(text=f"{shot.takes[shot.shown].name}, {shot.shown + 1} of {len(shot.takes)}")
            row.operator("diorama.take_step", text="", icon="TRIA_RIGHT").by = 1
            column = layout.column(align=True)
            for index, take in enumerate(shot.takes):
                row = column.row(align=True)
                row.operator("diorama.take_show", text=take.name, depress=index == shot.shown).index = index
                for star in range(1, MOST_STARS + 1):
                    chosen = row.operator(
                        "diorama.take_rate",
                        text="",
                        icon="SOLO_ON" if star <= take.stars else "SOLO_OFF",
                        emboss=False,
                    )
                    chosen.index, chosen.stars = index, star
            layout.operator("diorama.take_keep", icon="TRASH")
        else:
            layout.label(text="Several clips of one photo become takes.", icon="INFO")
        on = bool(compare.helpers(scene))
        row = layout.row(align=True)
        row.prop(settings, "compare_mode", expand=True)
        row = layout.row(align=True)
        row.enabled = on or strip is not None or len(selected_strips(scene)) == 2
        row.operator("diorama.compare", text="End Comparison" if on else "Compare", depress=on)
        if on and settings.compare_mode == "WIPE":
            layout.prop(settings, "wipe")


class DIORAMA_PT_extend(_Part, bpy.types.Panel):
    bl_label = "Extend and Bridge"

    def draw_part(self, layout: Any, context: Any, scene: Any, settings: Any) -> None:
        layout.prop(settings, "extend_by")
        layout.prop(settings, "extend_seconds")
        layout.prop(settings, "backward")
        layout.operator("diorama.extend", icon="TRACKING_FORWARDS")
        layout.separator()
        layout.prop(settings, "bridge")
        if settings.bridge == "push_through":
            layout.prop(settings, "bridge_amount")
        layout.operator("diorama.bridge", icon="ARROW_LEFTRIGHT")


class DIORAMA_PT_stitch(_Part, bpy.types.Panel):
    bl_label = "Stitch"

    def draw_part(self, layout: Any, context: Any, scene: Any, settings: Any) -> None:
        layout.prop(settings, "fade")
        if settings.fade != "NONE":
            layout.prop(settings, "fade_frames")
        layout.prop(settings, "match")
        row = layout.row(align=True)
        row.operator("diorama.stitch", icon="SEQ_STRIP_DUPLICATE")
        row.operator("diorama.match_colour", text="Only Colour")
        layout.operator("diorama.check_seams", icon="VIEWZOOM")
        for sentence in settings.seams.splitlines()[:MOST_SENTENCES]:
            draw_sentence(layout, context, sentence, "INFO")


class DIORAMA_PT_sequence(_Part, bpy.types.Panel):
    bl_label = "Photo Sequence"

    def draw_part(self, layout: Any, context: Any, scene: Any, settings: Any) -> None:
        layout.prop(settings, "style")
        layout.prop(settings, "beats")
        if settings.beats == "LENGTH":
            layout.prop(settings, "sequence_seconds")
        elif settings.beats == "MARKERS":
            layout.prop(settings, "beats_each")
        layout.prop(settings, "fade")
        layout.operator("diorama.sequence", icon="RENDERLAYERS")


class DIORAMA_PT_time(_Part, bpy.types.Panel):
    bl_label = "Time"

    def draw_part(self, layout: Any, context: Any, scene: Any, settings: Any) -> None:
        kind = STEPS[settings.time]
        layout.prop(settings, "time")
        if settings.time == "loop":
            layout.prop(settings, "loop_by")
        if kind.frames is not None:
            layout.prop(settings, "time_frames")
        if settings.time_method in kind.methods:
            layout.prop(settings, "time_method")
        layout.operator("diorama.change_time", icon="TIME")


class DIORAMA_PT_finish(_Part, bpy.types.Panel):
    bl_label = "Finish"

    def draw_part(self, layout: Any, context: Any, scene: Any, settings: Any) -> None:
        layout.prop(settings, "finish")
        if STEPS[settings.finish].amount is not None:
            layout.prop(settings, "finish_amount")
        layout.operator("diorama.finish", icon="SHADERFX")


class DIORAMA_PT_render_out(_Part, bpy.types.Panel):
    bl_label = "Render Out"

    def draw_part(self, layout: Any, context: Any, scene: Any, settings: Any) -> None:
        layout.row().prop(settings, "render_range", expand=True)
        if not scene.render.is_movie_format:
            draw_sentence(layout, context, "The project's output is no movie, so H.264 is written.", "INFO")
        layout.operator("diorama.render_out", icon="RENDER_ANIMATION")
        if settings.rendered:
            name = settings.rendered.replace("\\", "/").rpartition("/")[2]
            layout.operator("wm.path_open", text=f"Open {name}", icon="PLAY").filepath = settings.rendered


CLASSES = (
    DIORAMA_PT_combine,
    DIORAMA_PT_takes,
    DIORAMA_PT_extend,
    DIORAMA_PT_stitch,
    DIORAMA_PT_sequence,
    DIORAMA_PT_time,
    DIORAMA_PT_finish,
    DIORAMA_PT_render_out,
)
