"""A still through the scene's camera becomes a clip, with the scene's own depth; and pictures projected onto a set."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import bpy

from ..engine.camera import MOVES
from ..engine.errors import BadSelection, DioramaError
from ..engine.protocol import CameraMoveRequest, GenerateRequest, GenerateSettings, MoveSettings
from ..preferences import preferences
from ..properties_generate import FOUND
from ..rig import bake, owned, project
from ..rig.sample import check_camera, size_of, view_of
from ..sequencer import compat, placement, source
from ..session import runtime
from ..session.queue import Job
from . import generate_jobs, results
from .bake import submit_render

# A render in this look is shown through the same look again by the timeline, unless its strip says what it holds.
COLOUR_SPACES = {"AgX": "AgX Base sRGB", "Filmic": "Filmic sRGB", "Khronos PBR Neutral": "Khronos PBR Neutral sRGB"}

STILL, CLIP = "camera_still", "camera_clip"


def timeline_of(context: Any) -> Any:
    """The scene whose timeline gets the clip: the one that the Sequencer shows, else the first with strips' room.

    Raises BadSelection where no scene has a timeline.
    """
    shown = compat.sequencer_scene(context)
    scenes = [shown, *(scene for scene in bpy.data.scenes if scene != shown)]
    for scene in scenes:
        if scene is not None and scene.sequence_editor is not None and scene.library is None:
            return scene
    raise BadSelection(
        "No scene of this file has a timeline for the clip.", "Open a Video Sequencer and add a strip there first."
    )


class DIORAMA_OT_animate_camera_view(bpy.types.Operator):
    """Render what the camera sees, in a Blender in background, and move through it with the scene's own depth"""

    bl_idname = "diorama.animate_camera_view"
    bl_label = "Animate Camera View"
    bl_options = {"REGISTER"}  # the undo step is made when the clip is inserted

    to: bpy.props.EnumProperty(
        name="To",
        items=[
            ("MOVE", "Camera Move", "A move through the picture, with the scene's own depth", 0),
            ("GENERATE", "Generate", "An image-to-video model, as the panel Generate in the Sequencer has it", 1),
        ],
    )
    seconds: bpy.props.FloatProperty(
        name="Seconds", description="Length of the clip", default=4.0, min=0.04, max=600.0, subtype="TIME_ABSOLUTE"
    )

    def execute(self, context: Any) -> set[str]:
        try:
            runtime.installer.require_python()
            timeline = timeline_of(context)
            wanted = moves_of(timeline) if self.to == "MOVE" else takes_of(timeline)
            submit_view(context.scene, timeline, context.evaluated_depsgraph_get(), self.seconds, wanted)
        except DioramaError as error:
            self.report({"ERROR"}, results.remember_errors([error]))
            return {"CANCELLED"}
        results.remember_errors([])
        return {"FINISHED"}


def moves_of(timeline: Any) -> dict[str, Any]:
    """The camera move of the panel, as the tag of a job holds it."""
    move = replace(timeline.diorama.move_settings(), pivot_point=(-1.0, -1.0))  # a point of another picture
    return {"move": asdict(move), "fill": timeline.diorama.fill_path()}


def takes_of(timeline: Any) -> dict[str, Any]:
    """What the panel Generate asks for, a take for each model and seed. Raises a DioramaError."""
    settings = timeline.diorama_generate
    generate_jobs.check_models(settings)
    takes = [
        asdict(settings.settings(generate_jobs.controls_of(name), name, settings.prompt, seed))
        for seed in generate_jobs.seeds(settings)
        for name in settings.model_names()
    ]
    mask = settings.mask_from if settings.mask_from in FOUND else ""  # the others belong to strips
    more = {"aspect": settings.aspect, "conform": settings.conform, "camera_lock": settings.camera_lock, "mask": mask}
    return {"takes": takes, "more": more}


def submit_view(scene: Any, timeline: Any, depsgraph: Any, seconds: float, wanted: dict[str, Any]) -> Job:
    """Queues the render of one still. wanted: of moves_of() or takes_of(). Raises a DioramaError; then nothing was
    changed."""
    owned.check_editable(scene)
    camera = check_camera(scene)
    width, height = size_of(scene)
    camera_view = view_of(scene, camera, depsgraph, width, height)
    fps = source.frame_rate(timeline)
    task = {"scene": scene.name, "still": scene.frame_current}
    tag = wanted | {
        "kind": STILL,
        "scene": timeline.name,
        "frame": timeline.frame_current,
        "num_frames": max(1, round(seconds * fps[0] / fps[1])),
        "fps": list(fps),
        "intrinsics": list(bake.numbers_of(camera_view)[16:]),
        "label": camera.name,
        "look": scene.view_settings.view_transform,
        "file": results.files_opened(),
    }
    output = results.new_clip_path(preferences().clip_path(), f"{camera.name} view", "png")
    return submit_render(task, output, {"camera": camera.name, "frame": scene.frame_current}, tag, tag["label"])


