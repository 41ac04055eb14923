"""Runs inside Blender's Python: the installed extension, a timeline with a photo on it, and a person's clicks.

The caller has set BLENDER_USER_RESOURCES and the data folder to private places.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import addon_utils
import bpy

PACKAGE = "bl_ext.user_default.diorama"
PATIENCE_SECONDS = 600


def module(name: str) -> Any:
    """A module of the installed extension."""
    return importlib.import_module(f"{PACKAGE}.{name}")


def install(package: str, engine: str, clips: Path) -> None:
    """Installs the zip as a person would, and tells it where the engine is and where clips go."""
    addon_utils.enable("bl_pkg")
    done = bpy.ops.extensions.package_install_files(repo="user_default", filepath=package, enable_on_install=True)
    if done != {"FINISHED"} or PACKAGE not in bpy.context.preferences.addons:
        raise SystemExit(f"Blender did not install {package}.")
    chosen = module("preferences").preferences()
    chosen.engine_folder, chosen.clip_folder = engine, str(clips)


def timeline(photo: str, width: int, height: int, fps: int, seconds: int) -> tuple[Any, Any]:
    """An empty project with the photo as a selected image strip, fitted; returns the scene and the strip."""
    compat = module("sequencer.compat")
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = width, height, 100
    scene.render.fps, scene.render.fps_base = fps, 1.0
    scene.frame_start, scene.frame_end = 1, fps * seconds
    scene.view_settings.view_transform = "Standard"         # as in Blender's own template for video editing
    strip = compat.strips(scene.sequence_editor_create()).new_image(Path(photo).stem, photo, 1, 1, fit_method="FIT")
    compat.set_right_handle(strip, 1 + fps * seconds)
    strip.select = True
    return scene, strip


def clips(scene: Any) -> list[Any]:
    """The strips that Diorama made."""
    return [strip for strip in module("sequencer.compat").strips_all(scene) if strip.diorama.is_clip]


def rigs() -> list[Any]:
    """The camera rigs whose strip is on the timeline."""
    strips = module("sequencer.rig_strip")
    return [rig for rig in module("rig.owned").rigs() if strips.live_strips(rig.id)]


def click(verb: str = "camera_move") -> None:
    """Presses a button. Raises SystemExit with what the person would read."""
    try:
        done = getattr(bpy.ops.diorama, verb)()
    except RuntimeError as error:           # what an operator reports as an error
        raise SystemExit(str(error)) from error
    if done != {"FINISHED"}:
        raise SystemExit(f"{verb} said {done}: {module('operators.results').last_error()}")


def pump_until(done: Callable[[], bool], each: Callable[[float], None] = lambda _: None) -> None:
    """What the timer would do, until done(). each: is given every pump's seconds. Raises SystemExit if a job fails."""
    pump, runtime = module("registration").pump, module("session.runtime")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not done():
        started = time.perf_counter()
        pause = pump()
        each(time.perf_counter() - started)
        for job in runtime.queue.jobs:
            if job.error is not None:
                raise SystemExit(f"The job failed: {job.error.message} {job.error.remedy}\n{job.details}")
            if job.state.value == "finished" and (note := module("operators.results").note_of(job)):
                raise SystemExit(note)
        if time.monotonic() > deadline:
            raise SystemExit(f"No clip after {PATIENCE_SECONDS} s. {runtime.queue.engine_note}")
        time.sleep(min(pause, 0.1))
