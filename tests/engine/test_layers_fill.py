"""A fill by a network: what it is shown, what is painted, and what a person reads when it cannot work."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.camera import Intrinsics
from engine.cli import main
from engine.errors import BadModel, JobCancelled, OutOfMemory
from engine.layers import build_layered_still, open_painter, painter
from tests.engine.onnx_nets import painter_net

WIDTH, HEIGHT = 160, 120
CAMERA = Intrinsics.from_size(WIDTH, HEIGHT)
MAGENTA = (1.0, 0.0, 1.0)
SQUARE = np.s_[40:80, 60:100]


def scene() -> tuple[np.ndarray, np.ndarray]:
    """A red square before green: photo, disparity."""
    photo = np.full((HEIGHT, WIDTH, 3), (30, 160, 60), np.uint8)
    disparity = np.full((HEIGHT, WIDTH), 0.2, np.float32)
    photo[SQUARE], disparity[SQUARE] = (200, 40, 30), 0.5
    return photo, disparity


def is_magenta(picture: np.ndarray) -> np.ndarray:
    return (picture.astype(int) - (255, 0, 255) > -12).all(-1) & (picture[..., 1] < 12)


class Witness:
    """A painter that remembers what it was shown."""

    def __init__(self, side: int) -> None:
        self.side, self.warnings, self.seen = side, [], []

    def between(self) -> None:
        pass

    def square(self, picture: np.ndarray, mask: np.ndarray) -> np.ndarray | None:
        self.seen.append((picture.copy(), mask.copy()))
        return np.where(mask[..., None], (255, 0, 255), picture).astype(np.uint8)


@pytest.mark.parametrize("net", [{"side": 64}, {}, {"in_bytes": True}, {"full": 1.0}],
                         ids=["fixed size", "any size", "bytes", "answer 0..1"])
def test_a_network_paints_what_is_hidden_and_the_margin_and_nothing_else(tmp_path: Path, net: dict) -> None:
    photo, disparity = scene()
    still = build_layered_still(photo, disparity, CAMERA,
                                painter=open_painter(painter_net(tmp_path / "net.onnx", MAGENTA, **net)))
    pad = still.margin_px
    back = still.layers[0].rgba[..., :3]
    frame = back[pad:pad + HEIGHT, pad:pad + WIDTH]
    assert is_magenta(frame[45:75, 65:95]).all(), "behind the square"
    assert is_magenta(back[:pad - 1]).all() and is_magenta(back[:, :pad - 1]).all(), "the margin"
    known = np.ones((HEIGHT, WIDTH), bool)
    known[37:83, 57:103] = False
    assert np.array_equal(frame[known], photo[known]), "the photo itself"
    assert not is_magenta(still.layers[1].rgba[..., :3]).any(), "the square"


def test_a_network_never_sees_what_stands_in_front() -> None:
    photo, disparity = scene()
    margin_only, witness = Witness(64), Witness(64)
    build_layered_still(photo, np.full_like(disparity, 0.2), CAMERA, painter=margin_only)
    build_layered_still(photo, disparity, CAMERA, painter=witness)
    behind = witness.seen[len(margin_only.seen):]
    assert behind
    for picture, mask in behind:
        red = (picture[..., 0] > 100) & (picture[..., 1] < 100) & (picture[..., 2] < 100)
        assert not (red & ~mask).any()


def test_a_large_picture_takes_few_windows_and_keeps_what_is_known() -> None:
    witness = Witness(32)
    random = np.random.default_rng(0)
    picture = random.integers(0, 256, (900, 1200, 3), dtype=np.uint8)
    mask = np.zeros((900, 1200), bool)
    mask[50:850, 100:1100] = True
    out = painter.paint(witness, picture, mask)
    assert len(witness.seen) <= 16 and all(shown.shape == (32, 32, 3) for shown, _ in witness.seen)
    assert np.array_equal(out[~mask], picture[~mask])
    assert (np.abs(out[300:600, 400:800].astype(int) - (255, 0, 255)).max(-1) < 60).mean() > 0.9
    assert min(1 - mask.mean() for _, mask in witness.seen) > 0.2, "every window shows something known"


def test_a_cancel_is_heard_between_two_windows(tmp_path: Path) -> None:
    def stop() -> None:
        raise JobCancelled

    with pytest.raises(JobCancelled):
        build_layered_still(*scene(), CAMERA, painter=open_painter(painter_net(tmp_path / "net.onnx", MAGENTA), stop))


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    photo, disparity = scene()
    pose = np.eye(4)
    pose[0, 3] = -0.5
    cv2.imwrite(str(tmp_path / "photo.png"), photo[..., ::-1])
    np.save(tmp_path / "disparity.npy", disparity)
    (tmp_path / "pose.json").write_text(json.dumps({"world2cam": pose.tolist()}), encoding="utf-8")
    names = {name: str(tmp_path / name) for name in ("photo.png", "disparity.npy", "pose.json", "out.png", "clip")}
    return names | {"net": painter_net(tmp_path / "net.onnx", MAGENTA, side=64)}


def test_every_command_takes_a_fill(files: dict[str, str], tmp_path: Path) -> None:
    geometry = [files["photo.png"], "--disparity", files["disparity.npy"], "--fill", files["net"]]
    assert main(["render-view", *geometry, "--intrinsics", "133,133,79.5,59.5", "--pose", files["pose.json"],
                 "--out", files["out.png"]]) == 0
    assert is_magenta(cv2.imread(files["out.png"])[..., ::-1]).any()
    assert main(["layers", *geometry, "--out", str(tmp_path / "layered")]) == 0
    assert is_magenta(cv2.imread(str(tmp_path / "layered" / "layer_0.png"))[..., ::-1]).any()
    assert main(["camera-move", files["photo.png"], "--depth-picture", files["disparity.npy"], "--move", "truck_left",
                 "--seconds", "0.125", "--fill", files["net"], "--out", files["clip"] + "/"]) == 0
    last = sorted(Path(files["clip"]).glob("*.png"))[-1]
    assert is_magenta(cv2.imread(str(last))[..., ::-1]).any()


@pytest.mark.parametrize("broken", ["missing.onnx", "text.onnx", "other.onnx", "empty"])
def test_what_is_no_fill_is_one_clear_sentence(broken: str, files: dict[str, str], tmp_path: Path,
                                               capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "text.onnx").write_text("not a network", encoding="utf-8")
    painter_net(tmp_path / "other.onnx", MAGENTA, names=("picture", "hole"))
    (tmp_path / "empty").mkdir()
    status = main(["camera-move", files["photo.png"], "--fill", str(tmp_path / broken), "--out", files["clip"] + "/"])
    said = capsys.readouterr().err
    assert status in (3, 4) and broken in said and "Traceback" not in said
    assert not Path(files["clip"]).exists()


@pytest.mark.parametrize(("reason", "kind"), [
    ("Failed to allocate memory for requested buffer of size 8000000000", OutOfMemory),
    ("std::bad_alloc", OutOfMemory), ("Got invalid dimensions for input", BadModel)])
def test_a_network_that_fails_at_work_is_one_clear_sentence(reason: str, kind: type, tmp_path: Path) -> None:
    class Session:
        def run(self, *_: object) -> None:
            raise RuntimeError(reason)

    net = open_painter(painter_net(tmp_path / "net.onnx", MAGENTA))
    assert isinstance(net, painter.OnnxPainter)
    net._session = Session()
    with pytest.raises(kind) as raised:
        build_layered_still(*scene(), CAMERA, painter=net)
    assert "net.onnx" in raised.value.message and raised.value.remedy
