"""The engine: its state, and what can be done about it. Drawn in the sidebar and in the preferences."""

from __future__ import annotations

from typing import Any

import bpy

from ..session import installer, runtime
from ..session.installer import InstallState
from ..session.queue import EngineState
from .text import draw_sentence

SENTENCES = {
    InstallState.not_installed: "The engine makes the clips. It is installed once, in a folder of its own: "
    "210 MB to download, 680 MB on disk.",
    InstallState.incomplete: "The engine is not installed completely.",
    InstallState.outdated: "The engine belongs to another version of Diorama.",
}


FULL = (
    "{what} the full engine: about 230 MB more to download and 1.2 GB more on disk; with a graphics card "
    "that torch supports, several GB."
)


def draw_engine(layout: Any, context: Any, details: bool) -> None:
    """details: also what only the preferences show (repair, remove)."""
    error, state = runtime.installer.error, runtime.installer.state
    if state is InstallState.installing:
        _draw_progress(layout)
        return
    if state is InstallState.installed:
        _draw_ready(layout, context, details)
    else:
        draw_sentence(layout, context, SENTENCES[state], "INFO")
        if not bpy.app.online_access:
            draw_offline(layout, context, "the engine cannot be installed yet")
        elif state is InstallState.not_installed:
            layout.operator("diorama.engine_install", icon="IMPORT")
        elif state is InstallState.outdated:
            layout.operator("diorama.engine_install", text="Update Engine", icon="IMPORT")
        else:
            row = layout.row(align=True)
            full = runtime.installer.size == installer.FULL
            row.operator("diorama.engine_install", text="Continue with the Full Engine" if full else "Continue")
            row.operator("diorama.engine_repair")
    if error:
        draw_sentence(layout, context, f"{error.message} {error.remedy}", "ERROR", alert=True)


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
        if runtime.installer.full:
            layout.label(text="This is the full engine, with learned depth and image-to-video.")
        else:
            draw_full_offer(layout, context)
        row = layout.row()
        sub = row.row()
        sub.enabled = bpy.app.online_access
        sub.operator("diorama.engine_repair", icon="FILE_REFRESH")
        row.operator("diorama.engine_remove", icon="TRASH")


def draw_full_offer(layout: Any, context: Any, what: str = "Learned depth and image-to-video need") -> None:
    """What the full engine brings and costs, and the button. what: wants it, with its verb."""
    draw_sentence(layout, context, FULL.format(what=what), "INFO")
    if bpy.app.online_access:
        layout.operator("diorama.engine_install", text="Install Full Engine", icon="IMPORT").size = installer.FULL
    else:
        draw_offline(layout, context, "it cannot be installed yet")


def draw_offline(layout: Any, context: Any, consequence: str) -> None:
    """Why there is no button, and the way to allow it."""
    draw_sentence(layout, context, f"Blender is not allowed to go online, so {consequence}.", "INTERNET_OFFLINE")
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
