"""What is solved before a model is loaded: sizes, frame counts, memory, the catalog. No torch needed."""

import math
from fractions import Fraction

import numpy as np
import pytest

from engine.errors import BadModel, BadRequest, NoPicture
from engine.jobs import run_job
from engine.protocol import GenerateSettings, PlanRequest, Submit, decode, encode
from engine.video.catalog import DEFAULT_MODEL, OWN_CATALOG, catalog, find_model, read_catalog
from engine.video.chain import chain
from engine.video.families import FAMILIES
from engine.video.family import FrameRule
from engine.video.plan import EXACT, Machine, Size, plan
from engine.video.run import look_at
from engine.video.solve import framing, from_model, model_frames, seed_of, shown, to_model, working_size

SIZES = [(1920, 1080), (1080, 1920), (4000, 3000), (600, 600), (2048, 858), (33, 91), (3000, 500)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["wan-2.2-ti2v-5b", "wan-2.2-i2v-a14b"])
def test_the_working_size_keeps_area_aspect_and_multiple(size, name):
    model = find_model(name)
    width, height = working_size(size[0] / size[1], model)
    assert width % model.size_multiple == 0 == height % model.size_multiple
    assert 0.8 < width * height / (model.width * model.height) < 1.1
    if 0.25 < size[0] / size[1] < 4:
        off = abs(math.log(width / height * size[1] / size[0]))
        assert off < 0.03 + model.size_multiple / min(width, height)


