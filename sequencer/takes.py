"""Takes: several clips of one shot in one strip, of which it shows one.

The strip is what a person edits: trim, place, effects, modifiers and keyframes are the strip's, so they stay when it
shows another take. The takes lie in the strip itself (properties_combine.py), so that they go wherever it is copied,
cut or pasted, and never point at another strip. A photo keeps its own strip; its takes are in the strip above it.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import bpy

from ..engine.errors import BadSelection
from . import compat, depth_strip, look, media, placement, take_sound


def add(scene: Any, source: Any, job_id: str, tag: dict[str, Any], result: dict[str, Any]) -> Any:
    """Puts a new clip of a source strip onto the timeline, as one undo step; returns the strip that shows it.

    The first clip gets a strip of its own above the source, each further one becomes a take of that strip and is shown.
    tag, result: as in placement.insert_above(). Raises BadSelection when the first finds no free channel.
    """
    shots = shots_of(scene, source, tag["source_id"])
    if not shots:
        return placement.insert_above(scene, source, job_id, tag, result)
    start = compat.left_handle(source)
    for number, strip in enumerate(shots):
        take = _append(strip, job_id, tag["move_label"], result)
        take.place = placement.place_in_frame(scene, result)
        whole = not any(_trimmed(strip))
        shots[number] = made = show(scene, strip, len(strip.diorama_shot.takes) - 1)
        if whole:  # not re-trimmed by hand: it lies over its source, also where that was trimmed meanwhile
            _lay(scene, made, made.channel, start, (start, start + result["num_frames"]))
    bpy.ops.ed.undo_push(message=tag["move_label"])
    return shots[0]


def add_to(scene: Any, strip: Any, job_id: str, label: str, result: dict[str, Any], first: int) -> Any:
    """Makes a clip of the strip's shown frames a take of this very strip and shows it; one undo step.

    first: the frame of the strip's file at which the clip begins. Returns the strip.
    """
    media.remember(strip)
    takes = strip.diorama_shot.takes
    count, at = len(takes), strip.diorama_shot.shown
    take = _append(strip, job_id, label, result)
    shown = takes[at]
    across, down = media.scale(shown, take)
    x, y, scale_x, scale_y = shown.place
    take.place = x, y, scale_x / across, scale_y / down
    take.first, take.part = shown.first + first, shown.part or take.num_frames < shown.num_frames
    strip = show(scene, strip, count)
    bpy.ops.ed.undo_push(message=label)
    return strip


def shots_of(scene: Any, source: Any, source_id: str) -> list[Any]:
    """The strips that show takes of a source: those over it in time, else all of the scene."""
    clips = [
        strip
        for strip in compat.strips_all(scene)
        if strip.diorama.is_clip
        and strip.diorama.source_id == source_id
        and not strip.diorama.rig_id
        and not strip.diorama_shot.helper
    ]
    start, end = compat.left_handle(source), compat.right_handle(source)
    over = [s for s in clips if compat.left_handle(s) < end and compat.right_handle(s) > start]
    return sorted(over or clips, key=lambda s: (s.channel, compat.left_handle(s)))


def show(scene: Any, strip: Any, index: int) -> Any:
    """Lets the strip show another of its takes; returns the strip, a new one where Blender cannot swap the file.

    A trimmed end stays where it is, an untrimmed one follows the take's length. What a person did to place and scale is
    kept on top of the place that the take was made for. Raises BadSelection when the take's file is missing.
    """
    shot = strip.diorama_shot
    old, take = shot.takes[shot.shown], shot.takes[index]
    path = media.found(take, strip)
    if strip.diorama.is_clip:
        depth_strip.hide(scene, strip)
    channel, content = strip.channel, compat.content_start(strip)
    left, right = compat.left_handle(strip), compat.right_handle(strip)
    cut_left, cut_right = _trimmed(strip)
    if right == _room(scene, strip, channel, left):
        cut_right = False  # the neighbour cut it, not a person
    if old.part or take.part:
        cut_left = cut_right = True
    same = media.kind(take) == strip.type and media.scale(old, take) == (1.0, 1.0)
    if same:
        media.swap(strip, take, path)
    else:
        before = shot.shown
        strip = _replace(scene, strip, take, path)
        shot = strip.diorama_shot
        old, take = shot.takes[before], shot.takes[index]
    shot.shown = index
    media.fit(strip, old, take)
    content += take.first - old.first
    span = left if cut_left else content, right if cut_right else content + take.num_frames
    _lay(scene, strip, channel, content, span)
    state = strip.diorama
    if state.is_clip or take.job_id:
        state.job_id, state.clip_path = take.job_id, take.clip_path
        state.request, state.warnings = take.request, take.warnings
        take_sound.follow(scene, state.source_id, take.job_id)
    return strip


def step(scene: Any, strip: Any, by: int) -> Any:
    """Shows the take `by` places further, round and round."""
    shot = strip.diorama_shot
    return show(scene, strip, (shot.shown + by) % len(shot.takes))


def drop_others(strip: Any, files: bool) -> int:
    """Forgets all takes but the one that is shown; returns how many files or folders were deleted.

    files: also delete from disk what Diorama made for them, unless anything else in this .blend uses it.
    """
    shot = strip.diorama_shot
    gone = [(take.job_id, Path(bpy.path.abspath(take.path))) for take in shot.takes]
    gone.pop(shot.shown)
    for index in reversed(range(len(shot.takes))):
        if index != shot.shown:
            shot.takes.remove(index)
    shot.shown = 0
    if not files:
        return 0
    used = _used()
    return sum(_delete(path) for path in {path for job_id, path in gone if job_id} if path not in used)


def _delete(path: Path) -> bool:
    """The clip and what the engine wrote beside it."""
    beside = [path.with_name(path.name + suffix) for suffix in (".json", ".depth.png", ".wav")]
    for extra in beside:
        extra.unlink(missing_ok=True)
    if path.is_dir():
        shutil.rmtree(path)
        return True
    here = path.is_file()
    path.unlink(missing_ok=True)
    return here


def _used() -> set[Path]:
    """What the strips of this file show, and what their takes could show."""
    used: set[Path] = set()
    for scene in bpy.data.scenes:
        for strip in compat.strips_all(scene):
            if strip.type in media.KINDS:
                used.add(Path(bpy.path.abspath(strip.filepath if strip.type == "MOVIE" else strip.directory)))
            used |= {Path(bpy.path.abspath(take.path)) for take in strip.diorama_shot.takes}
    return used


def _append(strip: Any, job_id: str, label: str, result: dict[str, Any]) -> Any:
    media.remember(strip)
    shot = strip.diorama_shot
    take = shot.takes.add()
    clip, files = Path(result["clip"]), placement.pictures(result)
    take.name, take.path = f"{label} {len(shot.takes)}", media.blend_path(result["clip"])
    take.files = "" if clip.is_file() else json.dumps([Path(file).name for file in files])
    take.num_frames, take.size = result["num_frames"], (result["width"], result["height"])
    take.job_id, take.clip_path = job_id, result["clip"]
    take.request, take.warnings = json.dumps(result["settings"]), "\n".join(result["warnings"])
    return take


def _trimmed(strip: Any) -> tuple[bool, bool]:
    """Whether the strip's begin and end were moved away from its content's."""
    start = compat.content_start(strip)
    return (
        compat.left_handle(strip) != start,
        compat.right_handle(strip) != start + compat.content_duration(strip),
    )


def _lay(scene: Any, strip: Any, channel: int, content: int, span: tuple[int, int]) -> None:
    """Puts the strip back where it belongs: Blender moves one that a longer file pushes into its neighbour.

    Its end stops at the next strip of the channel.
    """
    room = _room(scene, strip, channel, span[0])
    compat.set_content_start(strip, content)
    compat.set_span(strip, span[0], max(min(span[1], room), span[0] + 1))
    strip.channel = channel


def _room(scene: Any, strip: Any, channel: int, start: int) -> int:
    """Where the next strip of the channel begins."""
    others = [s for s in compat.strips(placement.holder_of(scene, strip)) if s != strip and s.channel == channel]
    return min((compat.left_handle(s) for s in others if compat.left_handle(s) >= start), default=1 << 30)


def _replace(scene: Any, strip: Any, take: Any, path: str) -> Any:
    """A new strip in place of one that cannot show the take: another kind of file, or another size."""
    holder = placement.holder_of(scene, strip)
    start, end = compat.left_handle(strip), compat.right_handle(strip)
    channel = placement.free_channel(holder, 0, start, max(end, start + take.num_frames))
    if channel is None:
        raise BadSelection(f"There is no free channel to change '{strip.name}'.", "Make room and try again.")
    new = media.new_strip(compat.strips(holder), strip.name, channel, compat.content_start(strip), take, path)
    look.copy_look(strip, new)
    for name in ("diorama", "diorama_shot"):
        look.copy_group(getattr(strip, name), getattr(new, name))
    look.take_over(scene, strip, new)
    return new
