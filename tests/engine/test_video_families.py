"""Every family of image-to-video models on tiny pipelines of the real classes, through the way that a real model takes.

Random weights tell nothing about quality. What is tested is what a person gets: the length, size and rate of the clip,
what changes it and what does not, and that nothing is left behind by a job that was stopped.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import wave
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from engine import cli
from engine.errors import BadRequest, JobCancelled
from engine.jobs import run_job
from engine.protocol import GenerateSettings
from engine.video import warm
from engine.video.families import FAMILIES
from engine.video.load import find
from engine.video.solve import framing, shown
from tests.engine.tiny import tiny_of
from tests.engine.video_kit import clip, frames_of, request_for

torch = pytest.importorskip("torch", reason="needs the full engine")
pytestmark = [pytest.mark.full, pytest.mark.filterwarnings("ignore")]       # those of the libraries are theirs

BUILDERS = Path(__file__).parent / "tiny"
VARIANTS = [(family, name) for family in FAMILIES if (BUILDERS / f"{family}.py").exists() for name in tiny_of(family)]
# scope: all tests of one model run one after the other, so that it is loaded once.
EACH = pytest.mark.parametrize(("family", "name"), VARIANTS, ids=[f"{f}-{n}" for f, n in VARIANTS], scope="module")
PIXELS_ONLY = ("hunyuan15", "i2vgen")       # their pipelines tell nobody their latents
STAGES = ("load", "encode", "denoise", "decode", "finish", "write")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """(family, name) -> the folder of a tiny model, made once."""
    home = tmp_path_factory.mktemp("models")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)        # networks this small only wait for each other's threads

    @functools.cache
    def made(family, name):
        tiny_of(family)[name].build().save_pretrained(home / name)
        return home / name

    yield made
    warm.release()
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Two stills of 96 x 64 pixels that share nothing."""
    home = tmp_path_factory.mktemp("photos")
    for number, name in enumerate(("a.png", "b.png")):
        noise = np.random.default_rng(number).integers(0, 256, (5, 7, 3), np.uint8)
        cv2.imwrite(str(home / name), cv2.resize(noise, (96, 64), interpolation=cv2.INTER_CUBIC))
    return home / "a.png", home / "b.png"


@pytest.fixture(scope="module")
def base(folder, photos, tmp_path_factory):
    """The clip that the others are compared with: frames, result."""
    @functools.cache
    def made(family, name):
        home = tmp_path_factory.mktemp("base")
        return clip(request_for(tiny_of(family)[name], folder(family, name), photos[0], home / "clip.mkv"))

    return made


def test_every_family_has_a_tiny_builder():
    for family in FAMILIES:
        assert tiny_of(family), family


@EACH
def test_a_folder_is_taken_for_what_it_is(family, name, folder):
    found = find(str(folder(family, name)))
    from engine.video.catalog import find_model

    like = find_model(tiny_of(family)[name].like)
    assert found.family.name == family == like.family
    assert (found.model.id, found.model.fps) == (like.id, like.fps)


@EACH
def test_the_clip_is_what_was_asked_for(family, name, folder, photos, tmp_path, capsys):
    tiny, model = tiny_of(family)[name], folder(family, name)
    found = find(str(model))
    told = ["--size", "x".join(map(str, tiny.size))] if "size" in found.controls else []
    told += ["--steps", "2"] if "num_inference_steps" in found.controls else []
    told += ["--last-image", str(photos[1])] if "last_image" in found.model.needs else []
    told += ["--prompt", "a cat walks"] if "prompt" in found.controls else []
    out = tmp_path / "clip.mkv"
    status = cli.main(["animate", str(photos[0]), "--model", str(model), "--seconds", str(tiny.seconds), "--fps", "30",
                       "--conform", "hold", "--seed", "0", "--json", "--out", str(out), *told])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert status == 0, lines[-1]
    seen = list(dict.fromkeys(line["stage"] for line in lines if line["type"] == "progress"))
    assert seen == list(STAGES)
    steps = [line["done"] for line in lines if line.get("stage") == "denoise"]
    assert steps == list(range(len(steps))) and lines[-2]["stage"] == "write"
    result = lines[-1]
    frames = frames_of(out)
    if told[:1] == ["--size"]:
        assert frames.shape[1:3] == tiny.size[::-1]
    assert frames.shape[1:3] == (result["height"], result["width"])
    assert len(frames) == result["num_frames"] == round(tiny.seconds * 30)
    with av.open(str(out)) as movie:
        assert movie.streams.video[0].average_rate == 30
    assert result["seed"] == result["settings"]["generate"]["seed"] == 0
    if "sound" in found.controls:
        with wave.open(result["sound"]) as sound:
            assert sound.getnframes() / sound.getframerate() == pytest.approx(len(frames) / 30, abs=1e-3)
            assert np.frombuffer(sound.readframes(sound.getnframes()), "<i2").std() > 0
    else:
        assert result["sound"] == ""
    assert {str(path) for path in tmp_path.iterdir()} == {*result["files"], result["sidecar"]}


