"""What a person does to depth by hand: paint over it, see it, use it again, point at the pivot and the focus."""

from __future__ import annotations

from typing import Any

import bpy

from ..engine.errors import DioramaError
from ..sequencer import compat, depth_strip, paint, preview
from ..sequencer.selection import active_clip, selected_stills
from . import results


def refuse(operator: Any, error: DioramaError) -> set[str]:
    operator.report({"ERROR"}, f"{error.message} {error.remedy}")
    return {"CANCELLED"}


class DIORAMA_OT_new_paint_over(bpy.types.Operator):
    """Make a transparent image in the size of the selected photo. Open it in an Image Editor, set its mode to Paint, and paint in grey: bright is near, soft edges blend"""  # noqa: E501 (Blender shows this)

    bl_idname = "diorama.new_paint_over"
    bl_label = "New Paint-Over"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: Any) -> set[str]:
        scene = compat.sequencer_scene(context)
        try:
            stills, errors = selected_stills(scene)
            if not stills:
                return refuse(self, errors[0])
            scene.diorama.correction = paint.new_paint_over(scene, stills[0], results.new_still_path())
        except DioramaError as error:
            return refuse(self, error)
        return {"FINISHED"}


class DIORAMA_OT_paint_over_from_strip(bpy.types.Operator):
    """Take the picture of the selected image strip as the paint-over. It has the photo's shape; where it is opaque, its brightness is the depth"""  # noqa: E501 (Blender shows this)

    bl_idname = "diorama.paint_over_from_strip"
    bl_label = "Paint-Over from Strip"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: Any) -> set[str]:
        scene = compat.sequencer_scene(context)
        try:
            scene.diorama.correction = paint.from_strip(scene)
        except DioramaError as error:
            return refuse(self, error)
        return {"FINISHED"}


class _ClipOperator:
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        return active_clip(context) is not None


class DIORAMA_OT_show_depth(_ClipOperator, bpy.types.Operator):
    """Put the depth picture of this clip above it, near = bright; once more takes it away"""

    bl_idname = "diorama.show_depth"
    bl_label = "Show Depth"

    def execute(self, context: Any) -> set[str]:
        scene, clip = compat.sequencer_scene(context), active_clip(context)
        try:
            if depth_strip.depth_strips(scene, clip):
                depth_strip.hide(scene, clip)
            else:
                depth_strip.show(scene, clip)
        except DioramaError as error:
            return refuse(self, error)
        return {"FINISHED"}


class DIORAMA_OT_use_depth(_ClipOperator, bpy.types.Operator):
    """Take the depth picture of this clip as the depth of the next one, as it is: levels and paint-over start anew"""

    bl_idname = "diorama.use_depth"
    bl_label = "Use This Depth"

    def execute(self, context: Any) -> set[str]:
        settings = compat.sequencer_scene(context).diorama
        settings.depth_source = "picture"
        settings.depth_picture = str(depth_strip.depth_path(active_clip(context)))
        settings.near_is_bright, settings.invert, settings.correction = True, False, None
        settings.near, settings.far, settings.gamma = 1.0, 0.0, 1.0
        return {"FINISHED"}


class DIORAMA_OT_pick_point(bpy.types.Operator):
    """Click on the picture in the preview; Escape leaves everything as it is"""

    bl_idname = "diorama.pick_point"
    bl_label = "Pick Point"
    bl_options = {"REGISTER", "UNDO"}

    target: bpy.props.EnumProperty(
        items=[("pivot", "Pivot", "What keeps its place"), ("focus", "Focus", "What is sharp")]
    )
    point: bpy.props.FloatVectorProperty(size=2, min=0.0, max=1.0, default=(0.5, 0.5))

    def execute(self, context: Any) -> set[str]:
        settings = compat.sequencer_scene(context).diorama
        setattr(settings, f"{self.target}_from", "point")
        setattr(settings, f"{self.target}_point", self.point)
        return {"FINISHED"}

    def invoke(self, context: Any, event: Any) -> set[str]:
        if not preview.preview_regions(context.window):
            self.report({"ERROR"}, "No preview is open. Show one in the Sequencer, or set X and Y.")
            return {"CANCELLED"}
        context.window.cursor_modal_set("EYEDROPPER")
        context.workspace.status_text_set("Click on the picture in the preview, or press Escape")
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: Any, event: Any) -> set[str]:
        if event.type in ("ESC", "RIGHTMOUSE"):
            self.cancel(context)
            return {"CANCELLED"}
        if event.type != "LEFTMOUSE" or event.value != "PRESS":
            return {"PASS_THROUGH" if event.type.startswith(("WHEEL", "MIDDLE", "TRACKPAD")) else "RUNNING_MODAL"}
        self.cancel(context)
        point = preview.frame_point(context.window, compat.sequencer_scene(context), event.mouse_x, event.mouse_y)
        if point is None:
            self.report({"WARNING"}, "That was not on the picture. Try again, or set X and Y.")
            return {"CANCELLED"}
        self.point = point
        return self.execute(context)

    def cancel(self, context: Any) -> None:
        context.window.cursor_modal_restore()
        context.workspace.status_text_set(None)


CLASSES = (
    DIORAMA_OT_new_paint_over,
    DIORAMA_OT_paint_over_from_strip,
    DIORAMA_OT_show_depth,
    DIORAMA_OT_use_depth,
    DIORAMA_OT_pick_point,
)
