"""What a strip remembers of its takes and how the tools that combine clips are set."""

from __future__ import annotations

import bpy
from bpy.props import (
    CollectionProperty,
    FloatVectorProperty,
    IntProperty,
    IntVectorProperty,
    PointerProperty,
    StringProperty,
)

MOST_STARS = 5


class DioramaTake(bpy.types.PropertyGroup):
    """One of the clips that a strip can show. `name` is its label."""

    path: StringProperty(description="The movie, or the folder of the pictures, as the strip had it")
    files: StringProperty(description="JSON list of the pictures' names; empty for a movie")
    num_frames: IntProperty()
    size: IntVectorProperty(size=2, description="Width and height in pixels; 0 where unknown")
    place: FloatVectorProperty(size=4, description="Offset and scale, across and down, as the clip was put there")
    stars: IntProperty(name="Stars", description="How good this take is", min=0, max=MOST_STARS)
    job_id: StringProperty(description="The job that made it; empty for the strip's own file")
    clip_path: StringProperty()
    request: StringProperty()
    warnings: StringProperty()


class DioramaShot(bpy.types.PropertyGroup):
    """Of a strip: its takes, of which it shows one. Empty for a strip that never had a second one."""

    takes: CollectionProperty(type=DioramaTake)
    shown: IntProperty(description="Which of the takes the strip shows")
    own_id: StringProperty(description="Id of this strip for a job that works on it")
    helper: StringProperty(description="Put here by a tool that takes it away again: which tool")


CLASSES = (DioramaTake, DioramaShot)


def link(strip_type: type) -> None:
    """Adds the groups to Blender's types."""
    strip_type.diorama_shot = PointerProperty(type=DioramaShot)


def unlink(strip_type: type) -> None:
    """The mirror of link()."""
    del strip_type.diorama_shot
