"""Wan VACE: stills anywhere in the clip, masks, and a control video."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..family import Ask
from .wan import Wan

if TYPE_CHECKING:
    from PIL import Image

UNKNOWN = (128, 128, 128)  # what VACE was trained to find where it must invent


class Vace(Wan):
    """WanVACEPipeline, 2.1 with one transformer or 2.2 with two experts.

    It takes a clip and a mask, black = kept, white = invented. Without a control video the clip is the still, then
    nothing, then perhaps the last still; with one, it is that video with grey where its mask is white.
    """

    name = "vace"
    pipeline = "WanVACEPipeline"
    signature = ("WanVACETransformer3DModel",)

    def controls(self, pipe_config: dict[str, Any], config: dict[str, Any], catalog: frozenset[str]) -> frozenset[str]:
        return catalog

    def arguments(self, pipe: Any, ask: Ask) -> dict[str, Any]:
        arguments = super().arguments(pipe, ask)
        for absent in ("image", "last_image"):
            arguments.pop(absent, None)
        video, mask = _condition(ask)
        return arguments | {"video": video, "mask": mask}


def _condition(ask: Ask) -> tuple[list[Image.Image], list[Image.Image]]:
    """The clip that conditions, and its mask; num_frames pictures each."""
    from PIL import Image

    size, count = (ask.width, ask.height), ask.num_frames
    unknown, kept, invented = Image.new("RGB", size, UNKNOWN), Image.new("L", size, 0), Image.new("L", size, 255)
    video = list(ask.control_video) or [ask.image, *[unknown] * (count - 1)]
    mask = [part.convert("L") for part in ask.control_mask] or [kept, *[invented] * (count - 1)]
    known = dict(enumerate(ask.previous))
    if ask.last_image:
        known[count - 1] = ask.last_image
    for index, picture in known.items():
        video[index], mask[index] = picture, kept
    return [Image.composite(unknown, frame, part) for frame, part in zip(video, mask, strict=True)], mask
