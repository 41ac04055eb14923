"""What a strip and a scene remember inside the .blend.

Blender stores an enum as its number: identifiers and numbers here never change, however the engine's tables do.
"""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import (
    BoolProperty,
    EnumProperty,
    FloatProperty,
    FloatVectorProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from .engine.camera import CYCLES, EASINGS, MOVES
from .engine.protocol import DepthSettings, LensSettings, MoveSettings
from .sequencer import compat
from .session.models import catalog

SETTINGS_VERSION = 1
LEAST_RANGE = 0.01  # between near and far
NO_POINT = (-1.0, -1.0)

NUMBERS = {
    "push_in": 0,
    "pull_out": 1,
    "truck_left": 2,
    "truck_right": 3,
    "pedestal_up": 4,
    "pedestal_down": 5,
    "orbit": 6,
    "circle": 7,
    "arc": 8,
    "dolly_zoom": 9,
    "handheld": 10,
    "crop": 11,
    "ease_in_out": 0,
    "ease_in": 1,
    "ease_out": 2,
    "linear": 3,
    "once": 0,
    "ping_pong": 1,
    "loop": 2,
    "depth-anything-v2-small": 0,
    "depth-anything-v2-metric-indoor": 1,
    "depth-anything-v2-metric-outdoor": 2,
    "dpt-large": 3,
    "zoedepth": 4,
    "glpn": 5,
    "depth-pro": 6,
    "marigold": 7,
}
OWN_FOLDER = ("folder", "Folder…", "A model of your own, as transformers or diffusers save it", 99)


def items_of(table: dict[str, Any]) -> list[tuple[str, str, str, int]]:
    """A table of the engine as items of an enum."""
    return [(key, choice.label, choice.description, NUMBERS[key]) for key, choice in table.items()]


def _modelitems_of() -> list[tuple[str, str, str, int]]:
    return [*((key, model.name, model.facts, NUMBERS[key]) for key, model in catalog().items()), OWN_FOLDER]


def _use_good_amount(settings: Any, _context: Any) -> None:
    """Every move has its own scale, so a new move starts with the amount that suits most photos."""
    settings.amount = MOVES[settings.move].default


def _keep_far_below(settings: Any, _context: Any) -> None:
    if settings.far > settings.near - LEAST_RANGE:
        settings.far = max(settings.near - LEAST_RANGE, 0.0)


def _keep_near_above(settings: Any, _context: Any) -> None:
    if settings.near < settings.far + LEAST_RANGE:
        settings.near = min(settings.far + LEAST_RANGE, 1.0)


def _point(what: str) -> Any:
    return FloatVectorProperty(
        name="Point",
        description=f"{what}: x from the left and y from the top, as shares of the frame",
        size=2,
        min=0.0,
        max=1.0,
        default=(0.5, 0.5),
    )


class DioramaSettings(bpy.types.PropertyGroup):
    """Of a scene: what the next clip will be. Its length is always the strip's."""

    settings_version: IntProperty(default=SETTINGS_VERSION, options={"HIDDEN"})
    move: EnumProperty(
        name="Move",
        description="How the camera moves",
        items=items_of(MOVES),
        default="push_in",
        update=_use_good_amount,
    )
    amount: FloatProperty(
        name="Amount",
        description="Size of the move as a share of the frame; less where the photo has no more to show",
        min=0.0,
        max=1.0,
        soft_max=0.3,
        default=MOVES["push_in"].default,
        precision=3,
        step=1,
    )
    easing: EnumProperty(
        name="Easing", description="How the camera starts and stops", items=items_of(EASINGS), default="ease_in_out"
    )
    cycle: EnumProperty(
        name="Cycle", description="What happens at the end of the move", items=items_of(CYCLES), default="once"
    )
    seed: IntProperty(name="Seed", description="Another number gives another sway of the hands", min=0, default=0)
    crop_from: FloatVectorProperty(
        name="From",
        description="x, y, width and height of the first view, as shares of the photo; y counts from the top",
        size=4,
        min=0.0,
        max=1.0,
        default=(0.0, 0.0, 1.0, 1.0),
    )
    crop_to: FloatVectorProperty(
        name="To",
        description="x, y, width and height of the last view, as shares of the photo; y counts from the top",
        size=4,
        min=0.0,
        max=1.0,
        default=(0.1, 0.1, 0.8, 0.8),
    )
    pivot_from: EnumProperty(
        name="Pivot",
        description="What keeps its place while everything nearer and farther moves",
        items=[
            ("middle", "Middle", "What lies in the middle of the photo", 0),
            ("point", "Point", "What lies at a point of the picture", 1),
            ("depth", "Depth", "Whatever has this depth", 2),
        ],
    )
    pivot_point: _point("What keeps its place")
    pivot: FloatProperty(
        name="Pivot",
        description="The depth that keeps its place: 0 is farthest, 1 is nearest",
        min=0.0,
        max=1.0,
        default=0.5,
        subtype="FACTOR",
    )
    use_dof: BoolProperty(name="Depth of Field", description="Blur what is not in focus, from the first frame on")
    f_stop: FloatProperty(
        name="F-Stop",
        description="As of a Blender camera: a lower number blurs more",
        min=0.1,
        soft_max=16.0,
        default=2.8,
        precision=1,
        step=10,
    )
    focus_from: EnumProperty(
        name="Focus",
        description="What is sharp",
        items=[
            ("pivot", "Pivot", "What keeps its place", 0),
            ("point", "Point", "What lies at a point of the picture", 1),
            ("depth", "Depth", "Whatever has this depth", 2),
        ],
    )
    focus_point: _point("What is sharp")
    focus: FloatProperty(
        name="Focus",
        description="The depth that is sharp: 0 is farthest, 1 is nearest",
        min=0.0,
        max=1.0,
        default=0.5,
        subtype="FACTOR",
    )
    vignette: FloatProperty(
        name="Vignette",
        description="How much darker the corners are, from the first frame on",
        min=0.0,
        max=1.0,
        subtype="FACTOR",
    )
    depth_source: EnumProperty(
        name="Depth",
        description="Where the depth of the photo comes from",
        default="draft",
        items=[
            (
                "draft",
                "Draft",
                "Guessed from the picture: the ground, the sky and the subject. Quick, and often wrong in detail",
                0,
            ),
            ("model", "Model", "Learned depth: a network that is downloaded once. Needs the full engine", 2),
            ("picture", "Picture", "A depth picture of your own: PNG, EXR or .npy", 1),
        ],
    )
    depth_model: EnumProperty(
        name="Model",
        description="The network that estimates depth",
        items=_modelitems_of(),
        default="depth-anything-v2-small",
    )
    depth_folder: StringProperty(
        name="Model Folder",
        description="A folder with Depth Anything, DPT, ZoeDepth, GLPN, Depth Pro or Marigold",
        subtype="DIR_PATH",
        options={*compat.blend_relative()},
    )
    depth_picture: StringProperty(
        name="Depth Picture",
        description="A grey picture of the same view as the photo: PNG, EXR or .npy",
        subtype="FILE_PATH",
        options={*compat.blend_relative()},
    )
    near_is_bright: BoolProperty(
        name="Near Is Bright", description="Bright parts of the depth picture are near; off: far", default=True
    )
    near: FloatProperty(
        name="Near",
        description="The level of nearness that counts as nearest; all above it is as near",
        update=_keep_far_below,
        min=LEAST_RANGE,
        max=1.0,
        default=1.0,
        subtype="FACTOR",
    )
    far: FloatProperty(
        name="Far",
        description="The level of nearness that counts as farthest; all below it is as far",
        update=_keep_near_above,
        min=0.0,
        max=1.0 - LEAST_RANGE,
        default=0.0,
        subtype="FACTOR",
    )
    gamma: FloatProperty(
        name="Gamma",
        description="Above 1 pushes the middle away from the camera",
        min=0.1,
        max=10.0,
        soft_max=3.0,
        default=1.0,
    )

    invert: BoolProperty(name="Invert", description="Near becomes far: for a depth that came out the wrong way round")
    correction: PointerProperty(
        name="Paint-Over",
        description="An image of the photo's shape: where it is painted, its brightness is the depth, bright is near",
        type=bpy.types.Image,
    )

    fill: StringProperty(
        name="Fill",
        description="A network that paints what the photo hides: LaMa or MI-GAN as .onnx, or a folder of diffusers",
        subtype="FILE_PATH",
        options={*compat.blend_relative()},
    )

    def move_settings(self) -> MoveSettings:
        return MoveSettings(
            self.move,
            self.amount,
            self.easing,
            self.cycle,
            self.pivot if self.pivot_from == "depth" else -1.0,
            tuple(self.crop_from),
            tuple(self.crop_to),
            self.seed,
            tuple(self.pivot_point) if self.pivot_from == "point" else NO_POINT,
        )

    def lens_settings(self) -> LensSettings:
        return LensSettings(
            self.f_stop if self.use_dof else 0.0,
            self.focus if self.focus_from == "depth" else -1.0,
            tuple(self.focus_point) if self.focus_from == "point" else NO_POINT,
            self.vignette,
        )

    def model_name(self) -> str:
        """"draft", a catalog id, or the path of a folder."""
        if self.depth_source != "model":
            return "draft"
        return bpy.path.abspath(self.depth_folder) if self.depth_model == "folder" else self.depth_model

    def fill_path(self) -> str:
        """Of the network, "" for our own fill."""
        return bpy.path.abspath(self.fill) if self.fill else ""

    def depth_settings(self, correction: str = "") -> DepthSettings:
        """correction: path of the paint-over as it was written for the job, or ""."""
        picture = bpy.path.abspath(self.depth_picture) if self.depth_source == "picture" else ""
        invert = self.invert and self.depth_source != "picture"
        return DepthSettings(
            self.model_name(), picture, self.near_is_bright, self.near, self.far, self.gamma, invert, correction
        )


class DioramaStrip(bpy.types.PropertyGroup):
    """Of a strip: which still it is, or which clip, and what that clip was made with."""

    settings_version: IntProperty(default=SETTINGS_VERSION, options={"HIDDEN"})
    rig_id: StringProperty(description="The rig that this strip shows, or that this clip was baked from")
    source_id: StringProperty(description="Of a still: its own id. Of a clip: the id of its still")
    is_clip: BoolProperty(description="Made by Diorama")
    is_depth: BoolProperty(description="Shows the depth of a clip")
    job_id: StringProperty(description="The job that made this clip, or whose depth this is")
    clip_path: StringProperty(description="Where the clip was written")
    request: StringProperty(description="The settings that were really used, as JSON")
    warnings: StringProperty(description="What the engine had to tell about this clip, one sentence a line")


def link(strip_type: type) -> None:
    """Adds the groups to Blender's types."""
    bpy.types.Scene.diorama = PointerProperty(type=DioramaSettings)
    strip_type.diorama = PointerProperty(type=DioramaStrip)


def unlink(strip_type: type) -> None:
    """The mirror of link()."""
    del strip_type.diorama
    del bpy.types.Scene.diorama