def finish_still(job: Job) -> bool:
    """The still is there: its camera move, or its takes, are queued."""
    assert job.result is not None
    tag: dict[str, Any] = job.tag | {"kind": CLIP}
    chosen = preferences()
    still, depth = job.result["files"]
    fps = tag["fps"][0], tag["fps"][1]
    for take in tag.get("takes", ()):
        settings: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in take.items()}
        request = GenerateRequest(
            image=still,
            output="",
            num_frames=tag["num_frames"],
            generate=GenerateSettings(**settings),
            fps=fps,
            clip_format=chosen.clip_format,
            **tag["more"],
        )
        generate_jobs.queue(request, tag["label"], tag)
    if "move" in tag:
        name = f"{tag['label']} {tag['move']['name']}"
        request = CameraMoveRequest(
            image=still,
            output=results.new_clip_path(chosen.clip_path(), name, chosen.clip_format),
            num_frames=tag["num_frames"],
            fps=fps,
            clip_format=chosen.clip_format,
            move=MoveSettings(**tag["move"]),
            intrinsics=tuple(tag["intrinsics"]),
            z_picture=depth,
            fill=tag["fill"],
        )
        runtime.queue.submit(request, tag["label"], tag | {"move_label": MOVES[tag["move"]["name"]].label})
    return True


def finish_clip(job: Job) -> bool:
    """Puts the clip where the playhead was when it was asked for."""
    assert job.result is not None
    tag, scene = job.tag, bpy.data.scenes.get(job.tag["scene"])
    if scene is None or scene.sequence_editor is None or tag["file"] != results.files_opened():
        raise BadSelection(f"The timeline for '{job.label}' is gone; its clip is kept.", "Insert it yourself.")
    result = job.result | fitted(job.result, scene.render.resolution_x, scene.render.resolution_y)
    if scene.view_settings.view_transform == tag["look"]:
        result["colour_space"] = COLOUR_SPACES.get(tag["look"], "")
    names = {"strip": tag["label"], "move_label": tag["move_label"], "source_id": ""}
    placement.insert_at(scene, tag["frame"], job.id, names, result)
    return True


def fitted(result: dict[str, Any], frame_width: int, frame_height: int) -> dict[str, Any]:
    """Where a clip of another shape goes: whole and centred in the frame, never stretched."""
    width, height = result["width"], result["height"]
    scale = max(width / frame_width, height / frame_height)
    full = [frame_width * scale, frame_height * scale]
    return {"still_size": full, "rect": [(full[0] - width) / 2, (full[1] - height) / 2, width, height]}


class DIORAMA_OT_project_still(bpy.types.Operator):
    """Project a photo or a clip from the scene's camera onto the selected objects, as if the camera were a projector"""

    bl_idname = "diorama.project_still"
    bl_label = "Project onto Objects"
    bl_options = {"REGISTER", "UNDO"}

    filepath: bpy.props.StringProperty(name="File", subtype="FILE_PATH")
    filter_image: bpy.props.BoolProperty(default=True, options={"HIDDEN"})
    filter_movie: bpy.props.BoolProperty(default=True, options={"HIDDEN"})
    filter_folder: bpy.props.BoolProperty(default=True, options={"HIDDEN"})

    def invoke(self, context: Any, event: Any) -> set[str]:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: Any) -> set[str]:
        try:
            count = project.project(context.scene, context.selected_objects, Path(bpy.path.abspath(self.filepath)))
        except DioramaError as error:
            self.report({"ERROR"}, f"{error.message} {error.remedy}")
            return {"CANCELLED"}
        self.report({"INFO"}, f"Projected onto {count} object{'s' if count > 1 else ''}.")
        return {"FINISHED"}


results.finishers[STILL] = finish_still
results.finishers[CLIP] = finish_clip
CLASSES = (DIORAMA_OT_animate_camera_view, DIORAMA_OT_project_still)
