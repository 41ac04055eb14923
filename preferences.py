"""Preferences: where things go, and the engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from bpy.props import EnumProperty, StringProperty

from .panels.engine import draw_engine
from .panels.models import draw_models
from .sequencer import compat
from .session import runtime
from .session.installer import default_data_folder

SUFFIXES = {"h264": ".mp4", "prores": ".mov", "ffv1": ".mkv", "png": ""}


def _move_engine(preferences: Any, _context: Any) -> None:
    runtime.installer.folder = preferences.engine_path()
    runtime.models.reset()


class DioramaPreferences(bpy.types.AddonPreferences):
    bl_idname = __package__

    engine_folder: StringProperty(
        name="Engine Folder",
        subtype="DIR_PATH",
        update=_move_engine,
        description="Holds the engine and nothing else; empty: a folder that all Blender versions share",
    )
    clip_folder: StringProperty(
        name="Clip Folder",
        subtype="DIR_PATH",
        default="//diorama",
        options={*compat.blend_relative()},
        description="Where clips are written; // is the folder of the .blend file. Unsaved projects use your user data",
    )
    clip_format: EnumProperty(
        name="Clip Format",
        default="h264",
        items=[
            ("h264", "H.264", "Small, and quick to scrub (.mp4)", 0),
            ("prores", "ProRes", "Large, nearly lossless (.mov)", 1),
            ("ffv1", "FFV1", "Large, lossless (.mkv)", 2),
            ("png", "PNG Sequence", "A folder of numbered pictures, lossless", 3),
        ],
    )

    def engine_path(self) -> Path:
        return Path(bpy.path.abspath(self.engine_folder)) if self.engine_folder else default_data_folder() / "engine"

    def clip_path(self) -> Path:
        """The folder for new clips; never Blender's temporary folder, which is emptied at exit."""
        if self.clip_folder.startswith("//") and not bpy.data.filepath:
            return default_data_folder() / "clips"
        return Path(bpy.path.abspath(self.clip_folder or "//diorama"))

    def draw(self, context: Any) -> None:
        column = self.layout.column()
        column.use_property_split = True
        column.prop(self, "engine_folder", placeholder=str(default_data_folder() / "engine"))
        column.prop(self, "clip_folder")
        column.prop(self, "clip_format")
        draw_engine(self.layout.box(), context, details=True)
        draw_models(self.layout.box(), context)


def preferences() -> DioramaPreferences:
    """The preferences of this installation, whatever repository it came from."""
    return bpy.context.preferences.addons[__package__].preferences
