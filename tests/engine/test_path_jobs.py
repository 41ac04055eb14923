"""A layered still on disk, and clips made from it by cameras that somebody else moved."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from engine.camera import Bounds, Intrinsics
from engine.errors import BadDepth, BadRequest, BadStill, JobCancelled, OutputFailed
from engine.jobs import run_job
from engine.layers import LayeredStill
from engine.protocol import DepthSettings, LayersRequest, PathRequest

WIDTH, HEIGHT = 192, 108


def picture() -> np.ndarray:
    """(HEIGHT, WIDTH, 3) uint8: smooth waves, and a square of another colour in front of them."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    rgb = np.stack([128 + 50 * np.sin(x / 9), 90 + 100 * y / HEIGHT, 220 - 120 * x / WIDTH], axis=2)
    rgb[30:90, 60:120] = (230, 60, 90)
    return rgb.clip(60, 255).astype(np.uint8)


@pytest.fixture
def request_(tmp_path: Path) -> LayersRequest:
    Image.fromarray(picture()).save(tmp_path / "photo.png")
    depth = np.full((HEIGHT, WIDTH), 40, np.uint8)
    depth[30:90, 60:120] = 250
    Image.fromarray(depth).save(tmp_path / "depth.png")
    return LayersRequest(
        str(tmp_path / "photo.png"), str(tmp_path / "out" / "rig"), DepthSettings(picture=str(tmp_path / "depth.png"))
    )


def run(request: LayersRequest | PathRequest) -> dict:
    return run_job("job", request, lambda *_: None, lambda: False)


def frames(path: str) -> np.ndarray:
    with av.open(path) as clip:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in clip.decode(video=0)])


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / max(np.mean((a.astype(float) - b) ** 2), 1e-9)))


def view(k: list[float], x: float = 0.0, z: float = 0.0) -> tuple[float, ...]:
    """A camera that was moved by x to the right and z forwards."""
    pose = np.eye(4)
    pose[:3, 3] = -x, 0, -z
    return (*pose.ravel().tolist(), *k)


def path_request(layers: dict, output: Path, views: list[tuple[float, ...]], **changes: object) -> PathRequest:
    request = PathRequest(layers["folder"], str(output), tuple(views), WIDTH, HEIGHT, clip_format="ffv1")
    return replace(request, **changes)  # type: ignore[arg-type]


# ------------------------------------------------------------------ the layered still


def test_the_folder_holds_the_layers_the_still_and_its_depth(request_: LayersRequest) -> None:
    result = run(request_)
    layered = LayeredStill.load(result["folder"])
    assert (layered.width, layered.height, layered.margin_px) == (WIDTH, HEIGHT, result["margin_px"])
    assert result["intrinsics"] == [*vars(layered.intrinsics).values()]
    disparity = np.load(Path(result["folder"]) / "disparity.npy")
    assert disparity.shape == (HEIGHT, WIDTH)
    assert Bounds(**{k: tuple(v) if isinstance(v, list) else v for k, v in result["bounds"].items()}) == Bounds.of(
        disparity
    )
    depth = cv2.imread(result["depth_preview"], cv2.IMREAD_UNCHANGED)
    assert depth.dtype == np.uint16
    assert (depth.min(), depth.max()) == (0, 65535)
    assert np.array_equal(np.asarray(Image.open(Path(result["folder"]) / "still.png")), picture())
    assert all(Path(path).is_file() for path in result["files"])
    assert result["pivot"] == pytest.approx(1.0)
    assert result["lens_mm"] == pytest.approx(30.0)


def test_an_older_folder_is_replaced_as_a_whole_and_nothing_else_is_left(request_: LayersRequest) -> None:
    folder = Path(run(request_)["folder"])
    (folder / "layer_9.png").write_text("old")
    run(replace(request_, depth=DepthSettings()))
    assert not (folder / "layer_9.png").exists()
    assert sorted(path.name for path in folder.parent.iterdir()) == ["rig", "rig.json"]


