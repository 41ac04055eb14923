"""SANA-WM: image to video along a camera path."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.camera import Intrinsics

from ..family import Ask, Family

LATENT = 32  # pixels


class SanaWm(Family):
    """SanaWMPipeline. Without a path its camera stands still: it cannot do without one.

    Its pixels are counted from the picture's edge, ours from the centre of the first one.
    """

    name = "sana_wm"
    pipeline = "SanaWMPipeline"
    signature = ("SanaWMTransformer3DModel",)

    def only_size(self, config: dict[str, Any]) -> tuple[int, int] | None:
        """As many lines as it was trained for, 16 to 9, in whole latents: 1280 x 704 of 720 lines."""
        lines = config.get("image_size", 720)
        return lines * 16 // 9 // LATENT * LATENT, lines // LATENT * LATENT

    def arguments(self, pipe: Any, ask: Ask) -> dict[str, Any]:
        poses, lenses = ask.cam2world, ask.intrinsics
        if poses is None or lenses is None:
            lens = Intrinsics.from_size(ask.width, ask.height)
            poses = np.tile(np.eye(4), (ask.num_frames, 1, 1))
            lenses = np.tile([lens.fx, lens.fy, lens.cx, lens.cy], (ask.num_frames, 1))
        return super().arguments(pipe, ask) | {"c2w": poses, "intrinsics": lenses + np.array([0, 0, 0.5, 0.5])}

    def frames(self, output: Any) -> np.ndarray:
        return np.asarray(output.frames, np.float32)  # no batch
