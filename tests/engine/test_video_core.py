"""Around every family: exact length, nothing changed at "best", LoRAs, memory that runs out, models that are broken."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import weakref
from fractions import Fraction

import cv2
import numpy as np
import pytest

from engine import cli
from engine.errors import BadModel, BadRequest, JobCancelled, NoPicture, OutOfMemory, OutputFailed
from engine.jobs import run_job
from engine.media.clip import ClipWriter
from engine.video import make, speed, warm
from engine.video.load import find, load
from tests.engine.tiny import tiny_of
from tests.engine.video_kit import ask, clip, frames_of, models, one_thread, photo, request_for

torch = pytest.importorskip("torch", reason="needs the full engine")
pytestmark = [pytest.mark.full, pytest.mark.filterwarnings("ignore")]


@pytest.mark.parametrize("fps", [Fraction(24), Fraction(25), Fraction(30), Fraction(24000, 1001)])
def test_four_seconds_are_four_seconds_at_every_rate(ask, fps):
    frames, result = clip(ask("wan22_a14b", num_frames=round(4 * fps), fps=(fps.numerator, fps.denominator),
                              num_inference_steps=1, conform="blend"))
    assert len(frames) == result["num_frames"] == round(4 * fps)
    assert abs(len(frames) / fps - 4) < Fraction(1, 2) / fps


def test_best_changes_nothing_in_the_picture(ask, models, photo):
    from PIL import Image

    frames, result = clip(ask())
    pipe = load(find(str(models / "wan22_5b")), None, {"default": torch.float32})
    picture = cv2.resize(cv2.imread(str(photo))[:, 16:80, ::-1], (32, 32), interpolation=cv2.INTER_AREA)
    bare = pipe(image=Image.fromarray(picture), prompt="a cat", negative_prompt="", num_frames=9, width=32, height=32,
                num_inference_steps=2, guidance_scale=5.0, generator=torch.Generator("cpu").manual_seed(1),
                output_type="np").frames[0]
    assert np.array_equal(frames, np.rint(bare * 255).astype(np.uint8))
    assert result["plan"]["mode"] == "full" and result["plan"]["trades"] == "" and result["warnings"] == []


def test_faster_speeds_say_what_they_trade(ask):
    frames, _ = clip(ask(num_inference_steps=6))
    balanced, told = clip(ask(num_inference_steps=6, speed="balanced"))
    assert "fine detail" in told["plan"]["trades"] and balanced.shape == frames.shape
    _, draft = clip(ask(speed="draft", num_inference_steps=0))
    assert draft["settings"]["generate"]["num_inference_steps"] == 25 and "first look" in draft["plan"]["trades"]


def test_few_step_loras_bring_their_own_steps(ask, monkeypatch, lora):
    plain, _ = clip(ask("wan22_a14b"))
    monkeypatch.setattr(speed, "_few_steps_here", lambda _: (str(lora / "style.safetensors"),) * 2)
    frames, result = clip(ask("wan22_a14b", speed="balanced", num_inference_steps=0))
    used = result["settings"]["generate"]
    assert (used["num_inference_steps"], used["guidance_scale"]) == (4, 1.0) and "LoRA" in result["plan"]["trades"]
    assert not np.array_equal(plain, frames)


def test_the_model_stays_loaded_until_another_is_asked_for(ask, monkeypatch):
    loads = []
    monkeypatch.setattr(make, "load", lambda *given: loads.append(given) or load(*given))
    warm.release()
    for request in (ask(), ask(seed=2), ask("wan22_a14b"), ask("wan22_a14b", memory="fp8")):
        clip(request)
    assert len(loads) == 3
    (pipe,) = warm._kept.values()
    held = sum(weight.nbytes for part in (pipe.transformer, pipe.transformer_2, pipe.vae, pipe.text_encoder)
               for weight in part.parameters())
    assert warm.held_bytes() == held > 0, "the next plan must not take the model's own memory for somebody else's"
    warm.release()
    assert warm.held_bytes() == 0


def test_loading_shows_its_parts_and_can_be_stopped_between_two(ask, tmp_path):
    warm.release()
    parts = []
    with pytest.raises(JobCancelled):
        run_job("job", ask(), lambda *step, **_: parts.append(step), lambda: len(parts) == 5)
    assert parts[-1] == ("load", 2, 5) and not list(tmp_path.iterdir()) and not warm._kept
    clip(ask(), report=lambda *step, **_: parts.append(step))
    assert ("load", 4, 5) in parts


# ------------------------------------------------------------------ LoRAs


@pytest.fixture(scope="module")
def lora(models, tmp_path_factory):
    from peft import LoraConfig
    from peft.utils import get_peft_model_state_dict

    pipe = tiny_of("wan")["wan22_a14b"].build()
    torch.manual_seed(0)
    pipe.transformer.add_adapter(LoraConfig(r=4, target_modules=["to_q", "to_v"], init_lora_weights=False))
    folder = tmp_path_factory.mktemp("lora")
    pipe.save_lora_weights(folder, transformer_lora_layers=get_peft_model_state_dict(pipe.transformer))
    for name in ("style", "style_low_noise"):
        shutil.copy(folder / "pytorch_lora_weights.safetensors", folder / f"{name}.safetensors")
    return folder


def test_a_lora_changes_the_clip_by_its_weight(ask, lora):
    style, low = str(lora / "style.safetensors"), str(lora / "style_low_noise.safetensors")
    plain, full, none, part = (clip(ask("wan22_a14b", loras=loras, lora_weights=weights))[0] for loras, weights in (
        ((), ()), ((style,), (1.0,)), ((style,), (0.0,)), ((low,), (1.0,))))
    assert np.array_equal(plain, none)
    assert not np.array_equal(plain, full) and not np.array_equal(plain, part) and not np.array_equal(full, part)


def test_a_lora_that_does_not_fit_is_told(ask, lora, tmp_path):
    with pytest.raises(BadModel, match=r"gone\.safetensors is missing"):
        clip(ask(loras=(str(tmp_path / "gone.safetensors"),), lora_weights=(1.0,)))
    with pytest.raises(BadModel, match=r"style\.safetensors does not fit wan22_5b|cannot be loaded"):
        wrong = tmp_path / "style.safetensors"
        from safetensors.torch import save_file

        save_file({"transformer.blocks.0.attn1.to_q.lora_A.weight": torch.zeros(4, 7),
                   "transformer.blocks.0.attn1.to_q.lora_B.weight": torch.zeros(9, 4)}, wrong)
        clip(ask(loras=(str(wrong),), lora_weights=(1.0,)))


# ------------------------------------------------------------------ what goes wrong


def broken(models, tmp_path, break_it):
    folder = tmp_path / "model"
    shutil.copytree(models / "wan22_5b", folder)
    break_it(folder)
    return folder


def cut(path):
    path.write_bytes(path.read_bytes()[:-100])


def nonsense(path):
    path.write_bytes(b"\xff" * 500)


WEIGHTS = "diffusion_pytorch_model.safetensors"


@pytest.mark.parametrize(("break_it", "words"), [
    (lambda f: (f / "model_index.json").unlink(), "holds no model_index.json"),
    (lambda f: (f / "model_index.json").write_text("{"), "cannot be read"),
    (lambda f: shutil.rmtree(f / "vae"), "part 'vae' is missing"),
    (lambda f: (f / "vae" / WEIGHTS).unlink(), "weights of 'vae' are missing"),
    (lambda f: cut(f / "transformer" / WEIGHTS), f"transformer/{WEIGHTS} is cut off"),
    (lambda f: nonsense(f / "transformer" / WEIGHTS), f"transformer/{WEIGHTS} is damaged"),
    (lambda f: (f / "transformer" / "config.json").write_text('{"_class_name": "WanTransformer3DModel", "ffn_dim": 5}'),
     "cannot be loaded"),
    (lambda f: (f / "model_index.json").write_text(
        '{"_class_name": "X", "transformer": ["my_code.py", "Mine"]}'), "code of its own"),
    (lambda f: (f / "model_index.json").write_text(
        '{"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet2DConditionModel"]}'),
     "no image-to-video model that Diorama knows"),
])
def test_a_broken_model_is_told_in_one_sentence(models, tmp_path, photo, capsys, break_it, words):
    if "UNet2D" in str(break_it.__code__.co_consts):
        def also(folder, break_it=break_it):
            break_it(folder)
            (folder / "unet").mkdir()
            (folder / "unet" / "config.json").write_text("{}")
    else:
        also = break_it
    folder = broken(models, tmp_path, also)
    status = cli.main(["animate", str(photo), "--model", str(folder), "--size", "32x32", "--steps", "1", "--seconds",
                       "0.3", "--out", str(tmp_path / "clip.mp4")])
    told = capsys.readouterr().err
    assert status == 3 and words in told and "Traceback" not in told
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize(("changes", "error", "words"), [
    ({"model": "no/such/folder"}, BadModel, "no model folder at no/such/folder"),
    ({"model": "no-such-model"}, BadModel, "Choose one of wan-2.2-ti2v-5b"),
    ({"motion": 0.5}, BadRequest, "wan22_5b does not take an amount of motion"),
    ({"motion": 2.0}, BadRequest, "out of range"),
    ({"views": ((1.0,) * 20,) * 9}, BadRequest, "wan22_5b does not follow a camera"),
    ({"speed": "warp"}, BadRequest, "no speed called 'warp'"),
    ({"memory": "model_offload"}, BadRequest, "NVIDIA graphics card"),
    ({"memory": "quantised"}, BadRequest, "torchao"),
    ({"loras": ("a",)}, BadRequest, "as many LoRA weights"),
])
def test_what_cannot_be_is_refused(ask, tmp_path, changes, error, words):
    with pytest.raises(error, match=words):
        clip(ask(**changes))
    assert not list(tmp_path.iterdir())


def test_numbers_that_became_nan_are_noticed_at_their_step(ask, models, tmp_path):
    def spoil(folder):
        from safetensors.torch import load_file, save_file

        path = folder / "transformer" / WEIGHTS
        save_file({key: value * torch.nan for key, value in load_file(path).items()}, path, {"format": "pt"})

    with pytest.raises(NoPicture, match="step 1"):
        clip(ask(model=str(broken(models, tmp_path, spoil))))
    assert not list(tmp_path.glob("clip*"))


def out_of_memory(times):
    """A pipeline's call that runs out of memory at its last step so many times."""
    left = [times]

    def run(pipe, family, asked, *given):
        if left[0]:
            left[0] -= 1

            def full(_module, _arguments):
                raise torch.OutOfMemoryError("CUDA out of memory")

            handle = pipe.vae.decoder.register_forward_pre_hook(full)
            try:
                return original(pipe, family, asked, *given)
            finally:
                handle.remove()
        return original(pipe, family, asked, *given)

    original = make.run
    return run


