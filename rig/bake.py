"""What a bake needs of Blender: the camera of every frame, a copy of the file, and the command of another Blender."""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Generator
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ..engine.camera import View
from ..engine.errors import BadSelection, BadStill, OutputFailed
from . import still
from .axes import REST_ROTATION, layer_points
from .nodes import materials_of, pictures_of
from .owned import Rig
from .sample import check_camera, view_of

PASSES = [
    ("depth", "Depth", "How near everything is: white is nearest. 16 bits", 1),
    ("mattes", "Layer Mattes", "Each layer in white", 2),
    ("disocclusion", "Disocclusion", "In white what the photo did not show", 4),
]
MOVED = 1e-4  # scene units: less is rounding
CHUNK_SECONDS = 0.04  # of reading before Blender gets its window back


def percentage_of(scene: Any) -> int:
    """At what share of its resolution a rig is baked: all of it, also where the live strip is drawn smaller."""
    return max(scene.render.resolution_percentage, 100)


def size_of(scene: Any) -> tuple[int, int]:
    """Width and height of a rig's clip, pixels."""
    share = percentage_of(scene) / 100
    return int(scene.render.resolution_x * share), int(scene.render.resolution_y * share)


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


def check_layers(rig: Rig) -> None:
    """Raises BadSelection when the layers in the scene are no longer those of the folder, which the engine renders."""
    files = still.open_still(rig.folder).layers
    layers = {item["diorama_layer"]: item for item in rig.layers}
    remedy = "Undo that, or use Render, which shows the scene as it is."
    for index, file in enumerate(files):
        item = layers.get(index)
        if item is None or item.type != "MESH":
            raise BadSelection(f"A layer of '{rig.scene.name}' was deleted; the fast bake would still show it.", remedy)
        with np.load(file.mesh, allow_pickle=False) as mesh:
            points = layer_points(mesh["vertices"])
        found = np.empty(len(item.data.vertices) * 3, np.float32)
        item.data.vertices.foreach_get("co", found)
        # Not its place in the world, which is stale as long as nobody looks at the rig's scene.
        away = np.abs([*item.location, *np.subtract(item.rotation_euler, REST_ROTATION), *np.subtract(item.scale, 1)])
        same = found.size == points.size and np.allclose(found.reshape(-1, 3), points, atol=MOVED)
        if not same or away.max() > MOVED or item.hide_render or len(item.modifiers):
            raise BadSelection(
                f"'{item.name}' was moved, edited or hidden; the fast bake would not show that.", remedy
            )


def check_pictures(rig: Rig) -> None:
    """Raises BadStill when a layer's picture is neither packed nor on the disk: Blender would render it in pink."""
    for image in [image for item in rig.layers for paint in materials_of(item) for image in pictures_of(paint)]:
        path = Path(bpy.path.abspath(image.filepath))
        if not image.packed_file and image.source == "FILE" and not path.is_file():
            raise BadStill(f"A picture of the rig is missing: {path}", still.REMEDY)


def numbers_of(view: View) -> tuple[float, ...]:
    """A view as a PathRequest wants it."""
    k = view.intrinsics
    return (*(float(value) for value in view.world2cam.ravel()), k.fx, k.fy, k.cx, k.cy)


def save_copy(folder: Path) -> Path:
    """A copy of the file as it is now, with paths that are right from there. Raises OutputFailed."""
    path = folder / f"{uuid.uuid4().hex}.blend"
    chosen = bpy.context.preferences.filepaths
    preview, chosen.file_preview_type = chosen.file_preview_type, "NONE"  # or a picture would be drawn: seconds
    try:
        folder.mkdir(parents=True, exist_ok=True)
        bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True, compress=False, relative_remap=True)
    except (OSError, RuntimeError) as error:
        path.unlink(missing_ok=True)
        raise OutputFailed(
            f"A copy of the file could not be saved to {folder}: {error}", "Make room there and try again."
        ) from error
    finally:
        chosen.file_preview_type = preview
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
