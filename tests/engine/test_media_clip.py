"""Clips out: read back frame by frame, and what a full, forbidden or occupied disk does to them."""

from __future__ import annotations

import errno
import os
import subprocess
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace

from engine.errors import BadRequest, OutputFailed
from engine.media import clip
from engine.media.clip import ClipWriter, format_of

MOVIES = {"h264": "clip.mp4", "prores": "clip.mov", "ffv1": "clip.mkv"}
NTSC = Fraction(24000, 1001)


def frames(count: int, width: int = 160, height: int = 90) -> list[np.ndarray]:
    """A coloured picture that moves by two pixels a frame; the frame's number is the grey of its top left corner."""
    y, x = np.mgrid[0:height, 0:width + 2 * count].astype(np.float32)
    wide = np.dstack([127 + 100 * np.sin(x / 17), 127 + 100 * np.cos(y / 11), 255 * ((x // 24 + y // 24) % 2)])
    wide = np.clip(cv2.GaussianBlur(wide, (0, 0), 1.0), 0, 255).astype(np.uint8)
    out = [np.ascontiguousarray(wide[:, 2 * i:2 * i + width]) for i in range(count)]
    for i, frame in enumerate(out):
        frame[:16, :16] = 10 * (i % 25)
    return out


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def written(path: Path, clip_format: str, pictures: list[np.ndarray], fps: Fraction = Fraction(24)) -> list[str]:
    height, width = pictures[0].shape[:2]
    with ClipWriter(str(path), clip_format, width, height, fps) as writer:
        for picture in pictures:
            writer.write(picture)
        return writer.commit()


def read_back(path: Path) -> list[np.ndarray]:
    """What a player shows that believes the file's own colour tags."""
    out = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            if frame.format.name == "bgr0":
                out.append(frame.reformat(format="rgb24").to_ndarray())
                continue
            assert (frame.colorspace, frame.color_range) == (Colorspace.ITU709, ColorRange.MPEG)
            out.append(frame.reformat(
                format="rgb24", src_colorspace=frame.colorspace, src_color_range=frame.color_range,
                dst_color_range=ColorRange.JPEG).to_ndarray())
    return out


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255 ** 2 / max(np.mean((a.astype(float) - b) ** 2), 1e-9)))


@pytest.mark.parametrize(("clip_format", "least"), [("h264", 40.0), ("prores", 30.0), ("ffv1", 130.0)])
def test_movie_reads_back(tmp_path: Path, clip_format: str, least: float) -> None:
    pictures = frames(14)
    path = tmp_path / MOVIES[clip_format]
    assert written(path, clip_format, pictures) == [str(path)]
    decoded = read_back(path)
    assert len(decoded) == 14
    assert min(psnr(a, b) for a, b in zip(pictures, decoded, strict=True)) >= least
    assert [round(int(frame[4:12, 4:12].mean()) / 10) for frame in decoded] == list(range(14))
    assert names(tmp_path) == [path.name]


@pytest.mark.parametrize("fps", [Fraction(24), NTSC, Fraction(30000, 1001), Fraction(60), Fraction(25, 2)])
@pytest.mark.parametrize("clip_format", list(MOVIES))
def test_constant_rate_and_exact_length(tmp_path: Path, clip_format: str, fps: Fraction) -> None:
    path = tmp_path / MOVIES[clip_format]
    written(path, clip_format, frames(13, 64, 48), fps)
    with av.open(str(path)) as container:
        assert [stream.type for stream in container.streams] == ["video"]
        stream = container.streams.video[0]
        assert stream.average_rate == fps
        packets = [packet for packet in container.demux(stream) if packet.size]
        assert len(packets) == 13 and packets[0].pts == 0
        assert all(packet.pts == packet.dts for packet in packets)      # no reordering: no B-frames
        times = [float(packet.pts * packet.time_base) for packet in packets]
        exact = [i / float(fps) for i in range(13)]
        assert np.abs(np.subtract(times, exact)).max() <= (0.0006 if clip_format == "ffv1" else 1e-9)
        assert container.duration is not None
        assert container.duration / av.time_base == pytest.approx(13 / float(fps), abs=0.002)


def test_h264_has_a_key_frame_every_six_frames(tmp_path: Path) -> None:
    written(tmp_path / "clip.mp4", "h264", frames(20))
    with av.open(str(tmp_path / "clip.mp4")) as container:
        keys = [packet.is_keyframe for packet in container.demux(video=0) if packet.size]
    assert [i for i, key in enumerate(keys) if key] == [0, 6, 12, 18]


@pytest.mark.parametrize("clip_format", ["h264", "prores"])
def test_colours_are_bt709_and_say_so(tmp_path: Path, clip_format: str) -> None:
    """Flat colours come back to a level or two; read as bt601 they would be tens of levels off."""
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (128, 128, 128), (200, 100, 50)]
    written(tmp_path / MOVIES[clip_format], clip_format, [np.full((64, 64, 3), c, np.uint8) for c in colours])
    for colour, frame in zip(colours, read_back(tmp_path / MOVIES[clip_format]), strict=True):
        assert np.abs(frame[8:-8, 8:-8].astype(int) - colour).max() <= 3
    with av.open(str(tmp_path / MOVIES[clip_format])) as container:
        context = container.streams.video[0].codec_context
        assert (context.color_primaries, context.color_trc, context.colorspace, context.color_range) == (1, 1, 1, 1)


@pytest.mark.parametrize("size", [(161, 91), (160, 91), (161, 90), (17, 33)])
@pytest.mark.parametrize("clip_format", list(MOVIES))
def test_odd_sizes(tmp_path: Path, clip_format: str, size: tuple[int, int]) -> None:
    pictures = frames(3, *size)
    written(tmp_path / MOVIES[clip_format], clip_format, pictures)
    decoded = read_back(tmp_path / MOVIES[clip_format])
    assert decoded[0].shape == pictures[0].shape and psnr(pictures[2][16:], decoded[2][16:]) > 30
    assert psnr(pictures[2][16:, -4:], decoded[2][16:, -4:]) > 28      # FFmpeg's ProRes spoils this edge in 4:2:2


def test_sequence(tmp_path: Path) -> None:
    pictures = frames(12)
    files = written(tmp_path / "shot", "png", pictures, NTSC)
    assert files == [str(tmp_path / "shot" / f"frame_{i:04d}.png") for i in range(1, 13)]
    assert names(tmp_path / "shot") == [Path(file).name for file in files]
    for file, picture in zip(files, pictures, strict=True):
        assert np.array_equal(cv2.imread(file)[..., ::-1], picture)
    assert names(tmp_path) == ["shot"]


def test_a_shorter_sequence_replaces_a_longer_one_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "shot"
    written(folder, "png", frames(5))
    (folder / "notes.txt").write_text("mine")
    with ClipWriter(f"{folder}/", "png", 32, 32, Fraction(24)) as writer:
        writer.write(np.full((32, 32, 3), 7, np.uint8))
        assert cv2.imread(str(folder / "frame_0001.png")).shape == (90, 160, 3)     # untouched until commit
        writer.write(np.full((32, 32, 3), 8, np.uint8))
        assert len(writer.commit()) == 2
    assert names(folder) == ["frame_0001.png", "frame_0002.png", "notes.txt"]
    assert (cv2.imread(str(folder / "frame_0002.png")) == 8).all()


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "shot"])
def test_nothing_is_left_without_commit(tmp_path: Path, name: str) -> None:
    target = tmp_path / "new" / "deep" / name
    writer = ClipWriter(str(target), format_of(name), 64, 48, Fraction(24))
    with pytest.raises(KeyboardInterrupt), writer:
        writer.write(frames(1, 64, 48)[0])
        assert not target.exists()
        raise KeyboardInterrupt
    assert names(tmp_path) == []


