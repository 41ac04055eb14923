"""Draft depth and the door to all depth: what it says about pictures whose answer is known, and what it survives."""

import cv2
import numpy as np
import pytest

from engine import weights
from engine.depth.draft import draft_depth
from engine.depth.estimate import estimate_depth
from engine.depth.guided import guided_upsample
from engine.depth.scene import Ground
from engine.depth.sky import find_sky
from engine.depth.subject import standing_disparity
from engine.errors import BadDepth, BadRequest, WeightsMissing
from engine.media.still import Still
from engine.protocol import DepthSettings

DRAFT = DepthSettings()


def noise(height, width, low=0, high=256, seed=0):
    """Smooth noise, (height, width, 3) uint8: a surface with texture."""
    values = np.random.default_rng(seed).uniform(low, high, (height // 4 + 1, width // 4 + 1, 3)).astype(np.float32)
    return cv2.resize(values, (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 255).astype(np.uint8)


def meadow(height=360, width=480, horizon=150):
    """Textured green ground below an evening-blue sky, with a red post that stands on row 300."""
    picture = noise(height, width, 30, 120)
    picture[..., 0] //= 2
    picture[:horizon] = np.linspace((110, 150, 220), (170, 195, 235), horizon)[:, None].astype(np.uint8)
    post = (slice(110, 300), slice(220, 270))
    picture[post] = noise(190, 50, 150, 250, seed=1) // np.array([1, 4, 4], np.uint8)
    return picture, post


def still(rgb, alpha=None):
    return Still(np.ascontiguousarray(rgb), alpha, None, "made.png")


def test_a_meadow_has_ground_a_post_and_a_sky():
    picture, post = meadow()
    depth = draft_depth(picture)
    assert depth.shape == picture.shape[:2] and depth.dtype == np.float32
    assert depth.min() == 0 and depth.max() == 1
    column = depth[160:, 20]
    assert (np.diff(column) > -1e-3).all() and column[-1] > 0.9, "the ground comes nearer towards the bottom"
    assert depth[:130, :150].max() < 0.05, "the sky is farthest"
    standing = depth[post]
    assert np.ptp(standing[20:-20, 25]) < 0.5 * np.ptp(depth[130:280, 100]), "the post is upright beside the ground"
    assert standing[60, 25] > depth[170, 100] + 0.3, "and far nearer than the ground beside its middle"
    assert abs(standing[-20, 25] - depth[299, 100]) < 0.3, "for it is about as near as the ground that it stands on"


def test_a_mast_before_a_sky_that_reaches_far_down_stays_straight(monkeypatch):
    monkeypatch.setattr("engine.depth.draft.saliency", lambda rgb: np.zeros((320, 320), np.float32))
    picture, _ = meadow(horizon=310)
    mast = slice(100, 107)
    picture[100:330, mast] = noise(230, 7, 0, 90, seed=2)
    depth = draft_depth(picture)
    assert np.ptp(depth[115:300, 103]) < 0.02, "the mast is bent"
    sky, ground = depth[295, 300:460], depth[320, 300:460]
    assert np.abs(ground - sky).max() < 0.4, "where the sky ends the ground is still far"
    beside = depth[150:290, 85:123]
    levels = np.unique(np.rint(beside / 0.02))
    assert len(levels) <= 2, "between mast and sky lies nothing half-way"


def test_outlines_are_crisp_and_where_the_photo_has_them():
    picture, post = meadow()
    row = draft_depth(picture)[200, 200:290]
    left, right = post[1].start - 200, post[1].stop - 200
    for edge in (left, right):
        inside, outside = (edge + 4, edge - 5) if edge == left else (edge - 5, edge + 4)
        assert row[inside] - row[outside] > 0.8 * (row[left + 20] - row[left - 18]), "the whole step within 9 pixels"


def test_the_same_photo_gives_the_same_depth():
    picture, _ = meadow()
    assert np.array_equal(draft_depth(picture), draft_depth(picture))


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 300), (300, 1), (2, 3), (16, 16), (900, 300), (120, 2400)])
def test_every_shape_gives_finite_depth(height, width):
    depth = draft_depth(noise(height, width))
    assert depth.shape == (height, width) and np.isfinite(depth).all()
    assert 0 <= depth.min() <= depth.max() <= 1


@pytest.mark.parametrize("level", [0, 128, 255])
def test_an_empty_picture_is_ground_alone(level):
    depth = draft_depth(np.full((200, 300, 3), level, np.uint8))
    assert depth[-1].mean() > 0.8 and depth[0].mean() < 0.3
    assert np.abs(np.diff(depth, axis=0)).max() < 0.03, "no torn place in a picture without any edge"


def test_a_large_picture_keeps_its_size_and_its_depth():
    picture, _ = meadow()
    small = draft_depth(picture)
    large = draft_depth(cv2.resize(picture, (4800, 3600), interpolation=cv2.INTER_CUBIC))
    assert large.shape == (3600, 4800)
    assert np.abs(cv2.resize(large, (480, 360), interpolation=cv2.INTER_AREA) - small).mean() < 0.03


