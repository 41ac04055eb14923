"""Generate as a person meets it: what is asked for, the takes, sound, previews, again; its engine is a peer."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest
from PIL import Image

from tests.blender import rigs
from tests.blender.generating import A14B, FIVE, clips, drawn, press, refused, select
from tests.blender.stills import add_still, photo, pixels, pump_until, render, span

# ------------------------------------------------------------------ from click to take


def test_a_photo_becomes_a_take_that_remembers_its_making(
    addon: SimpleNamespace, scene: Any, peer: Any, still: Any, tmp_path: Path
) -> None:
    peer.prompt, peer.random_seed, peer.seed = "the waves roll in", False, 7
    scene.render.fps, scene.render.fps_base = 24, 1.001
    (request,) = press(addon)
    made = request.generate
    assert (made.prompt, made.seed, made.model, made.negative_prompt) == ("the waves roll in", 7, FIVE, "")
    assert (made.num_inference_steps, made.guidance_scale, made.motion) == (0, -1.0, -1.0), "the model's own"
    assert (request.num_frames, request.fps, request.visible_only) == (12, (24000, 1001), True)
    (clip,) = clips(addon, scene)
    assert (clip.channel, span(addon, clip), clip.name) == (2, span(addon, still), "still Wan 2.2 TI2V 5B")
    assert json.loads(clip.diorama.request)["generate"]["prompt"] == "the waves roll in"
    assert render(scene, 8, tmp_path / "shown.png")[90, 160, 0] == pytest.approx(7, abs=1)
    assert pixels(request.image).shape == (180, 320, 4), "the still stays beside the clip, so that it can be made again"
    assert Path(request.image).parent == tmp_path / "clips" / "inputs"
    (second,) = press(addon)
    assert second.generate.seed == 7 and second.output != request.output
    (clip,) = clips(addon, scene)
    assert len(clip.diorama_shot.takes) == 2 and clip.diorama.clip_path == second.output


def test_several_seeds_and_several_models(addon: SimpleNamespace, scene: Any, peer: Any, still: Any) -> None:
    peer.takes = 2
    assert bpy.ops.diorama.generate_model(model=A14B, also=True) == {"FINISHED"}
    requests = press(addon, 4)
    assert sorted(request.generate.model for request in requests) == [A14B, A14B, FIVE, FIVE]
    seeds = {request.generate.seed for request in requests}
    assert len(seeds) == 2 and min(seeds) >= 0, "drawn here, so each is on record; both models get the same"
    assert len({request.image for request in requests}) == 1 and len({request.output for request in requests}) == 4
    (clip,) = clips(addon, scene)
    assert len(clip.diorama_shot.takes) == 4
    bpy.ops.diorama.generate_model(model=A14B, also=True)
    assert peer.also == ""
    peer.random_seed, peer.seed = False, 2**31 - 1
    assert [request.generate.seed for request in press(addon, 2)] == [2**31 - 1, 0]


def test_a_strip_may_have_a_prompt_of_its_own(addon: SimpleNamespace, scene: Any, peer: Any, tmp_path: Path) -> None:
    path = photo(tmp_path / "photo.png")
    add_still(addon, scene.sequence_editor, path, start=1, length=3)
    own = add_still(addon, scene.sequence_editor, path, start=4, length=3)
    peer.prompt, own.diorama_prompt.use, own.diorama_prompt.prompt = "wind", True, "rain"
    assert [request.generate.prompt for request in press(addon, 2)] == ["wind", "rain"]
    assert len(clips(addon, scene)) == 2


def test_what_is_chosen_reaches_the_engine(addon: SimpleNamespace, peer: Any, still: Any, tmp_path: Path) -> None:
    peer.use_steps, peer.steps, peer.use_guidance, peer.guidance = True, 12, True, 3.5
    peer.use_motion, peer.motion, peer.use_size, peer.width, peer.height = True, 0.3, True, 640, 384
    peer.speed, peer.memory, peer.aspect, peer.conform = "draft", "fp8", "pad", "hold"
    peer.camera_lock, peer.mask_from, peer.feather = True, "sky", 0.1
    bpy.ops.diorama.lora_add()
    peer.loras[0].path, peer.loras[0].weight = str(tmp_path / "one.safetensors"), 0.8
    bpy.ops.diorama.lora_add()
    (request,) = press(addon)
    made = request.generate
    assert (made.num_inference_steps, made.guidance_scale, made.width, made.height) == (12, 3.5, 640, 384)
    assert (made.speed, made.memory, made.loras) == ("draft", "fp8", (str(tmp_path / "one.safetensors"),))
    assert made.lora_weights == (0.8,) and made.motion == -1.0, "this model has no amount of motion, so none is sent"
    assert (request.aspect, request.conform, request.mask, request.mask_feather) == ("pad", "hold", "sky", 0.1)
    assert request.camera_lock
    bpy.ops.diorama.lora_remove(index=1)
    assert len(peer.loras) == 1


def test_from_one_photo_to_the_next(addon: SimpleNamespace, scene: Any, peer: Any, tmp_path: Path) -> None:
    stills = [
        add_still(addon, scene.sequence_editor, photo(tmp_path / f"{n}.png", 320, 180 - 20 * n), start=1 + 4 * n,
                  length=4) for n in range(3)
    ]  # fmt: skip
    peer.last_from = "next"
    assert [request.last_image for request in press(addon, 3)] == [""] * 3, "hidden: this model takes no last still"
    peer.model = A14B
    first, second = press(addon, 2)
    for request, strip in ((first, stills[1]), (second, stills[2])):
        seen = pixels(request.last_image)[..., 3] > 0
        assert seen.sum() == 320 * strip.elements[0].orig_height
    select(addon, scene, stills[0])
    refused(addon, "there is no next one")
    peer.last_from, peer.last_image = "image", str(tmp_path / "2.png")
    assert press(addon)[0].last_image == str(tmp_path / "2.png")
    peer.last_from, peer.model = "none", next(o.id for o in addon.models.video_catalog().values() if o.needs)
    addon.runtime.models.downloaded |= {peer.model}
    refused(addon, "needs a last still: choose one under Ends With")
    peer.last_from, peer.last_image = "image", str(tmp_path / "none.png")
    refused(addon, "last image is missing")


# ------------------------------------------------------------------ a rig's camera


@pytest.fixture
def rig(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> Any:
    """The rig of a photo that fills the middle of the frame, moving; its photo is selected."""
    photo_strip = rigs.add_photo(addon, scene, tmp_path, length=6)
    photo_strip.transform.scale_x = photo_strip.transform.scale_y = 0.5
    scene.diorama.move = "truck_right"
    (made,) = rigs.build(addon)
    addon.runtime.queue.stop_engine()
    select(addon, scene, photo_strip)
    return made


def test_a_rigs_camera_is_followed(addon: SimpleNamespace, scene: Any, rig: Any, peer: Any) -> None:
    following = next(one for one in addon.models.video_catalog().values() if "camera_path" in one.controls)
    addon.runtime.models.downloaded |= {following.id}
    peer.model = following.id
    peer.use_rig = peer.camera_lock = True
    assert bpy.ops.diorama.generate() == {"FINISHED"} and not addon.runtime.queue.jobs, "cameras are read bit by bit"
    pump_until(addon, lambda: addon.runtime.queue.jobs, 20)
    (job,) = addon.runtime.queue.jobs
    request = job.request
    assert len(request.views) == request.num_frames == 6 and request.folder == str(rig.folder)
    assert not request.camera_lock
    views = np.array(request.views)
    assert np.abs(views[0, :16].reshape(4, 4) - np.eye(4)).max() < 1e-3 and views[-1, 3] != pytest.approx(0, abs=1e-3)
    # The lens in pixels of the still as it was captured: the photo is half as wide as the frame.
    assert views[0, 16] == pytest.approx(30 / 36 * 160, rel=1e-3), "30 mm, as of every photo that does not tell"
    assert views[0, 18] == pytest.approx(79.5, abs=0.6) and views[0, 19] == pytest.approx(44.5, abs=0.6)
    pump_until(addon, lambda: not addon.runtime.queue.jobs, 20)
    peer.model, peer.use_rig = FIVE, True
    assert press(addon)[0].views == (), "hidden: this model does not follow a camera"


# ------------------------------------------------------------------ what moves


def left_half() -> Any:
    """A mask of the Mask Editor: a square that covers the left half of the frame."""
    mask = bpy.data.masks.new("left")
    spline = mask.layers.new().splines.new()
    spline.points.add(3)
    for point, place in zip(spline.points, ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)), strict=True):
        point.co = place
        point.handle_left_type = point.handle_right_type = "VECTOR"
    spline.use_cyclic = True
    return mask


def test_what_moves_by_mask_strip_and_image(addon: SimpleNamespace, scene: Any, peer: Any, tmp_path: Path) -> None:
    """A photo that fills the middle half of the frame: the mask that is sent is that half."""
    still = add_still(addon, scene.sequence_editor, photo(tmp_path / "photo.png", 160, 180))
    bars = np.zeros((180, 320), np.uint8)
    bars[:, 200:] = 255
    Image.fromarray(bars).convert("RGB").save(tmp_path / "bars.png")
    other = add_still(addon, scene.sequence_editor, tmp_path / "bars.png", channel=5, name="bars")
    select(addon, scene, still)
    peer.mask_from, peer.mask_strip = "strip", "bars"
    sent = pixels(press(addon)[0].mask)[..., 0]
    assert sent.shape == (180, 160) and sent[:, :118].max() == 0 and sent[:, 122:].min() == 255
    peer.mask_from, peer.mask = "mask", left_half()
    sent = pixels(press(addon)[0].mask)[..., 0]
    assert sent.shape == (180, 160) and sent[:, :78].min() == 255 and sent[:, 82:].max() == 0, "its left half"
    peer.mask_from, peer.mask_image = "image", bpy.data.images.load(str(tmp_path / "bars.png"))
    assert pixels(press(addon)[0].mask).shape[:2] == (180, 320)
    assert len(addon.compat.strips_all(scene)) == 3 and not [i for i in bpy.data.images if "motion" in i.name]
    peer.mask_from, other.name = "strip", "renamed"
    refused(addon, "There is no strip called 'bars'")
    peer.mask_strip = "renamed"
    addon.compat.set_right_handle(other, 2)
    other.transform.offset_x = 300
    refused(addon, "covers nothing of the photo")
    assert not [s for s in bpy.data.scenes if s != scene]


# ------------------------------------------------------------------ while it runs, and after


def test_preview_while_it_runs_and_nothing_after_a_cancel(
    addon: SimpleNamespace, scene: Any, modules: SimpleNamespace, peer: Any, still: Any, tmp_path: Path
) -> None:
    peer.prompt = "slow"
    assert bpy.ops.diorama.generate() == {"FINISHED"}
    (job,) = addon.runtime.queue.jobs
    pump_until(addon, lambda: job.id in modules.preview._frames, 20)
    frames = modules.preview._frames[job.id][1]
    assert frames.shape == (2, 36, 64, 4) and frames[0, 0, 0, 0] == pytest.approx(frames[0, 0, 0, 1])
    jobs_panel = importlib.import_module(f"{addon.package}.panels.jobs")
    assert jobs_panel.progress_text(job).startswith("Step 4 of 4, 3 s left") or job.done < 4
    assert Path(job.request.image).is_file()
    assert bpy.ops.diorama.cancel(job_id=job.id) == {"FINISHED"}
    pump_until(addon, lambda: not addon.runtime.queue.jobs, 10)
    addon.registration.pump()
    assert not modules.preview._frames and modules.preview.icon(job.id) == 0
    assert not clips(addon, scene) and not [path for path in (tmp_path / "clips").rglob("*") if path.is_file()]


def test_a_failure_is_a_sentence_and_can_be_tried_again(
    addon: SimpleNamespace, scene: Any, peer: Any, still: Any
) -> None:
    peer.prompt = "fail"
    assert bpy.ops.diorama.generate() == {"FINISHED"}
    (job,) = addon.runtime.queue.jobs
    pump_until(addon, lambda: job.ended, 20)
    assert job.error.kind == "out_of_memory" and Path(job.request.image).is_file()
    assert bpy.ops.diorama.retry(job_id=job.id) == {"FINISHED"}
    (again,) = addon.runtime.queue.jobs
    pump_until(addon, lambda: again.ended, 20)
    assert bpy.ops.diorama.dismiss(job_id=again.id) == {"FINISHED"}
    assert not Path(job.request.image).exists() and not clips(addon, scene)


@pytest.mark.skipif(not bpy.app.build_options.audaspace, reason="this bpy has no sound")
def test_sound_comes_with_its_take_and_goes_with_it(addon: SimpleNamespace, scene: Any, peer: Any, still: Any) -> None:
    def sounds() -> list[Any]:
        return [s for s in addon.compat.strips_all(scene) if s.type == "SOUND"]

    press(addon)
    assert sounds() == [], "a silent clip has no sound strip"
    peer.prompt = "sound"
    press(addon)
    (sound,) = sounds()
    assert span(addon, sound) == span(addon, still) and not sound.mute and not sound.select
    press(addon)
    first, second = sorted(sounds(), key=lambda s: s.diorama.job_id != sound.diorama.job_id)
    assert first.mute and not second.mute
    (clip,) = clips(addon, scene)
    takes = importlib.import_module(f"{addon.package}.sequencer.takes")
    takes.step(scene, clip, -1)
    assert not first.mute and second.mute
    takes.step(scene, clip, -1)
    assert first.mute and second.mute, "the silent take"
    assert {len(json.loads(take.files)) for take in clip.diorama_shot.takes} == {12}, "a sound is no picture"
    addon.compat.strips(scene.sequence_editor).remove(clip)
    still.channel = 127
    peer.prompt = "sound"
    press(addon)


def test_again_with_a_new_seed_and_with_these_settings(
    addon: SimpleNamespace, scene: Any, modules: SimpleNamespace, peer: Any, still: Any
) -> None:
    peer.prompt, peer.use_guidance, peer.guidance = "leaves fall", True, 4.0
    (first,) = press(addon)
    peer.prompt, peer.guidance = "something else", 9.0
    (clip,) = clips(addon, scene)
    select(addon, scene, clip)
    said = drawn(modules.clip.DIORAMA_PT_clip, scene, addon)
    assert "“leaves fall”" in said and f"Wan 2.2 TI2V 5B, seed {first.generate.seed}" in said

    def again(new_seed: bool) -> Any:
        assert bpy.ops.diorama.generate_again(new_seed=new_seed) == {"FINISHED"}
        (job,) = addon.runtime.queue.jobs
        pump_until(addon, lambda: not addon.runtime.queue.jobs, 20)
        return job.request

    same, other = again(False), again(True)
    assert same.generate == first.generate and same.image == first.image and same.output != first.output
    assert other.generate.seed != first.generate.seed and other.generate.prompt == "leaves fall"
    (clip,) = clips(addon, scene)
    assert len(clip.diorama_shot.takes) == 3
    assert bpy.ops.diorama.generate_settings() == {"FINISHED"}
    assert (peer.prompt, peer.guidance, peer.seed) == ("leaves fall", 4.0, other.generate.seed)
    assert not peer.random_seed and not peer.use_motion
    Path(first.image).unlink()
    with pytest.raises(RuntimeError, match="was made from is missing"):
        bpy.ops.diorama.generate_again()


def test_again_wants_a_generated_clip(addon: SimpleNamespace, scene: Any, peer: Any, still: Any) -> None:
    for operator in (bpy.ops.diorama.generate_again, bpy.ops.diorama.generate_settings):
        with pytest.raises(RuntimeError, match="No clip of Diorama is selected"):
            operator()
    press(addon)
    (clip,) = clips(addon, scene)
    clip.diorama.request = '{"move": {}}'
    select(addon, scene, clip)
    with pytest.raises(RuntimeError, match="was not generated by a model"):
        bpy.ops.diorama.generate_again()


def test_settings_survive_save_and_load(addon: SimpleNamespace, peer: Any, still: Any, tmp_path: Path) -> None:
    peer.prompt, peer.model, still.diorama_prompt.prompt = "mist", A14B, "its own"
    bpy.ops.diorama.lora_add()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "saved.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "saved.blend"))
    found = bpy.context.scene.diorama_generate
    assert (found.prompt, found.model, len(found.loras)) == ("mist", A14B, 1)
    (strip,) = addon.compat.strips_all(bpy.context.scene)
    assert strip.diorama_prompt.prompt == "its own"


# ------------------------------------------------------------------ the real engine

FULL = os.environ.get("DIORAMA_ENGINE_FULL", "")
ROOT = Path(__file__).resolve().parents[2]
TINY = (
    "import sys; from tests.engine.tiny import tiny_of;"
    "tiny_of('wan')['wan22_5b'].build().save_pretrained(sys.argv[1])"
)


@pytest.mark.skipif(not FULL, reason="no full engine here: `python3 dev.py test full` makes one")
@pytest.mark.skipif(bpy.app.version < (5, 0), reason="the engine is the same below every Blender: once is enough")
def test_a_tiny_model_of_the_real_class_makes_a_clip(
    addon: SimpleNamespace, scene: Any, still: Any, tmp_path: Path
) -> None:
    """Random weights, chosen by their folder: from the button through the full engine to the strip."""
    folder, python = tmp_path / "my model", addon.command.venv_python(Path(FULL))
    subprocess.run([python, "-c", TINY, str(folder)], cwd=ROOT, check=True, env=addon.command.clean_environment())
    addon.preferences.preferences().engine_folder = FULL
    addon.runtime.installer.refresh()
    settings = scene.diorama_generate
    settings.model, settings.folder, settings.prompt = "folder", str(folder), "the waves roll in"
    settings.use_steps, settings.steps, settings.random_seed, settings.seed = True, 2, False, 5
    settings.use_size, settings.width, settings.height = True, 64, 32
    before = render(scene, 5, tmp_path / "before.png")
    (request,) = press(addon, seconds=120)
    (clip,) = clips(addon, scene)
    assert span(addon, clip) == span(addon, still) and clip.diorama.clip_path == request.output
    recorded = json.loads(clip.diorama.request)
    assert recorded["generate"]["seed"] == 5 and recorded["generate"]["model"] == str(folder)
    sidecar = json.loads(Path(f"{request.output}.json").read_text())
    assert sidecar["settings"] == recorded and sidecar["num_frames"] == 12
    still.mute = True
    after = render(scene, 16, tmp_path / "after.png")
    assert after[90, 160, 3] == 255 and np.abs(after - before)[..., :3].mean() > 2, "noise of a random network"
    plan = importlib.import_module(f"{addon.package}.operators.generate_again").plan_request(scene, still)
    pump_until(addon, lambda: addon.runtime.plans.answer(plan), 60)
    assert addon.runtime.plans.answer(plan)["width"] == 64
    addon.runtime.plans.stop()
    addon.runtime.queue.stop_engine()
