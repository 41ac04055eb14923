"""What a bake needs of Blender: the camera of every frame, a copy of the file, and the command of another Blender."""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Generator
from pathlib import Path
from typing import Any

import bpy

from ..engine.camera import View
from ..engine.errors import BadSelection, OutputFailed
from .sample import check_camera, view_of

CHUNK_SECONDS = 0.04  # of reading before Blender gets its window back


def size_of(scene: Any) -> tuple[int, int]:
    """Width and height of a render of the scene, pixels."""
    share = scene.render.resolution_percentage / 100
    return max(1, int(scene.render.resolution_x * share)), max(1, int(scene.render.resolution_y * share))


def view_steps(scene_name: str, frames: list[int]) -> Generator[None, None, list[View]]:
    """Reads the evaluated camera at each frame, a few per step; returns the views.

    Works in a copy of the scene that lives for one step only, so that neither playhead nor animated values of the
    user's scene move, and an undo between two steps finds nothing of ours. Raises BadSelection as check_camera().
    """
    views: list[View] = []
    while len(views) < len(frames):
        started = time.perf_counter()
        scene = bpy.data.scenes.get(scene_name)
        if scene is None:
            raise BadSelection("The rig was removed before its camera was read.", "Undo that, or build it again.")
        camera = check_camera(scene)
        width, height = size_of(scene)
        copy = scene.copy()
        try:
            while len(views) < len(frames) and time.perf_counter() - started < CHUNK_SECONDS:
                copy.frame_set(frames[len(views)])
                views.append(view_of(copy, camera, copy.view_layers[0].depsgraph, width, height))
        finally:
            bpy.data.scenes.remove(copy)
        yield
    return views


def numbers_of(view: View) -> tuple[float, ...]:
    """A view as a PathRequest wants it."""
    k = view.intrinsics
    return (*(float(value) for value in view.world2cam.ravel()), k.fx, k.fy, k.cx, k.cy)


def save_copy(folder: Path) -> Path:
    """A copy of the file as it is now, with paths that are right from there. Raises OutputFailed."""
    path = folder / f"{uuid.uuid4().hex}.blend"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True, compress=False, relative_remap=True)
    except (OSError, RuntimeError) as error:
        path.unlink(missing_ok=True)
        raise OutputFailed(
            f"A copy of the file could not be saved to {folder}: {error}", "Make room there and try again."
        ) from error
    return path


def render_command() -> tuple[str, ...]:
    """What starts another Blender; the path of its task comes last."""
    script = str(Path(__file__).with_name("background.py"))
    if not bpy.app.binary_path:  # Blender as a Python module
        return sys.executable, script
    return bpy.app.binary_path, "--background", "--python-exit-code", "1", "--python", script, "--"


def may_run_scripts() -> bool:
    """Whether scripts of this file, such as drivers, ran here: then they may in the copy."""
    return not bpy.app.autoexec_fail
