"""What a strip remembers of its takes and how the tools that combine clips are set."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    FloatVectorProperty,
    IntProperty,
    IntVectorProperty,
    PointerProperty,
    StringProperty,
)

from .engine.protocol import STEPS, FinishStep
from .sequencer import compare
from .sequencer.slideshow import STYLES

MOST_STARS = 5


class DioramaTake(bpy.types.PropertyGroup):
    """One of the clips that a strip can show. `name` is its label."""

    path: StringProperty(description="The movie, or the folder of the pictures, as the strip had it")
    files: StringProperty(description="JSON list of the pictures' names; empty for a movie")
    num_frames: IntProperty()
    size: IntVectorProperty(size=2, description="Width and height in pixels; 0 where unknown")
    place: FloatVectorProperty(size=4, description="Offset and scale, across and down, as the clip was put there")
    first: IntProperty(description="The frame of the first take's file at which this one begins")
    part: BoolProperty(description="Holds only a part of the frames of the first take")
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
    wipe: IntVectorProperty(size=2, description="Of a comparison's strip: its own crop and its width, pixels")
    helper: StringProperty(description="Put here by a tool that takes it away again: which tool")


def _move_wipe(settings: Any, _context: Any) -> None:
    compare.set_wipe(settings.id_data, settings.wipe)


TIMES = {  # of engine.protocol.STEPS: number, label
    "conform": (0, "Conform"),
    "retime": (1, "Retime"),
    "reverse": (2, "Reverse"),
    "ping_pong": (3, "Ping-Pong"),
    "loop": (4, "Loop"),
    "freeze_in": (5, "Freeze In"),
    "freeze_out": (6, "Freeze Out"),
}
FINISHES = {
    "upscale": (0, "Upscale"),
    "deflicker": (1, "Deflicker"),
    "sharpen": (2, "Sharpen"),
    "grain": (3, "Grain"),
    "stabilise": (4, "Stabilise"),
    "hold_colour": (5, "Hold Colour"),
}
METHODS = {
    "interpolate": (0, "Interpolate", "A network draws the frames between; needs the full engine"),
    "flow": (1, "Optical Flow", "Frames between follow the motion"),
    "blend": (2, "Blend", "Frames between are mixed"),
    "hold": (3, "Hold", "Every frame shown is one of the clip"),
}


def _steps(table: dict[str, tuple[int, str]]) -> list[tuple[str, str, str, int]]:
    return [(key, label, STEPS[key].description, number) for key, (number, label) in table.items()]


def _use_good_frames(settings: Any, _context: Any) -> None:
    settings.time_frames = STEPS[settings.time].default_frames


def _use_good_amount(settings: Any, _context: Any) -> None:
    amount = STEPS[settings.finish].amount
    settings.finish_amount = amount[0] if amount else 0.0


class DioramaCombine(bpy.types.PropertyGroup):
    """Of a scene: how its clips are combined."""

    compare_mode: EnumProperty(
        name="Compare",
        items=[
            ("SIDE", "Side by Side", "Both, half as large", 0),
            ("WIPE", "Wipe", "One left, the other right of a line", 1),
        ],
    )
    wipe: FloatProperty(
        name="Wipe",
        description="Where the line stands, from the left",
        min=0.0,
        max=1.0,
        default=0.5,
        subtype="FACTOR",
        update=_move_wipe,
    )
    fade: EnumProperty(
        name="Fade",
        description="What lies over every seam",
        items=[
            ("NONE", "Cut", "Each clip begins where the one before ends", 0),
            ("CROSS", "Cross", "One clip fades into the next", 1),
            ("GAMMA_CROSS", "Gamma Cross", "As Cross, with an even brightness", 2),
        ],
        default="GAMMA_CROSS",
    )
    fade_frames: IntProperty(name="Overlap", description="Frames that two clips have in common", min=1, default=12)
    match: EnumProperty(
        name="Match Colour",
        description="To which clip the others' colours are brought",
        items=[
            ("NONE", "None", "Colours stay as they are", 0),
            ("FIRST", "First", "The first clip", 1),
            ("LONGEST", "Longest", "The longest clip", 2),
            ("ACTIVE", "Active", "The active strip", 3),
        ],
    )
    style: EnumProperty(
        name="Style",
        items=[
            *((key, style.label, style.description, number) for number, (key, style) in enumerate(STYLES.items())),
            ("generate", "Generate", "Each photo is brought to life by the model in the panel Generate", 9),
        ],
    )
    beats: EnumProperty(
        name="Cuts",
        description="Where one photo gives way to the next",
        items=[
            ("LENGTH", "Length", "All photos for the same time", 0),
            ("MARKERS", "Markers", "At the markers of the timeline", 1),
            ("SOUND", "Sound", "Where the selected sound strikes, over its whole length", 2),
        ],
    )
    beats_each: IntProperty(name="Markers per Photo", min=1, soft_max=8, default=1)
    sequence_seconds: FloatProperty(name="Seconds", description="Length of the whole sequence", min=0.5, default=30.0)
    time: EnumProperty(name="Time", items=_steps(TIMES), update=_use_good_frames)
    time_frames: IntProperty(name="Frames", description="0: as many as the clip's own length asks for", min=0)
    time_method: EnumProperty(
        name="Between",
        description="Where new frames come from",
        items=[(key, label, text, number) for key, (number, label, text) in METHODS.items()],
        default="flow",
    )
    loop_by: EnumProperty(
        name="Loop By",
        description="How the end comes back to the beginning",
        items=[
            ("fade", "Fade", "The end fades into the beginning", 0),
            ("generate", "Generate", "The model in the panel Generate goes from the last frame to the first one", 1),
        ],
    )
    extend_by: EnumProperty(
        name="Extend By",
        items=[
            ("move", "Camera Move", "A clip made by Camera Move goes on along its own path", 0),
            ("generate", "Generate", "The model in the panel Generate goes on from the last frame", 1),
        ],
    )
    backward: BoolProperty(name="Backward", description="Before the clip and not after it")
    extend_seconds: FloatProperty(name="Seconds", description="How much longer", min=0.1, soft_max=20.0, default=2.0)
    bridge: EnumProperty(
        name="Bridge By",
        description="How one strip becomes the next",
        items=[
            ("push_through", "Camera", "One camera goes through the first picture into the second", 0),
            ("dissolve", "Dissolve", "The first picture fades into the second", 1),
            ("generate", "Generate", "The model in the panel Generate goes from the first picture to the second", 2),
        ],
    )
    bridge_amount: FloatProperty(
        name="Amount", description="How far the camera travels", min=0.0, max=1.0, default=0.4, subtype="FACTOR"
    )
    render_range: EnumProperty(
        name="Render",
        items=[
            ("RANGE", "Range", "The scene's frame range", 0),
            ("SELECTION", "Selection", "From the first to the last frame of the selected strips", 1),
        ],
    )
    seams: StringProperty(description="What was found at the seams, one sentence a line")
    rendered: StringProperty(description="The movie that was rendered last")
    finish: EnumProperty(name="Finish", items=_steps(FINISHES), update=_use_good_amount)
    finish_amount: FloatProperty(name="Amount", min=0.0, max=32.0, default=2.0, precision=2, step=10)

    def time_step(self) -> FinishStep:
        kind = STEPS[self.time]
        method = self.time_method if self.time_method in kind.methods else ""
        return FinishStep(self.time, method, self.time_frames if kind.frames is not None else 0)

    def finish_step(self) -> FinishStep:
        kind = STEPS[self.finish]
        if kind.amount is None:
            return FinishStep(self.finish)
        amount = min(max(self.finish_amount, kind.amount[1]), kind.amount[2])
        return FinishStep(self.finish, frames=kind.default_frames, amount=amount)


CLASSES = (DioramaTake, DioramaShot, DioramaCombine)


def link(strip_type: type) -> None:
    """Adds the groups to Blender's types."""
    bpy.types.Scene.diorama_combine = PointerProperty(type=DioramaCombine)
    strip_type.diorama_shot = PointerProperty(type=DioramaShot)


def unlink(strip_type: type) -> None:
    """The mirror of link()."""
    del strip_type.diorama_shot
    del bpy.types.Scene.diorama_combine
