"""What a rig's scene remembers of its camera's moves, and a timeline of the rigs that it shows."""

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
    PointerProperty,
)

from .engine.camera import CYCLES, EASINGS, MOVES
from .engine.protocol import MoveSettings
from .properties import items_of
from .rig import bake, owned, stack


def _remake_rig(entry: Any, _context: Any) -> None:
    """A move's slider was moved: the camera follows at once."""
    stack.changed(owned.Rig.of(entry.id_data))


def _use_all_of_it(entry: Any, context: Any) -> None:
    """Who asks for another amount wants that amount, and not the share of it that Fit once left."""
    entry.share = 1.0
    _remake_rig(entry, context)


class DioramaRigMove(bpy.types.PropertyGroup):
    """Of a rig's scene: one of the moves that its camera makes."""

    move: EnumProperty(name="Move", items=items_of(MOVES), options={"HIDDEN"})
    enabled: BoolProperty(
        name="On", description="Whether the camera makes this move", default=True, options=set(), update=_remake_rig
    )
    amount: FloatProperty(
        name="Amount",
        description="Strength of this move as a share of the frame; less where the photo has no more to show",
        min=0.0,
        max=1.0,
        soft_max=0.3,
        precision=3,
        step=1,
        options=set(),  # nothing happens at a key: the camera has the keys
        update=_use_all_of_it,
    )
    easing: EnumProperty(
        name="Easing",
        description="How this move starts and stops",
        items=items_of(EASINGS),
        options=set(),
        update=_remake_rig,
    )
    cycle: EnumProperty(
        name="Cycle",
        description="What happens at the end of this move",
        items=items_of(CYCLES),
        options=set(),
        update=_remake_rig,
    )
    seed: IntProperty(options={"HIDDEN"})
    crop_from: FloatVectorProperty(size=4, options={"HIDDEN"})
    crop_to: FloatVectorProperty(size=4, options={"HIDDEN"})
    share: FloatProperty(description="What Fit has left of it", default=1.0, options={"HIDDEN"})

    def take(self, move: MoveSettings) -> None:
        self.move, self.amount, self.easing, self.cycle = move.name, move.amount, move.easing, move.cycle
        self.seed, self.crop_from, self.crop_to = move.seed, move.crop_from, move.crop_to

    def move_settings(self) -> MoveSettings:
        return MoveSettings(
            self.move,
            self.amount,
            self.easing,
            self.cycle,
            crop_from=tuple(self.crop_from),
            crop_to=tuple(self.crop_to),
            seed=self.seed,
        )


class DioramaRig(bpy.types.PropertyGroup):
    """Of a scene. moves: of a rig's scene, what its camera does. passes: of a timeline, what Bake makes."""

    moves: CollectionProperty(type=DioramaRigMove)
    passes: EnumProperty(
        name="Passes", description="Clips that Bake makes beside the picture", items=bake.PASSES, options={"ENUM_FLAG"}
    )


CLASSES = (DioramaRigMove, DioramaRig)


def link() -> None:
    """Adds the group to Blender's scenes."""
    # Not "diorama_rig": up to 4.5 that would be the same place as the id that rig/owned.py keeps.
    bpy.types.Scene.diorama_camera = PointerProperty(type=DioramaRig)


def unlink() -> None:
    """The mirror of link()."""
    del bpy.types.Scene.diorama_camera
