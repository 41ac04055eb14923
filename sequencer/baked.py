"""Clips that were baked from a rig: which frames the live strip shows, and the clip over it, linked by ids."""

from __future__ import annotations

import json
from typing import Any

import bpy

from ..engine.errors import BadSelection
from . import compat
from .placement import LAST_CHANNEL, free_channel, holder_of, load_clip
from .rig_strip import live_strips


def frames_shown(strip: Any) -> list[int]:
    """The frames of its scene that a Scene strip shows, one for each of its own frames."""
    scene, content = strip.scene, compat.content_start(strip)
    last = max(compat.content_duration(strip) - 1, 0)  # beside its content a strip holds the first and last frame
    first = scene.frame_start + compat.content_trim_start(strip)
    frames = range(compat.left_handle(strip), compat.right_handle(strip))
    return [first + min(max(frame - content, 0), last) for frame in frames]


def find_live(tag: dict[str, Any]) -> tuple[Any, Any] | None:
    """(scene, strip) of the rig's live strip that a bake belongs to, as it is now, or None if it is gone."""
    found = live_strips(tag["rig_id"])
    best = sorted(found, key=lambda pair: (pair[0].name != tag["scene"], pair[1].name != tag["strip"]))
    return best[0] if best else None


def insert_over(scene: Any, live: Any, job_id: str, tag: dict[str, Any], result: dict[str, Any]) -> Any:
    """Puts the clip, and its passes muted above it, over the live strip, which is muted and stays. Returns the clip.

    Raises BadSelection when there are not enough free channels; then nothing was changed.
    """
    holder, start = holder_of(scene, live), compat.left_handle(live)
    parts = [{"label": tag["move_label"], "clip": result["clip"], "files": result["files"]}]
    parts += [part for part in result.get("passes", []) if part["clip"] != result["clip"]]
    channels: list[int] = []
    for _ in parts:
        above = channels[-1] if channels else live.channel
        channel = free_channel(holder, above, start, start + result["num_frames"])
        if channel is None:
            raise BadSelection(
                f"There are not {len(parts)} free channels above '{live.name}'.",
                f"Make room between it and channel {LAST_CHANNEL}, then press Insert at Playhead.",
            )
        channels.append(channel)
    editor = scene.sequence_editor
    active = editor.active_strip
    clips: list[Any] = []
    for part, channel in zip(parts, channels, strict=True):
        names = {"strip": tag["label"], "move_label": part["label"]}
        clip = load_clip(compat.strips(holder), channel, start, names, result | part)
        for name in ("offset_x", "offset_y", "scale_x", "scale_y", "rotation"):
            setattr(clip.transform, name, getattr(live.transform, name))
        clip.transform.scale_x *= tag["size"][0] / result["width"]
        clip.transform.scale_y *= tag["size"][1] / result["height"]
        clip.blend_type, clip.select, clip.mute = "ALPHA_OVER", False, bool(clips)
        state = clip.diorama
        state.is_clip, state.job_id, state.source_id = True, job_id, live.diorama.source_id
        state.clip_path, state.request = part["clip"], json.dumps(result["settings"])
        clips.append(clip)
    clips[0].diorama.rig_id = tag["rig_id"]  # passes are no clip to switch to
    live.mute = True
    editor.active_strip = active
    bpy.ops.ed.undo_push(message="Bake")
    return clips[0]
