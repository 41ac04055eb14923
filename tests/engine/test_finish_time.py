"""Clips in another time: frames that say their number, read back from the finished file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from engine.cli import main
from engine.errors import BadClip, BadRequest, DioramaError, JobCancelled
from engine.finish.conform import positions
from engine.finish.frames import step_between
from engine.jobs import run_job
from engine.protocol import ClipPart, FinishRequest, FinishStep
from tests.engine.movies import coded, number_of, numbers, pictures, textured, write, write_with_sound


@pytest.fixture
def clip(tmp_path: Path) -> str:
    return write(tmp_path / "clip.mkv", [coded(k) for k in range(16)], Fraction(16))


def finish(path: str | ClipPart, *steps: FinishStep, **changes: object) -> dict:
    part = path if isinstance(path, ClipPart) else ClipPart(path)
    output = Path(part.path).parent / "out" / "finished.mkv"
    request = FinishRequest(str(output), (part,), steps=steps, clip_format="ffv1")
    return run_job("job", replace(request, **changes), lambda *_: None, lambda: False)


@pytest.mark.parametrize("method", ["interpolate", "flow", "blend", "hold"])
@pytest.mark.parametrize(("fps", "count"), [((24, 1), 24), ((25, 1), 25), ((24000, 1001), 24), ((12, 1), 12)])
def test_conform_keeps_the_length_and_the_first_frame(clip: str, method: str, fps: tuple[int, int], count: int) -> None:
    result = finish(clip, FinishStep("conform", method), fps=fps)
    seen = numbers(result["clip"])
    assert len(seen) == result["num_frames"] == count
    assert seen[0] == 0
    assert seen == sorted(seen)
    exact = [min(k * 16 / count, 15) for k in range(count)]
    # Flow and network see nothing move in flat colours: what is between may lie anywhere between the neighbours.
    assert np.abs(np.subtract(seen, exact)).max() <= (0.6 if method == "blend" else 1.01)
    with av.open(result["clip"]) as container:
        assert container.streams.video[0].average_rate == Fraction(*fps)


@pytest.mark.skipif(find_spec("torch") is not None, reason="the full engine has the network")
def test_without_torch_it_is_done_by_optical_flow_and_said(clip: str) -> None:
    result = finish(clip, FinishStep("conform", "interpolate"))
    assert "optical flow" in result["warnings"][0]
    assert numbers(result["clip"]) == numbers(finish(clip, FinishStep("conform", "flow"))["clip"])


def test_16_to_24_shows_every_source_frame_at_its_time(clip: str) -> None:
    seen = numbers(finish(clip, FinishStep("conform", "blend"))["clip"])
    assert [seen[k] for k in range(0, 24, 3)] == list(range(0, 16, 2))


def test_a_doubled_clip_ends_with_its_last_frame_and_shows_none_twice(clip: str) -> None:
    seen = numbers(finish(clip, FinishStep("retime", "blend", frames=40))["clip"])
    assert (seen[0], seen[-1], len(seen)) == (0, 15, 40)
    assert min(np.diff(seen)) > 0.2
    assert positions(16, 40, "hold")[-1] == 15


def test_hold_repeats_whole_frames(clip: str) -> None:
    seen = numbers(finish(clip, FinishStep("retime", "hold", frames=32))["clip"])
    assert seen == [k // 2 for k in range(32)]


def test_nothing_is_made_up_across_a_cut(tmp_path: Path) -> None:
    a, b = textured(96, 64, 1), textured(96, 64, 2)
    path = write(tmp_path / "cut.mkv", [a, a, b, b])
    for picture in pictures(finish(path, FinishStep("retime", "blend", frames=7))["clip"]):
        assert np.array_equal(picture, a) or np.array_equal(picture, b)


@pytest.mark.parametrize(("step", "expected"), [
    (FinishStep("reverse"), [15 - k for k in range(16)]),
    (FinishStep("ping_pong"), [*range(16), *range(14, 0, -1)]),
    (FinishStep("freeze_in", frames=5), [0] * 5 + list(range(16))),
    (FinishStep("freeze_out", frames=5), [*range(16), *[15] * 5]),
])
def test_order(clip: str, step: FinishStep, expected: list[int]) -> None:
    assert numbers(finish(clip, step)["clip"]) == expected


def test_steps_are_done_one_after_the_other_on_the_part_that_was_asked_for(clip: str) -> None:
    part = ClipPart(clip, 4, 6, steps=(FinishStep("reverse"),))
    assert numbers(finish(part, FinishStep("freeze_out", frames=2))["clip"]) == [9, 8, 7, 6, 5, 4, 4, 4]


def moving(count: int) -> list[np.ndarray]:
    """Blobs that drift by 1.5 pixels a frame: the ends of the clip differ much."""
    wide = textured(96 + 2 * count, 64)
    return [wide[:, round(1.5 * k):round(1.5 * k) + 96] for k in range(count)]


@pytest.mark.parametrize("fade", ["gamma_cross", "cross"])
def test_a_loop_has_no_seam(tmp_path: Path, fade: str) -> None:
    path = write(tmp_path / "moving.mkv", moving(40))
    result = finish(path, FinishStep("loop", fade, frames=12))
    frames = pictures(result["clip"])
    assert len(frames) == 28
    steps = [step_between(frames[k], frames[k + 1]) for k in range(27)]
    seam = step_between(frames[-1], frames[0])
    assert seam <= np.mean(steps)
    assert result["steps"][0]["seam"] == pytest.approx(seam, abs=1e-3)
    assert max(steps) < 3 * np.mean(steps), "nor is there one within"


def test_parts_are_joined_with_their_overlaps(tmp_path: Path, clip: str) -> None:
    other = write(tmp_path / "other.mkv", [coded(20 + k) for k in range(8)])
    parts = (ClipPart(clip, count=10), ClipPart(other, overlap=3), ClipPart(clip, 15, 1))
    result = finish(clip, parts=parts, fade="cross")
    seen = numbers(result["clip"])
    assert len(seen) == 10 + 8 - 3 + 1
    assert seen[:7] == list(range(7)) and seen[10:] == [23, 24, 25, 26, 27, 15]
    mixed = [a + (b - a) * share for a, b, share in ((7, 20, 1 / 4), (8, 21, 2 / 4), (9, 22, 3 / 4))]
    assert seen[7:10] == pytest.approx(mixed, abs=0.15)
    assert result["joins"] == [10, 15]


def test_parts_of_another_size_are_cropped_never_stretched(tmp_path: Path, clip: str) -> None:
    tall = coded(12, 64, 128)
    tall[:40] = tall[-40:] = (255, 0, 0)
    Image.fromarray(tall).save(tmp_path / "tall.png")
    result = finish(clip, parts=(ClipPart(clip), ClipPart(str(tmp_path / "tall.png"), count=3)))
    last = pictures(result["clip"])[-1]
    assert last.shape == (32, 48, 3)
    assert number_of(last) == pytest.approx(12, abs=0.1)
    assert (last[:, :, 0] <= last[:, :, 1].astype(int) + 4).all(), "the red bars are cropped away"


@pytest.mark.parametrize("size", [(47, 31), (17, 33)])
def test_odd_sizes_and_single_frames(tmp_path: Path, size: tuple[int, int]) -> None:
    path = write(tmp_path / "one.mkv", [coded(9, *size)])
    every = [FinishStep("conform"), FinishStep("retime", "blend", frames=5), FinishStep("reverse"),
             FinishStep("ping_pong"), FinishStep("freeze_in", frames=1)]
    result = finish(path, *every)
    assert result["num_frames"] == 5 + 3 + 1
    assert all(np.array_equal(picture, coded(9, *size)) for picture in pictures(result["clip"]))


def test_a_folder_of_pictures_is_a_clip(tmp_path: Path) -> None:
    (tmp_path / "shot").mkdir()
    for k in range(4):
        Image.fromarray(coded(k)).save(tmp_path / "shot" / f"frame_{k:04d}.png")
    result = finish(str(tmp_path / "shot"), FinishStep("reverse"), output=str(tmp_path / "o.mkv"))
    assert numbers(result["clip"]) == [3, 2, 1, 0]


@pytest.mark.parametrize(("suffix", "clip_format"), [(".mp4", "h264"), (".mov", "prores"), (".mkv", "ffv1")])
def test_sound_goes_along_where_the_length_stays(tmp_path: Path, suffix: str, clip_format: str) -> None:
    path = write_with_sound(tmp_path / "loud.mp4", 24)
    output = str(tmp_path / f"out{suffix}")
    result = finish(path, FinishStep("conform", "blend"), output=output, clip_format=clip_format, fps=(30, 1))
    assert result["sound"] and not result["warnings"]
    with av.open(output) as container:
        samples = sum(frame.samples for frame in container.decode(audio=0))
    assert samples == pytest.approx(48000, abs=2048)
    assert len(numbers(output)) == 30


def test_sound_that_would_not_fit_is_left_out_and_it_is_said(tmp_path: Path) -> None:
    path = write_with_sound(tmp_path / "loud.mp4", 24)
    for changed in (finish(path, FinishStep("reverse")), finish(path, FinishStep("retime", "hold", frames=48)),
                    finish(ClipPart(path, 3)), finish(path, parts=(ClipPart(path), ClipPart(path)))):
        assert not changed["sound"]
        assert "silent" in changed["warnings"][0]
        with av.open(changed["clip"]) as container:
            assert not container.streams.audio


@pytest.mark.parametrize("make", [
    lambda p: p.write_bytes(b""), lambda p: p.write_bytes(b"no movie" * 100), lambda p: None, lambda p: p.mkdir(),
    lambda p: p.write_bytes(Path(write(p.with_name("whole.mp4"), [coded(3)] * 9)).read_bytes()[:900]),
])
def test_what_is_no_movie_is_said_in_one_sentence(tmp_path: Path, make: Callable[[Path], object]) -> None:
    make(tmp_path / "clip.mp4")
    with pytest.raises(BadClip) as caught:
        finish(str(tmp_path / "clip.mp4"), FinishStep("reverse"))
    assert caught.value.message.endswith(".") and caught.value.remedy
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("changes", [
    {"parts": ()}, {"fps": (0, 1)}, {"clip_format": "gif"}, {"fade": "wipe"}, {"width": -1},
    {"steps": (FinishStep("explode"),)}, {"steps": (FinishStep("reverse", "flow"),)},
    {"steps": (FinishStep("retime"),)}, {"steps": (FinishStep("reverse", frames=3),)},
    {"steps": (FinishStep("retime", frames=1_000_000),)}, {"steps": (FinishStep("loop", frames=9),)},
    {"steps": (FinishStep("reverse", reference="a.png"),)},
])
def test_bad_requests_leave_nothing(clip: str, changes: dict) -> None:
    with pytest.raises(BadRequest) as caught:
        finish(clip, **changes)
    assert caught.value.message.endswith(".") and caught.value.remedy.endswith(".")
    assert not (Path(clip).parent / "out").exists()


def test_a_clip_meets_a_picture(tmp_path: Path) -> None:
    """A moving bar on a lighter ground: the ground comes away from the picture's, the bar is nowhere seen twice."""
    drawn = [np.full((40, 160, 3), 90, np.uint8) for _ in range(10)]
    for number, picture in enumerate(drawn):
        picture[:, number * 16:number * 16 + 16] = 200
    wanted = np.full((40, 160, 3), 50, np.uint8)
    wanted[:, :16] = 160
    Image.fromarray(wanted).save(tmp_path / "last.png")
    path = write(tmp_path / "more.mkv", drawn)
    result = finish(path, FinishStep("meet", frames=5, reference=str(tmp_path / "last.png")))
    found = [picture.astype(int) for picture in pictures(result["clip"])]
    assert len(found) == 10 and abs(found[0] - wanted).max() <= 3
    ground = [int(np.median(picture)) for picture in found]
    assert ground == sorted(ground) and ground[0] <= 52 and max(np.diff(ground)) <= 13 and ground[5] >= 88
    for number, picture in enumerate(found):
        inside = picture[20, number * 16 + 4:number * 16 + 12].mean()
        assert abs(inside - ground[number] - 110) <= 4


