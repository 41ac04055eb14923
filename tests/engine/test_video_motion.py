"""What moves and what stays, what is seen while it runs, and clips longer than a model is good for."""

from __future__ import annotations

import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.errors import BadRequest
from engine.finish.colour import distance, look_of
from engine.finish.frames import Frames
from engine.video import make, preview, warm
from engine.video.chain import Chain, chained, joined_sound
from engine.video.families.wan import Wan
from engine.video.family import FrameRule, Sound
from engine.video.latents import Encoded
from engine.video.load import find
from engine.video.mask import HeldLatents, blended, feathered, motion_mask
from engine.video.plan import Size
from engine.video.solve import framing, shown
from tests.engine.video_kit import ask, clip, frames_of, models, one_thread, photo

torch = pytest.importorskip("torch", reason="needs the full engine")
pytestmark = [pytest.mark.full, pytest.mark.filterwarnings("ignore")]


@pytest.fixture
def mask(tmp_path_factory):
    """A picture in which the right half may move."""
    path = tmp_path_factory.mktemp("mask") / "mask.png"
    picture = np.zeros((64, 96), np.uint8)
    picture[:, 48:] = 255
    cv2.imwrite(str(path), picture)
    return path


@pytest.mark.parametrize("name", ["wan22_5b", "wan22_a14b"])
def test_outside_the_mask_the_clip_is_the_still(ask, photo, mask, name):
    frames, result = clip(ask(name, mask=str(mask), width=64, height=32))
    still = cv2.imread(str(photo))[:, :, ::-1]
    model = find(result["settings"]["generate"]["model"]).model
    below = shown(still, framing((96, 64), model, "crop", (64, 32), (32, 32)))
    assert result["held"] == "latents and pixels"
    assert all(np.array_equal(frame[:, :32], below[:, :32]) for frame in frames)
    free, _ = clip(ask(name, output="free.mkv", width=64, height=32))
    assert not np.array_equal(frames[-1][:, 36:], below[:, 36:])
    assert np.abs(free[-1][:, :30].astype(int) - below[:, :30]).mean() > 5      # the model alone would have moved it


def test_held_latents_keep_the_model_itself_near_the_still(models):
    """Before any pixel is blended: what the VAE makes of the still's own latents is what the clip shows there."""
    found = find(str(models / "wan22_a14b"))
    rng = np.random.default_rng(1)
    picture = cv2.resize(rng.integers(0, 256, (4, 4, 3), np.uint8), (32, 32), interpolation=cv2.INTER_CUBIC)
    from engine.jobs.stages import Stages
    from engine.protocol import GenerateSettings

    maker = make.Maker(found, GenerateSettings(num_inference_steps=2), Size(32, 32, 9), [])

    def made(seed, *onlookers):
        return maker.make(make.Make(picture, None, 9, seed), Stages(lambda *_, **__: None, lambda: False), onlookers)

    held = [made(seed, HeldLatents(np.zeros((32, 32), np.float32))).frames.astype(int) for seed in (1, 2)]
    free = [made(seed).frames.astype(int) for seed in (1, 2)]
    assert np.abs(held[0] - held[1]).max() <= 1, "nothing may move, so the seed cannot matter"
    assert np.abs(free[0] - free[1]).max() > 5


def test_a_mask_has_its_soft_edge_inside():
    mask = np.zeros((100, 200), np.float32)
    mask[:, 100:] = 1
    soft = feathered(mask, 0.1)
    assert soft[:, :100].max() == 0 and soft[50, 199] == 1
    edge = soft[50, 100:120]
    assert (np.diff(edge) >= 0).all() and 0 < edge[2] < 0.5 and edge[-1] > 0.99
    still, frame = np.full((100, 200, 3), 200, np.uint8), np.full((100, 200, 3), 40, np.uint8)
    out = blended(still, frame, soft)
    assert (out[:, :100] == 200).all() and (out[:, 125:] == 40).all()
    assert np.array_equal(feathered(mask, 0), mask)


def test_subject_background_and_sky_are_found_in_the_still():
    row = np.mgrid[:240, :320][0]
    picture = np.where(row[..., None] < 120, (120, 170, 235), (70, 90, 50)).astype(np.uint8)
    rng = np.random.default_rng(0)
    picture[120:] = (picture[120:] + rng.integers(-25, 25, (120, 320, 1))).clip(0, 255)
    cv2.circle(picture, (160, 150), 45, (210, 40, 40), -1)
    sky = motion_mask("sky", picture)
    assert sky[20:90].mean() > 0.9 and sky[200:].mean() < 0.05
    subject, background = motion_mask("subject", picture), motion_mask("background", picture)
    assert subject[150, 160] > 0.9 and subject[230, 10] < 0.1 and np.allclose(subject + background, 1)
    with pytest.raises(BadRequest, match="No sky"):
        motion_mask("sky", picture[130:])


def test_a_black_mask_is_refused(ask, mask, tmp_path):
    cv2.imwrite(str(mask), np.zeros((32, 32), np.uint8))
    with pytest.raises(BadRequest, match="nothing may move"):
        clip(ask(mask=str(mask)))
    assert not list(tmp_path.glob("clip*"))


# ------------------------------------------------------------------ preview


def test_colours_are_found_from_the_still_itself():
    rng = torch.Generator().manual_seed(0)
    latent = torch.randn(16, 12, 20, generator=rng)
    true = torch.randn(17, 3, generator=rng) * 0.2
    pixels = latent.permute(1, 2, 0) @ true[:-1] + true[-1]
    large = torch.nn.functional.interpolate(pixels.permute(2, 0, 1)[None], scale_factor=8, mode="nearest")[0]
    found = preview.colour_map(Encoded(large, latent))
    wanted = ((pixels + 1) * 127.5).round().clamp(0, 255).numpy()
    assert np.abs(preview.coloured(latent[:, None], found)[0].astype(int) - wanted).mean() < 2


