"""Runs in the engine's Python: eight frames of a film beside the depth picture, as one PNG."""

from __future__ import annotations

import sys
from pathlib import Path

import av
import numpy as np
from PIL import Image

FRAMES, COLUMNS = 8, 4
WIDTH, HEIGHT, GAP = 480, 270, 6


def main(film: str, depth: str, out: Path) -> None:
    """film: path of the movie. depth: path of the grey picture. out: the PNG to write."""
    with av.open(film) as container:
        frames = [frame.to_image() for frame in container.decode(video=0)]
    chosen = [frames[round(index * (len(frames) - 1) / (FRAMES - 1))] for index in range(FRAMES)]
    rows = FRAMES // COLUMNS
    tall = rows * (HEIGHT + GAP) - GAP
    wide = COLUMNS * (WIDTH + GAP)
    with Image.open(depth) as picture:      # 16 bits, which Pillow would cut off instead of scaling
        grey = Image.fromarray((np.asarray(picture) // 257).astype(np.uint8)).convert("RGB")
    grey.thumbnail((WIDTH * rows, tall))
    sheet = Image.new("RGB", (wide + grey.width, tall), (24, 24, 24))
    for index, frame in enumerate(chosen):
        place = (index % COLUMNS * (WIDTH + GAP), index // COLUMNS * (HEIGHT + GAP))
        sheet.paste(frame.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS), place)
    sheet.paste(grey, (wide, (tall - grey.height) // 2))
    sheet.save(out)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