@pytest.mark.parametrize("part", [{"first": 16}, {"count": 17}, {"first": -1}, {"overlap": 1}])
def test_frames_that_are_not_there(clip: str, part: dict) -> None:
    with pytest.raises(DioramaError):
        finish(ClipPart(clip, **part))


@pytest.mark.parametrize("stage", ["load", "measure", "finish"])
def test_cancel_in_any_stage_leaves_nothing(clip: str, stage: str) -> None:
    reached: list[str] = []
    request = FinishRequest(str(Path(clip).parent / "out" / "a.mkv"), (ClipPart(clip),), clip_format="ffv1",
                            steps=(FinishStep("loop", frames=4),))
    with pytest.raises(JobCancelled):
        run_job("job", request, lambda name, *_: reached.append(name), lambda: stage in reached)
    assert not (Path(clip).parent / "out").exists()


def test_the_command_line_does_the_same(clip: str, tmp_path: Path) -> None:
    out = tmp_path / "cli.mkv"
    arguments = ["finish", f"{clip}@2+6", clip, "--overlap", "2", "--fade", "cross", "--step", "reverse",
                 "--step", "freeze_in,frames=1", "--fps", "25", "--out", str(out), "--json"]
    assert main(arguments) == 0
    assert numbers(str(out)) == [15, *range(15, 1, -1), 3, 4, 5, 4, 3, 2]
    assert main(["inspect", clip]) == 0
    assert main(["finish", clip, "--step", "explode", "--out", str(out)]) == 3
    with pytest.raises(SystemExit):
        main(["finish", clip, "--step", "loop,frame=3", "--out", str(out)])


def test_memory_does_not_grow_with_the_clip(tmp_path: Path) -> None:
    """Read backwards and joined, a clip of 30 MB of frames takes no more than what is kept of it."""
    import tracemalloc

    still = [textured(320, 180)] * 180
    path = write(tmp_path / "long.mp4", still)
    tracemalloc.start()
    finish(path, FinishStep("ping_pong"), FinishStep("retime", "blend", frames=200), output=str(tmp_path / "o.mp4"),
           clip_format="h264")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12e6
