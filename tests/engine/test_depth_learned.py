"""Learned depth on tiny models of the real classes: random weights, saved and loaded by path, never a network.

Random networks tell nothing about quality. What is tested is the way of the raw prediction: its direction, size, focal
length, and what happens when something fails.
"""

import string

import cv2
import numpy as np
import pytest

from engine import hub
from engine.depth import catalog, learned
from engine.depth.estimate import estimate_depth
from engine.depth.learned import AFFINE_DEPTH, DEPTH, DISPARITY, Prediction, outlined, relative_disparity
from engine.errors import BadDepth, OutOfMemory, WeightsMissing
from engine.jobs.models import list_models
from engine.media.still import Still
from engine.protocol import DepthSettings

torch = pytest.importorskip("torch", reason="needs the full engine")
transformers = pytest.importorskip("transformers", reason="needs the full engine")

pytestmark = pytest.mark.full


@pytest.fixture(autouse=True)
def offline_and_empty(monkeypatch, tmp_path):
    """No network, an empty cache, a fresh model each time."""
    import huggingface_hub.constants as hub

    monkeypatch.setattr(hub, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(hub, "HF_HUB_CACHE", str(tmp_path / "hub"))
    yield
    learned.release()


def photo(height=90, width=130):
    values = np.random.default_rng(0).uniform(0, 255, (height // 6 + 1, width // 6 + 1, 3)).astype(np.float32)
    rgb = cv2.resize(values, (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 255).astype(np.uint8)
    return Still(rgb, None, None, "made.png")


def dinov2(side=56, patch=14, **more):
    return transformers.Dinov2Config(hidden_size=32, num_hidden_layers=4, num_attention_heads=2, intermediate_size=37,
                                     image_size=side, patch_size=patch, **more)


def dpt_processor(side, multiple, keep_aspect_ratio):
    from transformers import DPTImageProcessor

    return DPTImageProcessor(size={"height": side, "width": side}, keep_aspect_ratio=keep_aspect_ratio,
                             ensure_multiple_of=multiple)


def depth_anything(metric=False):
    stages = [f"stage{i}" for i in range(1, 5)]
    config = transformers.DepthAnythingConfig(
        backbone_config=dinov2(out_features=stages, apply_layernorm=True, reshape_hidden_states=False),
        reassemble_hidden_size=32, patch_size=14, neck_hidden_sizes=[16] * 4, fusion_hidden_size=16, head_hidden_size=8,
        depth_estimation_type="metric" if metric else "relative", max_depth=20 if metric else 1)
    model = transformers.DepthAnythingForDepthEstimation(config)
    with torch.no_grad():
        model.head.conv3.weight.mul_(1000)      # or the sigmoid of a fresh network is one half everywhere
    return model, dpt_processor(56, 14, keep_aspect_ratio=True)


def dpt():
    config = transformers.DPTConfig(
        hidden_size=32, num_hidden_layers=4, num_attention_heads=2, intermediate_size=37, image_size=64, patch_size=16,
        backbone_out_indices=[0, 1, 2, 3], neck_hidden_sizes=[16, 16, 32, 32], fusion_hidden_size=16, is_hybrid=False)
    return transformers.DPTForDepthEstimation(config), dpt_processor(64, 1, keep_aspect_ratio=False)


def glpn():
    from transformers import GLPNImageProcessor

    config = transformers.GLPNConfig(hidden_sizes=[8, 16, 16, 32], depths=[1] * 4, num_attention_heads=[1, 1, 2, 2],
                                     decoder_hidden_size=8)
    return transformers.GLPNForDepthEstimation(config), GLPNImageProcessor()


def zoedepth():
    from transformers import ZoeDepthImageProcessor

    backbone = transformers.BeitConfig(
        image_size=64, patch_size=16, hidden_size=32, num_hidden_layers=4, num_attention_heads=2, intermediate_size=37,
        use_relative_position_bias=True, reshape_hidden_states=False, out_features=[f"stage{i}" for i in range(1, 5)])
    config = transformers.ZoeDepthConfig(
        backbone_config=backbone, backbone_hidden_size=32, neck_hidden_sizes=[16, 16, 32, 32], fusion_hidden_size=16,
        bottleneck_features=16, num_relative_features=8, bin_embedding_dim=8, num_attractors=[4, 2, 2, 1],
        bin_configurations=[{"n_bins": 8, "min_depth": 0.001, "max_depth": 10.0}])
    model = transformers.ZoeDepthForDepthEstimation(config)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(6)                      # or a fresh network answers with the middle of its bins everywhere
    return model, ZoeDepthImageProcessor(size={"height": 64, "width": 64}, ensure_multiple_of=32)


def depth_pro():
    parts = {name: dinov2(16, 4) for name in ("image_model_config", "patch_model_config", "fov_model_config")}
    config = transformers.DepthProConfig(
        **parts, patch_size=16, fusion_hidden_size=16, intermediate_hook_ids=[1, 0], intermediate_feature_dims=[16, 16],
        scaled_images_ratios=[0.5, 1.0], scaled_images_overlap_ratios=[0.0, 0.2], scaled_images_feature_dims=[32, 32],
        use_fov_model=True, num_fov_head_layers=1)
    return transformers.DepthProForDepthEstimation(config), None


MODELS = {"depth_anything": depth_anything, "metric": lambda: depth_anything(metric=True), "dpt": dpt, "glpn": glpn,
          "zoedepth": zoedepth, "depth_pro": depth_pro}


@pytest.fixture(scope="session")
def saved(tmp_path_factory):
    """name -> folder of a tiny model, made once."""
    made = {}

    def folder(name):
        if name not in made:
            torch.manual_seed(0)
            made[name] = tmp_path_factory.mktemp("models") / name
            if name == "marigold":
                marigold().save_pretrained(made[name])
                return made[name]
            model, processor = MODELS[name]()
            model.eval().save_pretrained(made[name])
            if processor is not None:
                processor.save_pretrained(made[name])
        return made[name]
    return folder


def marigold():
    import diffusers

    torch.manual_seed(0)
    tokens = {"<|startoftext|>": 0, "<|endoftext|>": 1} | {c: i + 2 for i, c in enumerate(string.ascii_lowercase)}
    text = transformers.CLIPTextConfig(
        bos_token_id=0, eos_token_id=1, pad_token_id=1, hidden_size=16, projection_dim=16, intermediate_size=37,
        num_attention_heads=4, num_hidden_layers=2, vocab_size=len(tokens))
    return diffusers.MarigoldDepthPipeline(
        unet=diffusers.UNet2DConditionModel(
            block_out_channels=(16, 32), norm_num_groups=8, layers_per_block=1, sample_size=32, in_channels=8,
            out_channels=4, down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), cross_attention_dim=16),
        vae=diffusers.AutoencoderKL(
            block_out_channels=[16, 32], norm_num_groups=8, down_block_types=["DownEncoderBlock2D"] * 2,
            up_block_types=["UpDecoderBlock2D"] * 2, latent_channels=4),
        scheduler=diffusers.DDIMScheduler(prediction_type="v_prediction", set_alpha_to_one=False, steps_offset=1,
                                          clip_sample=False, beta_schedule="scaled_linear"),
        text_encoder=transformers.CLIPTextModel(text).eval(),
        tokenizer=transformers.CLIPTokenizer(vocab=tokens, merges=[], model_max_length=77),
        prediction_type="depth", default_denoising_steps=2, default_processing_resolution=64)


@pytest.mark.parametrize("name", [*MODELS, "marigold"])
def test_real_classes_load_by_path_and_tell_depth(name, saved):
    still = photo()
    first = estimate_depth(still, DepthSettings(model=str(saved(name))))
    depth = first.relative_disparity
    assert depth.shape == (90, 130) and depth.dtype == np.float32
    assert depth.min() >= 0 and depth.max() <= 1 and np.ptp(depth) > 0.2
    assert first.label == name and first.warnings == ()
    assert (first.lens_mm is not None) == (name == "depth_pro")
    again = estimate_depth(still, DepthSettings(model=str(saved(name)))).relative_disparity
    assert np.array_equal(depth, again)


@pytest.mark.parametrize(("name", "tells"), [("depth_anything", DISPARITY), ("metric", DEPTH), ("dpt", DISPARITY),
                                             ("glpn", DEPTH), ("zoedepth", DEPTH), ("depth_pro", DISPARITY)])
def test_the_raw_prediction_is_read_in_its_own_direction(name, tells, saved):
    folder, still = saved(name), photo()
    kind = learned.kind_of(folder)
    prediction = learned._predict(folder, kind, "cpu", still.rgb)
    assert prediction.tells == tells
    relative = relative_disparity(prediction, name)
    sign = np.corrcoef(relative.ravel(), prediction.values.ravel())[0, 1]
    assert (sign > 0.5) == (tells == DISPARITY), "disparity grows with nearness, depth falls"


def test_metric_depth_becomes_exact_disparity():
    z = np.linspace(1, 10, 400, dtype=np.float32).reshape(20, 20)
    relative = relative_disparity(Prediction(z, DEPTH), "x")
    assert relative[0, 0] == 1 and relative[-1, -1] == 0
    assert np.corrcoef(relative.ravel()[2:], 1 / z.ravel()[2:])[0, 1] > 0.999999
    affine = relative_disparity(Prediction(np.linspace(0, 1, 100, dtype=np.float32)[None], AFFINE_DEPTH), "x")
    assert affine[0, 0] == 1 and affine[0, -1] == 0 and (np.diff(affine[0, 1:]) < 0).all()


def test_flat_and_broken_predictions():
    assert (relative_disparity(Prediction(np.full((4, 5), 3, np.float32), DISPARITY), "x") == 0.5).all()
    holes = np.arange(100, dtype=np.float32).reshape(10, 10)
    holes[3, 3] = np.nan
    assert np.isfinite(relative_disparity(Prediction(holes, DISPARITY), "x")).all()
    with pytest.raises(BadDepth, match="no usable depth"):
        relative_disparity(Prediction(np.full((4, 5), np.nan, np.float32), DISPARITY), "x")


def test_enlarging_follows_the_edge_and_copies_no_texture():
    rgb = np.random.default_rng(1).integers(60, 90, (400, 600, 3), np.uint8)
    rgb[:, 300:] += 120
    step = np.zeros((40, 60), np.float32)
    step[:, 30:] = 1
    soft = cv2.GaussianBlur(step, (0, 0), 1)
    fine = outlined(soft, rgb)
    assert fine.shape == (400, 600)
    blurred = cv2.resize(soft, (600, 400))
    assert fine[200, 303] - fine[200, 296] > 1.5 * (blurred[200, 303] - blurred[200, 296])
    assert fine[:, :200].std() < 0.01 and fine[:, 400:].std() < 0.01
    assert outlined(step, np.zeros((5000, 3000, 3), np.uint8)).shape == (5000, 3000)


def test_depth_pro_tells_the_lens(saved, monkeypatch):
    seen = learned._predict(saved("depth_pro"), "depth_pro", "cpu", photo().rgb)
    assert seen.view_degrees is not None
    monkeypatch.setattr(learned, "_predict", lambda *_: Prediction(seen.values, DISPARITY, 54.43))
    assert estimate_depth(photo(), DepthSettings(model=str(saved("depth_pro")))).lens_mm == pytest.approx(35, abs=0.05)
    tall = estimate_depth(photo(130, 90), DepthSettings(model=str(saved("depth_pro")))).lens_mm
    assert tall == pytest.approx(35 * 90 / 130, abs=0.05), "across the shorter side now, still counted along the longer"


def test_a_gpu_that_runs_out_of_memory_hands_over_to_the_cpu(saved, monkeypatch):
    folder = str(saved("dpt"))
    expected = estimate_depth(photo(), DepthSettings(model=folder)).relative_disparity
    true_to, said = torch.nn.Module.to, []

    def to(module, device, *more, **options):
        if device == "cuda":
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return true_to(module, device, *more, **options)

    monkeypatch.setattr(learned, "best_device", lambda: "cuda")
    monkeypatch.setattr(torch.nn.Module, "to", to)
    found = estimate_depth(photo(), DepthSettings(model=folder), said.append)
    assert np.array_equal(found.relative_disparity, expected)
    assert len(found.warnings) == 1 and "ran on the CPU" in found.warnings[0] and found.warnings[0] in said


def test_main_memory_that_runs_out_is_told(saved, monkeypatch):
    def full(*_, **__):
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(transformers.DPTForDepthEstimation, "forward", full)
    with pytest.raises(OutOfMemory, match="not enough memory"):
        estimate_depth(photo(), DepthSettings(model=str(saved("dpt"))))


def test_folders_that_are_no_depth_model(tmp_path, saved):
    def refused(name, match):
        with pytest.raises(BadDepth, match=match) as caught:
            estimate_depth(photo(), DepthSettings(model=str(tmp_path / name)))
        assert "Draft depth" in caught.value.remedy

    for name in ("empty", "text", "broken", "hollow"):
        (tmp_path / name).mkdir()
    refused("empty", "holds no model")
    (tmp_path / "text" / "config.json").write_text('{"model_type": "bert"}')
    refused("text", "type bert, which does not tell depth")
    (tmp_path / "broken" / "config.json").write_text("{")
    refused("broken", "does not describe a model")
    (tmp_path / "hollow" / "config.json").write_bytes((saved("dpt") / "config.json").read_bytes())
    refused("hollow", "cannot be loaded")


def test_a_person_can_choose_the_cpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert learned.best_device() == "cuda"
    monkeypatch.setenv("DIORAMA_DEVICE", "cpu")
    assert learned.best_device() == "cpu"


def test_not_downloaded_and_offline_say_so_and_offer_the_draft():
    with pytest.raises(WeightsMissing, match=r"not downloaded \(99 MB, licence: Apache-2.0\)") as caught:
        estimate_depth(photo(), DepthSettings(model=catalog.DEFAULT_MODEL))
    assert "Draft depth" in caught.value.remedy and "models download" in caught.value.remedy
    with pytest.raises(WeightsMissing, match="works offline"):
        hub.download(catalog.find_model(catalog.DEFAULT_MODEL), lambda *_: None)
    assert hub.remove(catalog.find_model(catalog.DEFAULT_MODEL)) == 0


def test_a_model_in_the_hub_cache_is_listed_used_and_removed(saved, tmp_path):
    entry = catalog.find_model("dpt-large")
    repository = tmp_path / "hub" / ("models--" + entry.repository.replace("/", "--"))
    snapshot = repository / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("0" * 40)
    for file in saved("dpt").iterdir():
        (snapshot / file.name).write_bytes(file.read_bytes())
    assert [m["id"] for m in list_models() if m["downloaded"]] == ["dpt-large"]
    assert estimate_depth(photo(), DepthSettings(model="dpt-large")).label == entry.name
    (snapshot / "model.safetensors").unlink()
    assert not hub.is_here(entry), "half a download is none"
