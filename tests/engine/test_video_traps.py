"""What single families need that the tests which all of them share do not see."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from engine.errors import BadModel, BadRequest, NoPicture, WeightsMissing
from engine.video.catalog import find_model
from engine.video.families import FAMILIES
from engine.video.family import Ask
from engine.video.load import examined, load

torch = pytest.importorskip("torch", reason="needs the full engine")
pytestmark = [pytest.mark.full, pytest.mark.filterwarnings("ignore")]

STILL = Image.fromarray(np.random.default_rng(1).integers(0, 256, (32, 32, 3), np.uint8))


@pytest.fixture(autouse=True)
def one_thread():
    """Networks this small only wait for each other's threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def ask(**more):
    given = {"image": STILL, "prompt": "a cat", "negative_prompt": "", "num_frames": 9, "width": 32, "height": 32,
             "fps": 24.0, "num_inference_steps": 2, "guidance_scale": 3.0,
             "generator": torch.Generator().manual_seed(1)}
    return Ask(**{**given, **more})


def run(family, pipe, wish):
    pipe.set_progress_bar_config(disable=True)
    return pipe(**FAMILIES[family].arguments(pipe, wish))


def test_cosmos_is_refused_without_its_guardrail_and_says_what_that_refuses(tmp_path, monkeypatch):
    from diffusers.pipelines.cosmos import pipeline_cosmos2_video2world as cosmos

    from tests.engine.tiny.cosmos2 import Guardrail, cosmos2

    class Missing:
        def __init__(self):
            raise ImportError("`cosmos_guardrail` is not installed.")

    class Strict(Guardrail):
        def check_text_safety(self, prompt):
            return "weapon" not in prompt

        def check_video_safety(self, frames):
            return None

    cosmos2().save_pretrained(tmp_path)
    found = examined(tmp_path)
    monkeypatch.setattr(cosmos, "CosmosSafetyChecker", Missing)
    with pytest.raises(WeightsMissing, match="may only run with NVIDIA's guardrail, which is not installed"):
        load(found, None, {"default": torch.float32})
    monkeypatch.setattr(cosmos, "CosmosSafetyChecker", Strict)
    pipe = load(found, None, {"default": torch.float32})
    assert isinstance(pipe.safety_checker, Strict)
    with pytest.raises(BadRequest, match="refuses this prompt"):
        run("cosmos2", pipe, ask(prompt="a weapon"))
    with pytest.raises(NoPicture, match="holds the clip back"):
        run("cosmos2", pipe, ask())


def test_kandinskys_tokenizer_is_loaded_though_it_is_saved_as_a_processor_of_films(tmp_path):
    from tests.engine.tiny.kandinsky6 import trained

    trained().save_pretrained(tmp_path)
    index = tmp_path / "model_index.json"
    named = json.loads(index.read_text()) | {"tokenizer": ["transformers", "Qwen2_5_VLProcessor"]}
    index.write_text(json.dumps(named))
    frames = [run("kandinsky6", load(examined(tmp_path), None, {"default": torch.float32}), ask(num_frames=5)).frames]
    index.write_text(json.dumps(named | {"tokenizer": ["transformers", "Qwen2Tokenizer"]}))
    frames += [run("kandinsky6", load(examined(tmp_path), None, {"default": torch.float32}), ask(num_frames=5)).frames]
    assert np.array_equal(*frames)


def test_kandinsky_5_with_sparse_attention_makes_coarser_sizes_and_never_too_short_clips(tmp_path):
    from tests.engine.tiny.kandinsky5 import kandinsky5

    kandinsky5().save_pretrained(tmp_path)
    found = examined(tmp_path)
    assert found.model.size_multiple == 16 and found.rule.at_or_above(1) == 17
    config = tmp_path / "transformer" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"attention_type": "nabla"}))
    assert examined(tmp_path).model.size_multiple == 128


def test_a_distilled_kandinsky_knows_no_guidance():
    distilled = {"scheduler": ["diffusers", "PiflowScheduler"], "vocoder": ["diffusers", "MMAudioVocoder"]}
    every = find_model("kandinsky-6-pro").controls
    family = FAMILIES["kandinsky6"]
    assert every - family.controls(distilled, {}, every) == {"guidance_scale", "negative_prompt"}
    silent = {"scheduler": ["diffusers", "Euler"], "vocoder": [None, None]}
    assert every - family.controls(silent, {}, every) == {"sound"}


def test_sound_is_as_long_as_the_picture():
    from tests.engine.tiny.kandinsky6 import distilled
    from tests.engine.tiny.ltx2 import pipeline

    for family, pipe, fps, rate in (("ltx2", pipeline(), 25.0, 16000), ("kandinsky6", distilled(), 12.5, 44100)):
        sound = FAMILIES[family].sound(pipe, run(family, pipe, ask(fps=fps, num_frames=17, num_inference_steps=1)))
        assert sound.rate == rate and sound.samples.dtype == np.float32 and sound.samples.shape[0] in (1, 2)
        assert 0 < np.abs(sound.samples).max() <= 1
        assert abs(sound.samples.shape[1] / rate - 17 / fps) < 0.05


