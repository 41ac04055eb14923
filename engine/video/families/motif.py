"""Motif-Video: image to video with a guider of its own."""

from __future__ import annotations

from typing import Any

from ..family import Ask, Family


class Motif(Family):
    """MotifVideoImage2VideoPipeline. Its guidance is a part of the pipeline, not an argument of the call."""

    name = "motif"
    pipeline = "MotifVideoImage2VideoPipeline"
    signature = ("MotifVideoTransformer3DModel",)

    def arguments(self, pipe: Any, ask: Ask) -> dict[str, Any]:
        arguments = super().arguments(pipe, ask)
        pipe.guider = pipe.guider.new(guidance_scale=arguments.pop("guidance_scale"))
        return arguments
