"""What people do to a depth, pixel by pixel, and through whole jobs; and every bad input of depth at job level."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from engine.depth.estimate import shaped
from engine.depth.picture import read_depth_picture
from engine.depth.point import disparity_at, within
from engine.errors import BadDepth, BadInput, BadRequest, BadStill, WeightsMissing
from engine.jobs import run_job
from engine.protocol import CameraMoveRequest, DepthSettings, LensSettings, MoveSettings

WIDTH, HEIGHT = 128, 72
ROOT = Path(__file__).resolve().parents[2]


def picture(width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """(height, width, 3) uint8, nowhere darker than 60: black comes from outside."""
    y, x = np.mgrid[:height, :width]
    waves = 128 + 50 * np.sin(x / 5) * np.cos(y / 4)
    ramps = [90 + 100 * y / max(height, 1), 220 - 120 * x / width]
    return np.stack([waves, *ramps], axis=2).clip(60, 255).astype(np.uint8)


def ramp() -> np.ndarray:
    """(HEIGHT, WIDTH) uint8: far at the top, near at the bottom; a near block to the left."""
    depth = np.linspace(0, 255, HEIGHT).astype(np.uint8)[:, None].repeat(WIDTH, axis=1)
    depth[20:60, 20:50] = 230
    return depth


@pytest.fixture
def request_(tmp_path: Path) -> CameraMoveRequest:
    Image.fromarray(picture()).save(tmp_path / "photo.png")
    Image.fromarray(ramp()).save(tmp_path / "depth.png")
    return CameraMoveRequest(
        str(tmp_path / "photo.png"), str(tmp_path / "out" / "clip.mkv"), 3, clip_format="ffv1",
        depth=DepthSettings(picture=str(tmp_path / "depth.png")), move=MoveSettings("truck_right", 0.05))


def run(request: CameraMoveRequest) -> dict:
    return run_job("job", request, lambda *_: None, lambda: False)


def frames(result: dict) -> np.ndarray:
    with av.open(result["clip"]) as clip:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in clip.decode(video=0)])


def depth_of(result: dict) -> np.ndarray:
    """The depth picture beside a clip, 0..65535."""
    with Image.open(result["depth_preview"]) as depth:
        assert depth.mode == "I;16"
        return np.asarray(depth).astype(int)


def paint(path: Path, alpha: np.ndarray, level: int) -> str:
    grey = np.full((*alpha.shape, 4), level, np.uint8)
    grey[..., 3] = alpha
    Image.fromarray(grey).save(path)
    return str(path)


# ------------------------------------------------------------------ levels


def test_levels_stretch_invert_turns_round_and_gamma_pushes_away():
    depth = np.array([[0, 0.2, 0.5, 0.8, 1]], np.float32)
    assert np.allclose(shaped(depth, DepthSettings(near=0.8, far=0.2)), [[0, 0, 0.5, 1, 1]])
    assert np.allclose(shaped(depth, DepthSettings(invert=True)), 1 - depth)
    assert np.allclose(shaped(depth, DepthSettings(invert=True, near=0.8, far=0.2)), [[1, 1, 0.5, 0, 0]], atol=1e-6)
    assert shaped(depth, DepthSettings(gamma=2))[0, 2] == pytest.approx(0.25)


def test_inverted_draft_depth_is_the_other_way_round(request_: CameraMoveRequest):
    plain = run(replace(request_, depth=DepthSettings()))
    first = depth_of(plain)
    second = depth_of(run(replace(request_, depth=DepthSettings(invert=True))))
    assert np.abs(first + second - 65535).max() <= 2


# ------------------------------------------------------------------ paint-over


def test_opaque_paint_replaces_the_depth_and_half_of_it_blends(tmp_path: Path):
    alpha = np.zeros((10, 20), np.uint8)
    alpha[:, 5:10], alpha[:, 10:15] = 255, 51
    depth = np.full((10, 20), 0.25, np.float32)
    out = shaped(depth, DepthSettings(correction=paint(tmp_path / "p.png", alpha, 204)))
    assert np.allclose(out[:, :5], 0.25)
    assert np.allclose(out[:, 5:10], 0.8)
    assert np.allclose(out[:, 10:15], 0.25 * 0.8 + 0.8 * 0.2, atol=1e-3)
    assert np.allclose(out[:, 15:], 0.25)


def test_paint_comes_after_the_levels_and_another_size_has_no_fringe(tmp_path: Path):
    alpha = np.zeros((40, 80), np.uint8)
    alpha[:, 40:] = 255
    settings = DepthSettings(near=0.5, gamma=3, invert=True, correction=paint(tmp_path / "p.png", alpha, 51))
    out = shaped(np.full((10, 20), 0.9, np.float32), settings)
    assert np.allclose(out[:, 10:], 0.2, atol=1e-3)
    wide = shaped(np.full((80, 160), 0.6, np.float32), DepthSettings(correction=settings.correction))
    assert wide.min() >= 0.199                       # nothing darker than the paint at its soft edge
    assert wide.max() <= 0.601


def test_sixteen_bit_and_coloured_and_opaque_paint_is_read_by_its_brightness(tmp_path: Path):
    Image.fromarray(np.full((10, 20), 16384, np.uint16)).save(tmp_path / "grey.png")
    assert np.allclose(shaped(np.zeros((10, 20), np.float32), DepthSettings(correction=str(tmp_path / "grey.png"))),
                       16384 / 65535, atol=1e-4)
    Image.new("RGB", (20, 10), (255, 0, 0)).save(tmp_path / "red.png")
    assert np.allclose(shaped(np.zeros((10, 20), np.float32), DepthSettings(correction=str(tmp_path / "red.png"))),
                       0.2126, atol=1e-3)


def test_a_paint_over_moves_what_it_covers(request_: CameraMoveRequest, tmp_path: Path):
    far = replace(request_, depth=replace(request_.depth, correction=paint(
        tmp_path / "p.png", np.full((HEIGHT, WIDTH), 255, np.uint8), 128)), move=replace(request_.move, pivot=0.5))
    flat = run(far)
    assert depth_of(flat).std() == 0
    after = frames(flat)[-1].astype(int)
    assert np.abs(frames(run(request_))[-1] - after).mean() > 2


@pytest.mark.parametrize("content", ["missing", "text", "aspect"])
def test_a_paint_over_that_cannot_be_used_is_one_sentence(request_: CameraMoveRequest, tmp_path: Path, content: str):
    path = tmp_path / "p.png"
    if content == "text":
        path.write_text("no picture")
    elif content == "aspect":
        paint(path, np.zeros((50, 50), np.uint8), 0)
    with pytest.raises(BadDepth) as caught:
        run(replace(request_, depth=replace(request_.depth, correction=str(path))))
    assert caught.value.message.endswith(".")
    assert caught.value.remedy


# ------------------------------------------------------------------ show depth, and back


def test_the_depth_picture_of_a_clip_gives_the_same_clip_again(request_: CameraMoveRequest, tmp_path: Path):
    first = run(replace(request_, depth=replace(request_.depth, gamma=1.7)))
    assert len(np.unique(depth_of(first))) > 256 // 4
    before = frames(first).astype(int)
    second = run(replace(request_, output=str(tmp_path / "out" / "again.mkv"),
                         depth=DepthSettings(picture=first["depth_preview"])))
    assert np.abs(before - frames(second)).max() <= 3
    depths = [read_depth_picture(result["depth_preview"], True, (HEIGHT, WIDTH)) for result in (first, second)]
    assert np.abs(depths[0] - depths[1]).max() < 1e-4


# ------------------------------------------------------------------ pivot and focus


def test_a_point_is_a_place_in_the_whole_still():
    assert within((0.5, 0.5), [20, 10, 60, 40], [100, 60]) == pytest.approx((0.5, 0.5))
    assert within((0.2, 10 / 60), [20, 10, 60, 40], [100, 60]) == pytest.approx((0, 0))
    with pytest.raises(BadRequest):
        within((0.1, 0.5), [20, 10, 60, 40], [100, 60])


def test_the_depth_at_a_point_does_not_fall_for_a_stray_pixel():
    depth = np.full((60, 100), 0.3, np.float32)
    depth[30, 50] = 1
    assert disparity_at(depth, (0.5, 0.5)) == pytest.approx(0.3)
    assert disparity_at(depth, (1.0, 1.0)) == pytest.approx(0.3)
    assert disparity_at(np.full((1, 1), 0.7), (0.5, 0.5)) == pytest.approx(0.7)


def test_the_pivot_is_the_depth_at_the_chosen_point_and_the_focus_follows(request_: CameraMoveRequest):
    move = replace(request_.move, pivot_point=(35 / WIDTH, 40 / HEIGHT))
    settings = run(replace(request_, move=move, lens=LensSettings(f_stop=2.8)))["settings"]
    assert settings["move"]["pivot"] == pytest.approx(230 / 255, abs=0.01)
    assert settings["lens"]["focus"] == settings["move"]["pivot"]
    other = run(replace(request_, move=move, lens=LensSettings(2.8, focus_point=(0.9, 0.99))))["settings"]
    assert other["lens"]["focus"] == pytest.approx(1, abs=0.03)
    value = run(replace(request_, move=move, lens=LensSettings(2.8, focus=0.25)))["settings"]
    assert value["lens"]["focus"] == 0.25


def test_what_lies_at_the_pivot_point_keeps_its_place(request_: CameraMoveRequest):
    move = replace(request_.move, amount=0.06, pivot_point=(35 / WIDTH, 40 / HEIGHT))
    clip = frames(run(replace(request_, move=move)))
    block = np.s_[30:50, 28:44]
    assert np.abs(clip[-1][block].astype(int) - clip[0][block]).mean() < 1.5
    assert np.abs(clip[-1][8:16].astype(int) - clip[0][8:16]).mean() > 5


def test_depth_of_field_blurs_what_is_far_and_keeps_what_is_in_focus(request_: CameraMoveRequest, tmp_path: Path):
    still = replace(request_, num_frames=1)
    sharp = frames(run(still))[0].astype(float)
    lens = LensSettings(f_stop=0.2, focus_point=(35 / WIDTH, 40 / HEIGHT))
    blurred = frames(run(replace(still, lens=lens)))[0].astype(float)
    assert np.abs(blurred - sharp)[30:50, 28:44].mean() < 3
    detail = [np.abs(np.diff(clip[4:14, :, 0], axis=1)).mean() for clip in (sharp, blurred)]
    assert detail[1] < 0.7 * detail[0]


@pytest.mark.parametrize("lens", [
    LensSettings(f_stop=-1), LensSettings(f_stop=0.01), LensSettings(f_stop=float("nan")), LensSettings(vignette=2),
    LensSettings(focus=1.5), LensSettings(2.8, focus_point=(2.0, 0.5))])
def test_a_lens_that_cannot_be_is_one_sentence(request_: CameraMoveRequest, lens: LensSettings):
    with pytest.raises(BadRequest) as caught:
        run(replace(request_, lens=lens))
    assert caught.value.remedy


# ------------------------------------------------------------------ bad input


def clear_clip(result: dict, shape: tuple[int, int] = (HEIGHT, WIDTH)) -> None:
    clip = frames(result)
    assert clip.shape[1:3] == shape
    assert clip.min() >= 40, "black from outside of the photo"


@pytest.mark.parametrize("values", ["nan", "inf", "some nan", "double size"])
def test_odd_depth_gives_a_clip_or_a_sentence(request_: CameraMoveRequest, tmp_path: Path, values: str):
    depth = ramp().astype(np.float32) / 255
    if values == "some nan":
        depth[::7, ::5] = np.nan
        depth[1::9, 1::5] = np.inf
    elif values == "double size":
        depth = depth.repeat(2, 0).repeat(2, 1)
    else:
        depth[:] = float(values)
    np.save(tmp_path / "d.npy", depth)
    odd = replace(request_, depth=DepthSettings(picture=str(tmp_path / "d.npy")))
    if values in ("nan", "inf"):
        with pytest.raises(BadDepth):
            run(odd)
        return
    clear_clip(run(odd))


def test_constant_depth_is_refused_as_a_picture_and_is_a_flat_clip_as_a_correction(
    request_: CameraMoveRequest, tmp_path: Path
):
    Image.new("L", (WIDTH, HEIGHT), 90).save(tmp_path / "flat.png")
    with pytest.raises(BadDepth, match="same depth everywhere"):
        run(replace(request_, depth=DepthSettings(picture=str(tmp_path / "flat.png"))))
    for move in ("push_in", "truck_right", "orbit", "dolly_zoom", "circle"):
        clear_clip(run(replace(request_, depth=DepthSettings(correction=str(tmp_path / "flat.png")),
                               move=MoveSettings(move, 0.06))))


@pytest.mark.parametrize("size", [(64, 64), (72, 128)])
def test_depth_of_another_aspect_is_refused(request_: CameraMoveRequest, tmp_path: Path, size: tuple[int, int]):
    np.save(tmp_path / "d.npy", np.random.default_rng(1).random(size))
    if size[1] / size[0] == WIDTH / HEIGHT:
        clear_clip(run(replace(request_, depth=DepthSettings(picture=str(tmp_path / "d.npy")))))
    else:
        with pytest.raises(BadDepth):
            run(replace(request_, depth=DepthSettings(picture=str(tmp_path / "d.npy"))))


@pytest.mark.parametrize("size", [(200, 1), (1, 200), (1, 1), (16, 2)])
def test_tiny_pictures_give_a_clip_or_a_sentence(request_: CameraMoveRequest, tmp_path: Path, size: tuple[int, int]):
    Image.fromarray(picture(*size)).save(tmp_path / "tiny.png")
    try:
        result = run(replace(request_, image=str(tmp_path / "tiny.png"), depth=DepthSettings()))
    except BadInput as error:
        assert error.message.endswith(".")
        assert error.remedy
    else:
        clear_clip(result, (result["height"], result["width"]))


@pytest.mark.parametrize("visible_only", [True, False])
def test_a_picture_with_full_alpha(request_: CameraMoveRequest, tmp_path: Path, visible_only: bool):
    rgba = np.dstack([picture(), np.full((HEIGHT, WIDTH), 255, np.uint8)])
    Image.fromarray(rgba).save(tmp_path / "opaque.png")
    clear_clip(run(replace(request_, image=str(tmp_path / "opaque.png"), visible_only=visible_only)))
    rgba[..., 3] = 0
    Image.fromarray(rgba).save(tmp_path / "nothing.png")
    nothing = replace(request_, image=str(tmp_path / "nothing.png"), visible_only=visible_only)
    with pytest.raises(BadStill) as caught:
        run(nothing)
    assert caught.value.remedy


def test_near_equal_to_far_is_a_sentence(request_: CameraMoveRequest):
    with pytest.raises(BadRequest, match="leave no depth"):
        run(replace(request_, depth=replace(request_.depth, near=0.4, far=0.4)))


@pytest.mark.parametrize("amount", [0.0, 1.0])
@pytest.mark.parametrize("move", ["push_in", "pull_out", "truck_left", "orbit", "dolly_zoom", "handheld", "crop"])
def test_the_smallest_and_the_largest_amount(request_: CameraMoveRequest, move: str, amount: float):
    result = run(replace(request_, move=MoveSettings(move, amount)))
    clear_clip(result)
    if amount == 0 and move != "crop":
        clip = frames(result).astype(int)
        assert np.abs(clip - clip[0]).max() <= 1


def test_a_model_folder_that_is_none_is_a_sentence(request_: CameraMoveRequest, tmp_path: Path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text(json.dumps({"model_type": "bert"}), encoding="utf-8")
    for folder in (tmp_path / "model", tmp_path / "nowhere", tmp_path / "depth.png"):
        # Without the full engine nothing can look into a folder, and the sentence says so.
        with pytest.raises((BadInput, WeightsMissing)) as caught:
            run(replace(request_, depth=DepthSettings(model=str(folder))))
        assert caught.value.remedy


def test_every_control_has_its_option_on_the_command_line(request_: CameraMoveRequest, tmp_path: Path):
    correction = paint(tmp_path / "p.png", np.zeros((HEIGHT, WIDTH), np.uint8), 0)
    done = subprocess.run(
        [sys.executable, "-m", "engine", "camera-move", request_.image, "--seconds", "0.1", "--invert", "--near", "0.9",
         "--far", "0.1", "--gamma", "1.2", "--correction", correction, "--pivot-point", "0.5,0.6", "--f-stop", "2",
         "--focus-point", "0.2,0.2", "--vignette", "0.4", "--out", str(tmp_path / "c.mp4"), "--json"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    settings = json.loads(done.stdout.splitlines()[-1])["settings"]
    assert (settings["depth"]["invert"], settings["depth"]["correction"]) == (True, correction)
    assert settings["move"]["pivot_point"] == [0.5, 0.6]
    assert (settings["lens"]["f_stop"], settings["lens"]["vignette"]) == (2, 0.4)
    assert 0 <= settings["lens"]["focus"] <= 1
