"""What a person does with a camera rig: build, move, fit, switch, change the depth, remove."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy

from ..engine.camera import MOVES
from ..engine.errors import BadSelection, DioramaError
from ..rig import coverage, owned, stack
from ..sequencer import compat, depth_strip, rig_strip
from ..session import runtime
from . import results, rig_jobs

if TYPE_CHECKING:
    from collections.abc import Callable


def rig_in(context: Any) -> owned.Rig:
    """The rig that is meant: in the Sequencer the active strip's, elsewhere the one whose scene the window shows; where
    that is none, the other. Raises BadSelection.

    A copy that a person made of a rig's scene becomes a rig of its own here.
    """
    strip = active_strip(context)
    if lost_rig(context):
        raise BadSelection(f"The rig of '{strip.name}' was removed.", "Build it again from its photo.")
    shown, selected = owned.rig_of(context.scene), rig_of_strip(strip)
    rig = selected or shown if _in_sequencer(context) else shown or selected
    if rig is None:
        raise BadSelection("No rig is selected.", "Select a rig's strip in the Sequencer, or open the rig's scene.")
    return owned.separated(rig)


def lost_rig(context: Any) -> str:
    """The id of the rig that is meant, if that rig's scene is gone, else ""."""
    strip = active_strip(context)
    if rig_of_strip(strip) or (owned.rig_of(context.scene) and not _in_sequencer(context)):
        return ""
    return rig_strip.rig_id_of(strip)


def rig_of_strip(strip: Any) -> owned.Rig | None:
    """The rig that a strip shows or was baked from, or None."""
    if not rig_strip.rig_id_of(strip):
        return None
    return owned.rig_of(strip.scene) if strip.type == "SCENE" else owned.find(strip.diorama.rig_id)


def _in_sequencer(context: Any) -> bool:
    return context.area is not None and context.area.type == "SEQUENCE_EDITOR"


def home_of(context: Any, rig: owned.Rig) -> Any:
    """The scene whose timeline shows the rig and whose settings count: the one in the Sequencer, unless that is only
    the rig's own (before 5.0, where the window shows that)."""
    shown = compat.sequencer_scene(context)
    if owned.rig_of(shown) is None:
        return shown
    return next((owner for owner, _ in rig_strip.live_strips(rig.id) if owner.library is None), shown)


def active_strip(context: Any) -> Any:
    """The Sequencer's active strip, or None."""
    scene = compat.sequencer_scene(context)
    editor = scene.sequence_editor if scene else None
    return editor.active_strip if editor else None


class _RigOperator:
    bl_options = {"REGISTER", "UNDO"}

    if TYPE_CHECKING:
        report: Callable[[set[str], str], None]     # Blender's own
        work: Callable[[Any], str]                  # of each operator: does it, and says what is worth knowing

    def execute(self, context: Any) -> set[str]:
        """Does the work; a refusal is one plain sentence, and nothing is changed then."""
        try:
            note = self.work(context)
        except DioramaError as error:
            self.report({"ERROR"}, f"{error.message} {error.remedy}")
            return {"CANCELLED"}
        if note:
            self.report({"INFO"}, note)
        return {"FINISHED"}


class DIORAMA_OT_build_rig(bpy.types.Operator):
    """Turn each selected photo into a scene of its own with layers and an animated camera, live above the photo"""

    bl_idname = "diorama.build_rig"
    bl_label = "Build Camera Rig"
    bl_options = {"REGISTER"}  # the undo step is made when the rig is there

    def execute(self, context: Any) -> set[str]:
        return results.submit_selected(self, compat.sequencer_scene(context), rig_jobs.submit_build)


class DIORAMA_OT_rig_move(_RigOperator, bpy.types.Operator):
    """Give the rig's camera the move that the panel shows"""

    bl_idname = "diorama.rig_move"
    bl_label = "Apply Move"

    add: bpy.props.BoolProperty(
        name="Add", description="Keep what the camera does and add this move to it", options={"SKIP_SAVE"}
    )

    def work(self, context: Any) -> str:
        rig = rig_in(context)
        settings = home_of(context, rig).diorama
        owned.check_editable(rig.scene)
        asked = settings.move_settings()
        move = stack.apply(rig, asked, self.add)
        refresh()
        label = MOVES[move.name].label
        limited = move.amount < asked.amount
        return f"{label}, limited to {move.amount:.3f} by the photo's margin." if limited else f"{label} applied."


class DIORAMA_OT_rig_move_drop(_RigOperator, bpy.types.Operator):
    """Take this move away from the camera; the others, and what you did by hand, stay"""

    bl_idname = "diorama.rig_move_drop"
    bl_label = "Remove Move"

    index: bpy.props.IntProperty(min=0, options={"SKIP_SAVE"})

    def work(self, context: Any) -> str:
        rig = rig_in(context)
        owned.check_editable(rig.scene)
        stack.drop(rig, self.index)
        refresh()
        return ""


class DIORAMA_OT_rig_length(_RigOperator, bpy.types.Operator):
    """Stretch the camera's moves, and what you did to its keys, over the frames that the strip shows"""

    bl_idname = "diorama.rig_length"
    bl_label = "Stretch to Strip"

    to_photo: bpy.props.BoolProperty(
        name="To Photo", description="First let the rig's strip end with its photo", options={"SKIP_SAVE"}
    )

    def work(self, context: Any) -> str:
        rig = rig_in(context)
        scene = home_of(context, rig)
        owned.check_editable(rig.scene)
        owned.check_editable(scene)
        live = rig_strip.live_in(scene, rig.id, active_strip(context))
        if self.to_photo:
            rig_strip.end_with_photo(scene, live)
        rig.scene.frame_end = rig.scene.frame_start + rig_strip.frames_wanted(live) - 1
        stack.remake(rig)
        refresh()
        return f"The camera now moves over {rig_strip.frames_wanted(live)} frames."


