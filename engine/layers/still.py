"""The layered still: what the rasteriser draws and Blender's rig loads. See docs/layered-still.md."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..camera.intrinsics import Intrinsics
from ..errors import BadStill, OutputFailed

FORMAT_VERSION = 1


@dataclass
class Layer:
    """One surface: a colour texture with straight alpha on a mesh.

    rgba: (h, w, 4) uint8, sRGB, straight alpha. vertices: (N, 3) float32, camera space, OpenCV axes.
    faces: (M, 3) int32, corners of triangles. uv: (N, 2) float32, 0..1 from edge to edge of the texture, u to the
    right, v upwards (as in Blender and OpenGL).
    """

    name: str
    rgba: np.ndarray
    vertices: np.ndarray
    faces: np.ndarray
    uv: np.ndarray


@dataclass
class LayeredStill:
    """A still in layers, back to front. Layer 0 covers the whole extended frame.

    width, height: of the photo in pixels, without the margin. intrinsics: of the photo's camera, which stands at the
    origin. margin_px: how far layer 0 reaches past every side of the frame, in pixels of the photo.
    """

    width: int
    height: int
    intrinsics: Intrinsics
    margin_px: int
    layers: list[Layer]

    def save(self, folder: str | Path) -> None:
        """Write layers.json, and per layer NAME.png and NAME.npz. Raises OutputFailed."""
        folder = Path(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for layer in self.layers:
                (folder / f"{layer.name}.png").write_bytes(_encode_png(layer.rgba))
                np.savez(folder / f"{layer.name}.npz", vertices=layer.vertices, faces=layer.faces, uv=layer.uv)
            (folder / "layers.json").write_text(json.dumps(self._facts(), indent=1), encoding="utf-8")
        except OSError as error:
            raise OutputFailed(f"The layered still cannot be written to {folder}: {error.strerror or error}.",
                               "Choose a folder that can be written and has room.") from error

    def _facts(self) -> dict[str, object]:
        camera = self.intrinsics
        return {
            "version": FORMAT_VERSION, "width": self.width, "height": self.height,
            "intrinsics": {"fx": camera.fx, "fy": camera.fy, "cx": camera.cx, "cy": camera.cy},
            "margin_px": self.margin_px,
            "layers": [{"name": layer.name, "colour": f"{layer.name}.png", "mesh": f"{layer.name}.npz"}
                       for layer in self.layers],
        }

    @classmethod
    def load(cls, folder: str | Path) -> LayeredStill:
        """Read what save() wrote. Raises BadStill."""
        folder = Path(folder)
        try:
            facts = json.loads((folder / "layers.json").read_text(encoding="utf-8"))
            if facts["version"] != FORMAT_VERSION:
                raise BadStill(f"The layered still in {folder} has version {facts['version']}, not {FORMAT_VERSION}.",
                               "Make it again from the photo.")
            layers = [_load_layer(folder, entry) for entry in facts["layers"]]
            return cls(int(facts["width"]), int(facts["height"]), Intrinsics(**facts["intrinsics"]),
                       int(facts["margin_px"]), layers)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BadStill(f"There is no whole layered still in {folder}.", "Make it again from the photo.") from error


def _encode_png(rgba: np.ndarray) -> bytes:
    done, data = cv2.imencode(".png", cv2.cvtColor(rgba, cv2.COLOR_RGBA2BGRA), [cv2.IMWRITE_PNG_COMPRESSION, 3])
    if not done:
        raise OSError("the picture could not be encoded")
    return data.tobytes()


def _load_layer(folder: Path, entry: dict[str, str]) -> Layer:
    """One entry of layers.json -> Layer. Raises OSError, ValueError or KeyError for a broken one."""
    picture = cv2.imdecode(np.frombuffer((folder / entry["colour"]).read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
    if picture is None or picture.ndim != 3 or picture.shape[2] != 4 or picture.dtype != np.uint8:
        raise ValueError(f"{entry['colour']} is no 8-bit RGBA picture")
    with np.load(folder / entry["mesh"], allow_pickle=False) as mesh:
        vertices = mesh["vertices"].astype(np.float32, copy=False)
        faces = mesh["faces"].astype(np.int32, copy=False)
        uv = mesh["uv"].astype(np.float32, copy=False)
    if vertices.ndim != 2 or vertices.shape[1] != 3 or uv.shape != (len(vertices), 2) or faces.ndim != 2:
        raise ValueError(f"{entry['mesh']} is no mesh")
    if len(faces) and (faces.min() < 0 or faces.max() >= len(vertices)):
        raise ValueError(f"{entry['mesh']} has faces without vertices")
    return Layer(entry["name"], cv2.cvtColor(picture, cv2.COLOR_BGRA2RGBA), vertices, faces, uv)
