"""Finds clips that were finished although nobody was told: the engine writes a sidecar beside every whole clip.

The sidecar of CLIP is CLIP.json: the result of its job (see docs/protocol.md), which names the "job_id" and the
"clip". It is written after the clip has its final name, so a readable sidecar means a whole clip.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

LARGEST_SIDECAR = 32 << 20  # bytes; it names every file of a long sequence, but nothing larger is ours


def finished_result(output: str, job_id: str) -> dict[str, Any] | None:
    """The result of this job if its clip is finished at `output`, else None. Reads the disk: not on the main thread."""
    found = _read_sidecar(Path(output.rstrip("/\\") + ".json"))
    return found[1] if found and found[0] == job_id else None


def finished_clips(folder: str) -> dict[str, dict[str, Any]]:
    """Job id -> result, for every finished clip in a folder. Reads the disk: not on the main thread."""
    try:
        sidecars = sorted(Path(folder).glob("*.json"))
    except OSError:
        return {}
    return dict(found for sidecar in sidecars if (found := _read_sidecar(sidecar)))


def _read_sidecar(path: Path) -> tuple[str, dict[str, Any]] | None:
    """(job id, result), or None for what is no sidecar or whose clip is gone: other programs write JSON too."""
    try:
        if path.stat().st_size > LARGEST_SIDECAR:
            return None
        plain = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(plain, dict):
        return None
    sidecar = cast("dict[str, Any]", plain)
    job_id, clip = sidecar.get("job_id"), sidecar.get("clip", sidecar.get("folder"))
    if not isinstance(job_id, str) or not isinstance(clip, str) or not Path(clip).exists():
        return None
    return job_id, sidecar
