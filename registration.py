"""Everything that Blender is told at register() and that unregister() takes back, in mirror order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from bpy.app.handlers import persistent

from . import operators, preferences, properties, properties_combine, properties_generate, properties_rig
from .operators import results
from .panels import camera_move, camera_view, clip, combine, engine, generate, jobs, lens, menus, rig
from .sequencer import compat, live_preview
from .session import runtime

CLASSES = (
    properties.DioramaSettings,
    properties.DioramaStrip,
    *properties_combine.CLASSES,
    *properties_generate.CLASSES,
    *properties_rig.CLASSES,
    preferences.DioramaPreferences,
    *operators.CLASSES,
    *camera_move.CLASSES,
    *lens.CLASSES,
    *generate.CLASSES,
    *rig.CLASSES,
    *camera_view.CLASSES,
    *jobs.CLASSES,
    *combine.CLASSES,
    *clip.CLASSES,
    *engine.CLASSES,
    *menus.CLASSES,
)


def pump() -> float:
    """The timer. In background mode it never fires: tests and dev.py call this themselves."""
    return results.pump()


@persistent
def file_opened(*_: Any) -> None:
    """After another .blend was opened."""
    results.file_opened()


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    properties.link(compat.strip_type())
    properties_combine.link(compat.strip_type())
    properties_generate.link(compat.strip_type())
    properties_rig.link()
    runtime.open_session(
        Path(__file__).parent, preferences.preferences().engine_path(), lambda: not bpy.app.online_access
    )
    preferences.preferences().configure()
    menus.append()
    bpy.app.handlers.load_post.append(file_opened)
    bpy.app.timers.register(pump, first_interval=results.IDLE_SECONDS, persistent=True)


def unregister() -> None:
    if bpy.app.timers.is_registered(pump):
        bpy.app.timers.unregister(pump)
    bpy.app.handlers.load_post.remove(file_opened)
    menus.remove()
    results.clear()
    live_preview.close()
    runtime.close_session()
    properties_rig.unlink()
    properties_generate.unlink(compat.strip_type())
    properties_combine.unlink(compat.strip_type())
    properties.unlink(compat.strip_type())
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
