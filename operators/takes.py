"""What a person does with the takes of a strip."""

from __future__ import annotations

from typing import Any

import bpy

from ..engine.errors import BadSelection, DioramaError
from ..properties_combine import MOST_STARS
from ..sequencer import compare, compat, takes
from ..sequencer.selection import selected_strips
from . import results


def taken_strip(context: Any) -> Any:
    """The active strip if it has takes to choose from, else None."""
    scene = compat.sequencer_scene(context)
    strip = scene.sequence_editor.active_strip if scene and scene.sequence_editor else None
    return strip if strip is not None and len(strip.diorama_shot.takes) > 1 else None


class _TakeOperator:
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        return taken_strip(context) is not None

    def execute(self: Any, context: Any) -> set[str]:
        try:
            self.work(compat.sequencer_scene(context), taken_strip(context))
        except DioramaError as error:
            self.report({"ERROR"}, results.remember_errors([error]))
            return {"CANCELLED"}
        return {"FINISHED"}


class DIORAMA_OT_take_step(_TakeOperator, bpy.types.Operator):
    """Show another take in this strip; its trim, effects and keyframes stay"""

    bl_idname = "diorama.take_step"
    bl_label = "Next Take"

    by: bpy.props.IntProperty(name="By", default=1)

    def work(self, scene: Any, strip: Any) -> None:
        takes.step(scene, strip, self.by)


class DIORAMA_OT_take_show(_TakeOperator, bpy.types.Operator):
    """Show this take in the strip"""

    bl_idname = "diorama.take_show"
    bl_label = "Show Take"

    index: bpy.props.IntProperty(min=0)

    def work(self, scene: Any, strip: Any) -> None:
        if self.index >= len(strip.diorama_shot.takes):
            raise BadSelection(f"'{strip.name}' has no take {self.index + 1}.", "Choose one from the list.")
        takes.show(scene, strip, self.index)


class DIORAMA_OT_take_rate(_TakeOperator, bpy.types.Operator):
    """Give this take so many stars; the same number again takes them away"""

    bl_idname = "diorama.take_rate"
    bl_label = "Rate Take"

    index: bpy.props.IntProperty(min=0)
    stars: bpy.props.IntProperty(min=0, max=MOST_STARS)

    def work(self, _scene: Any, strip: Any) -> None:
        take = strip.diorama_shot.takes[min(self.index, len(strip.diorama_shot.takes) - 1)]
        take.stars = 0 if take.stars == self.stars else self.stars


class DIORAMA_OT_take_keep(_TakeOperator, bpy.types.Operator):
    """Forget all takes of this strip but the one that it shows"""

    bl_idname = "diorama.take_keep"
    bl_label = "Keep Only This Take"

    files: bpy.props.BoolProperty(
        name="Delete Their Files Too",
        description="Delete the other takes' clips from disk. Undo does not bring them back",
        options={"SKIP_SAVE"},
    )

    def invoke(self, context: Any, event: Any) -> set[str]:
        return context.window_manager.invoke_props_dialog(self)

    def draw(self, context: Any) -> None:
        others = len(taken_strip(context).diorama_shot.takes) - 1
        self.layout.label(text=f"{others} other take{'s' if others > 1 else ''} will be forgotten.")
        self.layout.prop(self, "files")

    def work(self, _scene: Any, strip: Any) -> None:
        deleted = takes.drop_others(strip, self.files)
        self.report({"INFO"}, f"{deleted} files deleted." if self.files else "The files of the others stay on disk.")




class DIORAMA_OT_compare(bpy.types.Operator):
    """Show two takes of the active strip, or two selected strips, side by side or with a wipe; again: take it away"""

    bl_idname = "diorama.compare"
    bl_label = "Compare"
    bl_options = {"REGISTER", "UNDO"}

    other: bpy.props.IntProperty(
        name="With", description="The other take, counted from 0; -1: the one before", default=-1, options={"SKIP_SAVE"}
    )

    def execute(self, context: Any) -> set[str]:
        scene = compat.sequencer_scene(context)
        settings = scene.diorama_combine
        try:
            if compare.helpers(scene):
                compare.stop(scene)
                return {"FINISHED"}
            strip, chosen = taken_strip(context), selected_strips(scene)
            if len(chosen) == 2:
                compare.strips(scene, chosen[0], chosen[1], settings.compare_mode, settings.wipe)
            elif strip is not None:
                count, shown = len(strip.diorama_shot.takes), strip.diorama_shot.shown
                other = (shown - 1) % count if self.other < 0 else min(self.other, count - 1)
                compare.takes(scene, strip, other, settings.compare_mode, settings.wipe)
            else:
                raise BadSelection("There is nothing to compare.", "Select two strips, or one that has several takes.")
        except DioramaError as error:
            self.report({"ERROR"}, results.remember_errors([error]))
            return {"CANCELLED"}
        return {"FINISHED"}


CLASSES = (
    DIORAMA_OT_take_step,
    DIORAMA_OT_take_show,
    DIORAMA_OT_take_rate,
    DIORAMA_OT_take_keep,
    DIORAMA_OT_compare,
)
