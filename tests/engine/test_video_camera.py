"""A camera path for image-to-video models: poses at the model's frames, the rendered clip, its mask, what they do."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from engine.camera import Bounds, Intrinsics, Options, Shot, View, views_at
from engine.errors import BadRequest
from engine.layers import build_layered_still
from engine.video.camera_path import camera_path, controlled, in_picture, views_of
from engine.video.solve import Framing

WIDTH, HEIGHT = 160, 96
LENS = Intrinsics.from_size(WIDTH, HEIGHT)
WHOLE = Framing((0, 0, WIDTH, HEIGHT), (WIDTH, HEIGHT), (0, 0, WIDTH, HEIGHT), (WIDTH, HEIGHT), (0, 0, WIDTH, HEIGHT))
FRONT, BACK = 0.5, 0.2


def scene() -> tuple[np.ndarray, np.ndarray]:
    """A red square before a green ground: photo, disparity."""
    square = np.zeros((HEIGHT, WIDTH), bool)
    square[30:66, 60:100] = True
    noise = np.random.default_rng(3).integers(-8, 9, (HEIGHT, WIDTH, 1))
    photo = np.where(square[..., None], (200, 40, 30), (30, 160, 60)) + noise
    return photo.astype(np.uint8), np.where(square, FRONT, BACK).astype(np.float32)


@pytest.fixture(scope="module")
def still(tmp_path_factory):
    """The photo, and the folder of its layered still."""
    photo, disparity = scene()
    folder = tmp_path_factory.mktemp("still")
    build_layered_still(photo, disparity, LENS).save(folder)
    return photo, str(folder)


def move(name: str, frames: np.ndarray, amount: float = 0.3) -> list[View]:
    bounds = Bounds.of(scene()[1])
    shot = Shot(name, amount, "ease_in_out", "once", 0.3, 48, 2.0, LENS, WIDTH, HEIGHT, WIDTH, HEIGHT, Options())
    return views_at(frames, shot, bounds)


def identity(count: int) -> list[View]:
    return [View(np.eye(4), LENS, WIDTH, HEIGHT)] * count


@pytest.mark.parametrize(("name", "amount"), [("orbit", 0.3), ("push_in", 0.3), ("dolly_zoom", 0.08)])
def test_poses_of_a_known_path_agree_at_the_models_frames(name, amount):
    views = move(name, np.arange(48), amount)               # 48 frames at 24 a second
    path = camera_path(views, WHOLE, 32, 33, "hold")        # 32 at 16, and one more that is cut off
    exact = move(name, np.minimum(np.arange(33) * 1.5, 47), amount)
    poses = np.linalg.inv(np.stack([view.world2cam for view in exact]))
    assert np.abs(poses[-1] - np.eye(4)).max() > 0.1
    assert np.abs(path.cam2world - poses).max() < 1e-6
    lenses = np.array([dataclasses.astuple(view.intrinsics) for view in exact])
    assert np.abs(path.lenses / lenses - 1).max() < 1e-6
    turns = path.cam2world[:, :3, :3]
    assert np.abs(turns @ turns.transpose(0, 2, 1) - np.eye(3)).max() < 1e-12


def test_a_steady_turn_and_a_steady_dolly_are_exact_between_frames():
    def pose(place: float) -> np.ndarray:
        angle = 0.02 * place
        world2cam = np.eye(4)
        world2cam[0, [0, 2]] = np.cos(angle), -np.sin(angle)
        world2cam[2, [0, 2]] = np.sin(angle), np.cos(angle)
        world2cam[:3, 3] = -world2cam[:3, :3] @ np.array([0.01, 0.0, 0.03]) * place
        return world2cam

    views = [View(pose(k), LENS, WIDTH, HEIGHT) for k in range(30)]
    path = camera_path(views, WHOLE, 25, 25, "interpolate")
    exact = np.linalg.inv(np.stack([pose(k * 30 / 25) for k in range(25)]))
    assert np.abs(path.cam2world - exact).max() < 1e-9


def test_a_part_of_a_path_begins_at_the_identity():
    path = camera_path(move("orbit", np.arange(48)), WHOLE, 48, 48, "hold")
    part = path.part(10, 20)
    assert np.abs(part.cam2world[0] - np.eye(4)).max() < 1e-12 and len(part.lenses) == 20
    whole = np.linalg.inv(path.cam2world[10]) @ path.cam2world[29]
    assert np.allclose(part.cam2world[-1], whole)


def test_the_lens_follows_the_picture_through_crop_scale_and_padding():
    frame = Framing((20, 0, 120, 96), (256, 256), (0, 26, 256, 204), (256, 256), (0, 0, 256, 256))
    lens = in_picture(LENS, frame)
    # A corner of the content: the same ray before and after.
    for x, y in ((20 - 0.5, 0 - 0.5), (140 - 0.5, 96 - 0.5)):
        ray = np.array([(x - LENS.cx) / LENS.fx, (y - LENS.cy) / LENS.fy])
        corner = np.array([lens.fx, lens.fy]) * ray + [lens.cx, lens.cy]
        expected = [-0.5, 25.5] if x < 30 else [255.5, 229.5]
        assert np.allclose(corner, expected)


def test_the_first_frame_is_the_still_and_nothing_of_it_is_invented(still):
    photo, folder = still
    path = camera_path(move("orbit", np.arange(48)), WHOLE, 9, 9, "hold")
    video, mask = controlled(path, folder, photo, LENS, lambda: None)
    assert len(video) == len(mask) == 9
    assert np.array_equal(np.asarray(video[0]), photo) and not np.asarray(mask[0]).any()
    # The render of the same camera is the still too, but for what resampling does to its noise.
    rendered, nothing = controlled(camera_path(identity(2), WHOLE, 2, 2, "hold").part(1, 1), folder,
                                   photo * 0, Intrinsics(1, 1, 1, 1), lambda: None)
    assert np.abs(np.asarray(rendered[0]).astype(int) - photo).mean() < 2
    assert not np.asarray(nothing[0]).any()


def test_the_mask_is_white_where_the_camera_looks_behind_the_square_and_nowhere_else(still):
    photo, folder = still
    shift = 0.4                                     # the camera goes right: ground appears at the square's right
    world2cam = np.eye(4)
    world2cam[0, 3] = -shift
    views = [View(np.eye(4), LENS, WIDTH, HEIGHT), View(world2cam, LENS, WIDTH, HEIGHT)]
    _, mask = controlled(camera_path(views, WHOLE, 2, 2, "hold"), folder, photo, LENS, lambda: None)
    white = np.asarray(mask[1]) > 0
    near, far = LENS.fx * shift * FRONT, LENS.fx * shift * BACK     # how far both move to the left, pixels
    expected = np.zeros((HEIGHT, WIDTH), bool)
    expected[30:66, round(100 - near):round(100 - far)] = True      # uncovered behind the square's right edge
    expected[:, round(WIDTH - far):] = True                         # beyond the photo's right edge
    wrong = white ^ expected
    assert white.any() and wrong.sum() < 0.02 * WIDTH * HEIGHT
    inside = expected & np.roll(expected, 2, 1) & np.roll(expected, -2, 1) & np.roll(expected, 2, 0) & np.roll(
        expected, -2, 0)
    outside = ~expected & ~np.roll(expected, 2, 1) & ~np.roll(expected, -2, 1) & ~np.roll(expected, 2, 0) & ~np.roll(
        expected, -2, 0)
    assert white[inside].all() and not white[outside].any()


def test_a_camera_that_starts_elsewhere_is_rendered_from_the_first_frame(still):
    photo, folder = still
    world2cam = np.eye(4)
    world2cam[0, 3] = -0.3
    views = [View(world2cam, LENS, WIDTH, HEIGHT)] * 2
    video, mask = controlled(camera_path(views, WHOLE, 2, 2, "hold"), folder, photo, LENS, lambda: None)
    assert not np.array_equal(np.asarray(video[0]), photo) and np.asarray(mask[0]).any()


def test_a_cancel_is_seen_between_two_frames(still):
    class Stopped(Exception):
        pass

    def check() -> None:
        raise Stopped

    photo, folder = still
    with pytest.raises(Stopped):
        controlled(camera_path(identity(3), WHOLE, 3, 3, "hold"), folder, photo, LENS, check)


def test_cameras_that_are_none_are_refused():
    good = (*np.eye(4).ravel(), LENS.fx, LENS.fy, LENS.cx, LENS.cy)
    assert len(views_of((good, good), 2, WIDTH, HEIGHT)) == 2
    with pytest.raises(BadRequest, match="1 cameras for a clip of 2"):
        views_of((good,), 2, WIDTH, HEIGHT)
    with pytest.raises(BadRequest, match="frame 2 is not whole"):
        views_of((good, good[:19]), 2, WIDTH, HEIGHT)
    with pytest.raises(BadRequest, match="mirrored"):
        views_of(((-1.0, *good[1:]),), 1, WIDTH, HEIGHT)


@pytest.mark.full
@pytest.mark.filterwarnings("ignore")
class TestFamilies:
    """What reaches the pipelines of tiny models."""

    def ask(self, size, num_frames, **more):
        import torch
        from PIL import Image

        from engine.video.family import Ask

        picture = Image.fromarray(scene()[0]).resize(size)
        return Ask(picture, "a cat", "", num_frames, *size, 16.0, 1, 3.0, torch.Generator().manual_seed(1), **more)

    def test_a_moved_camera_changes_what_sana_wm_makes_and_a_lens_does_too(self):
        torch = pytest.importorskip("torch", reason="needs the full engine")
        from engine.video.families import FAMILIES
        from tests.engine.tiny.sana_wm import sana_wm

        threads = torch.get_num_threads()
        torch.set_num_threads(1)        # networks this small only wait for each other's threads
        size, pipe, family = (64, 32), sana_wm(), FAMILIES["sana_wm"]
        pipe.set_progress_bar_config(disable=True)
        frame = dataclasses.replace(WHOLE, working=size, inner=(0, 0, *size))

        def made(views):
            path = camera_path(views, frame, 9, 9, "hold")
            ask = self.ask(size, 9, cam2world=path.cam2world, intrinsics=path.lenses)
            return family.frames(pipe(**family.arguments(pipe, ask)))

        rest = made(identity(9))
        assert np.array_equal(rest, made(identity(9)))
        moved, zoomed = (made(move(name, np.linspace(0, 47, 9))) for name in ("orbit", "dolly_zoom"))
        torch.set_num_threads(threads)
        visible = 1.5 / 255
        assert np.abs(moved - rest).max() > visible and np.abs(zoomed - rest).max() > visible
        assert np.abs(moved - zoomed).max() > visible

    def test_vace_is_given_the_rendered_clip_with_grey_where_it_must_invent(self, still):
        pytest.importorskip("torch", reason="needs the full engine")
        from engine.video.families import FAMILIES

        photo, folder = still
        path = camera_path(move("orbit", np.arange(48), 0.6), WHOLE, 9, 9, "hold")
        video, mask = controlled(path, folder, photo, LENS, lambda: None)
        ask = self.ask((WIDTH, HEIGHT), 9, control_video=video, control_mask=mask)
        assert ask.control_mask

        class Pipe:
            transformer_2 = None

        given = FAMILIES["vace"].arguments(Pipe(), ask)
        assert np.array_equal(np.asarray(given["video"][0]), photo)
        last, white = np.asarray(given["video"][-1]), np.asarray(given["mask"][-1]) > 127
        assert white.any() and (last[white] == 128).all()
        assert np.array_equal(last[~white], np.asarray(video[-1])[~white])
