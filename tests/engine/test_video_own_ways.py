"""What some families do in a way of their own: clips in pieces and sections, the steps of a distilled model, motion."""

import json
import tomllib
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from engine.errors import BadRequest
from engine.jobs import run_job
from engine.protocol import GenerateRequest, GenerateSettings
from engine.video import catalog, warm
from tests.engine.tiny import tiny_of

torch = pytest.importorskip("torch", reason="needs the full engine")
pytestmark = [pytest.mark.full, pytest.mark.filterwarnings("ignore")]       # those of the libraries are theirs


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    warm.release()
    torch.set_num_threads(threads)


@pytest.fixture
def stills(tmp_path):
    for number in range(3):
        noise = np.random.default_rng(number).integers(0, 256, (5, 5, 3), np.uint8)
        Image.fromarray(noise).resize((64, 64), Image.Resampling.BICUBIC).save(tmp_path / f"{number}.png")
    return [str(tmp_path / f"{number}.png") for number in range(3)]


def toml(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)


@pytest.fixture
def own_model(tmp_path, monkeypatch):
    """(family, name of its tiny pipeline, entry that it is like, what differs) -> the id of an entry of one's own."""
    def made(family, name, like, **different):
        tiny_of(family)[name].build().save_pretrained(tmp_path / name)
        entry = tomllib.loads(Path(catalog.__file__).with_name("catalog.toml").read_text())[like]
        entry |= {"folder": str(tmp_path / name), **different}
        (tmp_path / "own.toml").write_text(
            '["mine"]\n' + "".join(f"{key} = {toml(value)}\n" for key, value in entry.items()))
        monkeypatch.setenv(catalog.OWN_CATALOG, str(tmp_path / "own.toml"))
        catalog.catalog.cache_clear()
        return "mine"

    yield made
    catalog.catalog.cache_clear()


class Clips:
    """Makes clips of one model at 32 x 32; steps: those of the last one, as they were told."""

    def __init__(self, folder, model, rate, num_frames, size=(32, 32)):
        self.output, self.model, self.rate, self.num_frames = folder / "clip.mkv", model, rate, num_frames
        self.size = {"width": size[0], "height": size[1]}
        self.steps = 0

    def __call__(self, still, last_image="", **settings):
        def told(stage, done, total, **_):
            self.steps = total if stage == "denoise" else self.steps

        more = {"model": self.model, "seed": 1, **self.size, **settings}
        request = GenerateRequest(image=still, output=str(self.output), num_frames=self.num_frames, fps=(self.rate, 1),
                                  generate=GenerateSettings(**more), clip_format="ffv1", last_image=last_image)
        result = run_job("job", request, told, lambda: False)
        with av.open(result["clip"]) as movie:
            return np.stack([frame.to_ndarray(format="rgb24") for frame in movie.decode(video=0)]).astype(int)


def test_skyreels_goes_on_piece_by_piece_and_repeats_itself(own_model, tmp_path, stills):
    clips = Clips(tmp_path, own_model("skyreels_forcing", "skyreels_forcing", "skyreels-v2-df-1.3b-540p",
                                      options={"base_num_frames": 33}), 24, 45)
    first = clips(stills[0], num_inference_steps=2)
    assert len(first) == 45 and clips.steps == 4
    torch.rand(1)       # what else draws random numbers changes nothing
    assert np.array_equal(first, clips(stills[0], num_inference_steps=2))
    assert not np.array_equal(first, clips(stills[0], num_inference_steps=2, seed=2))


def test_framepack_makes_sections_and_its_last_still_is_seen_at_the_end(own_model, tmp_path, stills):
    clips = Clips(tmp_path, own_model("framepack", "framepack", "framepack-i2v"), 30, 73)
    one, other = (clips(stills[0], last, num_inference_steps=2) for last in stills[1:])
    assert len(one) == 73 and clips.steps == 4
    difference = np.abs(one - other).mean((1, 2, 3))
    assert difference[-20:].mean() > 2 * difference[:20].mean()


def test_framepack_f1_goes_forward_and_takes_no_last_still(own_model, tmp_path, stills):
    clips = Clips(tmp_path, own_model("framepack", "framepack", "framepack-f1"), 30, 60)
    assert len(clips(stills[0], num_inference_steps=2)) == 60 and clips.steps == 4
    with pytest.raises(BadRequest, match="does not take a last still"):
        clips(stills[0], stills[1])


def test_a_distilled_ltx_takes_its_own_steps_and_no_others(own_model, tmp_path, stills):
    clips = Clips(tmp_path, own_model("ltx", "ltx_095", "ltx-video-0.9.8-13b-distilled"), 30, 9)
    assert len(clips(stills[0])) == 9 and clips.steps == 8
    assert not np.array_equal(clips(stills[0], stills[1]), clips(stills[0], stills[2]))
    for wrong in ({"num_inference_steps": 4}, {"guidance_scale": 3.0}, {"negative_prompt": "blurry"}):
        with pytest.raises(BadRequest, match="does not take"):
            clips(stills[0], **wrong)


def test_the_motion_of_stable_video_is_its_own_in_the_middle(own_model, tmp_path, stills):
    clips = Clips(tmp_path, own_model("svd", "svd", "svd-xt"), 7, 5, (64, 64))
    own, middle, much = (clips(stills[0], num_inference_steps=2, **more)
                         for more in ({}, {"motion": 0.5}, {"motion": 1.0}))
    assert np.array_equal(own, middle)
    assert not np.array_equal(own, much)


def test_stable_video_is_chained_by_its_fixed_number_of_frames(own_model, tmp_path, stills):
    clips = Clips(tmp_path, own_model("svd", "svd", "svd-xt"), 7, 12, (64, 64))
    frames = clips(stills[0], num_inference_steps=2)
    assert len(frames) == 12 and clips.steps == 6       # 5 + 4 + 4 frames, cut to 12


def test_ltx_goes_on_from_the_frames_before(own_model, tmp_path, stills):
    frames = {"multiple": 8, "extra": 1, "default": 33, "stable": 33}
    clips = Clips(tmp_path, own_model("ltx", "ltx_095", "ltx-video-0.9.5", frames=frames), 24, 45)
    assert len(clips(stills[0], num_inference_steps=2)) == 45 and clips.steps == 4
