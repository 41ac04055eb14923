"""Generate: the prompt, the model, what it can be told, what that will take, and the button."""

from __future__ import annotations

from typing import Any

import bpy

from ..engine.errors import BadModel, DioramaError
from ..operators import generate_jobs, results
from ..properties_generate import FOLDER, FOUND
from ..sequencer import compat
from ..sequencer.selection import selected_images
from ..session import runtime
from ..session.models import VideoModel
from .camera_move import SequencerPanel
from .generate_facts import draw_facts
from .models import draw_missing
from .text import draw_sentence

ROLES = {"default": "to begin with", "fast": "fast", "best": "best"}


class DIORAMA_PT_generate(SequencerPanel, bpy.types.Panel):
    bl_label = "Generate"
    bl_order = 0

    def draw(self, context: Any) -> None:
        layout, scene = self.layout, compat.sequencer_scene(context)
        settings, strips = scene.diorama_generate, selected_images(scene)
        controls = generate_jobs.controls_of(settings.model_name())
        if "prompt" in controls:
            draw_prompt(layout, settings, strips)
        layout.use_property_split = True
        layout.use_property_decorate = False
        draw_models(layout, context, settings)
        draw_takes(layout, settings)
        column = layout.column()
        if "last_image" in controls:
            column.prop(settings, "last_from")
            if settings.last_from == "image":
                column.prop(settings, "last_image", text="")
        draw_mask(column, scene, settings)
        draw_camera(column, scene, settings, controls, strips)
        layout.row().prop(settings, "speed", expand=True)
        plan = draw_facts(layout, context, scene, settings, strips)
        draw_button(layout, settings, len(strips), plan)
        if results.last_error():
            draw_sentence(layout, context, results.last_error(), "ERROR", alert=True)


def draw_prompt(layout: Any, settings: Any, strips: list[Any]) -> None:
    """The scene's prompt, or that of the one selected strip; the pin decides which."""
    own = strips[0].diorama_prompt if len(strips) == 1 else None
    row = layout.row(align=True)
    compat.draw_text(row, own if own and own.use else settings, "prompt", "What happens, in a sentence or two")
    if own:
        row.prop(own, "use", text="", icon="PINNED" if own.use else "UNPINNED")
    elif any(strip.diorama_prompt.use for strip in strips):
        layout.label(text="Some of these strips have prompts of their own.", icon="PINNED")


def draw_models(layout: Any, context: Any, settings: Any) -> None:
    """The chosen models, and what stands between them and a clip."""
    known = generate_jobs.models()
    column = layout.column(align=True)
    row = column.row(align=True)
    label = "Folder" if settings.model == FOLDER else generate_jobs.label_of(settings.model)
    row.menu("DIORAMA_MT_generate_model", text=label, icon="OUTLINER_OB_IMAGE")
    row.menu("DIORAMA_MT_generate_also", text="", icon="ADD")
    if settings.model == FOLDER:
        column.prop(settings, "folder", text="")
    for name in settings.also.split():
        row = column.row(align=True)
        row.label(text=f"and {generate_jobs.label_of(name)}")
        removed = row.operator("diorama.generate_model", text="", icon="X", emboss=False)
        removed.model, removed.also = name, True
    here = runtime.models.downloaded or frozenset()
    missing = [known[name] for name in settings.model_names() if name in known and name not in here]
    draw_missing(layout, context, "video", missing)
    for sentence in generate_jobs.needs_of(settings):
        draw_sentence(layout, context, sentence, "INFO")
    try:
        runtime.video_models()
    except BadModel as error:
        draw_sentence(layout, context, f"{error.message} {error.remedy}", "ERROR", alert=True)


def draw_takes(layout: Any, settings: Any) -> None:
    """How many, and from which seeds."""
    column = layout.column(align=True)
    column.prop(settings, "takes")
    row = column.row(heading="Seed", align=True)
    row.prop(settings, "random_seed", text="Random" if settings.random_seed else "")
    if not settings.random_seed:
        row.prop(settings, "seed", text="")


def draw_mask(layout: Any, scene: Any, settings: Any) -> None:
    """What moves, and only what that choice needs."""
    layout.prop(settings, "mask_from")
    kind = settings.mask_from
    if kind == "mask":
        layout.template_ID(settings, "mask", new="mask.new", text="Mask")
    elif kind == "image":
        layout.template_ID(settings, "mask_image", open="image.open", text="Image")
    elif kind == "strip" and scene.sequence_editor:
        holder = scene.sequence_editor
        layout.prop_search(settings, "mask_strip", holder, compat.strips_all_name(holder), icon="SEQ_STRIP_DUPLICATE")
    if kind != "none":
        layout.prop(settings, "feather")
    if kind in FOUND:
        layout.label(text="Found in the photo when the clip is made")


def draw_camera(layout: Any, scene: Any, settings: Any, controls: frozenset[str], strips: list[Any]) -> None:
    """The camera: locked, free, or a rig's."""
    follows = bool(controls & {"camera_path", "control_video"})
    if follows and any(generate_jobs.rig_of(scene, strip) for strip in strips):
        layout.prop(settings, "use_rig")
    if not (follows and settings.use_rig):
        layout.prop(settings, "camera_lock")


