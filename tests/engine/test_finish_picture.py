"""Colour, grain, flicker, steadiness and size of clips, measured on the frames that come out."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from engine.errors import BadRequest, JobCancelled
from engine.finish import colour, stabilise, texture
from engine.finish.frames import Frames, fitted
from engine.jobs import run_job
from engine.protocol import PREVIOUS, STEPS, ClipPart, FinishRequest, FinishStep, InspectRequest
from tests.engine.movies import coded, pictures, textured, write


def graded(picture: np.ndarray, strength: float = 1.0) -> np.ndarray:
    """Warmer, darker, harder."""
    values = (picture / 255.0) ** (1 + 0.4 * strength) * (1 + strength * np.array([0.1, -0.02, -0.2]))
    return np.rint(values.clip(0, 1) * 255).astype(np.uint8)


def finish(folder: Path, parts: tuple[ClipPart, ...], *steps: FinishStep) -> dict:
    request = FinishRequest(str(folder / "out.mkv"), parts, steps=steps, clip_format="ffv1")
    return run_job("job", request, lambda *_: None, lambda: False)


@pytest.mark.parametrize("method", ["mean", "histogram"])
@pytest.mark.parametrize("reference", [PREVIOUS, "photo.png"])
def test_the_step_in_colour_at_a_seam_falls_by_more_than_70_percent(
    tmp_path: Path, method: str, reference: str
) -> None:
    scene = textured(200, 100)
    Image.fromarray(scene).save(tmp_path / "photo.png")
    one = write(tmp_path / "one.mkv", [scene[:, k:k + 160] for k in range(8)])
    two = write(tmp_path / "two.mkv", [graded(scene[:, k:k + 160]) for k in range(8, 16)])
    named = reference if reference == PREVIOUS else str(tmp_path / reference)
    steps = (FinishStep("match_colour", method, reference=named),)
    result = finish(tmp_path, (ClipPart(one), ClipPart(two, steps=steps)))
    frames = pictures(result["clip"])
    first = colour.look_of([frames[7]])
    before = colour.distance(first, colour.look_of([graded(scene[:, 8:168])]))
    assert colour.distance(first, colour.look_of([frames[8]])) < 0.3 * before
    assert result["steps"][0]["after"] < 0.3 * result["steps"][0]["before"]
    assert np.array_equal(frames[0], scene[:, :160]), "the other part is not touched"


def test_half_an_amount_goes_half_the_way() -> None:
    a, b = Frames.of([textured(160, 100, 1)]), Frames.of([graded(textured(160, 100, 2))])
    wanted = colour.look_of([a.frame(0)]).mean
    start = np.linalg.norm(colour.look_of([b.frame(0)]).mean - wanted)
    half = colour.look_of([colour.match(b, a, "mean", 0.5)[0].frame(0)]).mean
    assert np.linalg.norm(half - wanted) == pytest.approx(start / 2, rel=0.15)


def test_a_clip_that_drifts_is_held(tmp_path: Path) -> None:
    scene = textured(160, 100)
    path = write(tmp_path / "drift.mkv", [graded(scene, k / 40) for k in range(40)])
    frames = pictures(finish(tmp_path, (ClipPart(path),), FinishStep("hold_colour"))["clip"])
    first = colour.look_of([scene])
    before = colour.distance(first, colour.look_of([graded(scene, 39 / 40)]))
    assert max(colour.distance(first, colour.look_of([frame])) for frame in frames) < 0.3 * before


def test_grain_is_measured_added_and_matched(tmp_path: Path) -> None:
    clean = cv2.GaussianBlur(textured(320, 200), (0, 0), 2)
    noise = np.random.default_rng(1).normal(0, 6, (200, 320, 1))
    Image.fromarray(np.rint(clean + noise).clip(0, 255).astype(np.uint8)).save(tmp_path / "grainy.png")
    path = write(tmp_path / "clean.mkv", [clean] * 3)
    step = FinishStep("match_grain", reference=str(tmp_path / "grainy.png"))
    result = finish(tmp_path, (ClipPart(path),), step)
    frames = pictures(result["clip"])
    assert texture.grain_of([frames[1]]) == pytest.approx(6, rel=0.15)
    assert not np.array_equal(frames[0], frames[1]), "grain moves"
    assert np.array_equal(frames[0], pictures(finish(tmp_path, (ClipPart(path),), step)["clip"])[0])
    grown = pictures(finish(tmp_path, (ClipPart(path),), FinishStep("grain", amount=5))["clip"])[0]
    assert (grown - clean.astype(float)).std() == pytest.approx(5, rel=0.25)


@pytest.mark.parametrize("sigma", [0.8, 1.4])
def test_a_sharp_clip_becomes_as_soft_as_the_reference(tmp_path: Path, sigma: float) -> None:
    scene = textured(320, 200)
    Image.fromarray(cv2.GaussianBlur(scene, (0, 0), sigma)).save(tmp_path / "soft.png")
    path = write(tmp_path / "sharp.mkv", [scene])
    result = finish(tmp_path, (ClipPart(path),), FinishStep("match_sharpness", reference=str(tmp_path / "soft.png")))
    facts = result["steps"][0]
    assert abs(facts["after"] - facts["reference"]) < 0.3 * abs(facts["before"] - facts["reference"])
    sharper = pictures(finish(tmp_path, (ClipPart(path),), FinishStep("sharpen", amount=1))["clip"])[0]
    assert texture.crispness([sharper]) > 1.2 * texture.crispness([scene])


@pytest.mark.parametrize(("method", "whole"), [("global", True), ("local", True), ("local", False)])
def test_flicker_is_taken_out(tmp_path: Path, method: str, whole: bool) -> None:
    scene = textured(160, 100).astype(np.float32)
    chance = np.random.default_rng(5)
    flickering = []
    for _ in range(40):
        gain = np.ones((100, 160, 1), np.float32)
        gain[:, : 160 if whole else 80] = 1 + chance.uniform(-0.12, 0.12)
        flickering.append(np.rint(scene * gain).clip(0, 255).astype(np.uint8))
    path = write(tmp_path / "flicker.mkv", flickering)
    result = finish(tmp_path, (ClipPart(path),), FinishStep("deflicker", method, frames=25))
    level = [frame[:, 10:70].mean() for frame in pictures(result["clip"])]
    was = [frame[:, 10:70].mean() for frame in flickering]
    assert np.abs(np.diff(level)).mean() < 0.25 * np.abs(np.diff(was)).mean()
    assert np.mean(level) == pytest.approx(np.mean(was), rel=0.02)


@pytest.mark.parametrize("method", ["global", "local"])
def test_what_moves_is_no_flicker(tmp_path: Path, method: str) -> None:
    frames = [cv2.circle(textured(160, 100), (20 + 4 * k, 50), 22, (240, 240, 240), -1) for k in range(30)]
    path = write(tmp_path / "moving.mkv", frames)
    steady = pictures(finish(tmp_path, (ClipPart(path),), FinishStep("deflicker", method, frames=13))["clip"])
    assert max(np.abs(a.astype(int) - b).mean() for a, b in zip(steady, frames, strict=True)) < 2


def shaken(scene: np.ndarray, width: int, height: int, count: int, subject: bool) -> list[np.ndarray]:
    """A hand-held shot of a flat scene: up to about 8 px, 0.5 degrees and 1 %; a red disc may go its own way."""
    out = []
    middle = np.array([scene.shape[1], scene.shape[0]]) / 2 - 0.5
    for k in range(count):
        shown = scene.copy()
        if subject:
            cv2.circle(shown, (60 + 5 * k, scene.shape[0] // 2), 28, (200, 30, 30), -1)
        angle, zoom = 0.009 * np.sin(k / 3), 1 + 0.01 * np.sin(k / 4)
        turn = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        sway = np.array([8 * np.sin(k / 2.3), 5 * np.sin(k / 1.7)])
        shift = middle + sway - turn @ [width / 2 - 0.5, height / 2 - 0.5]
        out.append(cv2.warpAffine(shown, np.c_[turn, shift], (width, height),
                                  flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP))
    return out


@pytest.mark.parametrize("subject", [False, True])
@pytest.mark.parametrize("method", ["crop", "fill"])
def test_a_shaky_camera_stands_still(tmp_path: Path, method: str, subject: bool) -> None:
    shot = shaken(textured(360, 260), 301, 201, 16, subject)
    path = write(tmp_path / "shaky.mkv", shot)
    result = finish(tmp_path, (ClipPart(path),), FinishStep("stabilise", method))
    steady = np.stack(pictures(result["clip"]))
    assert steady.shape == (16, 201, 301, 3)
    assert result["steps"][0]["removed_px"] > 8
    left = stabilise.motion_of(Frames.of(steady), lambda *_: None)
    assert left.found.all()
    assert left.largest_shift(301, 201) < 0.3
    assert steady.min(axis=(1, 2, 3)).min() >= np.min([frame.min() for frame in shot]), "no black borders"
    if method == "fill":
        assert np.array_equal(steady[0], shot[0])
        assert np.abs(steady[:, :2].astype(int) - steady[0, :2]).mean() < 25, "filled from the first frame"


def test_a_picture_without_anything_to_hold_on_to_says_so(tmp_path: Path) -> None:
    path = write(tmp_path / "flat.mkv", [coded(k, 64, 48) for k in range(3)])
    result = finish(tmp_path, (ClipPart(path),), FinishStep("stabilise"))
    assert "nothing was found to hold" in result["warnings"][0]
    still = write(tmp_path / "one.mkv", [coded(3, 9, 7)])
    assert finish(tmp_path, (ClipPart(still),), FinishStep("stabilise"))["num_frames"] == 1


@pytest.mark.parametrize(("factor", "size"), [(2, (122, 82)), (4, (244, 164)), (3, (183, 123))])
def test_upscaled_frames_are_larger_and_show_the_same(tmp_path: Path, factor: float, size: tuple[int, int]) -> None:
    small = cv2.GaussianBlur(textured(61, 41), (0, 0), 2.5)
    path = write(tmp_path / "small.mkv", [small, small[::-1]])
    result = finish(tmp_path, (ClipPart(path),), FinishStep("upscale", amount=factor))
    assert (result["width"], result["height"]) == size
    for frame, source in zip(pictures(result["clip"]), (small, small[::-1]), strict=True):
        back = cv2.resize(frame, (61, 41), interpolation=cv2.INTER_AREA).astype(float)
        assert 10 * np.log10(255**2 / np.mean((back - source) ** 2)) > 28


def test_tiles_leave_no_seam_and_can_be_stopped_between() -> None:
    from engine.finish import upscale

    picture = textured(300, 150)
    made, enlarge, _ = upscale._by_ncnn(2, "video")
    whole = enlarge(cv2.copyMakeBorder(picture, *[upscale.OVERLAP] * 4, cv2.BORDER_REFLECT_101))
    edge = upscale.OVERLAP * made
    tiled = upscale.in_tiles(picture, 96, made, enlarge, lambda: None)
    assert np.abs(tiled.astype(int) - whole[edge:-edge, edge:-edge]).max() <= 2

    def stop() -> None:
        raise JobCancelled

    with pytest.raises(JobCancelled):
        upscale.in_tiles(picture, 96, made, enlarge, stop)


def test_seams_and_stutter_are_reported(tmp_path: Path) -> None:
    wide = textured(240, 80)
    shown = [0, 1, 2, 3, 3, 4, 5, 6, 7, 11, 12, 13, 14, 15]         # frame 4 repeats, before frame 9 three are missing
    one = write(tmp_path / "one.mp4", [wide[:, 2 * k:2 * k + 160] for k in shown])
    two = write(tmp_path / "two.mp4", [graded(wide[:, 2 * k:2 * k + 160]) for k in range(16, 28)])
    again = write(tmp_path / "three.mp4", [graded(wide[:, 2 * k:2 * k + 160]) for k in range(27, 38)])
    request = InspectRequest((ClipPart(one), ClipPart(two), ClipPart(again)))
    found = run_job("job", request, lambda *_: None, lambda: False)
    assert [clip["repeats"] for clip in found["clips"]] == [[4], [], []]
    assert [clip["jumps"] for clip in found["clips"]] == [[9], [], []]
    assert [clip["num_frames"] for clip in found["clips"]] == [14, 12, 11]
    assert [(seam["repeat"], seam["jump"], seam["cut"]) for seam in found["seams"]] == [
        (False, False, False), (True, False, False)]
    assert [seam["colour"] > 5 for seam in found["seams"]] == [True, False]
    assert found["colour"][0]["slope"] == [1, 1, 1]
    assert found["colour"][1]["step_after"] < 0.3 * found["colour"][1]["step_before"]
    with pytest.raises(BadRequest):
        run_job("job", InspectRequest((ClipPart(one),), 1), lambda *_: None, lambda: False)


def test_a_still_clip_does_not_stutter(tmp_path: Path) -> None:
    path = write(tmp_path / "still.mp4", [textured(160, 80)] * 9)
    found = run_job("job", InspectRequest((ClipPart(path), ClipPart(path))), lambda *_: None, lambda: False)
    assert found["clips"][0]["repeats"] == [] and not found["seams"][0]["repeat"]


@pytest.mark.parametrize("size", [(40, 40), (100, 30), (25, 70), (333, 111)])
def test_fitting_never_stretches(size: tuple[int, int]) -> None:
    picture = np.zeros((60, 90, 3), np.uint8)
    cv2.circle(picture, (45, 30), 10, (255, 255, 255), -1)
    out = fitted(picture, *size)
    assert out.shape == (size[1], size[0], 3)
    disc = out[..., 0] > 127
    assert np.ptp(np.flatnonzero(disc.any(axis=0))) == pytest.approx(np.ptp(np.flatnonzero(disc.any(axis=1))), abs=2)


@pytest.mark.parametrize("step", [FinishStep("match_colour"), FinishStep("match_grain", reference=PREVIOUS)])
def test_a_reference_that_is_needed_and_missing(tmp_path: Path, step: FinishStep) -> None:
    path = write(tmp_path / "a.mkv", [coded(1)])
    with pytest.raises(BadRequest):
        finish(tmp_path, (ClipPart(path),), step)


@pytest.mark.parametrize("name", list(STEPS))
def test_every_step_works_on_one_frame_of_odd_size_or_says_why_not(tmp_path: Path, name: str) -> None:
    kind = STEPS[name]
    path = write(tmp_path / "one.mkv", [textured(33, 19)])
    for method in kind.methods or ("",):
        if method == "photo":
            continue        # half a minute on two cores; the same code as "video"
        frames = max(kind.default_frames, kind.frames or 0)
        step = FinishStep(name, method, frames, reference=path if kind.reference and name != "upscale" else "")
        if name == "loop":
            with pytest.raises(BadRequest, match="too short"):
                finish(tmp_path, (ClipPart(path),), step)
        else:
            result = finish(tmp_path, (ClipPart(path),), step)
            assert len(pictures(result["clip"])) == result["num_frames"] == result["steps"][0]["num_frames"] >= 1
