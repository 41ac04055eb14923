"""The layered still: layers, silhouettes, fill, margin, bad input, the folder on disk."""

from __future__ import annotations

import json

import numpy as np
import pytest

from engine.camera.intrinsics import Intrinsics
from engine.errors import BadDepth, BadStill, OutputFailed
from engine.layers import LayeredStill, build_layered_still
from engine.layers.edges import assign_layers, find_cuts
from engine.layers.sharpen import sharpen

WIDTH, HEIGHT = 160, 120
CAMERA = Intrinsics.from_size(WIDTH, HEIGHT)
FRONT, BACK = 0.5, 0.2      # disparities of the scene below


def red_square_on_green() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """-> photo, disparity, and where the square is."""
    random = np.random.default_rng(7)
    square = np.zeros((HEIGHT, WIDTH), bool)
    square[40:80, 60:100] = True
    photo = np.where(square[..., None], (200, 40, 30), (30, 160, 60)) + random.integers(-8, 9, (HEIGHT, WIDTH, 1))
    return photo.astype(np.uint8), np.where(square, FRONT, BACK).astype(np.float32), square


def test_square_becomes_a_layer_with_its_own_silhouette() -> None:
    photo, disparity, square = red_square_on_green()
    still = build_layered_still(photo, disparity, CAMERA)
    assert len(still.layers) == 2
    front = still.layers[1]
    assert abs(np.count_nonzero(front.rgba[..., 3] > 127) - square.sum()) < 0.02 * square.sum()
    assert np.allclose(1 / front.vertices[:, 2], FRONT, rtol=1e-3)


def test_background_behind_the_square_is_background_only() -> None:
    photo, disparity, square = red_square_on_green()
    still = build_layered_still(photo, disparity, CAMERA)
    pad = still.margin_px
    behind = still.layers[0].rgba[pad:pad + HEIGHT, pad:pad + WIDTH, :3][square].astype(int)
    assert behind[:, 1].min() > 130 and behind[:, 0].max() < 60
    assert np.allclose(1 / still.layers[0].vertices[:, 2], BACK, rtol=1e-3)


def test_a_horizon_goes_on_behind_the_square_and_noise_does_not() -> None:
    photo, disparity, square = red_square_on_green()
    noisy = np.random.default_rng(3).integers(60, 190, (HEIGHT, WIDTH, 1)).repeat(3, 2)
    level = np.where(np.arange(HEIGHT)[:, None, None] < 60, 220, 40) * np.ones((1, WIDTH, 3), int)
    behind = []
    for background in (level, noisy):
        still = build_layered_still(np.where(square[..., None], photo, background).astype(np.uint8), disparity, CAMERA)
        pad = still.margin_px
        behind.append(still.layers[0].rgba[pad + 45:pad + 75, pad + 66:pad + 74, 0].astype(float))
    steps = -np.diff(behind[0], axis=0)
    assert steps[14].min() > 0.35 * 180, "the horizon is washed out"
    assert np.abs(np.diff(behind[1], axis=0)).mean() < 10, "the noise is drawn out into streaks"


def test_layer_zero_is_opaque_and_reaches_past_the_frame() -> None:
    photo, disparity, _ = red_square_on_green()
    still = build_layered_still(photo, disparity, CAMERA, margin=0.1)
    assert still.margin_px == round(0.1 * WIDTH)
    base = still.layers[0]
    assert base.rgba.shape[0] >= HEIGHT + 2 * still.margin_px and base.rgba.shape[1] >= WIDTH + 2 * still.margin_px
    assert (base.rgba[..., 3] == 255).all()


def test_mixed_pixels_leave_no_halo_on_the_background() -> None:
    photo, disparity, _ = red_square_on_green()
    mixed = photo.astype(np.float32)
    mixed[40:80, 100] = 0.5 * mixed[40:80, 99] + 0.5 * mixed[40:80, 101]      # half the square, on the far side
    still = build_layered_still(mixed.astype(np.uint8), disparity, CAMERA)
    pad = still.margin_px
    column = still.layers[0].rgba[pad + 45:pad + 75, pad + 100, :3].astype(int)
    assert column[:, 0].max() < 75, "red of the square is left on the background"


def test_every_cut_has_the_nearer_side_in_front() -> None:
    disparity = np.full((90, 120), 0.1, np.float32)
    disparity[20:70, 20:100] = 0.3
    disparity[30:60, 40:80] = 0.6
    labels = assign_layers(disparity, find_cuts(disparity))
    assert [int(labels.layer[place]) for place in ((5, 5), (25, 25), (45, 60))] == [0, 1, 2]


def test_object_that_touches_the_ground_is_still_cut_along_its_upper_edge() -> None:
    rows = np.arange(120, dtype=np.float32)[:, None]
    disparity = np.repeat(0.1 + 0.004 * rows, 160, 1)
    ground_there = float(disparity[90, 0])
    disparity[30:91, 60:100] = ground_there
    labels = assign_layers(disparity, find_cuts(disparity))
    assert (labels.layer[31:75, 62:98] > labels.layer[31:75, 20:22].max()).all()