class DIORAMA_OT_rig_fit(_RigOperator, bpy.types.Operator):
    """Measure at every frame what the camera sees, and shorten its travel until nothing beyond the photo shows"""

    bl_idname = "diorama.rig_fit"
    bl_label = "Fit to Photo"

    def work(self, context: Any) -> str:
        rig = rig_in(context)
        owned.check_editable(rig.scene)
        share = coverage.fit(rig)
        refresh()
        if share == 1.0:
            return "Nothing beyond the photo shows; the camera was left as it is."
        return f"The camera now travels {share:.0%} of its way."


class DIORAMA_OT_rig_live_size(_RigOperator, bpy.types.Operator):
    """Draw the live strip with fewer pixels, so that it plays faster; Bake and Render give all of them"""

    bl_idname = "diorama.rig_live_size"
    bl_label = "Live Size"

    percentage: bpy.props.EnumProperty(
        name="Size",
        items=[
            ("100", "All Pixels", "As sharp as the clip", 100),
            ("50", "Half Size", "Plays three to four times as fast where drawing is slow", 50),
            ("25", "Quarter Size", "For slow machines", 25),
        ],
    )

    def work(self, context: Any) -> str:
        rig = rig_in(context)
        owned.check_editable(rig.scene)
        rig_strip.show_at(rig.scene, rig.id, int(self.percentage))
        refresh()
        return ""


class DIORAMA_OT_rig_switch(_RigOperator, bpy.types.Operator):
    """Show the live rig or the clip that was baked from it; the other one is muted and kept"""

    bl_idname = "diorama.rig_switch"
    bl_label = "Switch Live and Baked"

    def work(self, context: Any) -> str:
        rig, strip = rig_in(context), active_strip(context)
        scene, rig_id = home_of(context, rig), rig.id
        live = not rig_strip.is_live(scene, rig_id, strip)
        rig_strip.switch(scene, rig_id, strip, live)
        return "The live rig is shown." if live else "The baked clip is shown."


class DIORAMA_OT_rig_depth(_RigOperator, bpy.types.Operator):
    """Make the rig's layers again with another depth; the camera keeps its animation"""

    bl_idname = "diorama.rig_depth"
    bl_label = "Change Depth"
    bl_options = {"REGISTER"}  # the undo step is made when the new layers are there

    source: bpy.props.EnumProperty(
        name="From",
        items=[
            ("PANEL", "Depth Panel", "The depth that the panel shows, with its levels and its paint-over", 0),
            ("FILE", "File…", "A depth picture, or the Z pass of a render as EXR", 1),
            ("STRIP", "Selected Strip", "The depth picture that a selected image strip shows", 2),
        ],
    )
    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_image: bpy.props.BoolProperty(default=True, options={"HIDDEN"})
    filter_folder: bpy.props.BoolProperty(default=True, options={"HIDDEN"})

    def invoke(self, context: Any, event: Any) -> set[str]:
        if self.source != "FILE":
            return self.execute(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def work(self, context: Any) -> str:
        rig = rig_in(context)
        scene = home_of(context, rig)
        runtime.installer.require_python()
        picture = bpy.path.abspath(self.filepath) if self.source == "FILE" else ""
        if self.source == "STRIP":
            picture = str(depth_strip.selected_picture(scene))
        rig_jobs.submit_relayer(rig, scene.diorama, picture)
        return ""


class DIORAMA_OT_rig_remove(_RigOperator, bpy.types.Operator):
    """Remove the rig: its scene, layers, camera, keyframes and strips; files, clips and what you added stay"""

    bl_idname = "diorama.rig_remove"
    bl_label = "Remove Rig"

    def work(self, context: Any) -> str:
        if lost := lost_rig(context):
            rig_strip.remove_live(lost)
            owned.remove(lost)
            return "What was left of the rig was removed."
        rig = rig_in(context)
        owned.check_editable(rig.scene)
        kept = len(owned.foreign(rig))
        owned.check_removable(rig)
        rig_strip.remove_live(rig.id)
        owned.remove(rig.id)
        return f"The rig was removed; {kept} objects of your own stay in the file." if kept else "The rig was removed."


class DIORAMA_OT_rig_open(bpy.types.Operator):
    """Show the rig's scene in this window, through its camera; the Sequencer goes on showing the timeline"""

    bl_idname = "diorama.rig_open"
    bl_label = "Open Rig Scene"
    bl_options = {"REGISTER"}

    def execute(self, context: Any) -> set[str]:
        try:
            rig = rig_in(context)
        except DioramaError as error:
            self.report({"ERROR"}, f"{error.message} {error.remedy}")
            return {"CANCELLED"}
        context.window.scene = rig.scene
        for area in context.screen.areas:
            if area.type == "VIEW_3D":
                area.spaces.active.region_3d.view_perspective = "CAMERA"
        return {"FINISHED"}


def refresh() -> None:
    """Scene strips are cached: what changed in a rig must be drawn anew, where a Sequencer is open."""
    if bpy.ops.sequencer.refresh_all.poll():
        bpy.ops.sequencer.refresh_all()


CLASSES = (
    DIORAMA_OT_build_rig,
    DIORAMA_OT_rig_move,
    DIORAMA_OT_rig_move_drop,
    DIORAMA_OT_rig_length,
    DIORAMA_OT_rig_fit,
    DIORAMA_OT_rig_live_size,
    DIORAMA_OT_rig_switch,
    DIORAMA_OT_rig_depth,
    DIORAMA_OT_rig_remove,
    DIORAMA_OT_rig_open,
)
