"""From one still into the next: the ends exact, the way between smooth, the near passing by last."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.errors import BadRequest, BadStill, JobCancelled
from engine.finish import bridge
from engine.finish.frames import fitted, step_between
from engine.jobs import run_job
from engine.protocol import BridgeRequest, DepthSettings
from tests.engine.movies import pictures, textured

WIDTH, HEIGHT = 160, 90


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("stills")
    for name, seed in (("a", 1), ("b", 2)):
        Image.fromarray(textured(WIDTH, HEIGHT, seed).clip(40, 255)).save(home / f"{name}.png")
    return home


@pytest.fixture
def request_(folder: Path, tmp_path: Path) -> BridgeRequest:
    return BridgeRequest(str(folder / "a.png"), str(folder / "b.png"), str(tmp_path / "out" / "c.mkv"), 15,
                         clip_format="ffv1")


@pytest.fixture(scope="module")
def pushed(folder: Path) -> list[np.ndarray]:
    """The frames of one way, for several tests: the depth of two stills takes a second or two."""
    output = str(folder / "pushed.mkv")
    return pictures(run(BridgeRequest(str(folder / "a.png"), str(folder / "b.png"), output, 25, clip_format="ffv1"))[
        "clip"])


def run(request: BridgeRequest) -> dict:
    return run_job("job", request, lambda *_: None, lambda: False)


def still(request: BridgeRequest, which: str) -> np.ndarray:
    return np.asarray(Image.open(getattr(request, which)).convert("RGB"))


@pytest.mark.parametrize("count", [2, 15])
def test_a_dissolve_begins_and_ends_with_the_stills(request_: BridgeRequest, count: int) -> None:
    result = run(replace(request_, method="dissolve", num_frames=count))
    frames = pictures(result["clip"])
    assert len(frames) == count == result["num_frames"]
    assert np.array_equal(frames[0], still(request_, "image"))
    assert np.array_equal(frames[-1], still(request_, "last_image"))


def test_the_way_begins_and_ends_with_the_stills(request_: BridgeRequest, pushed: list[np.ndarray]) -> None:
    assert len(pushed) == 25
    assert np.array_equal(pushed[0], still(request_, "image"))
    assert np.array_equal(pushed[-1], still(request_, "last_image"))


def test_no_frame_jumps_stands_still_or_is_black(pushed: list[np.ndarray]) -> None:
    steps = [step_between(a, b, 40) for a, b in pairwise(pushed)]
    assert all(step < 2 * max(before, after) for before, step, after in zip(steps, steps[1:], steps[2:], strict=False))
    assert min(steps) > 0
    assert min(frame.min() for frame in pushed) > 20, "black would come from outside the stills"


def test_a_larger_amount_goes_deeper(request_: BridgeRequest, pushed: list[np.ndarray]) -> None:
    deeper = pictures(run(replace(request_, amount=0.8, num_frames=25))["clip"])
    assert step_between(pushed[0], deeper[5]) > 1.3 * step_between(pushed[0], pushed[5])


def test_what_is_near_is_covered_last() -> None:
    near = np.tile(np.linspace(0, 1, 200, dtype=np.float32), (50, 1))
    shares = [bridge.shown_of_second(near, through) for through in np.linspace(0, 1, 9)]
    assert shares[0].max() < 0.01 and shares[-1].min() > 0.99
    assert all((b - a).min() >= -1e-4 for a, b in pairwise(shares))
    assert shares[4][:, 10].mean() > shares[4][:, 190].mean() + 0.5


def test_a_second_still_of_another_shape_is_cropped(request_: BridgeRequest, tmp_path: Path) -> None:
    tall = textured(91, 161, 2)
    Image.fromarray(tall).save(tmp_path / "tall.png")
    changed = replace(request_, last_image=str(tmp_path / "tall.png"), num_frames=4)
    frames = pictures(run(changed)["clip"])
    assert frames[-1].shape == (HEIGHT, WIDTH, 3)
    assert np.array_equal(frames[-1], pictures(run(replace(changed, method="dissolve"))["clip"])[-1])
    assert np.abs(frames[-1].astype(int) - fitted(tall, WIDTH, HEIGHT)).mean() < 12


def test_captured_stills_show_the_part_that_either_fills(request_: BridgeRequest, tmp_path: Path) -> None:
    boxes = {"a": (20, 140), "b": (40, 160)}
    for name, (left, right) in boxes.items():
        canvas = np.zeros((120, 200, 4), np.uint8)
        canvas[10:100, left:right, :3] = textured(right - left, 90, 7)
        canvas[10:100, left:right, 3] = 255
        Image.fromarray(canvas).save(tmp_path / f"{name}.png")
    captured = replace(request_, image=str(tmp_path / "a.png"), last_image=str(tmp_path / "b.png"), visible_only=True,
                       frame_width=200, frame_height=120, method="dissolve")
    result = run(captured)
    assert result["rect"] == [20, 10, 140, 90]
    assert (result["width"], result["height"]) == (140, 90)


@pytest.mark.parametrize(("changes", "error"), [
    ({"num_frames": 1}, BadRequest), ({"method": "wipe"}, BadRequest), ({"amount": 1.5}, BadRequest),
    ({"fps": (0, 1)}, BadRequest), ({"clip_format": "gif"}, BadRequest), ({"last_image": "/nowhere.png"}, BadStill),
    ({"depth": DepthSettings(picture="d.png")}, BadRequest),
])
def test_bad_requests_leave_nothing(request_: BridgeRequest, changes: dict, error: type, tmp_path: Path) -> None:
    with pytest.raises(error) as caught:
        run(replace(request_, **changes))
    assert caught.value.message.endswith(".") and caught.value.remedy
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("stage", ["load", "depth"])
def test_cancel_leaves_nothing(request_: BridgeRequest, stage: str, tmp_path: Path) -> None:
    reached: list[str] = []
    with pytest.raises(JobCancelled):
        run_job("job", request_, lambda name, *_: reached.append(name), lambda: stage in reached)
    assert not (tmp_path / "out").exists()


def test_a_half_transparent_rim_is_no_dark_line(folder: Path, tmp_path: Path) -> None:
    """As Blender shows a scaled photo: its last column is blended with nothing."""
    for name in ("a", "b"):
        picture = np.asarray(Image.open(folder / f"{name}.png").convert("RGBA")).copy()
        picture[:, -1, 3] = 255 if name == "a" else 90
        Image.fromarray(picture).save(tmp_path / f"{name}.png")
    request = BridgeRequest(str(tmp_path / "a.png"), str(tmp_path / "b.png"), str(tmp_path / "c.mkv"), 2,
                            method="dissolve", clip_format="ffv1", visible_only=True, frame_width=WIDTH)
    last = pictures(run(request)["clip"])[-1]
    photo = np.asarray(Image.open(folder / "b.png"))
    assert np.array_equal(last[:, :-1], photo[:, :-1])
    assert np.array_equal(last[:, -1], photo[:, -2]), "not its own colour over black"
