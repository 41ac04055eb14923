"""What the tests of image-to-video share: clips asked for, read back; tiny models and a photo. No torch until used."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from engine.jobs import run_job
from engine.protocol import GenerateRequest, GenerateSettings
from engine.video import warm
from engine.video.load import find
from tests.engine.tiny import Tiny, tiny_of


def frames_of(path):
    with av.open(str(path)) as movie:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in movie.decode(video=0)])


def request_for(tiny: Tiny, model: Path, photo: Path, output: Path, ask=None, **more) -> GenerateRequest:
    found = find(str(model))
    width, height = tiny.size
    rate = Fraction(found.model.fps).limit_denominator(1001)
    if "num_inference_steps" in found.controls:
        more.setdefault("num_inference_steps", 2)
    if "size" in found.controls:
        more |= {"width": width, "height": height}
    if "prompt" in found.controls:
        more.setdefault("prompt", "a cat walks")
    ask = {**tiny.ask, **(ask or {})}
    if "last_image" in found.model.needs:
        ask.setdefault("last_image", str(photo))
    settings = GenerateSettings(**{"model": str(model), "seed": 1, **tiny.more, **more})
    return GenerateRequest(**{
        "image": str(photo), "output": str(output), "num_frames": max(2, round(tiny.seconds * rate)),
        "generate": settings, "fps": (rate.numerator, rate.denominator), "width": width, "height": height,
        "clip_format": "ffv1", "conform": "hold", **ask})


def clip(request, cancelled=lambda: False, report=lambda *_, **__: None):
    result = run_job("job", request, report, cancelled)
    return frames_of(result["clip"]), result


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    warm.release()
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """name -> folder of a tiny Wan."""
    home = tmp_path_factory.mktemp("models")
    for name in ("wan22_5b", "wan22_a14b"):
        tiny_of("wan")[name].build().save_pretrained(home / name)
    return home


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    path = tmp_path_factory.mktemp("photos") / "a.png"
    noise = np.random.default_rng(3).integers(0, 256, (5, 7, 3), np.uint8)
    cv2.imwrite(str(path), cv2.resize(noise, (96, 64), interpolation=cv2.INTER_CUBIC))
    return path


@pytest.fixture
def ask(models, photo, tmp_path):
    """A request for nine frames of 32 x 32 of the 5B, with changes."""
    def made(name="wan22_5b", output="clip.mkv", **changes):
        settings = {"model": str(models / name), "prompt": "a cat", "num_inference_steps": 2, "seed": 1, "width": 32,
                    "height": 32}
        request = {"num_frames": 9, "fps": (24, 1), "width": 32, "height": 32, "clip_format": "ffv1",
                   "conform": "hold"}
        for key, value in changes.items():
            (settings if key in GenerateSettings.__dataclass_fields__ and key not in ("width", "height")
             else request)[key] = value
        return GenerateRequest(str(photo), str(tmp_path / output), generate=GenerateSettings(**settings), **request)

    return made
