"""The rasteriser: rest pose, projection, coverage, order, reduction, and the compiled kernels' cache."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.camera.intrinsics import Intrinsics, View
from engine.layers import Layer, LayeredStill, build_layered_still
from engine.render import Rasteriser

WIDTH, HEIGHT = 200, 150
CAMERA = Intrinsics.from_size(WIDTH, HEIGHT)
REPOSITORY = Path(__file__).parents[2]


def scene() -> tuple[np.ndarray, np.ndarray]:
    """A textured photo of two discs before a sloping wall; its disparity."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    photo = 128 + 60 * np.sin(x / 5)[..., None] * np.cos(y / 7)[..., None] * np.array([1, 0.6, -0.8])
    disparity = 0.15 + 0.0005 * x
    for left, top, radius, near, shade in ((70, 60, 30, 0.4, 50), (120, 90, 25, 0.6, -60)):
        disc = (x - left) ** 2 + (y - top) ** 2 < radius ** 2
        disparity = np.where(disc, near, disparity)
        photo = np.where(disc[..., None], photo + shade, photo)
    return photo.clip(0, 255).astype(np.uint8), disparity.astype(np.float32)


def moved(x: float = 0, y: float = 0, z: float = 0, width: int = WIDTH, height: int = HEIGHT) -> View:
    """A view from a camera that has moved by that much to the right, down and forward."""
    pose = np.eye(4)
    pose[:3, 3] = -x, -y, -z
    return View(pose, CAMERA.resized(width / WIDTH, height / HEIGHT), width, height)


@pytest.fixture(scope="module")
def still() -> LayeredStill:
    return build_layered_still(*scene(), CAMERA)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    error = np.mean((a.astype(np.float64) - b) ** 2)
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))


def test_rest_pose_returns_the_photo(still: LayeredStill) -> None:
    assert psnr(Rasteriser(still).frame(moved()), scene()[0]) > 50


@pytest.mark.parametrize("view", [moved(0.1), moved(-0.1), moved(y=0.08), moved(z=0.3), moved(0.05, -0.05, 0.2)])
def test_moves_within_the_margin_leave_no_hole(still: LayeredStill, view: View) -> None:
    frame, uncovered = Rasteriser(still).draw(view)
    assert not uncovered.any()
    assert frame.shape == (HEIGHT, WIDTH, 3)
    assert (frame.max(2) > 0).all()


def test_moves_past_the_margin_are_counted(still: LayeredStill) -> None:
    uncovered = Rasteriser(still).uncovered(moved(2.0))
    assert 0.05 * WIDTH * HEIGHT < uncovered < WIDTH * HEIGHT


def test_camera_that_has_passed_everything_sees_nothing(still: LayeredStill) -> None:
    assert Rasteriser(still).uncovered(moved(z=100)) == WIDTH * HEIGHT


def test_points_move_by_focal_length_times_shift_times_disparity() -> None:
    photo = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    photo[70:80, 100] = 255
    flat = build_layered_still(photo, np.full((HEIGHT, WIDTH), 0.25, np.float32), CAMERA)
    frame = Rasteriser(flat).frame(moved(0.12))
    centre = (frame[75, :, 0].astype(float) * np.arange(WIDTH)).sum() / frame[75, :, 0].sum()
    assert centre == pytest.approx(100 - CAMERA.fx * 0.12 * 0.25, abs=0.02)


def test_nearer_layer_is_in_front_with_soft_alpha() -> None:
    def plane(name: str, colour: tuple[int, int, int, int], z: float) -> Layer:
        corners = np.array([[-9, -9], [9, -9], [-9, 9], [9, 9]], np.float32)
        vertices = np.column_stack([corners * z, np.full(4, z)]).astype(np.float32)
        uv = np.array([[0, 1], [1, 1], [0, 0], [1, 0]], np.float32)
        faces = np.array([[0, 1, 2], [1, 3, 2]], np.int32)
        return Layer(name, np.full((4, 4, 4), colour, np.uint8), vertices, faces, uv)

    layered = LayeredStill(WIDTH, HEIGHT, CAMERA, 0,
                           [plane("back", (200, 0, 0, 255), 4), plane("front", (0, 0, 100, 51), 2)])
    frame, uncovered = Rasteriser(layered).draw(moved())
    assert not uncovered.any()
    assert np.abs(frame.astype(int) - (160, 0, 20)).max() <= 1


def test_reduced_frame_is_the_reduced_photo(still: LayeredStill) -> None:
    import cv2

    small = Rasteriser(still).frame(moved(width=WIDTH // 4, height=HEIGHT // 4))
    expected = cv2.resize(scene()[0], (WIDTH // 4, HEIGHT // 4), interpolation=cv2.INTER_AREA)
    assert psnr(small[2:-2, 2:-2], expected[2:-2, 2:-2]) > 32


def test_one_and_many_threads_draw_the_same(still: LayeredStill) -> None:
    view = moved(0.07, 0.02, 0.1)
    assert np.array_equal(Rasteriser(still, threads=1).frame(view), Rasteriser(still, threads=3).frame(view))


def test_saved_and_loaded_still_renders_the_same(still: LayeredStill, tmp_path) -> None:
    still.save(tmp_path)
    view = moved(0.07, 0.02, 0.1)
    assert np.array_equal(Rasteriser(still).frame(view), Rasteriser(LayeredStill.load(tmp_path)).frame(view))


def test_textures_are_hardly_stretched_in_a_usual_move(still: LayeredStill) -> None:
    """Where silhouettes are cut no triangle is pulled out to a thread: area over longest side stays above a quarter."""
    rasteriser, view = Rasteriser(still), moved(0.1)
    stretched, total = 0, 0
    for index in range(len(still.layers)):
        seen = rasteriser.project(index, view)
        faces, rgba = still.layers[index].faces, still.layers[index].rgba
        uv = seen.uv[faces]
        shown = rgba[uv[..., 1].mean(1).astype(int).clip(0, rgba.shape[0] - 1),
                     uv[..., 0].mean(1).astype(int).clip(0, rgba.shape[1] - 1), 3] > 0
        source = uv[:, 1:] - uv[:, :1]
        target = np.dstack([seen.x, seen.y])[0][faces]
        target = target[:, 1:] - target[:, :1]
        jacobian = np.linalg.solve(source[shown], target[shown])
        values = np.linalg.svd(jacobian, compute_uv=False)
        stretched += int((values[:, 1] < 0.25 * values[:, 0]).sum())
        total += int(shown.sum())
    assert stretched < 0.005 * total


@pytest.mark.parametrize("folder_is_writable", [True, False])
def test_kernels_work_wherever_their_cache_may_lie(tmp_path, folder_is_writable: bool) -> None:
    cache = tmp_path / "cache"
    if folder_is_writable:
        cache.mkdir()
    else:
        cache.write_text("a file, so no folder can be made here")
    environment = {**os.environ, "DIORAMA_NUMBA_CACHE": str(cache), "PYTHONPATH": str(REPOSITORY),
                   "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("NUMBA_CACHE_DIR", None)
    done = subprocess.run([sys.executable, "-c", "import engine.render, os; print(os.environ['NUMBA_CACHE_DIR'])"],
                          env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (done.stdout.strip() == str(cache)) == folder_is_writable
