"""Depth of field and vignette against what a thin lens does."""

import numpy as np
import pytest

from engine.camera import Intrinsics, View
from engine.layers import Layer, LayeredStill
from engine.render import Rasteriser
from engine.render.lens import Lens, falloff, frame_maker

WIDTH, HEIGHT = 240, 160
CAMERA = Intrinsics.from_size(WIDTH, HEIGHT)
VIEW = View(np.eye(4), CAMERA, WIDTH, HEIGHT)


def plane(name: str, rgba: np.ndarray, z: float) -> Layer:
    """A layer that fills the frame at depth z."""
    corners = np.array([[0, 1], [1, 1], [0, 0], [1, 0]], np.float32)
    x = (corners[:, 0] * WIDTH - 0.5 - CAMERA.cx) / CAMERA.fx * z
    y = ((1 - corners[:, 1]) * HEIGHT - 0.5 - CAMERA.cy) / CAMERA.fy * z
    vertices = np.stack([x, y, np.full(4, z)], axis=1).astype(np.float32)
    return Layer(name, rgba, vertices, np.array([[0, 1, 2], [1, 3, 2]], np.int32), corners)


def scene(front_z: float = 1.0, back_z: float = 4.0) -> Rasteriser:
    """A red half before a grey board with one white pixel."""
    back = np.full((HEIGHT, WIDTH, 4), 255, np.uint8)
    back[..., :3] = 0
    back[80, 180, :3] = 255
    front = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    front[:, :100] = (200, 30, 30, 255)
    layers = [plane("back", back, back_z), plane("front", front, front_z)]
    return Rasteriser(LayeredStill(WIDTH, HEIGHT, CAMERA, 0, layers))


def linear(level: np.ndarray) -> np.ndarray:
    share = level / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def f_stop_for(radius: float, z: float, focus_z: float) -> float:
    """The f-stop at which Blender's aperture, lens / 1000 / (2 f_stop), gives that radius in pixels."""
    lens_mm = CAMERA.fx / WIDTH * 36
    return CAMERA.fx * lens_mm * 1e-3 / 2 * abs(1 / focus_z - 1 / z) / radius


def test_a_lens_that_is_off_is_the_rasteriser_itself():
    rasteriser = scene()
    assert frame_maker(rasteriser, Lens(0, (0, 0, 1), 0)) == rasteriser.frame


def test_a_tiny_aperture_changes_nothing():
    rasteriser = scene()
    blurred = frame_maker(rasteriser, Lens(500, (0, 0, 1), 0))(VIEW)
    assert np.abs(blurred.astype(int) - rasteriser.frame(VIEW)).max() <= 1


@pytest.mark.parametrize("radius", [1.0, 2.5, 4.0, 7.0, 12.0])
def test_a_point_becomes_a_disc_of_the_radius_that_blender_gives_it(radius: float):
    lens = Lens(f_stop_for(radius, 4, 1), (0, 0, 1), 0)
    light = linear(frame_maker(scene(), lens)(VIEW)[..., 1].astype(float))[40:120, 130:230]
    assert light.sum() == pytest.approx(1, rel=0.25)         # nothing lost; 8 bits are few for a large disc
    y, x = np.mgrid[40:120, 130:230]
    spread = (((x - 180.0) ** 2 + (y - 80.0) ** 2) * light).sum() / light.sum()
    assert np.sqrt(2 * spread) == pytest.approx(radius, rel=0.2, abs=0.3)    # a disc's mean square radius is r^2 / 2


def test_a_sharp_silhouette_stays_sharp_before_a_blurred_background_and_does_not_leak():
    lens = Lens(f_stop_for(8, 4, 1), (0, 0, 1), 0)
    frame = frame_maker(scene(), lens)(VIEW)
    assert (frame[:, 98, 0] == 200).all()
    assert frame[:, 102:150].max() <= 1


def test_a_blurred_foreground_is_soft_outwards_and_lets_the_background_through():
    lens = Lens(f_stop_for(8, 1, 4), (0, 0, 4), 0)
    frame = frame_maker(scene(), lens)(VIEW)[60, :, 0].astype(float)
    ramp = frame[90:112]
    assert (np.diff(ramp) <= 0).all()
    assert 60 < ramp[10] < 140
    assert frame[80] == 200
    assert frame[115] == 0


def test_focus_is_a_point_in_the_scene_while_the_camera_moves():
    pose = np.eye(4)
    pose[2, 3] = -0.5                    # half a unit towards the scene: what stood at 4 stands at 3.5
    view = View(pose, CAMERA, WIDTH, HEIGHT)
    rasteriser = scene()
    sharp = frame_maker(rasteriser, Lens(f_stop_for(8, 1, 4), (0, 0, 4), 0))(view)
    assert np.abs(sharp.astype(int) - rasteriser.frame(view))[:, 150:].max() <= 1


def test_a_huge_aperture_and_a_focus_behind_the_camera_still_give_a_picture():
    pose = np.eye(4)
    pose[2, 3] = -0.3
    view = View(pose, CAMERA, WIDTH, HEIGHT)
    frame = frame_maker(scene(), Lens(0.1, (0, 0, 0.2), 0))(view)
    assert frame.shape == (HEIGHT, WIDTH, 3)
    assert frame[:, :40].max() > 50


def test_vignette_darkens_the_corners_smoothly_and_not_the_middle():
    gain = falloff(WIDTH, HEIGHT, 1.0)
    assert gain[HEIGHT // 2, WIDTH // 2] == pytest.approx(1, abs=1e-3)
    assert gain[0, 0] == pytest.approx(0.25 ** (1 / 2.2), abs=0.01)      # cos^4 of 45 degrees
    assert (np.diff(gain[0, : WIDTH // 2]) > 0).all()
    rasteriser = scene()
    dark = frame_maker(rasteriser, Lens(0, (0, 0, 1), 0.5))(VIEW)
    assert dark[80, 60, 0] >= 185
    assert dark[0, 0, 0] < 190
    assert dark[0, 0, 0] < dark[80, 60, 0]
