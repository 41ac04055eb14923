"""What a person does with the engine: install, repair, remove, stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy

from ..engine.errors import DioramaError
from ..session import runtime


class _EngineOperator:
    bl_options = {"INTERNAL"}


def run(operator: Any, work: Callable[[], None]) -> set[str]:
    """Calls `work`; what it refuses becomes the operator's report."""
    try:
        work()
    except DioramaError as error:
        operator.report({"ERROR"}, f"{error.message} {error.remedy}")
        return {"CANCELLED"}
    return {"FINISHED"}


class DIORAMA_OT_engine_install(_EngineOperator, bpy.types.Operator):
    """Download and install the engine into its own folder; Blender's own Python is not touched"""

    bl_idname = "diorama.engine_install"
    bl_label = "Install Engine"

    size: bpy.props.StringProperty(options={"HIDDEN", "SKIP_SAVE"})  # "": the one that is there or was begun

    def execute(self, context: Any) -> set[str]:
        return run(self, lambda: runtime.install_engine(self.size))


class DIORAMA_OT_engine_repair(_EngineOperator, bpy.types.Operator):
    """Remove the engine and install it anew"""

    bl_idname = "diorama.engine_repair"
    bl_label = "Repair Engine"

    def execute(self, context: Any) -> set[str]:
        return run(self, runtime.repair_engine)


class DIORAMA_OT_engine_remove(_EngineOperator, bpy.types.Operator):
    """Delete the engine folder; clips stay"""

    bl_idname = "diorama.engine_remove"
    bl_label = "Remove Engine"

    def invoke(self, context: Any, event: Any) -> set[str]:
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, context: Any) -> set[str]:
        return run(self, runtime.remove_engine)


class DIORAMA_OT_engine_install_cancel(_EngineOperator, bpy.types.Operator):
    """Stop the installation; it can be taken up later"""

    bl_idname = "diorama.engine_install_cancel"
    bl_label = "Cancel"

    def execute(self, context: Any) -> set[str]:
        return run(self, runtime.installer.cancel)


class DIORAMA_OT_engine_stop(_EngineOperator, bpy.types.Operator):
    """Cancel all jobs and end the engine, which frees its memory; the next job starts it again"""

    bl_idname = "diorama.engine_stop"
    bl_label = "Stop Engine"

    def execute(self, context: Any) -> set[str]:
        return run(self, runtime.queue.stop_engine)


CLASSES = (
    DIORAMA_OT_engine_install,
    DIORAMA_OT_engine_repair,
    DIORAMA_OT_engine_remove,
    DIORAMA_OT_engine_install_cancel,
    DIORAMA_OT_engine_stop,
)