def test_somebody_elses_folder_is_not_touched(request_: LayersRequest) -> None:
    Path(request_.output).mkdir(parents=True)
    (Path(request_.output) / "thesis.txt").write_text("mine")
    with pytest.raises(OutputFailed):
        run(request_)
    assert [path.name for path in Path(request_.output).iterdir()] == ["thesis.txt"]


def test_a_larger_still_is_reduced_and_its_camera_with_it(request_: LayersRequest) -> None:
    result = run(replace(request_, max_width=96, max_height=96, intrinsics=(200.0, 210.0, 100.0, 50.0)))
    assert (result["width"], result["height"]) == (96, 54)
    assert result["intrinsics"] == pytest.approx([100.0, 105.0, 49.75, 24.75])
    assert (result["rect"], result["size"]) == ([0, 0, WIDTH, HEIGHT], [WIDTH, HEIGHT])


def test_the_scenes_own_z_is_kept_to_scale(request_: LayersRequest, tmp_path: Path) -> None:
    z = np.full((HEIGHT, WIDTH), 1e10, np.float32)
    z[40:] = 20.0
    z[30:90, 60:120] = 5.0
    np.save(tmp_path / "z.npy", z)
    result = run(replace(request_, z_picture=str(tmp_path / "z.npy"), depth=DepthSettings()))
    disparity = np.load(Path(result["folder"]) / "disparity.npy")
    assert disparity[50, 90] == pytest.approx(1.0)
    assert disparity[100, 10] == pytest.approx(0.25)
    assert disparity[5, 5] == pytest.approx(0.25 / 8)
    assert result["depth_label"] == "scene depth"


def test_z_that_meets_nothing_is_told(request_: LayersRequest, tmp_path: Path) -> None:
    np.save(tmp_path / "z.npy", np.full((HEIGHT, WIDTH), 1e10, np.float32))
    with pytest.raises(BadDepth) as caught:
        run(replace(request_, z_picture=str(tmp_path / "z.npy")))
    assert caught.value.remedy


@pytest.mark.parametrize("stage", ["load", "depth", "layers", "write"])
def test_cancel_leaves_no_folder(request_: LayersRequest, stage: str) -> None:
    reached: list[str] = []
    with pytest.raises(JobCancelled):
        run_job("job", request_, lambda name, *_: reached.append(name), lambda: stage in reached)
    assert not list(Path(request_.output).parent.glob("*"))


# ------------------------------------------------------------------ clips along a path


def test_the_rest_pose_shows_the_photo_and_another_pose_does_not(request_: LayersRequest, tmp_path: Path) -> None:
    layers = run(request_)
    k = layers["intrinsics"]
    result = run(path_request(layers, tmp_path / "clip.mkv", [view(k), view(k, x=0.05)]))
    clip = frames(result["clip"])
    assert clip.shape == (2, HEIGHT, WIDTH, 3)
    assert psnr(clip[0], picture()) >= 40
    assert 10 < psnr(clip[1], picture()) < 35
    shift = round(layers["intrinsics"][0] * 0.05)  # the square stands at depth 1
    assert psnr(clip[1][40:80, 70 - shift : 110 - shift], picture()[40:80, 70:110]) > 35
    assert (result["num_frames"], result["fps"]) == (2, [24, 1])


