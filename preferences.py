"""Preferences: where things go, and the engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from bpy.props import EnumProperty, IntProperty, StringProperty

from .panels.engine import draw_engine
from .panels.models import draw_models
from .sequencer import compat
from .session import runtime
from .session.installer import default_data_folder

SUFFIXES = {"h264": ".mp4", "prores": ".mov", "ffv1": ".mkv", "png": ""}


def _move_engine(preferences: Any, _context: Any) -> None:
    runtime.installer.folder = preferences.engine_path()
    runtime.models.reset()


def _configure(preferences: Any, _context: Any) -> None:
    preferences.configure()


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

    warm_minutes: IntProperty(
        name="Keep Warm (Minutes)",
        description="Minutes without work after which the engine ends and frees its memory, with the loaded model",
        min=1,
        max=24 * 60,
        soft_max=60,
        default=10,
        update=_configure,
    )
    device: EnumProperty(
        name="Device",
        description="What models run on",
        update=_configure,
        items=[
            ("auto", "Automatic", "The best there is", 0),
            ("cpu", "CPU Only", "No graphics card: slow, but with all of the main memory", 1),
            ("0", "Graphics Card 1", "The first card that the engine sees", 2),
            ("1", "Graphics Card 2", "The second one", 3),
            ("2", "Graphics Card 3", "The third one", 4),
            ("3", "Graphics Card 4", "The fourth one", 5),
        ],
    )
    models_folder: StringProperty(
        name="Models Folder",
        subtype="DIR_PATH",
        update=_configure,
        description="Where models are downloaded to; empty: the folder that all programs share for such models",
    )
    own_models: StringProperty(
        name="Own Models",
        subtype="FILE_PATH",
        update=_configure,
        description="A file with further image-to-video models, in the form of Diorama's own list",
    )

    def configure(self) -> None:
        """Tells the engine's session what is chosen here."""
        runtime.configure(
            self.warm_minutes * 60.0,
            bpy.path.abspath(self.models_folder),
            "" if self.device == "auto" else self.device,
            bpy.path.abspath(self.own_models),
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
        column.prop(self, "device")
        if runtime.models.devices:
            column.label(text=f"Found: {', '.join(runtime.models.devices)}")
        column.prop(self, "warm_minutes")
        column.prop(self, "models_folder", placeholder="The folder that all programs share")
        column.prop(self, "own_models")
        draw_engine(self.layout.box(), context, details=True)
        draw_models(self.layout.box(), context)


def preferences() -> DioramaPreferences:
    """The preferences of this installation, whatever repository it came from."""
    return bpy.context.preferences.addons[__package__].preferences
