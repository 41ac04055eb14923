"""What clips are and how they meet, as data."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import Any

from ..errors import BadRequest
from ..protocol import InspectRequest
from .finish import used_frames
from .stages import Stages


def inspect(request: InspectRequest, stages: Stages) -> dict[str, Any]:
    """See docs/protocol.md. Raises a DioramaError or JobCancelled; makes no file."""
    from ..finish.inspect import inspect as look_at
    from ..media.movie import open_clip

    if not 0 <= request.reference < len(request.parts):
        raise BadRequest("There is no clip of that number to compare with.", "Choose one of the clips, from 0 on.")
    with ExitStack() as stack:
        with stages.stage("load"):
            sources = [stack.enter_context(closing(open_clip(part.path))) for part in request.parts]
            used = [used_frames(part, source) for part, source in zip(request.parts, sources, strict=True)]
        with stages.stage("measure"):
            found = look_at(used, request.reference, lambda done, total: stages.step("measure", done, total))
        clips = [
            {
                "path": source.path,
                "num_frames": frames.num_frames,
                "fps": [source.fps.numerator, source.fps.denominator] if source.fps else None,
                "width": source.width,
                "height": source.height,
                "sound": source.sound,
            }
            | facts
            for source, frames, facts in zip(sources, used, found["clips"], strict=True)
        ]
        warnings = [warning for source in sources for warning in source.warnings]
    return found | {"clips": clips, "warnings": warnings, "seconds": stages.seconds}