def test_sky_is_found_outdoors_and_not_on_a_wall():
    picture, _ = meadow()
    sky = find_sky(picture)
    assert sky.confidence == 1 and sky.horizon == pytest.approx(150 / 360, abs=0.03)
    wall = noise(360, 480, 120, 160)
    wall[:200] = 190                        # a bright ceiling that ends in a faint edge
    wall[200:] = 170
    assert find_sky(wall).confidence == 0


def test_things_stand_where_they_touch_the_ground():
    ground = Ground()
    matte = np.zeros((100, 100), np.float32)
    matte[20:80, 10:20] = 1                 # stands on row 80
    matte[50:100, 60:80] = 1                # goes on below the frame
    scene = np.broadcast_to(np.linspace(0, 1, 100, dtype=np.float32)[:, None] ** 2.5, (100, 100)).copy()
    depth = standing_disparity(matte, scene, ground)
    assert np.ptp(depth[20:78, 10:20]) < 1e-6 and depth[30, 15] == pytest.approx(ground.at(0.79), abs=0.02)
    assert depth[55, 70] > 1, "nearer than the bottom of the frame"
    assert np.array_equal(depth[:, 40:50], scene[:, 40:50])


def test_ground_below_a_horizon_is_a_plane():
    ground = Ground(outdoors=1, horizon=0.4)
    assert ground.at(0.2) == ground.at(0.4) < ground.at(0.5)
    assert ground.at(0.9) - ground.at(0.7) == pytest.approx(ground.at(0.7) - ground.at(0.5))


def test_guided_upsampling_puts_a_blurred_step_on_the_photo_edge():
    guide = np.zeros((200, 200, 3), np.float32)
    guide[:, 100:] = (0.8, 0.5, 0.3)
    small = cv2.resize(guide, (50, 50), interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(small[..., 0] / 0.8, (0, 0), 2)
    sharp = guided_upsample(guide, small, blurred, 5)
    soft = cv2.resize(blurred, (200, 200))
    assert sharp[100, 103] - sharp[100, 96] > 0.6 > 0.4 > soft[100, 103] - soft[100, 96]
    flat = guided_upsample(np.full_like(guide, 0.5), np.full_like(small, 0.5), np.full((50, 50), 0.25, np.float32), 5)
    assert np.allclose(flat, 0.25, atol=1e-5)


def test_near_far_and_gamma_come_last():
    picture, _ = meadow()
    plain = estimate_depth(still(picture), DRAFT)
    assert plain.label == "draft" and plain.lens_mm is None and plain.warnings == ()
    shaped = estimate_depth(still(picture), DepthSettings(near=0.8, far=0.2, gamma=2)).relative_disparity
    assert np.allclose(shaped, np.clip((plain.relative_disparity - 0.2) / 0.6, 0, 1) ** 2, atol=1e-6)
    assert shaped.dtype == np.float32


@pytest.mark.parametrize("settings", [
    DepthSettings(near=0.5, far=0.5), DepthSettings(near=0.2, far=0.9), DepthSettings(near=float("nan")),
    DepthSettings(gamma=0), DepthSettings(gamma=-1)])
def test_levels_that_leave_no_depth_are_refused(settings):
    with pytest.raises(BadRequest):
        estimate_depth(still(noise(32, 32)), settings)


def test_a_depth_picture_is_used_and_inverted(tmp_path):
    path = str(tmp_path / "depth.npy")
    np.save(path, np.linspace(0, 1, 40, dtype=np.float32)[:, None].repeat(50, 1))
    near = estimate_depth(still(noise(40, 50)), DepthSettings(picture=path))
    assert near.label == "picture" and near.relative_disparity[-1, 0] == 1
    far = estimate_depth(still(noise(40, 50)), DepthSettings(picture=path, near_is_bright=False))
    assert far.relative_disparity[-1, 0] == 0
    with pytest.raises(BadDepth):
        estimate_depth(still(noise(40, 50)), DepthSettings(picture=str(tmp_path / "missing.npy")))


def test_transparent_surroundings_are_not_looked_at():
    picture, _ = meadow()
    alpha = np.zeros((560, 480), np.uint8)
    alpha[100:460] = 255
    framed = np.zeros((560, 480, 3), np.uint8)
    framed[100:460] = picture
    depth = estimate_depth(still(framed, alpha), DRAFT).relative_disparity
    assert np.array_equal(depth[100:460], draft_depth(picture))
    assert np.array_equal(depth[500], depth[459])
    nothing = estimate_depth(still(framed, np.zeros_like(alpha)), DRAFT).relative_disparity
    assert nothing.shape == (560, 480) and np.isfinite(nothing).all()


def test_a_missing_or_foreign_network_file_is_named(tmp_path, monkeypatch):
    weights.installed_weights.cache_clear()
    monkeypatch.setattr(weights, "weights_folder", lambda: tmp_path)
    with pytest.raises(WeightsMissing, match=r"u2netp\.onnx is not installed"):
        weights.installed_weights("u2netp")
    (tmp_path / "u2netp.onnx").write_bytes(b"something else")
    with pytest.raises(WeightsMissing, match="damaged"):
        weights.installed_weights("u2netp")
