"""A small clip of what there is so far, without a further network: colours as a linear map of the latents.

The map is fitted by least squares on the still itself: its latent, as the pipeline encoded it, beside its pixels.
What the clip will be is guessed from two steps: both lie on a line through it, as far as the sampler goes straight.
"""

# torch and diffusers belong to the full engine; types are checked in the light one.
# pyright: reportMissingImports=false

from __future__ import annotations

import shutil
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from engine.video.family import Ask, Family
from engine.video.latents import Encoded, level

if TYPE_CHECKING:
    import torch

LONGEST = 192               # pixels of the preview's longer side
SHARE = 0.02                # of the time that it may take
FIRST_AFTER = 2.0           # seconds of drawing
RIDGE = 1e-3


class Preview:
    """One for a job. path: of the newest preview, or ""; the file goes with close()."""

    def __init__(self) -> None:
        self.path = ""
        self._folder = Path(tempfile.mkdtemp(prefix="diorama-preview-"))
        self._count = 0

    def close(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def begin(self, pipe: Any, family: Family, ask: Ask, seen: Encoded) -> None:
        self._pipe, self._family, self._ask, self._seen = pipe, family, ask, seen
        self._map: torch.Tensor | None = None
        self._before: tuple[torch.Tensor, float] | None = None
        self._rested, self._cost = time.perf_counter(), 0.0

    def end(self) -> None:
        del self._pipe, self._map, self._before, self._seen

    def after_step(self, step: int, latents: torch.Tensor) -> None:
        """Makes a new preview where enough time has gone by."""
        now = time.perf_counter()
        clip = self._family.latents(self._pipe, self._ask, latents)
        if clip is None or self._seen.latent is None or clip.shape[0] != self._seen.latent.shape[0]:
            return
        a, b = level(self._pipe.scheduler, step)
        scaled, noise = clip.detach().float() / max(a, 1e-3), b / max(a, 1e-3)
        before, self._before = self._before if step else None, (scaled, noise)
        if before is None or now - self._rested < max(FIRST_AFTER, self._cost / SHARE):
            return
        slope = (scaled - before[0]) / (noise - before[1]) if noise != before[1] else 0.0
        self._write(scaled - noise * slope)
        self._rested = time.perf_counter()
        self._cost = self._rested - now

    def _write(self, clean: torch.Tensor) -> None:
        from engine.media.clip import ClipWriter

        if self._map is None:
            self._map = colour_map(self._seen)
        pictures = coloured(clean, self._map)
        height, width = pictures.shape[1:3]
        scale = max(1.0, LONGEST / max(height, width))
        size = (max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2))
        self._count += 1
        path = self._folder / f"preview_{self._count:03d}.mp4"
        seconds = self._ask.num_frames / self._ask.fps
        fps = max(Fraction(1), Fraction(len(pictures) / seconds).limit_denominator(100))
        shown = np.stack([cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC) for picture in pictures])
        np.save(path.with_suffix(".npy"), shown)  # Blender's panel plays these: it cannot read a movie frame by frame
        with ClipWriter(str(path), "h264", *size, fps) as writer:
            for picture in shown:
                writer.write(picture)
            writer.commit()
        for old in self._folder.glob(f"preview_{self._count - 1:03d}.*"):
            old.unlink()
        self.path = str(path)


def colour_map(seen: Encoded) -> torch.Tensor:
    """(C + 1, 3): channels of a latent, and one -> colours, -1..1."""
    import torch
    from torch.nn.functional import interpolate

    assert seen.pixels is not None and seen.latent is not None
    channels = seen.latent.shape[0]
    small = interpolate(seen.pixels[None], size=seen.latent.shape[1:], mode="area")[0]
    x = torch.cat([seen.latent.reshape(channels, -1), torch.ones_like(seen.latent[:1]).reshape(1, -1)]).T.double().cpu()
    y = small.reshape(3, -1).T.double().cpu()
    ridge = RIDGE * len(x) * torch.eye(channels + 1, dtype=torch.float64)
    ridge[-1, -1] = 1e-9        # the mean itself is not held back
    return torch.linalg.solve(x.T @ x + ridge, x.T @ y).float()


def coloured(latents: torch.Tensor, to_colours: torch.Tensor) -> np.ndarray:
    """(C, F, h, w) -> (F, h, w, 3) uint8."""
    to_colours = to_colours.to(latents.device)
    values = latents.permute(1, 2, 3, 0).float() @ to_colours[:-1] + to_colours[-1]
    return ((values + 1) * 127.5).round().clamp(0, 255).byte().cpu().numpy()
