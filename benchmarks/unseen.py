"""Scenes that nobody tuned on, in the evaluation kit's own format: ray-cast boxes, balls and cut-outs in a room, with
photographs on them. Exact depth of both views comes with them.

    python benchmarks/unseen.py OUT_FOLDER

Runs in .venvs/eval. Twelve stereo and eight posed sets from fixed seeds; whoever tunes on them takes others. OpenCV
axes: x right, y down, z forward.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pictures
from PIL import Image

WIDTH, HEIGHT = 640, 480
SAMPLES = 3                 # rays a side of a pixel: edges and textures are anti-aliased as in a photo
STEREO, POSED = 12, 8
FIRST_SEED = 3000
FLOOR = 1.1                 # height of the room's floor below the camera
FAR = 1e6
# No night sky indoors.
TEXTURES = tuple(name for name in pictures.PHOTOS if not name.startswith(("hubble", "moon")))
TEXELS = 260.0              # of a texture per scene unit: about one a pixel at the middle distance
LIGHT = np.array([-0.4, -0.8, -0.45])

Hit = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]     # distance along the ray's z, u, v (scene units), shade


@dataclass(frozen=True)
class Camera:
    """centre: (3,). rotation: (3, 3) world to camera. focal: pixels."""

    focal: float
    centre: np.ndarray = field(default_factory=lambda: np.zeros(3))
    rotation: np.ndarray = field(default_factory=lambda: np.eye(3))


@dataclass(frozen=True)
class Thing:
    """hit(origin (3,), directions (N, 3)) -> Hit, each (N,); FAR where it is missed. texture: (h, w, 3) uint8."""

    hit: Callable[[np.ndarray, np.ndarray], Hit]
    texture: np.ndarray


def turned(yaw: float, pitch: float = 0.0) -> np.ndarray:
    """(3, 3): about the vertical axis, then about the one to the right; radians."""
    c, s, d, t = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch)
    return np.array([[1, 0, 0], [0, d, -t], [0, t, d]]) @ np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def lit(normal: np.ndarray) -> np.ndarray:
    """(..., 3) unit normals -> brightness."""
    return 0.62 + 0.38 * np.clip(normal @ (LIGHT / np.linalg.norm(LIGHT)), -0.6, 1)


def plane(point: np.ndarray, axes: np.ndarray, inside: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None
          ) -> Callable[[np.ndarray, np.ndarray], Hit]:
    """axes: (3, 3) rows u, v, normal. inside(u, v): where there is something; None = everywhere."""
    def hit(origin: np.ndarray, directions: np.ndarray) -> Hit:
        with np.errstate(divide="ignore", invalid="ignore"):
            distance = ((point - origin) @ axes[2]) / (directions @ axes[2])
        distance = np.where(np.isfinite(distance) & (distance > 1e-3), distance, FAR)
        local = (origin + directions * distance[:, None] - point) @ axes[:2].T
        if inside is not None:
            distance = np.where(inside(local[:, 0], local[:, 1]), distance, FAR)
        facing = axes[2] if (point - np.zeros(3)) @ axes[2] < 0 else -axes[2]
        return distance, local[:, 0], local[:, 1], np.full(len(directions), lit(facing))
    return hit


def ball(centre: np.ndarray, radius: float) -> Callable[[np.ndarray, np.ndarray], Hit]:
    def hit(origin: np.ndarray, directions: np.ndarray) -> Hit:
        away = origin - centre
        a = np.einsum("ij,ij->i", directions, directions)
        b = directions @ away
        root = b * b - a * (away @ away - radius * radius)
        distance = np.where(root > 0, (-b - np.sqrt(np.maximum(root, 0))) / a, FAR)
        normal = (origin + directions * distance[:, None] - centre) / radius
        normal = np.where((root > 0)[:, None], normal, 0)
        u = np.arctan2(normal[:, 0], -normal[:, 2]) * radius
        return distance, u, np.arcsin(normal[:, 1].clip(-1, 1)) * radius, lit(normal)
    return hit


def box(centre: np.ndarray, half: np.ndarray, rotation: np.ndarray) -> Callable[[np.ndarray, np.ndarray], Hit]:
    def hit(origin: np.ndarray, directions: np.ndarray) -> Hit:
        start, along = (origin - centre) @ rotation.T, directions @ rotation.T
        with np.errstate(divide="ignore", invalid="ignore"):
            one, two = (-half - start) / along, (half - start) / along
        enter, leave = np.minimum(one, two), np.maximum(one, two)
        axis = enter.argmax(axis=1)
        distance = enter.max(axis=1)
        distance = np.where((distance < leave.min(axis=1)) & (distance > 1e-3), distance, FAR)
        local = start + along * distance[:, None]
        rows = np.arange(len(local))
        normal = np.zeros_like(local)
        normal[rows, axis] = -np.sign(along[rows, axis])
        return distance, local[rows, (axis + 1) % 3], local[rows, (axis + 2) % 3], lit(normal @ rotation)
    return hit


def star(points: int, size: float, depth: float) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """A flat shape with concave corners; points = 0: a disc."""
    def inside(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        return np.hypot(u, v) < size * (1 - depth + depth * np.cos(points * np.arctan2(v, u)))
    return inside


def scene(rng: np.random.Generator) -> list[Thing]:
    """A room with three to six things in it."""
    def texture() -> np.ndarray:
        return pictures.photo(TEXTURES[rng.integers(len(TEXTURES))])

    back = rng.uniform(6.5, 9)
    slant = turned(rng.uniform(-0.35, 0.35))
    things = [
        Thing(plane(np.array([0, 0, back]), np.eye(3) @ slant), texture()),
        Thing(plane(np.array([0, FLOOR, 0.0]), np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0.0]])), texture()),
    ]
    for number in range(rng.integers(3, 7)):
        z = rng.uniform(2.6, 5.5)
        x, size = rng.uniform(-0.45, 0.45) * z, rng.uniform(0.25, 0.6)
        if number % 3 == 0:
            shape = ball(np.array([x, FLOOR - size, z]), size)
        elif number % 3 == 1:
            half = size * rng.uniform(0.5, 1.2, 3)
            shape = box(np.array([x, FLOOR - half[1], z]), half, turned(rng.uniform(0, 1.5)))
        else:
            axes = turned(rng.uniform(-0.6, 0.6))
            centre = np.array([x, rng.uniform(-0.6, FLOOR - size), z])
            shape = plane(centre, axes, star(int(rng.integers(0, 7)), size, rng.uniform(0.1, 0.3)))
        things.append(Thing(shape, texture()))
    return things


def sample(texture: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """(N, 3) float, bilinear; the picture is mirrored without end."""
    def place(value: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        wave = np.abs((value * TEXELS + size / 2) % (2 * size) - size).clip(0, size - 1.001)
        low = wave.astype(int)
        return low, low + 1, (wave - low)[:, None]

    (x0, x1, fx), (y0, y1, fy) = place(u, texture.shape[1]), place(v, texture.shape[0])
    return ((texture[y0, x0] * (1 - fx) + texture[y0, x1] * fx) * (1 - fy)
            + (texture[y1, x0] * (1 - fx) + texture[y1, x1] * fx) * fy)


def look(things: list[Thing], camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """-> (HEIGHT, WIDTH, 3) uint8, and (HEIGHT, WIDTH) z depth at the pixels' centres."""
    offsets = (np.arange(SAMPLES) - (SAMPLES - 1) / 2) / SAMPLES
    colour = np.zeros((HEIGHT * WIDTH, 3))
    depth = np.zeros(0)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    for dy in offsets:
        for dx in offsets:
            rays = np.stack([(columns + dx - (WIDTH - 1) / 2) / camera.focal,
                             (rows + dy - (HEIGHT - 1) / 2) / camera.focal, np.ones(rows.shape)], -1).reshape(-1, 3)
            nearest, seen = cast(things, camera.centre, rays @ camera.rotation)
            colour += seen
            if dx == 0 and dy == 0:
                depth = nearest
    picture = np.rint(colour / SAMPLES**2).clip(0, 255).astype(np.uint8)
    return picture.reshape(HEIGHT, WIDTH, 3), depth.reshape(HEIGHT, WIDTH)


