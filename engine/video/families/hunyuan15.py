"""HunyuanVideo 1.5, image to video."""

from __future__ import annotations

from typing import Any

from ..family import Ask, Family


class HunyuanVideo15(Family):
    """HunyuanVideo15ImageToVideoPipeline. Its guidance is a part of the pipeline, and it has no callback.

    It takes no size: it chooses one of its own in the still's aspect, near target_size squared, and crops. Its choice
    can miss the still's own size by rounding, so that what was solved before is put in its place.
    """

    name = "hunyuan15"
    pipeline = "HunyuanVideo15ImageToVideoPipeline"
    signature = ("HunyuanVideo15Transformer3DModel",)
    callback = False

    def recognises(self, index: dict[str, str], config: dict[str, Any]) -> bool:
        """The same transformer makes video from text alone, and then has no image encoder."""
        return super().recognises(index, config) and bool(index.get("image_encoder"))

    def arguments(self, pipe: Any, ask: Ask) -> dict[str, Any]:
        pipe.guider = pipe.guider.new(guidance_scale=ask.guidance_scale)
        pipe.video_processor.calculate_default_height_width = lambda **_: (ask.height, ask.width)
        arguments = super().arguments(pipe, ask)
        for absent in ("width", "height", "guidance_scale"):
            del arguments[absent]
        return arguments
