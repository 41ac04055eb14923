"""Runs in another Blender, started by session/background_render.py: renders what its task says into a folder.

Started as `blender --background --python background.py -- TASK.json`, or by Python itself where Blender is a module.
Stands alone: no other file of the add-on is imported here. The user's file is a copy; nothing of it is saved.

TASK.json: blend, folder, use_scripts, scene (its name), and either
    frames: scene frames, each becomes frame_0001.png ... ; engine, samples: "" and 0 = the scene's own; percentage
    still: a scene frame; becomes still.png in the scene's own look, and depth.exr with its Z
    sequence: frames of the scene's timeline; each becomes frame_0001.png ... with the settings that the scene has
    movie: first and last frame of the timeline; becomes one movie, name.*, with the scene's own output settings
"""

from __future__ import annotations

import json
import os
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

import bpy

MARK = "DIORAMA "


def say(kind: str, **facts: Any) -> None:
    """One line for the Blender that waits."""
    # On a line of its own, whatever Blender printed before.
    sys.stdout.write(f"\n{MARK}{json.dumps({'type': kind, **facts})}\n")
    sys.stdout.flush()


def end_with_parent() -> None:
    """The pipe ends when the Blender that waits has gone."""
    while sys.stdin.buffer.read(1):
        pass
    os._exit(1)


def main() -> int:
    task = json.loads(Path(sys.argv[-1]).read_text(encoding="utf-8"))
    threading.Thread(target=end_with_parent, daemon=True).start()
    say("progress", stage="scene", done=0, total=1)
    bpy.ops.wm.open_mainfile(filepath=task["blend"], load_ui=False, use_scripts=task["use_scripts"])
    scene = bpy.data.scenes.get(task["scene"])
    work = next(WORK[key] for key in WORK if key in task)
    if scene is None or (scene.camera is None and work not in OF_THE_TIMELINE):
        say("failed", message="The scene or its camera is missing in the copy of the file.", remedy="Try again.")
        return 1
    names = work(scene, Path(task["folder"]), task)
    scale = scene.render.resolution_percentage / 100
    width, height = int(scene.render.resolution_x * scale), int(scene.render.resolution_y * scale)
    count = len(task.get("frames", task.get("sequence", [0])))
    say("done", result={"names": names, "num_frames": count, "width": width, "height": height})
    return 0


def frames(scene: Any, folder: Path, task: dict[str, Any]) -> list[str]:
    """Frames as the live strip shows them."""
    _use_engine(scene, task["engine"], task["samples"])
    _write_png(scene)
    scene.render.resolution_percentage = task["percentage"]
    return _pictures(scene, folder, task["frames"])


def sequence(scene: Any, folder: Path, task: dict[str, Any]) -> list[str]:
    """Frames of the timeline; the scene was made for this, so its output is set already."""
    return _pictures(scene, folder, task["sequence"])


def movie(scene: Any, folder: Path, task: dict[str, Any]) -> list[str]:
    """A range of the timeline as the project's own settings have it; as H.264 where they make no movie."""
    render, (first, last) = scene.render, task["movie"]
    if not render.is_movie_format:
        _write_h264(render)
    scene.frame_start, scene.frame_end, scene.frame_step = first, last, 1
    render.use_sequencer, render.use_file_extension, render.filepath = True, True, str(folder / task["name"])

    def written(*_: Any) -> None:
        say("progress", stage="render", done=scene.frame_current - first + 1, total=last - first + 1)

    bpy.app.handlers.render_write.append(written)
    with bpy.context.temp_override(scene=scene):
        bpy.ops.render.render(animation=True)
    made = [path.name for path in folder.iterdir() if path.name.startswith(task["name"])]
    for name in made:  # Blender adds the range to the name
        (folder / name).rename(folder / f"{task['name']}{Path(name).suffix}")
    return [f"{task['name']}{Path(name).suffix}" for name in made]


def _pictures(scene: Any, folder: Path, wanted: list[int]) -> list[str]:
    """Renders these frames one by one; those that an earlier attempt left are kept."""
    names: list[str] = []
    for index, frame in enumerate(wanted):
        name = f"frame_{index + 1:04}.png"
        if not (folder / name).is_file():
            part = folder / "part.png"
            scene.frame_set(frame)
            scene.render.filepath = str(part)
            _render(scene, write=True)
            part.replace(folder / name)
        names.append(name)
        say("progress", stage="render", done=index + 1, total=len(wanted))
    return names


def still(scene: Any, folder: Path, task: dict[str, Any]) -> list[str]:
    """One frame with the scene's own settings, and the Z of every pixel."""
    say("progress", stage="render", done=0, total=1)
    for layer in scene.view_layers:
        layer.use_pass_z = True
    _write_png(scene)
    scene.frame_set(task["still"])
    _render(scene, write=False)
    result = bpy.data.images["Render Result"]
    result.save_render(str(folder / "still.png"), scene=scene)
    settings = scene.render.image_settings
    if hasattr(settings, "media_type"):  # from 5.0 on; goes with 4.5 LTS
        settings.media_type = "MULTI_LAYER_IMAGE"
    settings.file_format, settings.color_depth = "OPEN_EXR_MULTILAYER", "32"
    result.save_render(str(folder / "depth.exr"), scene=scene)
    say("progress", stage="render", done=1, total=1)
    return ["still.png", "depth.exr"]


def _render(scene: Any, write: bool) -> None:
    with bpy.context.temp_override(scene=scene):  # render(scene=...) would go back to the context scene's frame
        bpy.ops.render.render(write_still=write)


def _use_engine(scene: Any, engine: str, samples: int) -> None:
    if engine:
        scene.render.engine = engine
    if scene.render.engine == "BLENDER_WORKBENCH" and engine:
        scene.display.shading.light, scene.display.shading.color_type = "FLAT", "TEXTURE"
    if samples and scene.render.engine == "CYCLES":
        scene.cycles.samples = samples
    elif samples and hasattr(scene, "eevee"):
        scene.eevee.taa_render_samples = samples
    scene.render.use_persistent_data = True


def _write_png(scene: Any) -> None:
    render, settings = scene.render, scene.render.image_settings
    render.use_sequencer = render.use_border = render.use_multiview = False
    render.use_file_extension = False
    if hasattr(settings, "media_type"):  # from 5.0 on; goes with 4.5 LTS
        settings.media_type = "IMAGE"
    settings.file_format, settings.color_depth = "PNG", "8"
    settings.color_mode = "RGBA" if render.film_transparent else "RGB"
    settings.compression = 15


def _write_h264(render: Any) -> None:
    settings = render.image_settings
    if hasattr(settings, "media_type"):  # from 5.0 on; goes with 4.5 LTS
        settings.media_type = "VIDEO"
    settings.file_format = "FFMPEG"
    render.ffmpeg.format, render.ffmpeg.codec = "MPEG4", "H264"
    render.ffmpeg.constant_rate_factor, render.ffmpeg.audio_codec = "HIGH", "AAC"


WORK = {"frames": frames, "still": still, "sequence": sequence, "movie": movie}
OF_THE_TIMELINE = (sequence, movie)

if __name__ == "__main__":
    try:
        status = main()
    except Exception as error:  # the outermost door: the fault is shown whole, and told in a sentence
        traceback.print_exc()
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1].rstrip(".")
        say("failed", message=f"Blender could not render: {reason}.",
            remedy="Render one frame of that scene yourself to see what is wrong, then try again.")
        status = 1
    sys.stdout.flush()
    os._exit(status)  # a module's Blender may complain or hang at its end; everything is on the disk
