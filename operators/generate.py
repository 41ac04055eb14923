"""Stills become generated clips: what a person does around image-to-video models."""

from __future__ import annotations

from typing import Any

import bpy

from ..engine.errors import BadSelection, DioramaError
from ..properties_generate import FOLDER
from ..sequencer import compat
from ..sequencer.selection import active_clip
from . import generate_again, generate_jobs, results


class DIORAMA_OT_generate(bpy.types.Operator):
    """Make a clip from each selected photo with an image-to-video model; it appears above the photo when it is ready"""

    bl_idname = "diorama.generate"
    bl_label = "Generate"
    bl_options = {"REGISTER"}  # the undo step is made when the clip is inserted

    def execute(self, context: Any) -> set[str]:
        return results.submit_selected(self, compat.sequencer_scene(context), generate_jobs.submit)


class DIORAMA_OT_generate_again(bpy.types.Operator):
    """Make this clip once more from the same still, as a new take"""

    bl_idname = "diorama.generate_again"
    bl_label = "Again"
    bl_options = {"REGISTER"}

    new_seed: bpy.props.BoolProperty(name="New Seed", default=True)

    @classmethod
    def description(cls, _context: Any, properties: Any) -> str:
        return "The same still and settings" + (" with another seed" if properties.new_seed else " and seed")

    def execute(self, context: Any) -> set[str]:
        clip = active_clip(context)
        try:
            if clip is None:
                raise BadSelection("No clip of Diorama is selected.", "Select one that was generated.")
            generate_again.submit_again(compat.sequencer_scene(context), clip, self.new_seed)
        except DioramaError as error:
            self.report({"ERROR"}, results.remember_errors([error]))
            return {"CANCELLED"}
        results.remember_errors([])
        return {"FINISHED"}


class _SettingsOperator:
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}


class DIORAMA_OT_generate_settings(_SettingsOperator, bpy.types.Operator):
    """Set the panel to what this clip was made with, its seed included"""

    bl_idname = "diorama.generate_settings"
    bl_label = "Use Its Settings"

    def execute(self, context: Any) -> set[str]:
        clip = active_clip(context)
        try:
            if clip is None:
                raise BadSelection("No clip of Diorama is selected.", "Select one that was generated.")
            generate_again.take_settings(compat.sequencer_scene(context).diorama_generate, clip)
        except DioramaError as error:
            self.report({"ERROR"}, f"{error.message} {error.remedy}")
            return {"CANCELLED"}
        return {"FINISHED"}


class DIORAMA_OT_generate_model(_SettingsOperator, bpy.types.Operator):
    """Use this model"""

    bl_idname = "diorama.generate_model"
    bl_label = "Use Model"

    model: bpy.props.StringProperty(options={"HIDDEN", "SKIP_SAVE"})
    also: bpy.props.BoolProperty(options={"HIDDEN", "SKIP_SAVE"})  # beside the others, or no longer

    @classmethod
    def description(cls, _context: Any, properties: Any) -> str:
        if properties.model == FOLDER:
            return "A folder on this machine, as diffusers saved it"
        facts = generate_jobs.models().get(properties.model)
        return facts.facts if facts else "This model is no longer in the list"

    def execute(self, context: Any) -> set[str]:
        settings = compat.sequencer_scene(context).diorama_generate
        if self.also:
            others = settings.also.split()
            settings.also = "\n".join(
                [one for one in others if one != self.model] if self.model in others else [*others, self.model]
            )
        else:
            settings.model = self.model
            settings.also = "\n".join(one for one in settings.also.split() if one != self.model)
        return {"FINISHED"}


class DIORAMA_OT_lora_add(_SettingsOperator, bpy.types.Operator):
    """Add a LoRA: a small file that changes what the model draws"""

    bl_idname = "diorama.lora_add"
    bl_label = "Add LoRA"

    def execute(self, context: Any) -> set[str]:
        compat.sequencer_scene(context).diorama_generate.loras.add()
        return {"FINISHED"}


class DIORAMA_OT_lora_remove(_SettingsOperator, bpy.types.Operator):
    """Take this LoRA away; its file stays"""

    bl_idname = "diorama.lora_remove"
    bl_label = "Remove LoRA"

    index: bpy.props.IntProperty(options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context: Any) -> set[str]:
        compat.sequencer_scene(context).diorama_generate.loras.remove(self.index)
        return {"FINISHED"}


CLASSES = (
    DIORAMA_OT_generate,
    DIORAMA_OT_generate_again,
    DIORAMA_OT_generate_settings,
    DIORAMA_OT_generate_model,
    DIORAMA_OT_lora_add,
    DIORAMA_OT_lora_remove,
)