@EACH
def test_the_same_seed_gives_the_same_frames_and_another_gives_others(family, name, folder, photos, base, tmp_path):
    tiny, model = tiny_of(family)[name], folder(family, name)
    frames, result = base(family, name)
    repeat = dataclasses.replace(
        request_for(tiny, model, photos[0], tmp_path / "again.mkv"),
        generate=GenerateSettings(**{key: tuple(value) if isinstance(value, list) else value
                                     for key, value in result["settings"]["generate"].items()}))
    again, _ = clip(repeat)
    assert np.array_equal(frames, again)
    other, _ = clip(request_for(tiny, model, photos[0], tmp_path / "other.mkv", seed=2))
    assert not np.array_equal(frames, other)


@EACH
def test_prompt_and_still_change_the_clip(family, name, folder, photos, base, tmp_path):
    tiny, model = tiny_of(family)[name], folder(family, name)
    frames, _ = base(family, name)
    other, _ = clip(request_for(tiny, model, photos[1], tmp_path / "still.mkv"))
    assert not np.array_equal(frames, other)
    if tiny.prompt:
        words, _ = clip(request_for(tiny, model, photos[0], tmp_path / "words.mkv", prompt="rain falls on a red roof"))
        assert not np.array_equal(frames, words)
    elif "prompt" not in find(str(model)).controls:
        with pytest.raises(BadRequest, match="does not take a prompt"):
            clip(request_for(tiny, model, photos[0], tmp_path / "words.mkv", prompt="rain"))


@EACH
def test_a_control_that_is_offered_changes_the_clip(family, name, folder, photos, base, tmp_path):
    """One that does nothing must not be offered. A negative prompt may need a guidance beyond the model's own."""
    tiny, model = tiny_of(family)[name], folder(family, name)
    controls = find(str(model)).controls
    frames, _ = base(family, name)
    for control, value in {"guidance_scale": 2.5, "motion": 0.1}.items():
        if control in controls:
            other, _ = clip(request_for(tiny, model, photos[0], tmp_path / "other.mkv", **{control: value}))
            assert not np.array_equal(frames, other), control
    if "negative_prompt" in controls:
        strong = {"guidance_scale": 7.0} if "guidance_scale" in controls else {}
        asks = [request_for(tiny, model, photos[0], tmp_path / "other.mkv", negative_prompt=words, **strong)
                for words in ("blurry", "a wall of bricks, painted white")]
        assert not np.array_equal(*(clip(ask)[0] for ask in asks)), "negative_prompt"


@EACH
def test_a_last_still_ends_the_clip_or_is_refused(family, name, folder, photos, base, tmp_path):
    tiny, model = tiny_of(family)[name], folder(family, name)
    ask = request_for(tiny, model, photos[0], tmp_path / "last.mkv", ask={"last_image": str(photos[1])})
    if "last_image" not in find(str(model)).controls:
        with pytest.raises(BadRequest, match=f"{name} does not take a last still"):
            clip(ask)
        assert not list(tmp_path.iterdir())
        return
    frames, _ = base(family, name)
    ended, _ = clip(ask)
    assert ended.shape == frames.shape
    assert not np.array_equal(ended[-1], frames[-1])


