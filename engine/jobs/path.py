"""A layered still and a camera for each frame become a clip, and the passes beside it."""

from __future__ import annotations

import dataclasses
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ..camera import View
from ..errors import BadRequest
from ..protocol import MAX_PATH_FRAMES, PASSES, PathRequest
from .checks import check_clip, check_count
from .stages import Stages, record


def path(job_id: str, request: PathRequest, stages: Stages) -> dict[str, Any]:
    """Makes the clips. Raises a DioramaError or JobCancelled; nothing with their names is left behind then."""
    from ..layers import LayeredStill
    from ..media.clip import ClipWriter
    from ..render.passes import make_passes

    with stages.stage("path"):
        views = views_of(request)
    with stages.stage("load"):
        layered = LayeredStill.load(request.folder)
    with ExitStack() as stack:
        with stages.stage("layers"):
            passes = make_passes(layered, request.passes)
            outputs = [pass_path(request.output, part.name, part.deep) for part in passes]
            writers = [
                stack.enter_context(
                    ClipWriter(
                        output,
                        "png" if part.deep else request.clip_format,
                        request.width,
                        request.height,
                        request.frame_rate,
                        part.deep,
                    )
                )
                for part, output in zip(passes, outputs, strict=True)
            ]
        with stages.stage("render"):
            for index, view in enumerate(views):
                for part, writer in zip(passes, writers, strict=True):
                    writer.write(part.frame(view))
                stages.step("render", index + 1, len(views))
        with stages.stage("write"):
            files = [writer.commit() for writer in writers]
    clips = [output.rstrip("/\\") for output in outputs]
    settings = dataclasses.asdict(request)
    del settings["views"]  # the scene keeps its camera; thousands of numbers would help nobody here
    return record(
        job_id,
        clips[0] + ".json",
        {
            "clip": clips[0],
            "files": files[0],
            "passes": [
                {"name": part.name, "label": part.label, "clip": clip, "files": written}
                for part, clip, written in zip(passes, clips, files, strict=True)
            ],
            "num_frames": len(views),
            "fps": list(request.fps),
            "width": request.width,
            "height": request.height,
            "rect": [0, 0, request.width, request.height],
            "still_size": [request.width, request.height],
            "depth_label": "",
            "depth_preview": "",
            "settings": settings,
            "warnings": [],
            "seconds": stages.seconds,
        },
    )


def pass_path(output: str, name: str, deep: bool) -> str:
    """Where a pass goes: beside the clip, under its name with the pass's own at its end; "colour" is the clip.

    deep: always a PNG sequence, which is what every Blender's Sequencer reads in 16 bits.
    """
    if name == "colour":
        return output
    plain = Path(output.rstrip("/\\"))
    return str(plain.with_name(f"{plain.stem}_{name}{'' if deep else plain.suffix}"))


def views_of(request: PathRequest) -> list[View]:
    """One camera a frame. Raises BadRequest for what is no camera, and for anything else that no clip can have."""
    check_count(len(request.views), most=MAX_PATH_FRAMES)
    check_clip(request, least_side=1)
    if not request.passes or not set(request.passes) <= set(PASSES):
        raise BadRequest("A pass is asked for that does not exist, or none.", f"Choose of: {', '.join(PASSES)}.")
    return [View.read(numbers, request.width, request.height, index) for index, numbers in enumerate(request.views)]
