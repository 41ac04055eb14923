"""What a person does with models: look, download, remove."""

from __future__ import annotations

from typing import Any

import bpy

from ..panels.text import draw_sentence
from ..session import runtime
from .engine import run


class _ModelOperator:
    bl_options = {"INTERNAL"}

    model: bpy.props.StringProperty(options={"HIDDEN", "SKIP_SAVE"})


class DIORAMA_OT_models_look(bpy.types.Operator):
    """Find out which models are on this machine"""

    bl_idname = "diorama.models_look"
    bl_label = "Look Again"
    bl_options = {"INTERNAL"}

    def execute(self, context: Any) -> set[str]:
        return run(self, runtime.models.look)


class DIORAMA_OT_model_download(_ModelOperator, bpy.types.Operator):
    """Download this model once, into the folder that all programs share for such models"""

    bl_idname = "diorama.model_download"
    bl_label = "Download Model"

    accept: bpy.props.BoolProperty(
        name="I have read the licence and accept it", default=False, options={"SKIP_SAVE"}
    )

    def invoke(self, context: Any, event: Any) -> set[str]:
        if not runtime.known_models()[self.model].ask:
            return self.execute(context)
        return context.window_manager.invoke_props_dialog(self, width=420)

    def draw(self, context: Any) -> None:
        model = runtime.known_models()[self.model]
        draw_sentence(self.layout, context, f"{model.name}: {model.facts}")
        self.layout.prop(self, "accept")

    def execute(self, context: Any) -> set[str]:
        if runtime.known_models()[self.model].ask and not self.accept:
            self.report({"ERROR"}, "The licence was not accepted, so nothing is downloaded. Tick the box to accept it.")
            return {"CANCELLED"}
        return run(self, lambda: runtime.models.download(self.model, self.accept))


class DIORAMA_OT_model_remove(_ModelOperator, bpy.types.Operator):
    """Delete this model from the folder that all programs share for such models"""

    bl_idname = "diorama.model_remove"
    bl_label = "Remove Model"

    def invoke(self, context: Any, event: Any) -> set[str]:
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, context: Any) -> set[str]:
        return run(self, lambda: runtime.models.remove(self.model))


class DIORAMA_OT_model_cancel(bpy.types.Operator):
    """Stop the download; what has arrived is kept for the next try"""

    bl_idname = "diorama.model_cancel"
    bl_label = "Cancel"
    bl_options = {"INTERNAL"}

    def execute(self, context: Any) -> set[str]:
        return run(self, runtime.models.cancel)


CLASSES = (DIORAMA_OT_models_look, DIORAMA_OT_model_download, DIORAMA_OT_model_remove, DIORAMA_OT_model_cancel)