def cast(things: list[Thing], origin: np.ndarray, rays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """rays: (N, 3), 1 along the camera's z. -> z depth (N,), colour (N, 3)."""
    nearest, colour = np.full(len(rays), FAR), np.zeros((len(rays), 3))
    for thing in things:
        distance, u, v, shade = thing.hit(origin, rays)
        wins = distance < nearest
        nearest[wins] = distance[wins]
        colour[wins] = sample(thing.texture, u[wins], v[wins]) * shade[wins, None]
    return nearest, colour


def write(folder: Path, number: int) -> None:
    """One set: left.png, right.png, geometry.npz, meta.json."""
    rng = np.random.default_rng(FIRST_SEED + number)
    things, stereo = scene(rng), number < STEREO
    focal = float(WIDTH)
    if stereo:
        baseline = rng.uniform(0.12, 0.24)
        second = Camera(focal, np.array([baseline, 0, 0]))
    else:
        baseline = 0.0
        second = Camera(focal, rng.uniform(-1, 1, 3) * [0.2, 0.1, 0.25], turned(*rng.uniform(-0.06, 0.06, 2)))
    (left, near), (right, other) = look(things, Camera(focal)), look(things, second)
    name = f"{'stereo' if stereo else 'posed'}_{number}"
    target = folder / name
    target.mkdir(parents=True, exist_ok=True)
    Image.fromarray(left).save(target / "left.png")
    Image.fromarray(right).save(target / "right.png")
    facts: dict[str, object] = {"name": name, "kind": "stereo" if stereo else "posed", "size": [WIDTH, HEIGHT],
                                "origin": "benchmarks/unseen.py"}
    if stereo:
        maps = {"disparity_left": focal * baseline / near, "disparity_right": focal * baseline / other}
        facts["disparity_offset_px"] = 0.0
    else:
        maps = {"depth_left": near, "depth_right": other}
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = second.rotation, -second.rotation @ second.centre
        facts |= {"intrinsics": [[focal, 0, (WIDTH - 1) / 2], [0, focal, (HEIGHT - 1) / 2], [0, 0, 1]],
                  "left_to_right": pose.tolist()}
    small: dict[str, Any] = {key: value.astype(np.float32) for key, value in maps.items()}
    np.savez(target / "geometry.npz", **small)
    (target / "meta.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")


if __name__ == "__main__":
    for index in range(STEREO + POSED):
        write(Path(sys.argv[1]), index)
