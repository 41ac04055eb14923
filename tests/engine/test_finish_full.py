"""What of finishing needs torch: RIFE, and an upscaler of the person's own."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.errors import BadRequest
from engine.finish.between import Flow, blend
from engine.jobs import run_job
from engine.protocol import ClipPart, FinishRequest, FinishStep
from tests.engine.movies import coded, pictures, textured, write

pytestmark = pytest.mark.full


def run(path: str, step: FinishStep) -> dict:
    request = FinishRequest(str(Path(path).with_name("out.mkv")), (ClipPart(path),), steps=(step,), clip_format="ffv1")
    return run_job("job", request, lambda *_: None, lambda: False)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / max(np.mean((a.astype(float) - b) ** 2), 1e-9)))


def scene(moment: float) -> np.ndarray:
    """A disc that goes right before a background that goes left, 10 and 6 px in one unit of time; 125 x 101."""
    behind, disc = textured(240, 101, 1), textured(240, 101, 2)
    back = cv2.warpAffine(behind, np.float32([[1, 0, -40 - 6 * moment], [0, 1, 0]]), (125, 101))
    front = cv2.warpAffine(disc, np.float32([[1, 0, -60 + 10 * moment], [0, 1, 0]]), (125, 101))
    mask = np.zeros((101, 125), np.float32)
    cv2.circle(mask, (round(16 * (55 + 10 * moment)), 16 * 50), 16 * 30, 1, -1, cv2.LINE_AA, 4)
    return np.rint(back + (front.astype(np.float32) - back) * mask[..., None]).astype(np.uint8)


def test_rife_is_at_least_4_db_above_blending() -> None:
    from engine.finish.rife import rife

    a, truth, b = scene(0), scene(0.5), scene(1)
    scores = [psnr(between(a, b, 0.5), truth) for between in (rife(), blend, Flow())]
    assert scores[0] >= scores[1] + 4
    assert scores[2] >= scores[1] + 4
    third = rife()(a, b, 1 / 3)
    assert psnr(third, scene(1 / 3)) > psnr(third, truth) + 1, "it knows at what moment"


def test_a_conformed_clip_is_made_by_the_network_and_exact(tmp_path: Path) -> None:
    path = write(tmp_path / "clip.mkv", [scene(k) for k in range(4)])
    result = run(path, FinishStep("retime", "interpolate", frames=6))
    frames = pictures(result["clip"])
    assert len(frames) == 6 and not result["warnings"]
    assert np.array_equal(frames[0], scene(0)) and np.array_equal(frames[3], scene(2))
    assert psnr(frames[1], scene(2 / 3)) > psnr(blend(scene(0), scene(1), 2 / 3), scene(2 / 3)) + 4


def test_odd_sizes_are_padded_and_cut_again() -> None:
    from engine.finish.rife import rife

    assert np.abs(rife()(coded(9, 33, 17), coded(9, 33, 17), 0.5).astype(int) - coded(9, 33, 17)).max() <= 3


def test_an_upscaler_of_transformers_by_its_folder(tmp_path: Path) -> None:
    import torch
    from transformers import Swin2SRConfig, Swin2SRForImageSuperResolution

    torch.manual_seed(0)
    config = Swin2SRConfig(image_size=16, embed_dim=12, depths=[1], num_heads=[2], window_size=8, upscale=2,
                           upsampler="pixelshuffledirect")
    Swin2SRForImageSuperResolution(config).save_pretrained(tmp_path / "model")
    path = write(tmp_path / "small.mkv", [textured(37, 21)])
    result = run(path, FinishStep("upscale", amount=2, reference=str(tmp_path / "model")))
    assert (result["width"], result["height"]) == (74, 42)
    assert pictures(result["clip"])[0].std() > 0
    for broken in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(BadRequest):
            run(path, FinishStep("upscale", amount=2, reference=str(broken)))
    (tmp_path / "model" / "model.safetensors").write_bytes(b"broken")
    with pytest.raises(BadRequest, match="no Swin2SR"):
        run(path, FinishStep("upscale", amount=2, reference=str(tmp_path / "model")))
