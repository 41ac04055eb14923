"""Runs in another Blender, started by session/background_render.py: renders what its task says into a folder.

Started as `blender --background --python background.py -- TASK.json`, or by Python itself where Blender is a module.
Stands alone: no other file of the add-on is imported here. The user's file is a copy; nothing of it is saved.

TASK.json: blend, folder, use_scripts, scene (its name), and either
    frames: scene frames, each becomes frame_0001.png ... ; engine, samples: "" and 0 = the scene's own
    still: a scene frame; becomes still.png in the scene's own look, and depth.exr with its Z
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
    if scene is None or scene.camera is None:
        say("failed", message="The scene or its camera is missing in the copy of the file.", remedy="Try again.")
        return 1
    folder = Path(task["folder"])
    names = still(scene, folder, task) if "still" in task else frames(scene, folder, task)
    scale = scene.render.resolution_percentage / 100
    width, height = int(scene.render.resolution_x * scale), int(scene.render.resolution_y * scale)
    say("done", result={"names": names, "num_frames": len(task.get("frames", [0])), "width": width, "height": height})
    return 0


def frames(scene: Any, folder: Path, task: dict[str, Any]) -> list[str]:
    """Frames as the live strip shows them; those that an earlier attempt left are kept."""
    _use_engine(scene, task["engine"], task["samples"])
    _write_png(scene)
    names: list[str] = []
    for index, frame in enumerate(task["frames"]):
        name = f"frame_{index + 1:04}.png"
        if not (folder / name).is_file():
            part = folder / "part.png"
            scene.frame_set(frame)
            scene.render.filepath = str(part)
            _render(scene, write=True)
            part.replace(folder / name)
        names.append(name)
        say("progress", stage="render", done=index + 1, total=len(task["frames"]))
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