@EACH
def test_another_clip_is_gone_on_from_or_refused(family, name, folder, photos, base, tmp_path):
    tiny, model = tiny_of(family)[name], folder(family, name)
    before = base(family, name)[1]["clip"]
    ask = request_for(tiny, model, photos[0], tmp_path / "next.mkv", ask={"previous_clip": before})
    if "previous_clip" not in find(str(model)).controls:
        with pytest.raises(BadRequest, match=f"{name} does not take a clip to go on from"):
            clip(ask)
        return
    frames, _ = clip(ask)
    assert len(frames) == ask.num_frames and not np.array_equal(frames, base(family, name)[0])


@EACH
def test_outside_the_mask_the_clip_stays_the_still(family, name, folder, photos, tmp_path):
    tiny, model = tiny_of(family)[name], folder(family, name)
    mask = np.zeros((64, 96), np.uint8)
    mask[:, 64:] = 255
    cv2.imwrite(str(tmp_path / "mask.png"), mask)
    ask = request_for(tiny, model, photos[0], tmp_path / "clip.mkv", speed="draft",
                      ask={"mask": str(tmp_path / "mask.png")})
    frames, result = clip(ask)
    found = find(str(model))
    still = np.ascontiguousarray(cv2.imread(str(photos[0]))[:, :, ::-1])
    below = shown(still, framing((96, 64), found.model, "crop", tiny.size, tiny.size))
    left = tiny.size[0] // 3
    assert all(np.array_equal(frame[:, :left], below[:, :left]) for frame in frames)
    assert not np.array_equal(frames[-1][:, -left:], below[:, -left:])
    assert result["held"] == ("pixels" if family in PIXELS_ONLY else "latents and pixels")
    assert result["plan"]["trades"]


@pytest.fixture(scope="module")
def layered(photos, tmp_path_factory):
    """The folder of the first photo's layered still: a near square before a far ground."""
    from engine.camera import Intrinsics
    from engine.layers import build_layered_still

    folder = tmp_path_factory.mktemp("layered")
    disparity = np.full((64, 96), 0.25, np.float32)
    disparity[20:44, 36:60] = 0.8
    photo = np.ascontiguousarray(cv2.imread(str(photos[0]))[:, :, ::-1])
    build_layered_still(photo, disparity, Intrinsics.from_size(96, 64)).save(folder)
    return folder


def sideways(count, far):
    """A camera that goes to the right, as a request's views of a photo of 96 x 64."""
    from engine.camera import Intrinsics

    lens = Intrinsics.from_size(96, 64)
    poses = [np.eye(4) for _ in range(count)]
    for number, pose in enumerate(poses):
        pose[0, 3] = -far * number / max(count - 1, 1)
    return tuple((*map(float, pose.ravel()), lens.fx, lens.fy, lens.cx, lens.cy) for pose in poses)


@EACH
def test_a_camera_is_followed_or_refused(family, name, folder, photos, layered, tmp_path):
    tiny, model = tiny_of(family)[name], folder(family, name)
    plain = request_for(tiny, model, photos[0], tmp_path / "clip.mkv", ask={"folder": str(layered)})
    still, moving = (dataclasses.replace(plain, views=sideways(plain.num_frames, far)) for far in (0.0, 0.4))
    if not find(str(model)).controls & {"camera_path", "control_video"}:
        with pytest.raises(BadRequest, match=f"{name} does not follow a camera"):
            clip(moving)
        return
    (first, _), (second, result) = clip(still), clip(moving)
    assert first.shape == second.shape and not np.array_equal(first, second)
    assert len(result["settings"]["views"]) == len(second)


@EACH
def test_a_cancel_at_every_stage_leaves_no_file(family, name, folder, photos, tmp_path):
    tiny, model = tiny_of(family)[name], folder(family, name)
    for stage in STAGES[:-1]:       # what is written is whole
        now: list[str] = []
        ask = request_for(tiny, model, photos[0], tmp_path / "new" / "clip.mkv")
        with pytest.raises(JobCancelled):
            run_job("job", ask, lambda told, *_, now=now, **__: now.append(told),
                    lambda now=now, stage=stage: stage in now)
        assert now[-1] == stage and now.count(stage) == 1, "it went on"
        assert not list(tmp_path.iterdir()), stage
