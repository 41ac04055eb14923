"""Camera moves, checked on projected points: what a person sees moving, not how it is computed."""

from dataclasses import replace

import numpy as np
import pytest

from engine.camera import CYCLES, EASINGS, MOVES, Bounds, Intrinsics, Options, Shot, View, camera_path, limited
from engine.camera.easing import ease
from engine.errors import BadRequest

WIDTH, HEIGHT = 640, 360
NEAR, FAR, PIVOT = 1.0, 0.25, 0.5
LENS = Intrinsics.from_size(WIDTH, HEIGHT)
GROUND = np.repeat(np.linspace(FAR, NEAR, HEIGHT)[:, None], WIDTH, axis=1)
BOUNDS = Bounds.of(GROUND)


def shot(move: str, amount: float = 0.05, **changes) -> Shot:
    values = {
        "easing": "linear",
        "cycle": "once",
        "pivot": PIVOT,
        "num_frames": 25,
        "seconds": 1.0,
        "intrinsics": LENS,
        "width": WIDTH,
        "height": HEIGHT,
        "out_width": WIDTH,
        "out_height": HEIGHT,
    } | changes
    return Shot(move, amount, **values)


def project(view: View, u: float, v: float, disparity: float) -> np.ndarray:
    """Where the still's pixel (u, v) at that disparity lies in the view."""
    point = np.array([(u - LENS.cx) / LENS.fx, (v - LENS.cy) / LENS.fy, 1.0]) / disparity
    x, y, z = view.world2cam[:3, :3] @ point + view.world2cam[:3, 3]
    k = view.intrinsics
    return np.array([k.fx * x / z + k.cx, k.fy * y / z + k.cy])


@pytest.mark.parametrize("cycle", CYCLES)
@pytest.mark.parametrize("move", [name for name in MOVES if name != "crop"])
def test_every_move_starts_at_the_photo(move: str, cycle: str):
    first = camera_path(shot(move, cycle=cycle), BOUNDS)[0]
    for disparity in (FAR, PIVOT, NEAR):
        assert np.allclose(project(first, 100, 300, disparity), (100, 300), atol=1e-6)


@pytest.mark.parametrize("move", MOVES)
def test_every_move_moves_and_keeps_the_frame_count(move: str):
    path = camera_path(shot(move), BOUNDS)
    assert len(path) == 25
    travel = max(np.abs(project(view, 100, 300, NEAR) - project(path[0], 100, 300, NEAR)).max() for view in path)
    assert travel > 2


@pytest.mark.parametrize("move", MOVES)
def test_a_loop_has_no_seam_and_there_and_back_ends_where_it_began(move: str):
    there_and_back = camera_path(shot(move, cycle="ping_pong"), BOUNDS)
    assert np.allclose(project(there_and_back[-1], 50, 50, NEAR), project(there_and_back[0], 50, 50, NEAR))
    loop = [project(view, 50, 50, NEAR) for view in camera_path(shot(move, cycle="loop"), BOUNDS)]
    steps = np.linalg.norm(np.diff(np.array([*loop, loop[0]]), axis=0), axis=1)
    assert steps[-1] <= steps.max() * 1.001


def test_push_in_enlarges_the_pivot_plane_by_the_amount_and_the_near_plane_more():
    last = camera_path(shot("push_in", 0.2), BOUNDS)[-1]
    for disparity, share in ((PIVOT, 0.8), (NEAR, 0.6)):
        left, right = project(last, 200, 180, disparity), project(last, 400, 180, disparity)
        assert (right - left)[0] == pytest.approx(200 / share)


@pytest.mark.parametrize(
    ("move", "axis", "sign"),
    [("truck_right", 0, -1), ("truck_left", 0, 1), ("pedestal_up", 1, 1), ("pedestal_down", 1, -1)],
)
def test_sideways_moves_shift_near_against_far_by_the_amount_and_hold_the_pivot(move: str, axis: int, sign: int):
    last = camera_path(shot(move, 0.05), BOUNDS)[-1]
    near, far, pivot = (project(last, 320, 180, d)[axis] - (320, 180)[axis] for d in (NEAR, FAR, PIVOT))
    assert near - far == pytest.approx(sign * 0.05 * WIDTH)
    assert pivot == pytest.approx(0, abs=1e-9)


def test_orbit_turns_and_keeps_the_pivot_in_the_middle():
    last = camera_path(shot("orbit"), BOUNDS)[-1]
    assert np.allclose(project(last, LENS.cx, LENS.cy, PIVOT), (LENS.cx, LENS.cy))
    assert not np.allclose(last.world2cam[:3, :3], np.eye(3))
    assert np.linalg.det(last.world2cam[:3, :3]) == pytest.approx(1)


def test_dolly_zoom_grows_the_background_and_holds_the_pivot():
    last = camera_path(shot("dolly_zoom", 0.1), BOUNDS)[-1]
    spans = {d: (project(last, 400, 180, d) - project(last, 200, 180, d))[0] for d in (FAR, PIVOT)}
    assert spans[PIVOT] == pytest.approx(200)
    assert spans[FAR] == pytest.approx(200 / 0.9)