def test_a_preview_is_there_while_it_runs_and_gone_afterwards(ask, monkeypatch):
    monkeypatch.setattr(preview, "FIRST_AFTER", 0.0)
    monkeypatch.setattr(preview, "SHARE", 1e9)
    seen = {}

    def report(stage, done, total, preview=""):
        if preview:
            seen[preview] = frames_of(preview)

    clip(ask(num_inference_steps=4), report=report)
    assert len(seen) == 3 and not any(Path(path).exists() for path in seen)
    assert not any(Path(path).parent.exists() for path in seen)
    for frames in seen.values():
        assert len(frames) == 3 and max(frames.shape[1:3]) == preview.LONGEST and frames.std() > 5


def test_previews_change_nothing(ask, monkeypatch):
    frames, _ = clip(ask())
    monkeypatch.setattr(preview, "FIRST_AFTER", 0.0)
    again, _ = clip(ask())
    assert np.array_equal(frames, again)


# ------------------------------------------------------------------ long clips


def test_a_clip_beyond_the_models_length_is_made_in_pieces(ask, monkeypatch):
    warm.release()
    monkeypatch.setattr(Wan, "frame_rule", lambda *_: FrameRule(4, 1, 9, stable=9))
    steps = []
    frames, result = clip(ask(num_frames=24), report=lambda stage, done, total, preview="": steps.append((stage, done)))
    assert len(frames) == 24 and result["pieces"] == 3
    assert "was made in 3 pieces" in result["warnings"][-1]
    drawn = [done for stage, done in steps if stage == "denoise"]
    assert drawn[-1] == 6 and drawn == sorted(drawn)
    again, _ = clip(ask(num_frames=24))
    assert np.array_equal(frames, again)


def test_a_model_that_takes_a_clips_end_is_shown_it_at_every_seam(photo, tmp_path, monkeypatch):
    from engine.protocol import GenerateRequest, GenerateSettings
    from engine.video.families.ltx import Ltx
    from tests.engine.tiny import tiny_of

    tiny = tiny_of("ltx")["ltx_095"]
    tiny.build().save_pretrained(tmp_path / "model")
    seen = []
    arguments = Ltx.arguments
    monkeypatch.setattr(Ltx, "frame_rule", lambda *_: FrameRule(8, 1, 57, stable=57))
    monkeypatch.setattr(Ltx, "arguments", lambda self, pipe, one: seen.append(one) or arguments(self, pipe, one))
    frames, result = clip(GenerateRequest(
        str(photo), str(tmp_path / "clip.mkv"), 100,
        GenerateSettings(str(tmp_path / "model"), prompt="a cat", num_inference_steps=1, seed=1, width=tiny.size[0],
                         height=tiny.size[1]), clip_format="ffv1", conform="hold"))
    assert len(frames) == 100 and result["pieces"] == len(seen) == 3
    assert [len(one.previous) for one in seen] == [0, 17, 17]
    assert all(np.array_equal(one.image, one.previous[-1]) for one in seen[1:])


def scene(number, count, shift, brighter):
    """A picture that wanders, and gets brighter from piece to piece as models do it."""
    noise = np.random.default_rng(7).integers(40, 180, (20, 40, 3), np.uint8)
    wide = cv2.resize(noise, (400, 96), interpolation=cv2.INTER_CUBIC)
    return [np.clip(wide[:, k + shift:k + shift + 128].astype(int) + brighter * (number + 1), 0, 255).astype(np.uint8)
            for k in range(count)]


@pytest.mark.parametrize("overlap", [1, 5])
def test_seams_are_matched_and_drift_is_held(overlap):
    plan = Chain(4, 21, overlap)
    still = scene(0, 1, 0, 0)[0]
    given = []

    def made(number, picture, previous):
        given.append((picture, previous))
        shift = number * (21 - overlap)
        return np.stack(scene(number, 21, shift, 12))

    whole = chained(still, plan, made)
    assert isinstance(whole, Frames) and whole.num_frames == plan.total
    pictures = list(whole)
    wanted = look_of([still])
    drift = distance(look_of(pictures[-5:]), wanted)
    assert drift < 0.5 * distance(look_of(scene(3, 21, 60, 12)), wanted)
    steps = [np.abs(a.astype(int) - b).mean() for a, b in itertools.pairwise(pictures)]
    assert max(steps) < 2.5 * np.median(steps), "a seam is seen"
    assert [len(previous) for _, previous in given] == [0] + [overlap if overlap > 1 else 0] * 3
    assert distance(look_of([given[3][0]]), wanted) < 12


def test_the_pieces_sounds_are_joined_without_a_gap():
    tone = np.sin(np.arange(16000) / 16000 * 440 * 2 * np.pi, dtype=np.float32)[None]
    plan = Chain(3, 24, 1)
    sound = joined_sound([Sound(tone, 16000)] * 3, plan, 24.0)
    assert sound is not None and sound.samples.shape[1] / 16000 == pytest.approx(plan.total / 24, abs=1e-3)
    assert joined_sound([None] * 3, plan, 24.0) is None


def test_the_camera_is_locked_where_that_is_asked_for(ask):
    frames, result = clip(ask(camera_lock=True))
    assert "removed_px" in result and len(frames) == 9
