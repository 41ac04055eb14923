"""A learned fill in place of our own: an inpainting network shown one window after the other.

What a network is shown never holds what stands in front: the hole is masked, and its surroundings are the same surface.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from ..errors import BadModel, OutOfMemory

OWN_FILL = "Choose another file or folder, or none: then Diorama's own fill is used."
SIDE = 512                  # of the squares that a network is shown where it takes any size: what such nets learned on
MOST_TILES = 4              # along the longer side: a larger picture is shown in larger, reduced windows
CONTEXT = 0.5               # of a tile's side: what is shown around it


class Painter(Protocol):
    """A network that fills holes. side: of the squares that it takes. warnings: sentences, collected as it works.

    between: called before every square; may raise JobCancelled.
    """

    side: int
    warnings: list[str]
    between: Callable[[], None]

    def square(self, picture: np.ndarray, mask: np.ndarray) -> np.ndarray | None:
        """picture: (side, side, 3) uint8. mask: (side, side) bool, what to paint. -> (side, side, 3) uint8, or None
        where the network will not. Raises BadModel, OutOfMemory."""
        ...


def open_painter(path: str, between: Callable[[], None] = lambda: None) -> Painter | None:
    """path: of an .onnx file, or of a folder with an inpainting pipeline of diffusers; "" = our own fill: None.
    between: see Painter.

    Raises BadModel, WeightsMissing where the engine has no diffusers, OutOfMemory.
    """
    if not path:
        return None
    file = Path(path).expanduser()
    if file.is_dir():
        from .diffused import DiffusionPainter

        return DiffusionPainter(file, between)
    if not file.is_file():
        raise BadModel(f"There is no network for the fill at {path}.", OWN_FILL)
    return OnnxPainter(file, between)


def paint(painter: Painter, picture: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """picture: (H, W, 3) uint8. mask: (H, W) bool. -> the picture with the masked pixels painted, the others unchanged.

    The picture is cut into tiles. Each tile with a hole is shown with half of its side around it, never enlarged,
    reduced where it is larger than the network's square. Those of which most is known come first; what they got is
    known to those after them. So holes of any size are filled from their rims inwards, in at most 16 steps.
    """
    height, width = mask.shape
    tile = max(round(painter.side / (1 + 2 * CONTEXT)), -(-max(height, width) // MOST_TILES))
    places = [(top, left) for top in range(0, height, tile) for left in range(0, width, tile)]
    todo, out = mask.copy(), picture.copy()

    def around(place: tuple[int, int]) -> tuple[slice, slice]:
        more = round(CONTEXT * tile)
        rows, columns = (slice(max(start - more, 0), min(start + tile + more, size))
                         for start, size in zip(place, mask.shape, strict=True))
        return rows, columns

    while open_places := [place for place in places if todo[place[0]:place[0] + tile, place[1]:place[1] + tile].any()]:
        top, left = min(open_places, key=lambda place: float(todo[around(place)].mean()))
        window, inside = around((top, left)), np.s_[top:top + tile, left:left + tile]
        painted = _shown(painter, out[window], todo[window])
        if painted is not None:
            whole = out.copy()
            whole[window] = painted
            out[inside][todo[inside]] = whole[inside][todo[inside]]
        todo[inside] = False
    return out


def _shown(painter: Painter, picture: np.ndarray, mask: np.ndarray) -> np.ndarray | None:
    """One window of any size through the network."""
    height, width = mask.shape
    scale = min(1.0, painter.side / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    hole = cv2.resize(mask.astype(np.uint8) * 255, size, interpolation=cv2.INTER_AREA) > 0
    below, right = painter.side - size[1], painter.side - size[0]
    square = cv2.copyMakeBorder(small, 0, below, 0, right, cv2.BORDER_REFLECT)
    painter.between()
    answer = painter.square(square, np.pad(hole, ((0, below), (0, right)), mode="symmetric"))
    if answer is None:
        return None
    return cv2.resize(answer[:size[1], :size[0]], (width, height), interpolation=cv2.INTER_CUBIC)


class OnnxPainter:
    """LaMa, MI-GAN and their like: inputs `image` and `mask`, one picture out.

    In floats the image is 0..1 and the mask 1 where to paint (LaMa); in bytes they are 0..255 and the mask 255 where
    the picture is known (MI-GAN's whole pipeline).
    """

    def __init__(self, file: Path, between: Callable[[], None]) -> None:
        import onnxruntime

        self.warnings: list[str] = []
        self.between = between
        self._name = file.name
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        try:
            self._session: Any = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        except Exception as error:      # onnxruntime raises its own classes, which it does not export
            raise _failed(file.name, error, "is no network that can be loaded") from error
        inputs = {each.name: each for each in self._session.get_inputs()}
        if len(inputs) != 2 or not {"image", "mask"} <= inputs.keys() or len(inputs["image"].shape) != 4:
            raise BadModel(f"{file.name} is no network for the fill: it does not take an image and a mask.",
                           f"LaMa and MI-GAN as ONNX files do. {OWN_FILL}")
        self._bytes = inputs["image"].type == "tensor(uint8)"
        fixed = [side for side in inputs["image"].shape[2:] if isinstance(side, int)]
        self.side = min(fixed) if fixed else SIDE

    def square(self, picture: np.ndarray, mask: np.ndarray) -> np.ndarray:
        image, hole = picture.transpose(2, 0, 1)[None], mask[None, None]
        given = ({"image": np.ascontiguousarray(image), "mask": np.where(hole, 0, 255).astype(np.uint8)} if self._bytes
                 else {"image": image.astype(np.float32) / 255, "mask": hole.astype(np.float32)})
        try:
            answer = np.asarray(self._session.run(None, given)[0])
        except Exception as error:      # as above
            raise _failed(self._name, error, "could not fill this picture") from error
        if answer.shape != image.shape or not np.isfinite(answer).all():
            raise BadModel(f"{self._name} gave no picture of the size that it was shown.", OWN_FILL)
        # Floats count to 255 or to 1, as the export likes: whichever is more like what was shown.
        if answer.dtype != np.uint8 and np.abs(answer * 255 - image).mean() < np.abs(answer - image).mean():
            answer = answer * 255
        return np.rint(answer[0].transpose(1, 2, 0)).clip(0, 255).astype(np.uint8)


def _failed(name: str, error: Exception, what: str) -> BadModel | OutOfMemory:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if isinstance(error, MemoryError) or "bad_alloc" in reason or "allocate" in reason.lower():
        return OutOfMemory(f"There is not enough memory for the fill by {name}.",
                           "Close other programs, or choose none: then Diorama's own fill is used.")
    return BadModel(f"{name} {what}: {reason}", OWN_FILL)
