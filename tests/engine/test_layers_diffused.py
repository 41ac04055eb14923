"""A fill by an inpainting pipeline: a tiny one of the real classes, random weights, saved and loaded by its folder."""

from __future__ import annotations

import string
from pathlib import Path

import numpy as np
import pytest

from engine.camera import Intrinsics
from engine.errors import BadModel, OutOfMemory
from engine.layers import build_layered_still, diffused, open_painter
from engine.layers.painter import paint

torch = pytest.importorskip("torch", reason="needs the full engine")
diffusers = pytest.importorskip("diffusers", reason="needs the full engine")

pytestmark = pytest.mark.full
WIDTH, HEIGHT = 96, 64
CAMERA = Intrinsics.from_size(WIDTH, HEIGHT)


def scene() -> tuple[np.ndarray, np.ndarray]:
    photo = np.full((HEIGHT, WIDTH, 3), (30, 160, 60), np.uint8)
    disparity = np.full((HEIGHT, WIDTH), 0.2, np.float32)
    photo[20:50, 30:60], disparity[20:50, 30:60] = (200, 40, 30), 0.5
    return photo, disparity


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stable Diffusion's inpainting pipeline with 9 channels in, 32 pixels a side."""
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    folder = tmp_path_factory.mktemp("fill") / "tiny inpainting"
    words = {"<|startoftext|>": 0, "<|endoftext|>": 1}
    for letter in string.ascii_lowercase:
        words |= {letter: len(words), letter + "</w>": len(words) + 1}
    torch.manual_seed(0)
    made = diffusers.StableDiffusionInpaintPipeline(
        vae=diffusers.AutoencoderKL(block_out_channels=(8, 8), down_block_types=("DownEncoderBlock2D",) * 2,
                                    up_block_types=("UpDecoderBlock2D",) * 2, latent_channels=4, norm_num_groups=4),
        text_encoder=CLIPTextModel(CLIPTextConfig(
            vocab_size=len(words), hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
            max_position_embeddings=77, bos_token_id=0, eos_token_id=1, pad_token_id=1)),
        tokenizer=CLIPTokenizer(vocab=words, merges=[], model_max_length=77),
        unet=diffusers.UNet2DConditionModel(
            sample_size=16, in_channels=9, out_channels=4, layers_per_block=1, block_out_channels=(8, 16),
            norm_num_groups=4, down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), cross_attention_dim=16, attention_head_dim=4),
        scheduler=diffusers.DDIMScheduler(steps_offset=1, clip_sample=False),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False)
    made.save_pretrained(folder, safe_serialization=True)
    return folder


def test_a_pipeline_paints_a_hole_the_same_way_each_time(pipeline: Path, monkeypatch) -> None:
    monkeypatch.setattr(diffused, "STEPS", 2)
    painter = open_painter(str(pipeline))
    assert painter is not None and painter.side == 32
    picture = np.full((40, 60, 3), (30, 160, 60), np.uint8)
    mask = np.zeros((40, 60), bool)
    mask[10:16, 10:20] = True
    once, again = paint(painter, picture, mask), paint(painter, picture, mask)
    assert np.array_equal(once, again)
    assert np.abs(once[mask].astype(int) - picture[mask]).mean() > 5
    assert np.array_equal(once[~mask], picture[~mask])


def test_a_full_graphics_card_falls_back_to_the_cpu_and_says_so(pipeline: Path, monkeypatch) -> None:
    painter = open_painter(str(pipeline))
    assert isinstance(painter, diffused.DiffusionPainter)
    monkeypatch.setattr(diffused, "STEPS", 2)
    load = diffused.DiffusionPainter._loaded

    def loaded(self):
        if self._device != "cpu":
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 4.00 GiB")
        return load(self)

    monkeypatch.setattr(diffused.DiffusionPainter, "_loaded", loaded)
    painter._device = "cuda"
    assert painter.square(np.full((32, 32, 3), 90, np.uint8), np.eye(32) > 0) is not None
    assert [warning for warning in painter.warnings if "CPU" in warning] == painter.warnings != []


@pytest.mark.parametrize(("fault", "kind"), [
    (RuntimeError("[enforce fail] can't allocate memory: you tried to allocate 9 bytes"), OutOfMemory),
    (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), BadModel)])
def test_a_pipeline_that_fails_is_one_clear_sentence(fault, kind, pipeline: Path, monkeypatch) -> None:
    def run(*_: object) -> None:
        raise fault

    monkeypatch.setattr(diffused.DiffusionPainter, "_run", run)
    with pytest.raises(kind, match="tiny inpainting"):
        build_layered_still(*scene(), CAMERA, painter=open_painter(str(pipeline)))


def test_a_blocked_part_keeps_our_own_fill(pipeline: Path, monkeypatch) -> None:
    class Blocked:
        nsfw_content_detected = (True,)

    monkeypatch.setattr(diffused.DiffusionPainter, "_run", lambda *_: Blocked())
    painter = open_painter(str(pipeline))
    still = build_layered_still(*scene(), CAMERA, painter=painter)
    assert still.layers[0].rgba[..., 1].min() > 100 and "safety checker" in painter.warnings[0]


def test_weights_without_their_files_are_one_clear_sentence(pipeline: Path, tmp_path: Path) -> None:
    import shutil

    broken = tmp_path / "broken"
    shutil.copytree(pipeline, broken)
    for weights in (broken / "unet").glob("*.safetensors"):
        weights.unlink()
    with pytest.raises(BadModel, match="broken"):
        build_layered_still(*scene(), CAMERA, painter=open_painter(str(broken)))


def test_a_pipeline_that_paints_no_holes_is_one_clear_sentence(pipeline: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    diffusers.StableDiffusionPipeline.from_pipe(
        diffusers.StableDiffusionInpaintPipeline.from_pretrained(pipeline)).save_pretrained(other)
    with pytest.raises(BadModel, match="StableDiffusionPipeline takes no mask"):
        build_layered_still(*scene(), CAMERA, painter=open_painter(str(other)))