def test_sharpen_turns_a_blurred_step_into_a_step_and_keeps_a_slope() -> None:
    x = np.arange(200, dtype=np.float32)
    step = 0.2 + 0.3 / (1 + np.exp(-(x - 99.5) / 1.5))
    grey = np.full((60, 200, 3), 128, np.uint8)
    sharp = sharpen(np.tile(step.astype(np.float32), (60, 1)), grey)[30]
    assert np.abs(np.diff(sharp)).max() > 0.25
    assert np.abs(sharp - np.where(x < 100, 0.2, 0.5)).max() < 0.02
    slope = np.tile((0.2 + 0.002 * x).astype(np.float32), (60, 1))
    assert np.array_equal(sharpen(slope, grey), slope)


def test_constant_disparity_is_one_layer() -> None:
    photo, disparity, _ = red_square_on_green()
    assert len(build_layered_still(photo, np.full_like(disparity, 0.3), CAMERA).layers) == 1


@pytest.mark.parametrize("size", [(8, 8), (1, 40), (40, 1), (1, 1), (2, 3)])
def test_tiny_pictures_work(size: tuple[int, int]) -> None:
    random = np.random.default_rng(1)
    photo = random.integers(0, 256, (*size, 3), dtype=np.uint8)
    disparity = random.uniform(0.1, 1, size).astype(np.float32)
    still = build_layered_still(photo, disparity, Intrinsics.from_size(size[1], size[0]))
    assert still.layers and all(np.isfinite(layer.vertices).all() for layer in still.layers)


def test_gaps_infinity_and_huge_range_in_the_disparity_are_survived() -> None:
    photo, disparity, _ = red_square_on_green()
    disparity = disparity.copy()
    disparity[:10] = np.nan
    disparity[10:15] = np.inf
    disparity[15:20] = 0
    disparity[20:25] = 1e6
    disparity[25:30] = -3
    still = build_layered_still(photo, disparity, CAMERA)
    assert all(np.isfinite(layer.vertices).all() and (layer.vertices[:, 2] > 0).all() for layer in still.layers)


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0, -1.0])
def test_hopeless_disparity_is_a_clear_error(value: float) -> None:
    photo, disparity, _ = red_square_on_green()
    with pytest.raises(BadDepth):
        build_layered_still(photo, np.full_like(disparity, value), CAMERA)


def test_grey_picture_array_is_a_clear_error() -> None:
    photo, disparity, _ = red_square_on_green()
    with pytest.raises(BadStill):
        build_layered_still(photo[..., 0], disparity, CAMERA)


def test_disparity_of_another_size_is_fitted() -> None:
    photo, disparity, square = red_square_on_green()
    still = build_layered_still(photo, disparity[::2, ::2], CAMERA)
    assert len(still.layers) == 2
    assert abs(np.count_nonzero(still.layers[1].rgba[..., 3] > 127) - square.sum()) < 0.1 * square.sum()


def test_folder_round_trip_is_exact(tmp_path) -> None:
    photo, disparity, _ = red_square_on_green()
    still = build_layered_still(photo, disparity, CAMERA)
    still.save(tmp_path / "still")
    again = LayeredStill.load(tmp_path / "still")
    assert (again.width, again.height, again.margin_px, again.intrinsics) == (WIDTH, HEIGHT, still.margin_px, CAMERA)
    for one, two in zip(still.layers, again.layers, strict=True):
        assert one.name == two.name
        for name in ("rgba", "vertices", "faces", "uv"):
            assert np.array_equal(getattr(one, name), getattr(two, name))


@pytest.mark.parametrize("damage", ["version", "json", "picture", "mesh", "missing"])
def test_damaged_folder_is_a_clear_error(tmp_path, damage: str) -> None:
    photo, disparity, _ = red_square_on_green()
    build_layered_still(photo, disparity, CAMERA).save(tmp_path)
    facts = tmp_path / "layers.json"
    if damage == "version":
        facts.write_text(json.dumps({**json.loads(facts.read_text()), "version": 99}))
    elif damage == "json":
        facts.write_text("{")
    elif damage == "picture":
        (tmp_path / "layer_0.png").write_bytes(b"no picture")
    elif damage == "mesh":
        (tmp_path / "layer_0.npz").write_bytes(b"no mesh")
    else:
        (tmp_path / "layer_0.png").unlink()
    with pytest.raises(BadStill):
        LayeredStill.load(tmp_path)


def test_folder_that_cannot_be_written_is_a_clear_error(tmp_path) -> None:
    photo, disparity, _ = red_square_on_green()
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputFailed):
        build_layered_still(photo, disparity, CAMERA).save(tmp_path / "file")
