"""The selection or the range as one movie, rendered in background by another Blender with the project's settings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import bpy

from ..engine.errors import BadSelection, OutputFailed
from ..preferences import preferences
from ..sequencer import compat
from ..sequencer.selection import selected_strips
from ..session import runtime
from ..session.queue import Job
from . import results
from .bake import submit_render
from .combine import CombineOperator

KIND = "render_out"
SUFFIXES = (".mp4", ".mov", ".mkv", ".avi", ".webm", ".ogv", ".dv", ".flv", ".mpg")
BLENDERS_OWN = ("", "/tmp/", "/tmp\\", "//")  # output paths that nobody chose


class DIORAMA_OT_render_out(CombineOperator, bpy.types.Operator):
    """Render what the timeline shows as one movie; Blender stays free meanwhile"""

    bl_idname = "diorama.render_out"
    bl_label = "Render Movie"

    def work(self, scene: Any) -> None:
        first, last = scene.frame_start, scene.frame_end
        if scene.diorama_combine.render_range == "SELECTION":
            strips = selected_strips(scene)
            if not strips:
                raise BadSelection("No strip is selected in the Sequencer.", "Select strips, or render the range.")
            first, last = min(map(compat.left_handle, strips)), max(map(compat.right_handle, strips)) - 1
        path = new_movie_path(scene)
        task = {"scene": scene.name, "movie": [first, last], "name": path.name}
        tag = {"kind": KIND, "scene": scene.name, "file": results.files_opened()}
        submit_render(task, f"{path}.folder", {}, tag, path.name)


def new_movie_path(scene: Any) -> Path:
    """Folder and name, without suffix, of a movie that is not there yet: where the project renders to, if that was
    chosen, else beside the clips."""
    chosen = scene.render.filepath
    if chosen in BLENDERS_OWN or (chosen.startswith("//") and not bpy.data.filepath):
        folder, stem = preferences().clip_path(), Path(bpy.data.filepath).stem or scene.name
    else:
        whole = Path(bpy.path.abspath(chosen))
        folder, stem = (whole, scene.name) if chosen.endswith(("/", "\\")) else (whole.parent, whole.stem)
    stem = re.sub(r"[^\w-]+", "_", stem).strip("_") or "movie"
    taken = {Path(getattr(job.request, "output", "")).stem for job in runtime.queue.jobs}
    number = 1
    while (name := f"{stem}_{number:03}") in taken or any((folder / f"{name}{end}").exists() for end in SUFFIXES):
        number += 1
    return folder / name


def finish(job: Job) -> bool:
    """Takes the movie out of the folder that it was rendered in; the panel offers to open it. Raises OutputFailed."""
    assert job.result is not None
    (made,) = job.result["files"]
    folder = Path(job.result["clip"])
    movie = folder.with_name(Path(made).name)
    try:
        Path(made).rename(movie)
        folder.rmdir()
        Path(job.result["sidecar"]).unlink(missing_ok=True)
    except OSError as error:
        raise OutputFailed(f"The movie could not be moved: {error.strerror}.", f"It lies in {folder}.") from error
    scene = bpy.data.scenes.get(job.tag["scene"])
    if scene is None or job.tag["file"] != results.files_opened():
        raise BadSelection(f"The movie is ready: {movie}", "Its project is not open any more.")
    scene.diorama_combine.rendered = str(movie)
    return True


results.finishers[KIND] = finish
CLASSES = (DIORAMA_OT_render_out,)
