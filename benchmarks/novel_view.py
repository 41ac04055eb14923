"""Times the layered still and its frames, as the engine's own process would: wall and CPU seconds, peak memory.

    .venvs/engine/bin/python benchmarks/novel_view.py PHOTO [--disparity D.npy] [--size 1920x1080] [--out-size WxH]
                                                      [--frames 48] [--h264 FILE.mp4]

Quality is scored by `shared/eval/novel_view.py --project . --python .venvs/engine/bin/python --rest`, which calls the
`render-view` command. Without --disparity the depth is a plane that comes nearer downwards, with a disc before it.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from engine.camera.intrinsics import Intrinsics, View
from engine.layers import build_layered_still
from engine.render import Rasteriser


def made_up_disparity(height: int, width: int) -> np.ndarray:
    """(H, W) float32: a sloping ground with a disc before it."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    ground = 0.1 + 0.2 * y / height
    disc = np.hypot(x - width / 2, y - height / 2) < 0.3 * min(width, height)
    return np.where(disc, 0.5, ground).astype(np.float32)


def size(text: str) -> tuple[int, int]:
    width, height = text.split("x")
    return int(width), int(height)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo")
    parser.add_argument("--disparity")
    parser.add_argument("--size", type=size, default=(1920, 1080))
    parser.add_argument("--out-size", type=size)
    parser.add_argument("--frames", type=int, default=48)
    parser.add_argument("--h264", help="also encode, and count that")
    parser.add_argument("--threads", type=int)
    options = parser.parse_args()
    width, height = options.size
    photo = cv2.imread(options.photo)
    if photo is None:
        raise SystemExit(f"{options.photo} is no picture.")
    rgb = cv2.cvtColor(cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB)
    near = np.load(options.disparity).astype(np.float32) if options.disparity else made_up_disparity(height, width)
    camera = Intrinsics.from_size(width, height)
    clock, used = time.perf_counter(), time.process_time()
    still = build_layered_still(rgb, near, camera)
    wall, cpu = time.perf_counter() - clock, time.process_time() - used
    print(f"layered still {width}x{height}: {wall:.2f} s wall, {cpu:.2f} s CPU, "
          f"{len(still.layers)} layers, {sum(len(layer.vertices) for layer in still.layers)} vertices")
    out_width, out_height = options.out_size or options.size
    camera = camera.resized(out_width / width, out_height / height)
    rasteriser = Rasteriser(still, options.threads)
    step = 0.03 * out_width / camera.fx / float(np.quantile(near, 0.98)) / options.frames    # the nearest moves 3 %
    rasteriser.frame(View(np.eye(4), camera, out_width, out_height))
    uncovered = 0
    clock, used = time.perf_counter(), time.process_time()
    writer = _writer(options.h264, out_width, out_height)
    for number in range(options.frames):
        pose = np.eye(4)
        pose[0, 3], pose[2, 3] = -step * number, -step * number
        frame, missing = rasteriser.draw(View(pose, camera, out_width, out_height))
        uncovered += int(np.count_nonzero(missing))
        writer(frame)
    writer(None)
    wall, cpu = (time.perf_counter() - clock) / options.frames, (time.process_time() - used) / options.frames
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 ** 2
    print(f"frames {out_width}x{out_height}{' with H.264' if options.h264 else ''}: {wall:.3f} s wall, {cpu:.3f} s CPU "
          f"each; uncovered pixels in all: {uncovered}; peak memory {peak:.2f} GiB")
    return 0


def _writer(path: str | None, width: int, height: int):
    """Encodes frames with the engine's own clip writer; None ends the clip."""
    if path is None:
        return lambda _: None
    from fractions import Fraction

    from engine.media.clip import ClipWriter

    clip = ClipWriter(path, "h264", width, height, Fraction(24))
    clip.__enter__()

    def write(frame: np.ndarray | None) -> None:
        if frame is not None:
            clip.write(frame)
        else:
            clip.commit()
            clip.__exit__(None, None, None)

    return write


if __name__ == "__main__":
    sys.exit(main())