def test_every_pass_is_a_clip_of_its_own(request_: LayersRequest, tmp_path: Path) -> None:
    layers = run(request_)
    k = layers["intrinsics"]
    result = run(
        path_request(
            layers,
            tmp_path / "clip.mkv",
            [view(k), view(k, x=0.05), view(k, z=0.5)],
            passes=("disocclusion", "colour", "mattes", "depth"),
        )
    )
    movies = [part for part in result["passes"] if part["name"] != "depth"]
    clips = {part["name"]: frames(part["clip"])[..., 0].astype(float) for part in movies}
    count = len(LayeredStill.load(layers["folder"]).layers)
    assert list(clips) == ["colour", *(f"matte_{n + 1}" for n in range(count)), "disocclusion"]
    assert [part["name"] for part in result["passes"]][1] == "depth"
    assert result["clip"] == str(tmp_path / "clip.mkv")
    assert sorted(path.name for path in tmp_path.glob("*.mkv")) == sorted(
        Path(part["clip"]).name for part in movies
    )
    mattes = sum(clips[f"matte_{n + 1}"] for n in range(count))
    assert np.abs(mattes - 255).max() <= 2
    assert clips[f"matte_{count}"][0, 60, 90] == 255
    assert clips[f"matte_{count}"][0, 10, 10] == 0
    assert (clips["disocclusion"][0] > 127).mean() < 0.01  # at rest everything comes from the photo
    shift = round(k[0] * 0.05)
    assert clips["disocclusion"][1, 60, 120 - shift // 2] == 255  # what the square hid
    assert clips["disocclusion"][1, 60, 20] == 0
    assert clips["disocclusion"][1, 60, -1] > 127  # the margin


def test_the_depth_pass_has_sixteen_bits(request_: LayersRequest, tmp_path: Path) -> None:
    slope = np.linspace(0, 65535, WIDTH).astype(np.uint16)
    cv2.imwrite(str(tmp_path / "slope.png"), np.repeat(slope[None], HEIGHT, axis=0))
    layers = run(replace(request_, depth=DepthSettings(picture=str(tmp_path / "slope.png"))))
    k = layers["intrinsics"]
    views = [view(k), view(k, z=0.5)]
    result = run(path_request(layers, tmp_path / "clip.mkv", views, passes=("colour", "depth")))
    depth = result["passes"][1]
    assert Path(depth["clip"]) == tmp_path / "clip_depth" and len(depth["files"]) == 2
    rest, nearer = (cv2.imread(file, cv2.IMREAD_UNCHANGED) for file in depth["files"])
    assert rest.dtype == np.uint16 and rest.shape == (HEIGHT, WIDTH)
    wanted = 65535 * (0.25 + 0.75 * slope / 65535.0)  # from a quarter, which is the farthest, to the nearest
    assert np.abs(rest[HEIGHT // 2, 8:-8] - wanted[8:-8]).max() < 400
    steps = np.diff(rest[HEIGHT // 2, 8:-8].astype(int))
    assert steps.min() > 0 and len(np.unique(rest)) > WIDTH - 16  # no terraces
    middle = HEIGHT // 2, WIDTH // 2  # what lies on the axis stays there
    assert nearer[middle] / 65535 == pytest.approx(1 / (65535 / rest[middle] - 0.5), abs=0.01)


@pytest.mark.parametrize(
    "changes",
    [
        {"views": ()},
        {"views": ((1.0,) * 19,)},
        {"views": ((float("nan"),) * 20,)},
        {"views": ((2.0,) * 20,)},
        {"views": (view([-1.0, 1.0, 0.0, 0.0]),)},
        {"width": 0},
        {"fps": (24, 0)},
        {"clip_format": "gif"},
        {"passes": ()},
        {"passes": ("beauty",)},
    ],
)
def test_bad_paths_are_one_sentence_with_a_remedy(request_: LayersRequest, tmp_path: Path, changes: dict) -> None:
    layers = run(request_)
    request = replace(path_request(layers, tmp_path / "clip.mkv", [view(layers["intrinsics"])]), **changes)
    with pytest.raises(BadRequest) as caught:
        run(request)
    assert caught.value.message.endswith(".")
    assert caught.value.remedy
    assert not list(tmp_path.glob("clip*"))


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    k = [*vars(Intrinsics.from_size(WIDTH, HEIGHT)).values()]
    with pytest.raises(BadStill):
        run(path_request({"folder": str(tmp_path / "gone")}, tmp_path / "clip.mkv", [view(k)]))
    assert not list(tmp_path.glob("clip*"))


def test_cancel_leaves_no_pass(request_: LayersRequest, tmp_path: Path) -> None:
    layers = run(request_)
    reached: list[int] = []
    request = path_request(
        layers, tmp_path / "clip.mkv", [view(layers["intrinsics"])] * 5, passes=("colour", "depth", "disocclusion")
    )
    with pytest.raises(JobCancelled):
        run_job("job", request, lambda stage, done, _: reached.append(done), lambda: 2 in reached)
    assert not list(tmp_path.glob("clip*"))
