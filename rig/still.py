"""A layered still on disk, read with numpy alone: Blender's Python has no OpenCV."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..engine.camera import Intrinsics
from ..engine.errors import BadStill

FORMAT_VERSION = 1  # of engine/layers/still.py
REMEDY = "Bring its folder back, or press Change Depth to make it again."


@dataclass(frozen=True)
class LayerFile:
    """One layer, not yet read. picture: PNG with straight alpha. mesh: .npz."""

    name: str
    picture: Path
    mesh: Path


@dataclass(frozen=True)
class StillFolder:
    """width, height: of the photo in pixels. intrinsics: of its camera. layers: back to front."""

    width: int
    height: int
    intrinsics: Intrinsics
    margin_px: int
    layers: list[LayerFile]


@dataclass(frozen=True)
class Surface:
    """vertices (N, 3) float32 in OpenCV's axes, faces (M, 3) int32, uv (N, 2) float32 with v upwards."""

    vertices: np.ndarray
    faces: np.ndarray
    uv: np.ndarray


def open_still(folder: Path) -> StillFolder:
    """Raises BadStill when the folder, or a file of it, is missing or broken."""
    try:
        facts: dict[str, Any] = json.loads((folder / "layers.json").read_text(encoding="utf-8"))
        if facts["version"] != FORMAT_VERSION:
            raise BadStill(f"The layered still in {folder} is of another version.", "Build the rig again.")
        layers = [
            LayerFile(entry["name"], folder / entry["colour"], folder / entry["mesh"]) for entry in facts["layers"]
        ]
        for layer in layers:
            for file in (layer.picture, layer.mesh):
                if not file.is_file():
                    raise BadStill(f"A file of the rig is missing: {file}", REMEDY)
        return StillFolder(
            int(facts["width"]),
            int(facts["height"]),
            Intrinsics(**facts["intrinsics"]),
            int(facts["margin_px"]),
            layers,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadStill(f"The files of the rig are missing or broken: {folder}", REMEDY) from error


def read_surface(layer: LayerFile) -> Surface:
    """Raises BadStill for a file that is no mesh."""
    try:
        with np.load(layer.mesh, allow_pickle=False) as mesh:
            surface = Surface(
                mesh["vertices"].astype(np.float32, copy=False),
                mesh["faces"].astype(np.int32, copy=False),
                mesh["uv"].astype(np.float32, copy=False),
            )
        count = len(surface.vertices)
        if surface.vertices.shape != (count, 3) or surface.uv.shape != (count, 2) or surface.faces.shape[1:] != (3,):
            raise ValueError("no mesh")
        if not len(surface.faces) or surface.faces.min() < 0 or surface.faces.max() >= count:
            raise ValueError("faces without vertices")
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise BadStill(f"A file of the rig is broken: {layer.mesh}", REMEDY) from error
    return surface


def projection(surface: Surface) -> np.ndarray:
    """(N, 3) float32: u, v and 1 of every vertex, times its depth from the still's camera."""
    depth = surface.vertices[:, 2:3]
    return np.concatenate([surface.uv * depth, depth], axis=1).astype(np.float32)