def test_ltx2s_motion_is_a_speed_and_its_distilled_form_has_steps_of_its_own():
    family, pipe = FAMILIES["ltx2"], SimpleNamespace()
    assert "motion_speed" not in family.arguments(pipe, ask())
    speeds = [family.arguments(pipe, ask(motion=motion))["motion_speed"] for motion in (0.0, 0.5, 1.0)]
    assert speeds[0] == pytest.approx(24 / 60) and speeds == sorted(speeds) and speeds[-1] == 1.0
    model = find_model("ltx-2.3-distilled")
    wish = ask(options=dict(model.options), guidance_scale=model.guidance_scale)
    given = family.arguments(pipe, wish)
    assert family.num_steps(wish) == len(given["sigmas"]) == model.num_inference_steps
    # Any scale that would cost a second look of the network is off.
    assert (given["guidance_scale"], given["audio_guidance_scale"]) == (1.0, 1.0)
    assert (given["stg_scale"], given["audio_stg_scale"]) == (0.0, 0.0)
    assert (given["modality_scale"], given["audio_modality_scale"]) == (1.0, 1.0)
    assert not {"guidance_scale", "negative_prompt", "num_inference_steps"} & model.controls


def test_ltx2_begins_with_the_frames_of_the_clip_that_it_continues():
    from diffusers import LTX2ConditionPipeline

    from tests.engine.tiny.ltx2 import pipeline

    pipe = LTX2ConditionPipeline(**pipeline().components)
    clips = [[Image.fromarray(np.random.default_rng(seed).integers(0, 256, (32, 32, 3), np.uint8)) for _ in range(9)]
             for seed in (1, 2)]
    wishes = [ask(num_frames=17, num_inference_steps=1, previous=tuple(clip), options={"image_crf": 0})
              for clip in (clips[0], clips[0], clips[1])]
    frames = [np.asarray(run("ltx2", pipe, wish).frames) for wish in wishes]
    assert np.array_equal(frames[0], frames[1]) and not np.array_equal(frames[0], frames[2])
    from diffusers.pipelines.ltx2.pipeline_ltx2_condition import LTX2VideoCondition

    given = FAMILIES["ltx2"].arguments(pipe, ask(previous=tuple(clips[0]), last_image=STILL))["conditions"]
    assert [type(one) for one in given] == [LTX2VideoCondition] * 2 and [one.index for one in given] == [0, -1]


def test_sana_reads_how_much_is_to_move_in_its_prompt():
    given = [FAMILIES["sana"].arguments(SimpleNamespace(), ask(motion=motion))["prompt"] for motion in (None, 0.0, 1.0)]
    assert given == ["a cat motion score: 30.", "a cat motion score: 0.", "a cat motion score: 60."]


def test_helios_counts_the_steps_of_all_its_pieces():
    from tests.engine.tiny.helios_pyramid import distilled

    assert FAMILIES["helios"].num_steps(ask(num_frames=65, num_inference_steps=5)) == 10
    family, pipe = FAMILIES["helios_pyramid"], distilled()
    wish = ask(num_frames=65, num_inference_steps=4, width=64, height=64, options={"is_amplify_first_chunk": True})
    steps: list[int] = []
    pipe.set_progress_bar_config(disable=True)
    frames = family.frames(pipe(**family.arguments(pipe, wish),
                                callback_on_step_end=lambda *_: steps.append(1) or {}))
    assert len(steps) == family.num_steps(wish) and len(frames) == 65


def test_helios_mid_is_told_from_its_siblings(tmp_path):
    from diffusers import HeliosPyramidPipeline, HeliosScheduler

    from tests.engine.tiny.helios import parts

    HeliosPyramidPipeline(scheduler=HeliosScheduler(), is_cfg_zero_star=True, **parts()).save_pretrained(tmp_path)
    with pytest.raises(BadModel, match="Helios Mid"):
        examined(tmp_path)


def test_vace_keeps_what_it_is_given_and_asks_for_the_rest():
    family, pipe = FAMILIES["vace"], SimpleNamespace(transformer_2=None)
    other = Image.new("RGB", (32, 32), (9, 99, 199))
    given = family.arguments(pipe, ask(last_image=other, previous=(other, STILL)))
    white = [np.asarray(part).mean() / 255 for part in given["mask"]]
    assert white == [0, 0, 1, 1, 1, 1, 1, 1, 0]
    shown = [np.asarray(frame) for frame in given["video"]]
    assert np.array_equal(shown[0], other) and np.array_equal(shown[1], STILL) and np.array_equal(shown[8], other)
    assert all((frame == 128).all() for frame in shown[2:8])
