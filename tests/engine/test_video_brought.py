"""A model that is put together from several repositories, as FramePack is: from the hub's cache, by its catalog id."""

import json
import shutil

import av
import numpy as np
import pytest
from PIL import Image

from engine.jobs import run_job
from engine.protocol import GenerateRequest, GenerateSettings
from engine.video.catalog import FOLDERS, find_model
from engine.video.load import find

pytest.importorskip("torch", reason="needs the full engine")
pytestmark = [pytest.mark.full, pytest.mark.filterwarnings("ignore")]       # those of the libraries are theirs


def in_the_cache(cache, repository, files):
    """files: path in the repository -> where it comes from."""
    home = cache / ("models--" + repository.replace("/", "--"))
    (home / "refs").mkdir(parents=True)
    (home / "refs" / "main").write_text("1" * 40)
    for path, source in files.items():
        target = home / "snapshots" / ("1" * 40) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """FramePack as its authors published it: in three repositories, under the names of the catalog."""
    from huggingface_hub import constants

    from tests.engine.tiny.framepack import framepack

    whole, cache = tmp_path / "whole", tmp_path / "hub"
    framepack().save_pretrained(whole)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    model = find_model("framepack-i2v")
    files = [path.relative_to(whole).as_posix() for path in whole.rglob("*") if path.is_file()]
    brought: dict[str, dict] = {}
    for name, part in model.brought.items():
        inside = part.folder + "/" if part.folder else ""
        brought.setdefault(part.repository, {}).update(
            {inside + path.removeprefix(name + "/"): whole / path for path in files if path.startswith(name + "/")})
    index = json.loads((whole / "model_index.json").read_text())
    index = {name: kind for name, kind in index.items() if name not in model.brought}
    (whole / "model_index.json").write_text(json.dumps(index | {"_class_name": "HunyuanVideoPipeline"}))
    own = {path: whole / path for path in files if path.split("/")[0] not in model.brought}
    for repository, content in {model.repository: own, **brought}.items():
        in_the_cache(cache, repository, content)
    return cache


def test_what_lies_in_three_repositories_makes_one_clip(cache, tmp_path):
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)).save(tmp_path / "still.png")
    settings = GenerateSettings(model="framepack-i2v", prompt="a cat walks", seed=1, num_inference_steps=2,
                                width=32, height=32)
    request = GenerateRequest(image=str(tmp_path / "still.png"), output=str(tmp_path / "clip.mkv"), num_frames=30,
                              fps=(30, 1), generate=settings, clip_format="ffv1")
    result = run_job("job", request, lambda *_, **__: None, lambda: False)
    with av.open(result["clip"]) as movie:
        assert sum(1 for _ in movie.decode(video=0)) == 30
    assert result["model"] == "FramePack"


def test_a_part_that_is_not_there_is_a_model_that_is_not_downloaded(cache):
    from engine.errors import WeightsMissing

    assert find("framepack-i2v").brought.keys() == find_model("framepack-i2v").brought.keys()
    shutil.rmtree(cache / "models--lllyasviel--FramePackI2V_HY")
    with pytest.raises(WeightsMissing, match="FramePack is not downloaded"):
        find("framepack-i2v")


def test_a_download_leaves_what_the_pipeline_does_not_read():
    """The single files at the top of a repository are the same weights again, some of them a hundred gigabytes."""
    from fnmatch import fnmatch

    first, *others = find_model("framepack-i2v").sources
    wanted = [name for name in ("model_index.json", "vae/config.json", "tokenizer/tokenizer.model", "all.safetensors",
                                "transformer/model.safetensors", "vae/model.fp16.safetensors")
              if any(fnmatch(name, part) for part in first.files) and not any(fnmatch(name, s) for s in first.skip)]
    assert first.files == FOLDERS and wanted == ["model_index.json", "vae/config.json", "tokenizer/tokenizer.model"]
    assert len(others) == 2