def rings(width, height):
    """A picture in which a stretched circle is seen: distance from the middle, in pixels."""
    y, x = np.mgrid[:height, :width]
    distance = np.hypot(x - (width - 1) / 2, y - (height - 1) / 2)
    return np.repeat((distance / max(width, height) * 500).clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize("aspect", ["crop", "pad"])
@pytest.mark.parametrize("clip", [(0, 0), (640, 360), (360, 640)])
@pytest.mark.parametrize("size", SIZES[:5])
def test_nothing_is_stretched_on_the_way_to_the_model_and_back(size, clip, aspect):
    still = rings(*size)
    frame = framing(size, find_model("wan-2.2-i2v-a14b"), aspect, clip)
    picture = to_model(still, frame)
    assert picture.shape[1::-1] == frame.working
    back = from_model(picture, frame)
    assert back.shape[1::-1] == frame.clip and (not any(clip) or frame.clip == clip)
    left, top, across, down = frame.place
    content = back[top:top + down, left:left + across, 0].astype(float)
    middle = content[down // 2, across // 2]
    reach = min(across, down) // 2 - 2
    right, below = content[down // 2, across // 2 + reach], content[down // 2 + reach, across // 2]
    assert abs(right - below) < 4 and right > middle + 20           # as far to the right as below: a circle
    assert np.abs(back.astype(int) - shown(still, frame)).mean() < 2
    if not any(clip) or aspect == "pad":
        assert frame.content == (0, 0, *size) or abs(math.log(size[0] / size[1])) > 0.9
    if aspect == "pad" and any(clip):
        assert back[:top].max(initial=0) == back[:, :left].max(initial=0) == 0


def test_a_size_with_one_side_is_refused():
    with pytest.raises(BadRequest, match="640 x 0"):
        framing((100, 100), find_model(DEFAULT_MODEL), "crop", (640, 0))


@pytest.mark.parametrize("rule", [FrameRule(4, 1, 81), FrameRule(8, 1, 121), FrameRule(1, 0, 25), FrameRule(33, 0, 132),
                                  FrameRule(4, 1, 81, least=13)])
def test_a_frame_count_is_the_next_valid_one(rule):
    for wish in range(1, 300):
        made = rule.at_or_above(wish)
        assert made >= wish and made >= rule.least and (made - rule.extra) % rule.multiple == 0
        assert made - rule.multiple < max(wish, rule.least) or made == rule.extra


@pytest.mark.parametrize("fps", [Fraction(24), Fraction(25), Fraction(30), Fraction(24000, 1001)])
@pytest.mark.parametrize("model_fps", [16, 24, 7, 25])
def test_four_seconds_are_four_seconds_of_the_model(fps, model_fps):
    assert model_frames(round(4 * fps), fps, model_fps) == 4 * model_fps


@pytest.mark.parametrize("rule", [FrameRule(4, 1, 81, stable=81), FrameRule(8, 1, 121, stable=121),
                                  FrameRule(1, 0, 25, stable=25), FrameRule(4, 1, 81)])
@pytest.mark.parametrize("goes_on", [False, True])
def test_a_long_clip_is_made_of_valid_pieces(rule, goes_on):
    for wish in range(2, 700, 3):
        pieces = chain(wish, rule, goes_on)
        assert pieces.total >= wish and rule.at_or_above(pieces.num_frames) == pieces.num_frames
        assert not rule.stable or pieces.num_frames <= rule.stable
        assert pieces.count == 1 or (wish > rule.stable and (pieces.overlap > 1) == goes_on)
        assert 2 * pieces.overlap <= pieces.num_frames
        assert pieces.total - wish < (pieces.count + 1) * rule.multiple


def test_a_seed_is_used_or_drawn():
    assert seed_of(0) == 0 and seed_of(7) == 7
    assert len({seed_of(-1) for _ in range(20)}) > 10 and all(0 <= seed_of(-1) < 2**31 for _ in range(20))


# ------------------------------------------------------------------ memory


def card(gigabytes, main=64, disk=500):
    free = int(gigabytes * 1e9)
    return Machine("cuda", "a card", free, free, int(main * 1e9), int(disk * 1e9), 1.5e14)


@pytest.mark.parametrize("name", list(catalog()))
def test_less_memory_is_never_planned_into_more(name):
    model = find_model(name)
    denoisers = [part for part in FAMILIES[model.family].denoisers if part in model.parameters]
    assert denoisers, "the catalog names no denoiser of its family among its parameters"
    size = Size(model.width, model.height, model.frames.default, model.num_inference_steps)
    peaks = []
    for gigabytes in (180, 80, 48, 32, 24, 16, 12, 8, 6):
        made = plan(model, denoisers, size, card(gigabytes, main=200), "auto", "best")
        assert made.chosen in EXACT
        assert made.mode.fits == (not any("may not run" in warning for warning in made.warnings))
        if made.mode.fits:
            assert made.mode.gpu < gigabytes * 1e9
        peaks.append(made.mode.gpu)
    assert peaks == sorted(peaks, reverse=True)


def test_the_plan_says_what_is_missing_and_goes_down_by_steps():
    model = find_model("wan-2.2-i2v-a14b")
    size = Size(832, 480, 81, 40)
    both = ("transformer", "transformer_2")
    made = plan(model, both, size, card(24, main=100), "auto", "best")
    assert made.chosen == "group_offload" and made.mode.fits
    lower = made.next_down()
    assert lower and lower.name == "disk" and lower.tiling and lower.main < made.mode.main
    assert not made.mode.tiling and "tiles" not in " ".join(made.warnings)
    assert "torchao" in next(mode for mode in made.modes if mode.name == "quantised").note
    forced = plan(model, both, size, card(12), "full", "best")
    assert forced.chosen == "full" and "more than is free" in forced.warnings[0]
    assert plan(model, both, size, card(32), "auto", "balanced").chosen in ("model_offload", "fp8")
    alone = Machine("cpu", "CPU", 0, 0, int(200e9), int(1e12), 1e12)
    slow = plan(model, both, size, alone, "auto", "best")
    assert slow.mode.gpu == 0 and any("hours" in warning for warning in slow.warnings)


def test_a_longer_or_larger_clip_takes_more():
    model = find_model(DEFAULT_MODEL)
    small, long, large = (plan(model, ["transformer"], size, card(80), "full", "best").mode for size in (
        Size(640, 352, 49, 50), Size(640, 352, 121, 50), Size(1280, 704, 49, 50)))
    assert small.gpu < long.gpu < large.gpu and small.seconds < long.seconds < large.seconds


def test_a_plan_is_a_request_like_any_other():
    request = PlanRequest(GenerateSettings(model=DEFAULT_MODEL), 96, 1920, 1080, (24, 1))
    again = decode(encode(Submit("1", request)))
    assert isinstance(again, Submit) and again.request == request
    told = []
    result = run_job("1", request, lambda *step: told.append(step), lambda: False)
    assert (result["width"], result["height"], result["num_frames"], result["fps"]) == (1280, 704, 97, 24)
    assert result["downloaded"] is False and [mode["name"] for mode in result["modes"]].count(result["chosen"]) == 1
    assert "prompt" in result["controls"] and "last_image" not in result["controls"]
    assert told == [("plan", 0, 1)]
    with pytest.raises(BadModel, match="no image-to-video model called"):
        run_job("1", PlanRequest(GenerateSettings(model="none"), 96, 1920, 1080), lambda *_: None, lambda: False)


# ------------------------------------------------------------------ the catalog


def test_the_catalog_is_whole():
    roles = [model.role for model in catalog().values() if model.role]
    assert sorted(roles) == sorted(set(roles)) and find_model(DEFAULT_MODEL).role == "default"
    for model in catalog().values():
        assert model.family in FAMILIES, model.id
        assert model.frames.at_or_above(model.frames.default) == model.frames.default, model.id
        assert model.width % model.size_multiple == 0 == model.height % model.size_multiple, model.id
        assert model.needs <= model.controls and model.megabytes > 0 and model.licence and model.note, model.id
        assert {figure.source for figure in model.memory} <= {"doc", "page", "unchecked"}, model.id
        assert not model.ask or model.forbids, f"{model.id} asks without saying what for"


def test_a_person_can_keep_models_of_their_own(tmp_path, monkeypatch):
    own = tmp_path / "mine.toml"
    own.write_text('[mine]\nname = "Mine"\nfamily = "wan"\nfolder = "/models/mine"\nlicence = "mine"\nfps = 12\n'
                   'parameters = { transformer = 1.3 }\nframes = { multiple = 4, extra = 1, default = 49 }\n'
                   'size_multiple = 16\nwidth = 320\nheight = 192\nnum_inference_steps = 8\nguidance_scale = 1\n'
                   'controls = ["prompt"]\n')
    monkeypatch.setenv(OWN_CATALOG, str(own))
    catalog.cache_clear()
    try:
        assert find_model("mine").fps == 12 and DEFAULT_MODEL in catalog()
    finally:
        monkeypatch.undo()
        catalog.cache_clear()
    own.write_text(own.read_text().replace('"prompt"', '"magic"'))
    with pytest.raises(BadModel, match=r"'mine' in mine\.toml.*magic"):
        read_catalog(own)


# ------------------------------------------------------------------ results that nobody wants


def test_useless_frames_are_named():
    rng = np.random.default_rng(0)
    good = rng.random((5, 8, 8, 3)).astype(np.float32)
    still = (good[0] * 255).astype(np.uint8)
    look_at(good, still)
    for bad, words in ((good * np.nan, "NaN"), (good * 0, "black"), (np.full_like(good, 0.5), "single colour"),
                       (np.repeat(good[:1], 5, axis=0), "stands still")):
        with pytest.raises(NoPicture, match=words):
            look_at(bad, still)
    look_at(good * 0.01, still * 0)         # a black photo may stay black
