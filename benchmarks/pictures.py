"""The stills that are measured on: photographs out of the scikit-image wheel, cut, enlarged or laid side by side.

    python benchmarks/pictures.py still  WxH OUT.png    the demo's photograph, cut to that aspect and enlarged
    python benchmarks/pictures.py mosaic WxH OUT.jpg    all of them as tiles, at their own size: detail everywhere

Runs in .venvs/eval, which holds the wheel; nothing of scikit-image is imported.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
from PIL import Image

# CC0, or in the public domain, by the wheel's own account; the last ones are textures and a mosaic's filling.
PHOTOS = ("astronaut.png", "camera.png", "chelsea.png", "coffee.png", "rocket.jpg", "coins.png", "moon.png",
          "hubble_deep_field.jpg", "brick.png", "grass.png", "gravel.png")


def folder() -> Path:
    """Where the wheel's photographs lie."""
    found = importlib.util.find_spec("skimage")
    if not (found and found.submodule_search_locations):
        raise SystemExit("The photographs are not there: `dev.py bench` makes .venvs/eval, which has them.")
    return Path(found.submodule_search_locations[0]) / "data"


def photo(name: str) -> np.ndarray:
    """(H, W, 3) uint8."""
    with Image.open(folder() / name) as opened:
        return np.asarray(opened.convert("RGB"))


def still(width: int, height: int) -> np.ndarray:
    """(height, width, 3) uint8: a cup on a table, the largest centred part of that aspect, enlarged."""
    picture = Image.fromarray(photo("coffee.png"))
    scale = min(picture.width / width, picture.height / height)
    left, top = (picture.width - width * scale) / 2, (picture.height - height * scale) / 2
    box = (left, top, left + width * scale, top + height * scale)
    return np.asarray(picture.resize((width, height), Image.Resampling.LANCZOS, box))


def mosaic(width: int, height: int) -> np.ndarray:
    """(height, width, 3) uint8: tiles of all photographs, every second round mirrored."""
    out = np.zeros((height, width, 3), np.uint8)
    side, number = 384, 0
    for top in range(0, height, side):
        for left in range(0, width, side):
            tile = photo(PHOTOS[number % len(PHOTOS)])
            tile = np.asarray(Image.fromarray(tile).resize((side, side))) if min(tile.shape[:2]) < side else tile
            tile = tile[:side, :side][:, ::-1 if number // len(PHOTOS) % 2 else 1]
            part = out[top:top + side, left:left + side]
            part[:] = tile[:part.shape[0], :part.shape[1]]
            number += 1
    return out


if __name__ == "__main__":
    wide, tall = (int(side) for side in sys.argv[2].split("x"))
    made = {"still": still, "mosaic": mosaic}[sys.argv[1]](wide, tall)
    Image.fromarray(made).save(sys.argv[3], quality=95)
