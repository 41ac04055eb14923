"""Sound that a model made together with its clip: a strip of its own, heard while its take is shown."""

from __future__ import annotations

import json
from typing import Any

import bpy

from . import compat, media, placement


def insert(scene: Any, source: Any, job_id: str, tag: dict[str, Any], result: dict[str, Any]) -> Any:
    """Puts the clip's sound beside it; the strip, or None for a silent clip.

    The undo step is made by what puts the clip there, after this.
    """
    if not result.get("sound") or not bpy.app.build_options.audaspace:
        return None
    holder, start = placement.holder_of(scene, source), compat.left_handle(source)
    channel = placement.free_channel(holder, 0, start, start + result["num_frames"])
    if channel is None:
        return None  # the clip is worth more than its sound; it finds no channel either, and that is told
    strip = compat.strips(holder).new_sound(
        f"{tag['strip']} {tag['move_label']} Sound", media.blend_path(result["sound"]), channel, start
    )
    compat.set_right_handle(strip, start + result["num_frames"])
    strip.select = False
    state = strip.diorama
    state.job_id, state.source_id, state.request = job_id, tag["source_id"], json.dumps(result["settings"])
    return strip


def remove(scene: Any, strip: Any) -> None:
    """Takes a sound away again whose clip found no place."""
    compat.strips(placement.holder_of(scene, strip)).remove(strip)


def follow(scene: Any, source_id: str, job_id: str) -> None:
    """Of the sounds of a source's takes only that of one job is heard."""
    for strip in compat.strips_all(scene):
        if strip.type == "SOUND" and source_id and strip.diorama.source_id == source_id:
            strip.mute = strip.diorama.job_id != job_id