def test_crop_shows_exactly_the_rectangles_on_the_pivot_plane_and_never_stretches():
    options = Options(crop_from=(0.5, 0.5, 0.5, 0.5), crop_to=(0.1, 0.2, 0.4, 0.1))
    path = camera_path(shot("crop", 1.0, options=options), BOUNDS)
    corner = project(path[0], 0.5 * WIDTH - 0.5, 0.5 * HEIGHT - 0.5, PIVOT)
    assert np.allclose(corner, (-0.5, -0.5))
    k = path[-1].intrinsics
    assert k.fx == pytest.approx(k.fy)
    assert np.allclose(project(path[-1], 0.1 * WIDTH - 0.5, 0.25 * HEIGHT - 0.5, PIVOT), (-0.5, HEIGHT / 2 - 0.5))


def test_handheld_repeats_by_seed():
    def ends(seed: int) -> np.ndarray:
        return np.array(
            [project(v, 9, 9, NEAR) for v in camera_path(shot("handheld", options=Options(seed=seed)), BOUNDS)]
        )

    assert np.array_equal(ends(3), ends(3))
    assert not np.allclose(ends(3), ends(4))


@pytest.mark.parametrize("amount", [0.02, 0.1, 1.0])
@pytest.mark.parametrize("move", MOVES)
def test_a_limited_move_never_reads_beyond_the_margin(move: str, amount: float):
    margin = 20.0
    options = Options(crop_from=(0, 0, 0.4, 0.4), crop_to=(0.6, 0.6, 0.4, 0.4))
    held = limited(shot(move, amount, options=options), BOUNDS, margin)
    assert held.amount <= amount
    for view in camera_path(held, BOUNDS):
        back = np.linalg.inv(view.world2cam)
        k = view.intrinsics
        for u, v in (
            (-0.5, -0.5),
            (WIDTH - 0.5, -0.5),
            (-0.5, HEIGHT - 0.5),
            (WIDTH - 0.5, HEIGHT - 0.5),
            (WIDTH / 2, HEIGHT - 0.5),
        ):
            ray = back[:3, :3] @ np.array([(u - k.cx) / k.fx, (v - k.cy) / k.fy, 1.0])
            spans = [GROUND[0, 0]] if v < 0 else [NEAR]
            for disparity in spans:
                point = back[:3, 3] + ray * (1 / disparity - back[2, 3]) / ray[2]
                x, y = LENS.fx * point[0] / point[2] + LENS.cx, LENS.fy * point[1] / point[2] + LENS.cy
                assert -0.5 - margin <= x <= WIDTH - 0.5 + margin
                assert -0.5 - margin <= y <= HEIGHT - 0.5 + margin


def test_limiting_leaves_a_small_move_alone_and_cuts_a_large_one_to_just_below_the_limit():
    small = shot("truck_right", 0.01)
    assert limited(small, BOUNDS, 20) == small
    cut = limited(shot("truck_right", 0.9), BOUNDS, 20)
    assert limited(replace(cut, amount=cut.amount * 1.01), BOUNDS, 20).amount < cut.amount * 1.01


def test_another_aspect_is_cut_from_the_middle_and_never_stretched():
    view = camera_path(shot("push_in", out_width=200, out_height=200), BOUNDS)[0]
    assert view.intrinsics.fx == view.intrinsics.fy == pytest.approx(LENS.fx * 200 / HEIGHT)
    assert np.allclose(project(view, (WIDTH - 1) / 2, (HEIGHT - 1) / 2, NEAR), (99.5, 99.5))


def test_easings_begin_and_end_as_they_say():
    time = np.linspace(0, 1, 1001)
    for name in EASINGS:
        curve = ease(name, time)
        assert curve[0] == 0
        assert curve[-1] == pytest.approx(1)
        assert (np.diff(curve) > 0).all()
        start, end = np.diff(curve)[[0, -1]] * 1000
        assert (start < 0.01) == (name in ("ease_in", "ease_in_out"))
        assert (end < 0.01) == (name in ("ease_out", "ease_in_out"))


@pytest.mark.parametrize(
    ("field", "value"), [("move", "fly"), ("easing", "bouncy"), ("cycle", "twice"), ("amount", 1.5), ("amount", -0.1)]
)
def test_unknown_names_and_amounts_are_refused_with_a_remedy(field: str, value: object):
    with pytest.raises(BadRequest) as caught:
        replace(shot("push_in"), **{field: value})
    assert str(value) in caught.value.message
    assert caught.value.remedy.startswith("Choose")


def test_one_frame_and_a_flat_scene_work():
    flat = Bounds.of(np.full((HEIGHT, WIDTH), 0.5))
    for move in MOVES:
        path = camera_path(limited(shot(move, num_frames=1, cycle="loop"), flat, 20), flat)
        assert len(path) == 1
        assert np.isfinite(path[0].world2cam).all()
