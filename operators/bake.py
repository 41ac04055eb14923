"""A rig's camera becomes a clip: by the engine, quickly, or by another Blender with all that Blender can do."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any

import bpy

from ..engine.camera import View
from ..engine.errors import BadSelection, BadStill, DioramaError
from ..engine.protocol import MAX_PATH_FRAMES, ClipPart, FinishRequest, PathRequest
from ..preferences import preferences
from ..rig import bake, owned
from ..rig import compat as blender
from ..rig.sample import check_camera, size_of
from ..sequencer import baked, placement, rig_strip, source
from ..session import runtime
from ..session.background_render import RenderRequest
from ..session.installer import default_data_folder
from ..session.queue import Job
from . import results
from .piecewise import Piecewise
from .rig import home_of, rig_in

KIND = "bake"
RENDERS, FOOTAGE = "renders", "footage"  # folders for what a job needs for a while
ENGINES = [
    ("SCENE", "As in the Scene", "The render engine of the rig's scene", 0),
    ("EEVEE", "EEVEE", "Fast, with depth of field, motion blur and lights", 1),
    ("CYCLES", "Cycles", "Exact, with depth of field, motion blur and lights", 2),
    ("WORKBENCH", "Workbench", "Fastest, plain textures", 3),
]
_cameras = Piecewise()


class _Bake:
    bl_options = {"REGISTER"}  # the undo step is made when the clip is inserted

    def execute(self: Any, context: Any) -> set[str]:
        try:
            self.work(context)
        except DioramaError as error:
            self.report({"ERROR"}, results.remember_errors([error]))
            return {"CANCELLED"}
        results.remember_errors([])
        return {"FINISHED"}


class DIORAMA_OT_bake_fast(_Bake, bpy.types.Operator):
    """Turn what the rig's camera sees into a clip, by the engine; Blender stays free meanwhile"""

    bl_idname = "diorama.bake_fast"
    bl_label = "Bake"

    passes: bpy.props.EnumProperty(name="Passes", items=bake.PASSES, options={"ENUM_FLAG"}, default=set())

    def work(self, context: Any) -> None:
        runtime.installer.require_python()
        rig = rig_in(context)
        frames, tag = plan(rig, home_of(context, rig))
        if len(frames) > MAX_PATH_FRAMES:
            raise BadSelection(
                f"A bake of {len(frames)} frames is too long.", f"Trim the strip to {MAX_PATH_FRAMES} frames."
            )
        if not (rig.folder / "layers.json").is_file():
            raise BadStill(f"The files of the rig are missing: {rig.folder}", "Bring its folder back, or build anew.")
        bake.check_layers(rig)
        names = ("colour", *(item[0] for item in bake.PASSES if item[0] in self.passes))
        _cameras.add(bake.view_steps(rig.scene.name, frames), partial(submit_bake, rig, tag, names))
        _cameras.advance()


class DIORAMA_OT_bake_blender(_Bake, bpy.types.Operator):
    """Render what the rig's camera sees in a Blender in background: with depth of field, lights and added objects"""

    bl_idname = "diorama.bake_blender"
    bl_label = "Render"

    engine: bpy.props.EnumProperty(name="Engine", items=ENGINES, default="SCENE")
    samples: bpy.props.IntProperty(name="Samples", description="0: as the scene has it", min=0, max=65536)

    def work(self, context: Any) -> None:
        rig = rig_in(context)
        frames, tag = plan(rig, home_of(context, rig))
        bake.check_pictures(rig)
        engine = {"SCENE": "", "WORKBENCH": "BLENDER_WORKBENCH", "EEVEE": blender.eevee()}.get(self.engine, self.engine)
        task = {"scene": rig.scene.name, "frames": frames, "engine": engine, "samples": self.samples}
        task["percentage"] = bake.percentage_of(rig.scene)
        settings = {"engine": engine or rig.scene.render.engine, "samples": self.samples}
        # No movie of ours holds what is transparent.
        clip_format = "png" if rig.scene.render.film_transparent else preferences().clip_format
        tag["clip_format"], tag["settings"] = clip_format, settings
        if clip_format == "png":
            output = results.new_clip_path(preferences().clip_path(), f"{tag['label']} render", "png")
        else:
            runtime.installer.require_python()
            output = str(default_data_folder() / FOOTAGE / uuid.uuid4().hex)
        submit_render(task, output, settings, tag, tag["label"])


