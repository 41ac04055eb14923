"""FramePack: HunyuanVideo made section by section, with a memory of what was made before."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..family import Ask, Family, FrameRule

WINDOW = 9                      # latent frames of a section, as both checkpoints were trained
SECTION = WINDOW * 4            # frames that a section adds
ASKED = (WINDOW - 1) * 4 + 1    # frames that the pipeline counts for a section


class FramePack(Family):
    """HunyuanVideoFramepackPipeline. The guidance was given in training, so that a negative prompt has no use.

    Whole sections only, and each takes all steps. The option sampling_type must be the checkpoint's own:
    inverted_anti_drifting (the default) goes from the end to the still, so it can take a last picture; vanilla (F1)
    goes forward and cannot: its entry does not offer one.
    """

    name = "framepack"
    pipeline = "HunyuanVideoFramepackPipeline"
    signature = ("HunyuanVideoFramepackTransformer3DModel",)

    def frame_rule(self, config: dict[str, Any], catalog: FrameRule) -> FrameRule:
        return replace(catalog, multiple=SECTION, extra=1, least=SECTION + 1)

    def num_steps(self, ask: Ask) -> int:
        return _sections(ask) * ask.num_inference_steps

    def arguments(self, pipe: Any, ask: Ask) -> dict[str, Any]:
        arguments = super().arguments(pipe, ask) | {
            "num_frames": _sections(ask) * ASKED,
            "latent_window_size": WINDOW,
            "sampling_type": ask.options.get("sampling_type", "inverted_anti_drifting"),
        }
        del arguments["negative_prompt"]
        return arguments | ({"last_image": ask.last_image} if ask.last_image else {})


def _sections(ask: Ask) -> int:
    return (ask.num_frames - 1) // SECTION