def draw_button(layout: Any, settings: Any, strips: int, plan: Any) -> None:
    """The button, which says how many clips it will make."""
    clips = strips * settings.takes * len(settings.model_names())
    row = layout.row()
    row.scale_y = 1.5
    row.alert = isinstance(plan, DioramaError)
    row.operator("diorama.generate", text=f"Generate ({clips} clips)" if clips > 1 else "Generate", icon="PLAY")


class DIORAMA_PT_generate_more(SequencerPanel, bpy.types.Panel):
    bl_label = "Fine Control"
    bl_parent_id = "DIORAMA_PT_generate"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Any) -> None:
        layout, settings = self.layout, compat.sequencer_scene(context).diorama_generate
        layout.use_property_split = True
        layout.use_property_decorate = False
        controls = generate_jobs.controls_of(settings.model_name())
        if "negative_prompt" in controls and generate_jobs.guidance_of(settings) > 1:
            layout.prop(settings, "negative_prompt")
        column = layout.column()
        for control, name in (("motion", "motion"), ("num_inference_steps", "steps"), ("guidance_scale", "guidance")):
            if control in controls:
                draw_optional(column, settings, name)
        if "size" in controls:
            draw_optional(column, settings, "size", ("width", "height"))
        column = layout.column()
        column.prop(settings, "aspect")
        column.prop(settings, "conform")
        column.prop(settings, "memory")
        if "loras" in controls:
            draw_loras(layout, settings)


def draw_optional(layout: Any, settings: Any, name: str, values: tuple[str, ...] = ()) -> None:
    """A box, and beside it the value or values that it turns on."""
    use = f"use_{name}"
    row = layout.row(heading=settings.bl_rna.properties[use].name)
    row.prop(settings, use, text="")
    part = row.row(align=True)
    part.active = getattr(settings, use)
    for value in values or (name,):
        part.prop(settings, value, text="")


def draw_loras(layout: Any, settings: Any) -> None:
    column = layout.column(align=True)
    for index, lora in enumerate(settings.loras):
        row = column.row(align=True)
        row.use_property_split = False
        row.prop(lora, "path", text="")
        part = row.row(align=True)
        part.scale_x = 0.6
        part.prop(lora, "weight", text="")
        row.operator("diorama.lora_remove", text="", icon="X").index = index
    column.operator("diorama.lora_add", icon="ADD")


class DIORAMA_MT_generate_model(bpy.types.Menu):
    bl_label = "Image-to-Video Model"

    def draw(self, _context: Any) -> None:
        list_models(self.layout, also=False)
        self.layout.menu("DIORAMA_MT_generate_model_more")
        self.layout.operator("diorama.generate_model", text="A Folder…", icon="FILE_FOLDER").model = FOLDER


class DIORAMA_MT_generate_also(bpy.types.Menu):
    bl_label = "Compare with"
    bl_description = "Make takes with another model too, to compare them"

    def draw(self, _context: Any) -> None:
        list_models(self.layout, also=True)
        self.layout.menu("DIORAMA_MT_generate_also_more")


class DIORAMA_MT_generate_model_more(bpy.types.Menu):
    bl_label = "More Models"

    def draw(self, _context: Any) -> None:
        list_group(self.layout, "", grouped()[2], also=False)


class DIORAMA_MT_generate_also_more(bpy.types.Menu):
    bl_label = "More Models"

    def draw(self, _context: Any) -> None:
        list_group(self.layout, "", grouped()[2], also=True)


def grouped() -> tuple[list[VideoModel], list[VideoModel], list[VideoModel]]:
    """Models with a part to play, those that are on this machine, all others."""
    here = runtime.models.downloaded or frozenset()
    models = list(generate_jobs.models().values())
    recommended = sorted((m for m in models if m.role), key=lambda m: list(ROLES).index(m.role))
    others = [model for model in models if not model.role]
    return recommended, [m for m in others if m.id in here], [m for m in others if m.id not in here]


def list_models(layout: Any, also: bool) -> None:
    recommended, here, _ = grouped()
    list_group(layout, "Recommended", recommended, also)
    if here:
        list_group(layout, "On This Machine", here, also)


def list_group(layout: Any, title: str, models: list[VideoModel], also: bool) -> None:
    """One entry a model: whether it is here, and what its download takes."""
    if title:
        layout.label(text=title)
    for model in models:
        here = model.id in (runtime.models.downloaded or frozenset())
        part = f" — {ROLES[model.role]}" if model.role else ""
        size = "" if here else f" ({model.size})"
        chosen = layout.operator(
            "diorama.generate_model", text=f"{model.name}{part}{size}", icon="CHECKMARK" if here else "IMPORT"
        )
        chosen.model, chosen.also = model.id, also
    layout.separator()


CLASSES = (
    DIORAMA_PT_generate,
    DIORAMA_PT_generate_more,
    DIORAMA_MT_generate_model,
    DIORAMA_MT_generate_also,
    DIORAMA_MT_generate_model_more,
    DIORAMA_MT_generate_also_more,
)
