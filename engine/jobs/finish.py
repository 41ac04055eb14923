"""Clips become one clip: each part's steps, the join, the steps of the whole."""

from __future__ import annotations

import dataclasses
from contextlib import ExitStack, closing
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BadRequest
from ..protocol import FADES, ClipPart, FinishRequest
from .checks import check_clip, check_count, check_names, check_size
from .stages import Stages, record

if TYPE_CHECKING:
    from ..finish.frames import Frames
    from ..media.movie import Source

OTHER_TIME = {"retime", "reverse", "ping_pong", "loop", "freeze_in", "freeze_out"}     # sound would not fit any more


def finish(job_id: str, request: FinishRequest, stages: Stages) -> dict[str, Any]:
    """Makes the clip. Raises a DioramaError or JobCancelled; nothing with its name is left behind then."""
    from ..finish import steps
    from ..finish.order import joined
    from ..media.clip import ClipWriter
    from ..media.movie import open_clip

    check_request(request)
    clip = request.output.rstrip("/\\")
    with ExitStack() as stack:
        sources: list[Source] = []

        def open_source(path: str) -> Source:
            source = open_clip(path)
            stack.enter_context(closing(source))
            sources.append(source)
            return source

        with stages.stage("load"):
            parts = [(part, open_source(part.path)) for part in request.parts]
            used = [used_frames(part, source) for part, source in parts]
        warnings: list[str] = []
        told: list[dict[str, Any]] = []
        with stages.stage("measure"):
            made: list[Frames] = []
            bench = steps.Bench(
                request.frame_rate,
                lambda done, total: stages.step("measure", done, total),
                stages.check,
                lambda path: all_frames(open_source(path)),
                warnings,
            )
            for (part, source), frames in zip(parts, used, strict=True):
                frames = of_size(frames, request.width or used[0].width, request.height or used[0].height)
                bench.own_fps, bench.previous = source.fps, made[-1] if made else None
                frames, facts = steps.apply(part.steps, frames, bench)
                made.append(frames)
                told += facts
            width, height = made[0].width, made[0].height
            whole, joins = joined(
                [of_size(frames, width, height) for frames in made], [part.overlap for part in request.parts],
                request.fade,
            )
            bench.own_fps, bench.previous = parts[0][1].fps if len(parts) == 1 else None, None
            whole, facts = steps.apply(request.steps, whole, bench)
            told += facts
            check_length(whole)
        sound, note = sound_of(request, parts[0][1], used[0], whole.num_frames)
        warnings += [note] if note else []
        with ClipWriter(
            request.output, request.clip_format, whole.width, whole.height, request.frame_rate, sound=sound
        ) as writer:
            with stages.stage("finish"):
                for index in range(whole.num_frames):
                    writer.write(whole.frame(index))
                    stages.step("finish", index + 1, whole.num_frames)
            with stages.stage("write"):
                files = writer.commit()
        warnings += [warning for source in sources for warning in source.warnings]
    return record(
        job_id,
        clip + ".json",
        {
            "clip": clip,
            "files": files,
            "num_frames": whole.num_frames,
            "fps": list(request.fps),
            "width": whole.width,
            "height": whole.height,
            "rect": [0, 0, whole.width, whole.height],
            "still_size": [whole.width, whole.height],
            "depth_label": "",
            "depth_preview": "",
            "sound": bool(sound),
            "joins": joins,
            "steps": told,
            "settings": dataclasses.asdict(request),
            "warnings": list(dict.fromkeys(warnings)),
            "seconds": stages.seconds,
        },
    )


def check_request(request: FinishRequest) -> None:
    """Raises BadRequest for values that no job can work with."""
    from ..finish import steps

    if not request.parts:
        raise BadRequest("No clip was given.", "Choose at least one clip.")
    check_clip(request)
    check_names((request.fade, FADES, "fade"))
    if request.parts[0].overlap:
        raise BadRequest("The first clip has nothing to overlap with.", "Set its overlap to 0.")
    for part in request.parts:
        if min(part.first, part.count, part.overlap) < 0:
            raise BadRequest("A part of a clip begins or ends outside it.", "Choose frames from 0 on.")
        steps.check(part.steps)
    steps.check(request.steps)


def check_length(frames: Frames) -> None:
    """Raises BadRequest for what no clip can have."""
    check_count(frames.num_frames)
    check_size(frames.width, frames.height)


def all_frames(source: Source) -> Frames:
    from ..finish.frames import Frames

    return Frames(source.num_frames, source.width, source.height, source.frame)


def used_frames(part: ClipPart, source: Source) -> Frames:
    """The frames that a part names. Raises BadRequest where the clip has not so many."""
    frames = all_frames(source)
    if source.num_frames == 1 and source.fps is None:
        return frames.in_order([0] * max(part.count, 1))
    end = part.first + part.count if part.count else source.num_frames
    if part.first >= source.num_frames or end > source.num_frames:
        raise BadRequest(f"'{Path(source.path).name}' has {source.num_frames} frames, not {max(end, part.first + 1)}.",
                         "Use frames that the clip has.")
    return frames.in_order(range(part.first, end))


def of_size(frames: Frames, width: int, height: int) -> Frames:
    from ..finish.frames import Frames, fitted

    if (frames.width, frames.height) == (width, height):
        return frames
    return Frames(frames.num_frames, width, height, lambda index: fitted(frames.frame(index), width, height))


def sound_of(request: FinishRequest, source: Source, used: Frames, num_frames: int) -> tuple[str, str]:
    """The movie whose sound the clip carries, or "", and what is to be said where one is left out."""
    from ..media.encode import takes_sound

    if not source.sound or len(request.parts) > 1 or source.fps is None:
        return "", "The clip is silent: sound is kept for a single clip only." if source.sound else ""
    names = {step.name for steps in (request.steps, *(part.steps for part in request.parts)) for step in steps}
    late = abs(Fraction(num_frames) / request.frame_rate - Fraction(source.num_frames) / source.fps)
    if used.num_frames < source.num_frames or names & OTHER_TIME or late > 1 / request.frame_rate:
        return "", "The clip is silent: its sound would not fit its new length."
    if not takes_sound(request.clip_format, source.path):
        return "", "The clip is silent: its format cannot hold the sound as it is."
    return source.path, ""
