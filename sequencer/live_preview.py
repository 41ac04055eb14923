"""What a running job has drawn so far, as a small moving picture for a panel.

A preview is a small movie; the engine puts its frames beside it as an .npy, (F, H, W, 3) uint8, since Blender has no
way to read a movie's frames without a strip. Read by the timer when the path changes; drawing only asks for the icon.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import bpy.utils.previews
import numpy as np

PREVIEW_FPS = 8

_icons: list[bpy.utils.previews.ImagePreviewCollection] = []
_frames: dict[str, tuple[str, np.ndarray]] = {}  # job id -> path, (F, H, W, 4) float32 with rows from below


def take(job_id: str, path: str) -> None:
    """Reads a job's newest preview, where it is not read yet, and shows its frame of this moment."""
    known = _frames.get(job_id)
    if path and (known is None or known[0] != path):
        with contextlib.suppress(OSError, ValueError, EOFError):  # the engine went on and took it away meanwhile
            _frames[job_id] = path, _read(path)
    if job_id in _frames:
        frames = _frames[job_id][1]
        _show(job_id, frames[int(time.monotonic() * PREVIEW_FPS) % len(frames)])


def icon(job_id: str) -> int:
    """The icon of a job's preview; 0 without one."""
    return _icons[0][job_id].icon_id if _icons and job_id in _icons[0] else 0


def forget(keep: set[str]) -> None:
    """Drops the previews of all jobs but these."""
    for job_id in set(_frames) - keep:
        del _frames[job_id]
        if _icons and job_id in _icons[0]:
            del _icons[0][job_id]


def close() -> None:
    """For unregister."""
    _frames.clear()
    while _icons:
        bpy.utils.previews.remove(_icons.pop())


def _read(path: str) -> np.ndarray:
    plain = np.load(Path(path).with_suffix(".npy"), allow_pickle=False)
    frames = np.ones((*plain.shape[:3], 4), np.float32)
    frames[..., :3] = plain[:, ::-1].astype(np.float32) / 255
    return frames


def _show(job_id: str, frame: np.ndarray) -> None:
    if not _icons:
        _icons.append(bpy.utils.previews.new())
    shown = _icons[0][job_id] if job_id in _icons[0] else _icons[0].new(job_id)
    size = frame.shape[1], frame.shape[0]
    if tuple(shown.image_size) != size:
        shown.image_size = size
    shown.image_pixels_float.foreach_set(np.ascontiguousarray(frame).reshape(-1))