def submit_render(
    task: dict[str, Any], output: str, settings: dict[str, Any], tag: dict[str, Any], label: str
) -> Job:
    """Saves a copy of the file and queues its render by another Blender into that folder. Raises OutputFailed."""
    copy = bake.save_copy(default_data_folder() / RENDERS)
    task = task | {"use_scripts": bake.may_run_scripts()}
    request = RenderRequest(bake.render_command(), str(copy), output, task, settings)
    return runtime.queue.submit(request, label, tag)


def plan(rig: owned.Rig, scene: Any) -> tuple[list[int], dict[str, Any]]:
    """The rig's frames to be shown, and the job's tag. Raises BadSelection for what cannot be baked."""
    owned.check_editable(rig.scene)
    owned.check_editable(scene)
    check_camera(rig.scene)
    active = scene.sequence_editor.active_strip if scene.sequence_editor else None
    live = next(iter(rig_strip.meant(scene, rig.id, active)), None)
    frames = baked.frames_shown(live) if live else list(range(rig.scene.frame_start, rig.scene.frame_end + 1))
    label = rig.facts.get("strip", rig.scene.name)
    return frames, {
        "kind": KIND,
        "rig_id": rig.id,
        "scene": scene.name,
        "strip": live.name if live else "",
        "source_id": rig.facts.get("source_id", ""),
        "label": label,
        "move_label": "Bake",
        "size": list(size_of(rig.scene)),  # as the live strip shows it
        "clip_size": list(bake.size_of(rig.scene)),
        "fps": list(source.frame_rate(scene if live else rig.scene)),
        "file": results.files_opened(),
    }


def submit_bake(rig: owned.Rig, tag: dict[str, Any], passes: tuple[str, ...], views: list[View]) -> None:
    """Queues the engine's bake along the cameras that were read."""
    chosen = preferences()
    request = PathRequest(
        folder=str(rig.folder),
        output=results.new_clip_path(chosen.clip_path(), f"{tag['label']} bake", chosen.clip_format),
        views=tuple(bake.numbers_of(view) for view in views),
        width=tag["clip_size"][0],
        height=tag["clip_size"][1],
        fps=(tag["fps"][0], tag["fps"][1]),
        clip_format=chosen.clip_format,
        passes=passes,
    )
    runtime.queue.submit(request, tag["label"], tag)


def finish(job: Job) -> bool:
    """Puts a baked clip over its live strip, or at the playhead if that is gone; first pictures become a movie."""
    assert job.result is not None
    if isinstance(job.request, RenderRequest) and job.tag["clip_format"] != "png":
        _submit_movie(job, job.result["clip"])
        return True
    result = job.result | {"fps": job.tag["fps"], "settings": job.tag.get("settings", job.result["settings"])}
    result.setdefault("rect", [0, 0, result["width"], result["height"]])
    result.setdefault("still_size", [result["width"], result["height"]])
    found = baked.find_live(job.tag)
    if found is None:
        scene = bpy.data.scenes.get(job.tag["scene"])
        if scene is None or job.tag["file"] != results.files_opened():
            raise BadSelection(f"The rig of '{job.label}' is not in this file; the clip is kept.", "Open its file.")
        tag = job.tag | {"strip": job.tag["label"]}
        clip = placement.insert_at(scene, scene.frame_current, job.id, tag, result)
        clip.diorama.rig_id = job.tag["rig_id"]
        return True
    baked.insert_over(*found, job.id, job.tag, result)
    return True


def _submit_movie(job: Job, frames: str) -> None:
    """Lets the engine make the clip of the pictures that Blender rendered, which go with that job."""
    tag, clip_format = job.tag, job.tag["clip_format"]
    output = results.new_clip_path(preferences().clip_path(), f"{tag['label']} render", clip_format)
    fps = (tag["fps"][0], tag["fps"][1])
    request = FinishRequest(parts=(ClipPart(frames),), output=output, fps=fps, clip_format=clip_format)
    runtime.queue.submit(request, tag["label"], tag)


results.finishers[KIND] = finish
results.background_work.append(_cameras.advance)
CLASSES = (DIORAMA_OT_bake_fast, DIORAMA_OT_bake_blender)
