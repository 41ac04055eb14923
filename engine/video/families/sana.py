"""SANA-Video: image to video."""

from __future__ import annotations

from typing import Any

from ..family import Ask, Family

USUAL_SCORE, MOST_SCORE = 30, 60  # of motion: what the authors write at a prompt's end, and twice that


class Sana(Family):
    """SanaImageToVideoPipeline. How much is to move stands at the end of the prompt: so the model was trained."""

    name = "sana"
    pipeline = "SanaImageToVideoPipeline"
    signature = ("SanaVideoTransformer3DModel",)

    def arguments(self, pipe: Any, ask: Ask) -> dict[str, Any]:
        arguments = super().arguments(pipe, ask)
        score = USUAL_SCORE if ask.motion is None else round(MOST_SCORE * ask.motion)
        # With binning, the picture would be stretched to one of the trained aspects.
        return arguments | {
            "prompt": f"{ask.prompt} motion score: {score}.",
            "frames": arguments.pop("num_frames"),
            "use_resolution_binning": False,
        }
