"""The engine: its state, and what can be done about it. Drawn in the sidebar and in the preferences."""

from __future__ import annotations

from typing import Any

import bpy

from ..session import runtime
from ..session.installer import InstallState
from ..session.queue import EngineState
from .text import draw_sentence

SENTENCES = {
    InstallState.not_installed: "The engine makes the clips. It is installed once, in a folder of its own (640 MB).",
    InstallState.incomplete: "The engine is not installed completely.",
    InstallState.outdated: "The engine belongs to another version of Diorama.",
}


def draw_engine(layout: Any, context: Any, details: bool) -> None:
    """details: also what only the preferences show (repair, remove)."""
    installer, state = runtime.installer, runtime.installer.state
    if state is InstallState.installing:
        _draw_progress(layout)
        return
    if state is InstallState.installed:
        _draw_ready(layout, context, details)
    else:
        draw_sentence(layout, context, SENTENCES[state], "INFO")
        if not bpy.app.online_access:
            _draw_offline(layout, context)
        elif state is InstallState.not_installed:
            layout.operator("diorama.engine_install", icon="IMPORT")
        elif state is InstallState.outdated:
            layout.operator("diorama.engine_install", text="Update Engine", icon="IMPORT")
        else:
            row = layout.row(align=True)
            row.operator("diorama.engine_install", text="Continue")
            row.operator("diorama.engine_repair")
    if installer.error:
        draw_sentence(layout, context, f"{installer.error.message} {installer.error.remedy}", "ERROR", alert=True)


def _draw_progress(layout: Any) -> None:
    progress = runtime.installer.progress
    counted = f" ({progress.done} of {progress.total} MB)" if progress.total else ""
    row = layout.row(align=True)
    row.progress(factor=progress.done / progress.total if progress.total else 0.0, text=f"{progress.text}{counted}")
    row.operator("diorama.engine_install_cancel", text="", icon="X")


def _draw_ready(layout: Any, context: Any, details: bool) -> None:
    queue = runtime.queue
    row = layout.row(align=True)
    if queue.engine_state is EngineState.stopped:
        row.label(text="Installed; it starts with the first job.", icon="CHECKMARK")
    else:
        draw_sentence(
            row, context, queue.engine_note, "CHECKMARK" if queue.engine_state is EngineState.ready else "SORTTIME"
        )
        row.operator("diorama.engine_stop", text="", icon="CANCEL")
    if details:
        row = layout.row()
        sub = row.row()
        sub.enabled = bpy.app.online_access
        sub.operator("diorama.engine_repair", icon="FILE_REFRESH")
        row.operator("diorama.engine_remove", icon="TRASH")


def _draw_offline(layout: Any, context: Any) -> None:
    draw_sentence(
        layout,
        context,
        "Blender is not allowed to go online, so the engine cannot be installed yet.",
        "INTERNET_OFFLINE",
    )
    if bpy.app.online_access_override:
        draw_sentence(layout, context, "Blender was started with --offline-mode. Start it without that.")
    elif context.area and context.area.type == "PREFERENCES":
        layout.prop(context.preferences.system, "use_online_access")
    else:
        layout.operator("screen.userpref_show", text="Allow Online Access…", icon="PREFERENCES").section = "SYSTEM"


class DIORAMA_PT_engine(bpy.types.Panel):
    bl_label = "Engine"
    bl_space_type = "SEQUENCE_EDITOR"
    bl_region_type = "UI"
    bl_category = "Diorama"
    bl_order = 3

    def draw(self, context: Any) -> None:
        draw_engine(self.layout, context, details=False)


CLASSES = (DIORAMA_PT_engine,)
