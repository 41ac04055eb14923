"""The real engine, whose image-to-video model counts: frame n shows a bar at the n-th place. A last image shows too."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import engine.jobs
from engine.protocol import GenerateRequest
from engine.server import serve

WIDTH, HEIGHT, BARS = 320, 180, 16
real = engine.jobs.run_job
Report = Callable[[str, int, int], None]


def run_job(job_id: str, request: Any, report: Report, cancelled: Callable[[], bool]) -> dict[str, Any]:
    if not isinstance(request, GenerateRequest):
        return real(job_id, request, report, cancelled)
    folder = Path(request.output)
    folder.mkdir(parents=True)
    files = [folder / f"frame_{number + 1:04}.png" for number in range(request.num_frames)]
    for number, file in enumerate(files):
        picture = np.full((HEIGHT, WIDTH, 3), 40, np.uint8)
        left = number * WIDTH // BARS
        picture[:, left : left + WIDTH // BARS] = 220
        Image.fromarray(picture).save(file)
    return {
        "clip": str(folder), "files": [str(file) for file in files], "num_frames": request.num_frames,
        "fps": list(request.fps), "width": WIDTH, "height": HEIGHT, "rect": [0, 0, WIDTH, HEIGHT],
        "still_size": [WIDTH, HEIGHT], "model": "counting", "seed": 1, "settings": {"generate": {}}, "warnings": [],
    }  # fmt: skip


engine.jobs.run_job = run_job
sys.exit(serve())
