"""A strip that a job works on is found again by an id of its own, or not at all: never another strip of its name."""

from __future__ import annotations

import uuid
from typing import Any

import bpy

from ..engine.errors import BadSelection
from . import compat


def mark(scene: Any, strip: Any) -> dict[str, Any]:
    """What a job's tag must hold so that find() finds this strip. A duplicated strip brought its id along."""
    shot = strip.diorama_shot
    ids = [s.diorama_shot.own_id for s in compat.strips_all(scene)]
    if not shot.own_id or ids.count(shot.own_id) > 1:
        shot.own_id = uuid.uuid4().hex
    return {"scene": scene.name, "strip": strip.name, "own_id": shot.own_id, "path": _path(strip)}


def find(tag: dict[str, Any], same_file: bool) -> tuple[Any, Any] | None:
    """(scene, strip) of a marked strip as it is now, or None if it is gone.

    same_file: whether the .blend of the click is still open; there undo may have taken the id away, and a strip of the
    same name that shows the same file is the one.
    """
    scenes = sorted((s for s in bpy.data.scenes if s.library is None), key=lambda s: s.name != tag["scene"])
    for scene in scenes:
        for strip in compat.strips_all(scene):
            if strip.diorama_shot.own_id == tag["own_id"]:
                return scene, strip
    if same_file and tag["scene"] in bpy.data.scenes:
        scene = bpy.data.scenes[tag["scene"]]
        for strip in compat.strips_all(scene):
            if strip.name == tag["strip"] and not strip.diorama_shot.own_id and _path(strip) == tag["path"]:
                return scene, strip
    return None


def require(tag: dict[str, Any], same_file: bool) -> tuple[Any, Any]:
    """As find(). Raises BadSelection when the strip is gone."""
    found = find(tag, same_file)
    if found is None:
        raise BadSelection(
            f"'{tag['strip']}' is no longer on the timeline; what was made for it is kept.",
            "Insert a clip at the playhead, or dismiss it.",
        )
    return found


def _path(strip: Any) -> str:
    if strip.type == "MOVIE":
        return bpy.path.abspath(strip.filepath)
    return bpy.path.abspath(strip.directory) + strip.elements[0].filename if strip.type == "IMAGE" else strip.type