def test_memory_that_runs_out_costs_one_step_down(ask, monkeypatch, tmp_path):
    white = tmp_path / "white.png"
    cv2.imwrite(str(white), np.full((32, 32), 255, np.uint8))
    whole, _ = clip(ask())
    monkeypatch.setattr(make, "run", out_of_memory(1))
    pipes, alive = [weakref.ref(pipe) for pipe in warm._kept.values()], []
    monkeypatch.setattr(make, "load", lambda *given: alive.extend(pipe() for pipe in pipes) or load(*given))
    frames, result = clip(ask(mask=str(white)))
    assert alive == [None], "the first pipeline must be gone before the second one comes"
    assert result["plan"]["chosen"] == "full" and result["plan"]["mode"] == "disk"
    assert "ran out in the mode 'full'" in result["warnings"][0] and len(result["warnings"]) == 1
    assert np.abs(frames.astype(int) - whole).max() <= 1, "best stays best"
    monkeypatch.undo()
    monkeypatch.setattr(make, "run", out_of_memory(2))
    with pytest.raises(OutOfMemory, match="wan22_5b"):
        clip(ask(output="other.mkv"))
    assert not list(tmp_path.glob("other*"))
    assert not warm._kept, "the memory must be given back"


@pytest.mark.parametrize("mode", ["fp8", "disk"])
def test_every_mode_that_a_cpu_can_do_makes_the_same_clip(ask, mode):
    whole, _ = clip(ask("wan22_a14b"))         # two experts, which must not be taken for each other
    frames, result = clip(ask("wan22_a14b", memory=mode))
    assert result["plan"]["mode"] == mode
    off = np.abs(frames.astype(int) - whole)
    assert off.mean() < 1 if mode == "fp8" else off.max() <= 1


