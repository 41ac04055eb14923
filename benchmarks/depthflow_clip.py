"""One clip by DepthFlow, in its own environment and without a window: its own orbital preset, H.264 by x264.

    python benchmarks/depthflow_clip.py STILL DEPTH.png WIDTH HEIGHT FPS FRAMES OUT.mp4
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import imageio_ffmpeg  # pyright: ignore[reportMissingImports]
import numpy as np
from PIL import Image


def main(still: str, depth: str, width: int, height: int, fps: int, frames: int, out: str) -> None:
    """depth: 8-bit grey, near = bright, the size of the still. DepthFlow looks for a program `ffmpeg` on PATH."""
    os.environ |= {"SHADERFLOW_BACKEND": "headless", "LIBGL_ALWAYS_SOFTWARE": "1"}
    os.environ.pop("DISPLAY", None)
    from depthflow.examples.presets import Orbital  # pyright: ignore[reportMissingImports]

    with tempfile.TemporaryDirectory() as programs:
        (Path(programs) / "ffmpeg").symlink_to(imageio_ffmpeg.get_ffmpeg_exe())
        os.environ["PATH"] = f"{programs}{os.pathsep}{os.environ['PATH']}"
        scene = Orbital(backend="headless")
        with Image.open(still) as picture, Image.open(depth) as nearness:
            scene.input(image=np.asarray(picture.convert("RGB")), depth=np.asarray(nearness.convert("L"))[..., None])
        scene.ffmpeg.h264(preset="veryfast", crf=18)
        scene.main(output=out, fps=fps, time=frames / fps, width=width, height=height, ssaa=1, quality=50)


if __name__ == "__main__":
    wide, tall, rate, count = (int(value) for value in sys.argv[3:7])
    main(sys.argv[1], sys.argv[2], wide, tall, rate, count, sys.argv[7])
