"""Movies read back frame by frame, in any order, whatever they were stored as."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from engine.errors import BadClip, BadStill
from engine.media.movie import Movie, open_clip
from tests.engine.movies import coded, number_of, textured, write

COUNT = 31
ORDERS = {"forwards": list(range(COUNT)), "backwards": list(range(COUNT))[::-1], "leaps": [30, 0, 17, 16, 29, 3, 3, 28]}


def encode(path: Path, frames: list[np.ndarray], codec: str = "libx264", pix_fmt: str = "yuv444p", matrix: int = 1,
           full: bool = False, times: list[int] | None = None, trc: int = 1) -> str:
    """As other programs write movies: B-frames, one key frame at the start, any matrix and range."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=24)
        stream.width, stream.height, stream.pix_fmt = frames[0].shape[1], frames[0].shape[0], pix_fmt
        context = stream.codec_context
        context.colorspace, context.color_range, context.color_trc = matrix, 2 if full else 1, trc
        context.gop_size, context.max_b_frames = 250, 3
        stream.options = {"crf": "4"} if codec == "libx264" else {"qscale": "1"}
        if codec != "libx264":
            context.bit_rate = 30_000_000
        for index, frame in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24").reformat(
                format=pix_fmt, dst_colorspace={1: 1, 2: 5, 6: 5, 9: 9}[matrix], dst_color_range=2 if full else 1)
            picture.pts = times[index] if times else index
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return str(path)


@pytest.mark.parametrize("order", list(ORDERS))
@pytest.mark.parametrize("name", ["long.mp4", "long.mkv", "long.avi", "ours.mp4", "ours.mov", "ours.mkv"])
def test_every_frame_is_found_in_any_order(tmp_path: Path, name: str, order: str) -> None:
    frames = [coded(k) for k in range(COUNT)]
    path = tmp_path / name
    if name.startswith("ours"):
        write(path, frames, Fraction(24))
    else:
        encode(path, frames, "mpeg4" if path.suffix == ".avi" else "libx264",
               "yuv420p" if path.suffix == ".avi" else "yuv444p")
    movie = Movie(str(path))
    assert (movie.num_frames, movie.fps, movie.width, movie.height) == (COUNT, 24, 48, 32)
    assert not movie.sound and not movie.warnings
    assert [round(number_of(movie.frame(k))) for k in ORDERS[order]] == ORDERS[order]
    movie.close()


def test_little_is_kept_and_backwards_still_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.media.movie.KEPT_BYTES", 20_000)
    movie = Movie(encode(tmp_path / "a.mp4", [coded(k) for k in range(COUNT)]))
    assert [round(number_of(movie.frame(k))) for k in ORDERS["backwards"]] == ORDERS["backwards"]
    assert len(movie._kept) <= 8


@pytest.mark.parametrize("matrix", [1, 2, 6, 9])
@pytest.mark.parametrize("full", [False, True])
def test_colours_come_back_whatever_matrix_and_range_a_file_names(tmp_path: Path, matrix: int, full: bool) -> None:
    patches = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [0, 0, 0], [200, 100, 50]], np.uint8)
    picture = np.ascontiguousarray(patches.repeat(16, axis=0)[None].repeat(32, axis=0))
    movie = Movie(encode(tmp_path / "a.mp4", [picture] * 2, matrix=matrix, full=full))
    seen = movie.frame(1)[16, 8::16]
    assert np.abs(seen.astype(int) - patches).max() <= 4


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv420p10le", "yuv422p", "yuvj420p"])
def test_kinds_of_storage(tmp_path: Path, pix_fmt: str) -> None:
    picture = np.repeat(textured(61, 47)[:, :, :1], 3, axis=2)[:46, :60]      # grey: subsampled colour is no fault
    movie = Movie(encode(tmp_path / "a.mp4", [picture] * 3, pix_fmt=pix_fmt, full=pix_fmt.startswith("yuvj")))
    assert np.abs(movie.frame(2).astype(int) - picture).mean() < 2


def test_what_is_odd_about_a_movie_is_said(tmp_path: Path) -> None:
    frames = [coded(k) for k in range(6)]
    uneven = Movie(encode(tmp_path / "uneven.mkv", frames, times=[0, 1, 2, 7, 8, 9]))
    assert "constant frame rate" in uneven.warnings[0]
    assert [round(number_of(uneven.frame(k))) for k in range(6)] == list(range(6))
    bright = Movie(encode(tmp_path / "hdr.mp4", frames, matrix=9, trc=16))
    assert "dynamic range" in bright.warnings[0]


def test_a_movie_that_breaks_off_has_the_frames_that_are_left(tmp_path: Path) -> None:
    whole = Path(encode(tmp_path / "whole.mkv", [textured(64, 48, k) for k in range(20)])).read_bytes()
    (tmp_path / "part.mkv").write_bytes(whole[: len(whole) * 2 // 3])
    movie = Movie(str(tmp_path / "part.mkv"))
    assert 3 < movie.num_frames < 20
    for index in range(movie.num_frames):
        assert movie.frame(index).shape == (48, 64, 3)


def test_pictures(tmp_path: Path) -> None:
    for name, k in (("p10", 2), ("p8", 0), ("p9", 1)):
        Image.fromarray(coded(k)).save(tmp_path / f"{name}.png")
    (tmp_path / "notes.txt").write_text("mine")
    clip = open_clip(str(tmp_path))
    assert (clip.num_frames, clip.fps) == (3, None)
    assert [number_of(clip.frame(k)) for k in range(3)] == [0, 1, 2]
    Image.fromarray(coded(3, 64, 64)).save(tmp_path / "p11.png")
    with pytest.raises(BadClip, match="another size"):
        open_clip(str(tmp_path)).frame(3)
    half = np.dstack([coded(20), np.full((32, 48), 128, np.uint8)])
    Image.fromarray(half).save(tmp_path / "half.png")
    assert number_of(open_clip(str(tmp_path / "half.png")).frame(0)) == pytest.approx(10, abs=0.2)


@pytest.mark.parametrize(("make", "error"), [
    (lambda p: (p / "c.mp4").write_bytes(b"x" * 999), BadClip),
    (lambda p: (p / "c.png").write_bytes(b"x" * 999), BadStill),
    (lambda p: (p / "c.d").mkdir(), BadClip),
    (lambda p: None, BadClip),
])
def test_what_cannot_be_read(tmp_path: Path, make: Callable[[Path], object], error: type) -> None:
    make(tmp_path)
    path = next(tmp_path.iterdir(), tmp_path / "nothing.mp4")
    with pytest.raises(error) as caught:
        open_clip(str(path))
    assert caught.value.message.endswith(".") and caught.value.remedy


def test_a_sound_file_is_no_movie(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.m4a"), "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=48000)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.int16), format="s16", layout="mono")
        frame.sample_rate = 48000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(BadClip, match="no moving picture"):
        open_clip(str(tmp_path / "a.m4a"))
