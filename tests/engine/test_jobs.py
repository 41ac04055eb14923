"""A whole job on a small still: what a person gets on disk."""

import json
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from engine.camera import MOVES
from engine.errors import BadDepth, BadRequest, BadStill, JobCancelled, OutputFailed
from engine.jobs import run_job
from engine.protocol import CameraMoveRequest, DepthSettings, MoveSettings

WIDTH, HEIGHT = 192, 108


def picture(width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """(height, width, 3) uint8: smooth colours with a pattern, nowhere darker than 60: black comes from outside."""
    y, x = np.mgrid[:height, :width]
    waves = 128 + 50 * np.sin(x / 9) * np.cos(y / 7)
    return np.stack([waves, 90 + 100 * y / height, 220 - 120 * x / width], axis=2).clip(60, 255).astype(np.uint8)


@pytest.fixture
def request_(tmp_path: Path) -> CameraMoveRequest:
    Image.fromarray(picture()).save(tmp_path / "photo.png")
    ramp = np.linspace(0, 255, HEIGHT).astype(np.uint8)[:, None].repeat(WIDTH, axis=1)
    ramp[30:90, 60:120] = 250
    Image.fromarray(ramp).save(tmp_path / "depth.png")
    return CameraMoveRequest(
        str(tmp_path / "photo.png"),
        str(tmp_path / "out" / "clip.mkv"),
        5,
        clip_format="ffv1",
        depth=DepthSettings(picture=str(tmp_path / "depth.png")),
    )


def run(request: CameraMoveRequest) -> dict:
    return run_job("job", request, lambda *_: None, lambda: False)


def frames(path: str) -> np.ndarray:
    with av.open(path) as clip:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in clip.decode(video=0)])


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / max(np.mean((a.astype(float) - b) ** 2), 1e-9)))


@pytest.mark.parametrize("move", [name for name in MOVES if name != "crop"])
def test_the_clip_begins_with_the_photo_moves_and_never_shows_what_lies_outside(request_: CameraMoveRequest, move: str):
    result = run(replace(request_, move=MoveSettings(move, MOVES[move].default)))
    clip = frames(result["clip"])
    assert clip.shape == (5, HEIGHT, WIDTH, 3)
    assert psnr(clip[0], picture()) >= 40
    assert np.abs(clip.astype(int) - clip[0]).max() > 8
    assert clip.min() >= 40


def test_a_move_that_is_too_large_is_limited_and_says_so(request_: CameraMoveRequest):
    result = run(replace(request_, move=MoveSettings("pull_out", 0.8)))
    assert "limited" in result["warnings"][0]
    assert result["settings"]["move"]["amount"] < 0.8
    assert frames(result["clip"]).min() >= 40


def test_the_record_beside_the_clip_repeats_the_settings_and_names_every_file(request_: CameraMoveRequest):
    result = run(request_)
    record = json.loads(Path(result["sidecar"]).read_text(encoding="utf-8"))
    assert record == result
    assert record["settings"]["image"] == request_.image
    assert record["depth_label"] == "picture"
    assert all(Path(path).is_file() for path in [*record["files"], record["depth_preview"]])
    assert set(record["seconds"]) == {"load", "depth", "layers", "path", "render", "write"}


def test_a_captured_still_is_cut_to_what_is_visible_and_says_where_it_lay(request_: CameraMoveRequest, tmp_path: Path):
    canvas = np.zeros((120, 240, 4), np.uint8)
    canvas[5:113, 31:223, :3] = picture()
    canvas[5:113, 31:223, 3] = 255
    Image.fromarray(canvas).save(tmp_path / "still.png")
    result = run(
        replace(
            request_,
            image=str(tmp_path / "still.png"),
            visible_only=True,
            frame_width=240,
            frame_height=120,
            depth=DepthSettings(),
        )
    )
    assert result["rect"] == [31, 5, 192, 108]
    assert (result["width"], result["height"]) == (192, 108)
    assert psnr(frames(result["clip"])[0], picture()) >= 40


def test_an_explicit_size_crops_to_its_aspect_and_never_stretches(request_: CameraMoveRequest):
    result = run(replace(request_, width=60, height=60, num_frames=1))
    expected = np.asarray(Image.fromarray(picture()[:, 42:150]).resize((60, 60), Image.Resampling.BOX))
    assert psnr(frames(result["clip"])[0], expected) >= 30


def test_a_sequence_of_pictures_is_a_folder_with_every_frame(request_: CameraMoveRequest, tmp_path: Path):
    result = run(replace(request_, output=str(tmp_path / "seq"), clip_format="png"))
    assert [Path(path).name for path in result["files"]] == [f"frame_{n:04d}.png" for n in range(1, 6)]
    assert psnr(np.asarray(Image.open(result["files"][0]).convert("RGB")), picture()) >= 40


@pytest.mark.parametrize("stage", ["load", "depth", "layers", "path", "render"])
def test_cancel_in_any_stage_leaves_nothing_behind(request_: CameraMoveRequest, stage: str, tmp_path: Path):
    reached: list[str] = []
    with pytest.raises(JobCancelled):
        run_job("job", request_, lambda name, *_: reached.append(name), lambda: stage in reached)
    assert not list((tmp_path / "out").glob("*"))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"num_frames": 0}, BadRequest),
        ({"fps": (0, 1)}, BadRequest),
        ({"clip_format": "gif"}, BadRequest),
        ({"width": -1}, BadRequest),
        ({"move": MoveSettings("fly")}, BadRequest),
        ({"move": MoveSettings(amount=2)}, BadRequest),
        ({"move": MoveSettings(pivot=3)}, BadRequest),
        ({"move": MoveSettings("crop", crop_to=(0.5, 0.5, 0.9, 0.9))}, BadRequest),
        ({"image": "/nowhere/photo.jpg"}, BadStill),
        ({"depth": DepthSettings(picture="/nowhere/depth.png")}, BadDepth),
        ({"output": "/proc/clip.mkv"}, OutputFailed),
    ],
)
def test_bad_input_is_one_sentence_with_a_remedy_and_leaves_nothing(
    request_: CameraMoveRequest, changes: dict, error: type, tmp_path: Path
):
    with pytest.raises(error) as caught:
        run(replace(request_, **changes))
    assert caught.value.message.endswith(".")
    assert caught.value.remedy
    assert not list((tmp_path / "out").glob("*"))


def test_the_same_request_gives_the_same_clip(request_: CameraMoveRequest):
    shaky = replace(request_, move=MoveSettings("handheld", 0.05, seed=0))
    first = frames(run(shaky)["clip"])
    assert np.array_equal(first, frames(run(shaky)["clip"]))
    assert not np.array_equal(first, frames(run(replace(shaky, move=MoveSettings("handheld", 0.05, seed=1)))["clip"]))