def test_weights_on_the_disk_go_with_the_model_or_with_the_next_engine(ask, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    dead, other = tmp_path / "diorama-weights-4194304-a", tmp_path / "diorama-weights-of-another"
    for folder in (dead, other):
        (folder / "transformer").mkdir(parents=True)
    clip(ask(memory="disk"))
    assert not dead.exists() and other.exists()
    assert len(list(tmp_path.glob(f"diorama-weights-{os.getpid()}-*/transformer/*"))) > 10
    warm.release()
    assert not list(tmp_path.glob(f"diorama-weights-{os.getpid()}-*"))


def test_a_full_disk_leaves_nothing(ask, monkeypatch, tmp_path):
    def full(_self, _frame):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("engine.media.encode.MovieEncoder.write", full)
    with pytest.raises(OutputFailed, match="disk is full"):
        run_job("job", ask(output="new/clip.mkv"), lambda *_, **__: None, lambda: False)
    assert not list(tmp_path.iterdir())


def test_a_sound_does_not_outlive_its_clip(tmp_path, photo, monkeypatch):
    tiny = tiny_of("ltx2")["ltx2"]
    tiny.build().save_pretrained(tmp_path / "model")
    monkeypatch.setattr(ClipWriter, "commit", lambda self: (_ for _ in ()).throw(OutputFailed("No.", "No.")))
    with pytest.raises(OutputFailed):
        clip(request_for(tiny, tmp_path / "model", photo, tmp_path / "new" / "clip.mkv"))
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_an_older_clip_stays_when_the_new_one_fails(ask, monkeypatch, tmp_path):
    clip(ask())
    before = frames_of(tmp_path / "clip.mkv")
    monkeypatch.setattr(ClipWriter, "commit", lambda self: (_ for _ in ()).throw(OutputFailed("No.", "No.")))
    with pytest.raises(OutputFailed):
        clip(ask(seed=5))
    assert np.array_equal(before, frames_of(tmp_path / "clip.mkv"))