def test_an_existing_clip_stays_until_commit(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"the older clip")
    with ClipWriter(str(path), "h264", 64, 48, Fraction(24)) as writer:
        writer.write(frames(1, 64, 48)[0])
    assert path.read_bytes() == b"the older clip" and names(tmp_path) == ["clip.mp4"]
    written(path, "h264", frames(2, 64, 48))
    assert len(read_back(path)) == 2 and names(tmp_path) == ["clip.mp4"]


def test_a_clip_may_be_read_by_others(tmp_path: Path) -> None:
    written(tmp_path / "clip.mp4", "h264", frames(1))
    (tmp_path / "plain").touch()
    assert (tmp_path / "clip.mp4").stat().st_mode == (tmp_path / "plain").stat().st_mode


def failure(path: Path | str, clip_format: str, width: int = 64, height: int = 48) -> OutputFailed:
    with pytest.raises(OutputFailed) as caught:
        ClipWriter(str(path), clip_format, width, height, Fraction(24))
    assert caught.value.message.endswith(".") and caught.value.remedy.endswith(".")
    return caught.value


def test_places_where_no_clip_can_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "dir.mp4").mkdir()
    assert "a file stands where a folder" in failure(tmp_path / "file" / "clip.mp4", "h264").message
    assert "a file stands where a folder" in failure(tmp_path / "file" / "deep" / "clip.mp4", "h264").message
    assert "a file stands where a folder" in failure(tmp_path / "file", "png").message
    assert "is a folder" in failure(tmp_path / "dir.mp4", "h264").message
    assert "too long" in failure(tmp_path / ("n" * 300 + ".mp4"), "h264").message
    assert "end in .mp4" in failure(tmp_path / "clip.mov", "h264").remedy
    assert "end in .mkv" in failure(tmp_path / "clip", "ffv1").remedy
    assert ".mp4" in failure(tmp_path / "clip.mp4", "png").remedy
    assert "clip format" in failure(tmp_path / "clip.mp4", "theora").message
    assert "0 x 48" in failure(tmp_path / "clip.mp4", "h264", 0).message
    assert "could not be written" in failure(tmp_path / "new" / "clip.mp4", "h264", 60000, 40000).message
    assert names(tmp_path) == ["dir.mp4", "file"]


