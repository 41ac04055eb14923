"""The file or files that a strip shows, as a record that can be shown again, in this strip or in another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import bpy

from ..engine.errors import BadSelection
from . import compat, look

KINDS = ("MOVIE", "IMAGE")


def remember(strip: Any, label: str = "") -> None:
    """Makes what a strip shows its first take, where it has none yet."""
    shot = strip.diorama_shot
    if not len(shot.takes) and strip.type in KINDS:
        shot.shown = 0
        record(strip, shot.takes.add(), label or "Original")


def record(strip: Any, take: Any, label: str) -> None:
    """Writes down what a movie or image strip shows, where it lies, and what Diorama knows of it."""
    movie, state = strip.type == "MOVIE", strip.diorama
    take.name, take.path = label, strip.filepath if movie else strip.directory
    take.files = "" if movie else json.dumps([element.filename for element in strip.elements])
    take.num_frames = compat.content_duration(strip)
    take.size = strip.elements[0].orig_width, strip.elements[0].orig_height
    place = strip.transform
    take.place = place.offset_x, place.offset_y, place.scale_x, place.scale_y
    if state.is_clip:
        take.job_id, take.clip_path = state.job_id, state.clip_path
        take.request, take.warnings = state.request, state.warnings


def kind(take: Any) -> str:
    """The type of strip that can show it."""
    return "IMAGE" if take.files else "MOVIE"


def fit(strip: Any, old: Any, new: Any) -> None:
    """The strip shows take `new` in place of `old`: it goes to its place, with what a person did to the other's."""
    across, down = scale(old, new)
    look.resize(strip, (across, down))
    place = strip.transform
    place.offset_x += new.place[0] - old.place[0]
    place.offset_y += new.place[1] - old.place[1]
    place.scale_x *= across * new.place[2] / old.place[2]
    place.scale_y *= down * new.place[3] / old.place[3]


def scale(old: Any, new: Any) -> tuple[float, float]:
    """Pixels of the new take per pixel of the old one, across and down."""
    if 0 in (*old.size, *new.size):
        return 1.0, 1.0
    return new.size[0] / old.size[0], new.size[1] / old.size[1]


def found(take: Any, beside: Any) -> str:
    """The take's path, which is there. A project folder may have been moved: then it lies where the strip's file lies.

    beside: a strip that shows another take of it. Raises BadSelection when it is nowhere.
    """
    path = Path(bpy.path.abspath(take.path))
    if path.exists():
        return take.path
    shown = Path(bpy.path.abspath(beside.filepath if beside.type == "MOVIE" else beside.directory))
    moved = shown.parent / path.name
    if moved.exists():
        return blend_path(str(moved))
    raise BadSelection(f"The file of the take '{take.name}' is missing: {path}", "Bring it back, or delete the take.")


def blend_path(path: str) -> str:
    """Relative to the .blend where that is possible, so that a project folder can be moved as a whole."""
    if not bpy.data.filepath or Path(path).drive != Path(bpy.data.filepath).drive:
        return path
    return bpy.path.relpath(path)


def new_strip(strips: Any, name: str, channel: int, start: int, take: Any, path: str) -> Any:
    """A new strip that shows the take from its first frame on, as long as the take is. path: of found()."""
    if not take.files:
        strip = strips.new_movie(name, path, channel, start, fit_method="ORIGINAL")
    else:
        first, *others = json.loads(take.files)
        whole = str(Path(bpy.path.abspath(path)) / first)  # a path that begins with // is no Path on Windows
        strip = strips.new_image(name, whole, channel, start, fit_method="ORIGINAL")
        strip.directory = path
        for other in others:
            strip.elements.append(other)
    compat.set_right_handle(strip, start + take.num_frames)
    return strip


def swap(strip: Any, take: Any, path: str) -> None:
    """Lets a strip of the take's kind and size show it. The handles are the caller's."""
    if not take.files:
        strip.filepath = path
        return
    names = json.loads(take.files)
    strip.directory = path
    while len(strip.elements) > len(names):
        strip.elements.pop(-1)
    for element, name in zip(strip.elements, names, strict=False):
        element.filename = name
    for name in names[len(strip.elements) :]:
        strip.elements.append(name)
