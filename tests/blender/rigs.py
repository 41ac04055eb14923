"""A rig from a small photo, as several test files of this tier need it."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np
from PIL import Image

from tests.blender.stills import add_still, photo, pixels, pump_until


def modules(addon: SimpleNamespace) -> SimpleNamespace:
    """The modules of rig/ and what works with them."""
    names = ("owned", "axes", "sample", "moves", "stack", "curves", "coverage", "scene", "still", "compat")
    found = {name: importlib.import_module(f"{addon.package}.rig.{name}") for name in names}
    camera = importlib.import_module(f"{addon.package}.engine.camera")
    protocol = importlib.import_module(f"{addon.package}.engine.protocol")
    strips = importlib.import_module(f"{addon.package}.sequencer.rig_strip")
    return SimpleNamespace(**found, camera=camera, protocol=protocol, strips=strips)


def depth_picture(path: Path, width: int = 320, height: int = 180) -> Path:
    """A near disc before a slope: something to cut, and something to stretch."""
    y, x = np.mgrid[0:height, 0:width]
    near = 40 + 80 * y / height
    near[(x - width * 0.45) ** 2 + (y - height * 0.5) ** 2 < (min(width, height) * 0.22) ** 2] = 230
    Image.fromarray(near.astype(np.uint8)).save(path)
    return path


def add_photo(addon: SimpleNamespace, scene: Any, folder: Path, **options: Any) -> Any:
    """A photo strip with a depth picture chosen in the panel. options: as of add_still()."""
    scene.diorama.depth_source = "picture"
    scene.diorama.depth_picture = str(depth_picture(folder / "depth.png"))
    return add_still(addon, scene.sequence_editor, photo(folder / "photo.png"), **options)


def build(addon: SimpleNamespace, count: int = 1) -> list[Any]:
    """Presses Build Camera Rig for what is selected; returns the new rigs."""
    owned = modules(addon).owned
    before = {rig.id for rig in owned.rigs()}
    assert bpy.ops.diorama.build_rig() == {"FINISHED"}
    settle(addon)
    made = [rig for rig in owned.rigs() if rig.id not in before]
    assert len(made) == count
    return made


def settle(addon: SimpleNamespace) -> None:
    """Pumps until every job is done; none may have anything to complain of."""
    jobs = list(addon.runtime.queue.jobs)

    def done() -> bool:
        return not addon.runtime.queue.jobs or any(job.error or addon.results.note_of(job) for job in jobs)

    pump_until(addon, done)
    assert [(job.error, addon.results.note_of(job)) for job in jobs] == [(None, "")] * len(jobs)


def render_rig(scene: Any, frame: int, path: Path, engine: str = "CYCLES") -> np.ndarray:
    """The rig's own scene through its camera; (H, W, 4) float64. Its engine and frame are put back."""
    before = scene.render.engine, scene.frame_current
    copy = scene.copy()
    settings = copy.render.image_settings
    if hasattr(settings, "media_type"):
        settings.media_type = "IMAGE"
    settings.file_format, settings.color_mode = "PNG", "RGBA"
    copy.render.engine, copy.render.filepath = engine, str(path)
    copy.frame_set(frame)
    with bpy.context.temp_override(scene=copy):
        bpy.ops.render.render(write_still=True)
    bpy.data.scenes.remove(copy)
    assert (scene.render.engine, scene.frame_current) == before
    return pixels(path)


def owned_blocks() -> set[str]:
    """Every data-block that any rig owns, as kind and name."""
    kinds = ("scenes", "collections", "objects", "meshes", "cameras", "materials", "images", "actions")
    return {f"{kind}/{block.name}" for kind in kinds for block in getattr(bpy.data, kind) if "diorama_rig" in block}


def all_blocks() -> set[str]:
    """Every data-block of the file, as type and name."""
    return {
        f"{type(block).__name__}/{block.name}"
        for kind in dir(bpy.data)
        if isinstance(getattr(bpy.data, kind), type(bpy.data.objects))
        for block in getattr(bpy.data, kind)
    }
