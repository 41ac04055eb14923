"""A move that goes on: smooth over the joint, and never beyond what the photo shows."""

from __future__ import annotations

import numpy as np
import pytest

from engine.camera import Bounds, Intrinsics, Shot, View, camera_path, further, limited

WIDTH, HEIGHT, COUNT = 640, 360, 24
BOUNDS = Bounds.of(np.repeat(np.linspace(0.25, 1.0, HEIGHT)[:, None], WIDTH, axis=1))


def shot(move: str, amount: float, easing: str = "linear", cycle: str = "once") -> Shot:
    lens = Intrinsics.from_size(WIDTH, HEIGHT)
    return Shot(move, amount, easing, cycle, 0.5, COUNT, 1.0, lens, WIDTH, HEIGHT, WIDTH, HEIGHT)


def places(views: list[View]) -> np.ndarray:
    """(N, 3) camera centres."""
    return np.array([np.linalg.inv(view.world2cam)[:3, 3] for view in views])


@pytest.mark.parametrize("move", ["push_in", "truck_left", "orbit"])
@pytest.mark.parametrize("backward", [False, True])
def test_a_move_at_speed_keeps_it(move: str, backward: bool) -> None:
    wish = shot(move, 0.03)
    inside, more = places(camera_path(wish, BOUNDS)), places(further(wish, BOUNDS, 60, 8, backward))
    steps = np.linalg.norm(np.diff(np.concatenate([more, inside] if backward else [inside, more]), axis=0), axis=1)
    assert len(more) == 8 and steps.min() > 0.8 * steps.max()


def test_a_move_at_rest_sets_off_and_comes_to_rest() -> None:
    wish = shot("push_in", 0.1, "ease_in_out")
    inside, more = places(camera_path(wish, BOUNDS)), places(further(wish, BOUNDS, 60, 24, backward=False))
    steps = np.linalg.norm(np.diff(np.concatenate([inside[-1:], more]), axis=0), axis=1)
    assert steps[0] < 0.3 * steps[12] > steps[-1] and (np.diff(more[:, 2]) > 0).all()


@pytest.mark.parametrize("cycle", ["loop", "ping_pong"])
def test_what_comes_back_is_repeated(cycle: str) -> None:
    wish = shot("push_in", 0.1, cycle=cycle)
    again = places(further(wish, BOUNDS, 60, COUNT, backward=False))
    inside = places(camera_path(wish, BOUNDS))
    # The frame after a loop is its first; a way there and back ends with its first picture, so it goes on from there.
    first, second = (again, inside) if cycle == "loop" else (again[: COUNT - 1], inside[1:])
    assert np.allclose(first, second, atol=1e-9)


def test_only_the_new_way_is_shortened_and_nothing_beyond_the_margin_shows() -> None:
    most = limited(shot("truck_left", 0.5), BOUNDS, 20.0)
    assert further(most, BOUNDS, 20.0, 12, backward=False) == []  # the move itself used up the margin
    less = shot("truck_left", most.amount * 0.8)
    inside, more = places(camera_path(less, BOUNDS)), places(further(less, BOUNDS, 20.0, 12, backward=False))
    reach = np.abs(places(camera_path(most, BOUNDS))).max()
    assert 0.97 * reach < np.abs(more).max() <= 1.002 * reach
    assert np.abs(more[0] - inside[-1]).max() < np.abs(inside[-1] - inside[-2]).max()