def test_refused_folder_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (errno.EACCES, errno.EROFS):
        def refuse(*_: object, number: int = number, **__: object) -> None:
            raise OSError(number, os.strerror(number))
        monkeypatch.setattr(Path, "touch", refuse)
        assert "Nothing may be written" in failure(tmp_path / "clip.mp4", "h264").message


@pytest.fixture
def tiny_disk(tmp_path: Path):
    """A file system of 256 kB, where this machine lets us mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)]
    made = subprocess.run(command, capture_output=True, check=False)
    if made.returncode:
        pytest.skip("no right to mount a small disk")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.mark.skipif(os.name != "posix", reason="needs mount")
@pytest.mark.parametrize("name", ["clip.mp4", "clip.mov", "clip.mkv", "shot"])
def test_full_disk(tiny_disk: Path, name: str) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (270, 480, 3), dtype=np.uint8)
    writer = ClipWriter(str(tiny_disk / "new" / name), format_of(name), 480, 270, Fraction(24))
    with pytest.raises(OutputFailed) as caught, writer:
        for shift in range(40):
            writer.write(np.roll(noise, 31 * shift, axis=1))
        writer.commit()
    assert "disk is full" in caught.value.message
    assert names(tiny_disk) == []


@pytest.mark.skipif(os.name != "posix", reason="needs mount")
def test_disk_that_becomes_read_only(tiny_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(tiny_disk)], check=True)
    assert "Nothing may be written" in failure(tiny_disk / "new" / "clip.mp4", "h264").message
    assert "Nothing may be written" in failure(tiny_disk / "shot", "png").message


@pytest.mark.parametrize("name", ["clip.mp4", "shot"])
def test_disk_full_at_the_very_end(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that only says so when asked to make sure, as network disks do."""
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")
    writer = ClipWriter(str(tmp_path / name), format_of(name), 64, 48, Fraction(24))
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputFailed, match="disk is full"), writer:
        writer.write(frames(1, 64, 48)[0])
        writer.commit()
    assert names(tmp_path) == []


def test_wrong_frames_are_a_fault_of_ours(tmp_path: Path) -> None:
    with ClipWriter(str(tmp_path / "clip.mp4"), "h264", 64, 48, Fraction(24)) as writer:
        with pytest.raises(ValueError, match="a frame of"):
            writer.write(np.zeros((64, 48, 3), np.uint8))
        with pytest.raises(ValueError, match="a frame of"):
            writer.write(np.zeros((48, 64, 3), np.float32))
        with pytest.raises(ValueError, match="without frames"):
            writer.commit()
    assert names(tmp_path) == []


def test_frames_need_not_be_contiguous(tmp_path: Path) -> None:
    picture = frames(1)[0]
    written(tmp_path / "clip.mkv", "ffv1", [picture[:, ::-1]])
    assert np.array_equal(read_back(tmp_path / "clip.mkv")[0], picture[:, ::-1])


def test_format_of() -> None:
    named = {"a.mp4": "h264", "/x/b.MOV": "prores", "c.mkv": "ffv1", "shots": "png", "shots/": "png", "take.1/": "png"}
    assert {name: format_of(name) for name in named} == named
    for name in ("a.gif", "b.avi", "c.v2"):
        with pytest.raises(BadRequest, match="No clip can be written"):
            format_of(name)
    assert set(clip.FORMAT_OF_SUFFIX.values()) == set(MOVIES)
