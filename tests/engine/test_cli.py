"""The commands that outside scripts call: exit status, files, JSON lines."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
WIDTH, HEIGHT = 120, 80


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    Image.fromarray(np.stack([x * 2, y * 3, 255 - x], axis=2).astype(np.uint8)).save(tmp_path / "photo.png")
    np.save(tmp_path / "disparity.npy", np.linspace(0.25, 1, HEIGHT, dtype=np.float32)[:, None].repeat(WIDTH, axis=1))
    return tmp_path / "photo.png"


def engine(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "engine", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_depth_writes_the_array_under_exactly_the_given_name(photo: Path, tmp_path: Path):
    done = engine(
        "depth", photo, "--model", "draft", "--out", tmp_path / "d", "--preview", tmp_path / "p.png", "--json"
    )
    assert done.returncode == 0, done.stderr
    depth = np.load(tmp_path / "d")
    assert (depth.dtype, depth.shape) == (np.float32, (HEIGHT, WIDTH))
    assert depth.min() >= 0
    assert depth.max() <= 1
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["files"] == [str(tmp_path / "d"), str(tmp_path / "p.png")]
    with Image.open(tmp_path / "p.png") as preview:
        assert preview.size == (WIDTH, HEIGHT)


def test_render_view_at_rest_is_the_photo(photo: Path, tmp_path: Path):
    (tmp_path / "pose.json").write_text(json.dumps({"world2cam": np.eye(4).tolist()}), encoding="utf-8")
    done = engine(
        "render-view",
        photo,
        "--disparity",
        tmp_path / "disparity.npy",
        "--intrinsics",
        "120,120,59.5,39.5",
        "--pose",
        tmp_path / "pose.json",
        "--out",
        tmp_path / "view.png",
    )
    assert done.returncode == 0, done.stderr
    error = np.asarray(Image.open(tmp_path / "view.png"), float) - np.asarray(Image.open(photo))
    assert 10 * np.log10(255**2 / max(np.mean(error**2), 1e-9)) >= 45


def test_depth_and_disparity_of_the_same_scene_give_the_same_view(photo: Path, tmp_path: Path):
    pose = np.eye(4)
    pose[0, 3] = -0.05
    (tmp_path / "pose.json").write_text(json.dumps({"world2cam": pose.tolist()}), encoding="utf-8")
    np.save(tmp_path / "depth.npy", 1 / np.load(tmp_path / "disparity.npy"))
    views = []
    for option, name in (("--disparity", "disparity.npy"), ("--depth", "depth.npy")):
        out = tmp_path / f"{option}.png"
        assert (
            engine(
                "render-view",
                photo,
                option,
                tmp_path / name,
                "--intrinsics",
                "120,120,59.5,39.5",
                "--pose",
                tmp_path / "pose.json",
                "--out",
                out,
            ).returncode
            == 0
        )
        views.append(np.asarray(Image.open(out), int))
    assert np.abs(views[0] - views[1]).max() <= 1


def test_layers_writes_a_layered_still(photo: Path, tmp_path: Path):
    done = engine("layers", photo, "--disparity", tmp_path / "disparity.npy", "--out", tmp_path / "layered", "--json")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "layered" / "layers.json").is_file()
    assert json.loads(done.stdout.splitlines()[-1])["layers"] >= 1


def test_camera_move_tells_its_steps_and_its_result_as_json_lines(photo: Path, tmp_path: Path):
    done = engine(
        "camera-move",
        photo,
        "--move",
        "truck-right",
        "--seconds",
        "0.25",
        "--fps",
        "24000/1001",
        "--out",
        tmp_path / "c.mp4",
        "--json",
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert {line["type"] for line in lines[:-1]} == {"progress"}
    assert [line["stage"] for line in lines if line.get("done") == 0] == [
        "load",
        "depth",
        "layers",
        "path",
        "render",
        "write",
    ]
    assert lines[-1]["num_frames"] == 6
    assert lines[-1]["fps"] == [24000, 1001]
    assert Path(lines[-1]["clip"]).is_file()


def test_check_photo_and_doctor_answer_in_json(photo: Path):
    assert json.loads(engine("check-photo", photo, "--json").stdout)["width"] == WIDTH
    doctor = engine("doctor", "--json")
    assert doctor.returncode == 0, doctor.stderr
    assert json.loads(doctor.stdout)["ok"] is True


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["camera-move"], 2),
        (["camera-move", "PHOTO", "--move", "fly", "--out", "c.mp4"], 2),
        (["fly"], 2),
        (["camera-move", "missing.jpg", "--out", "c.mp4"], 3),
        (["depth", "PHOTO", "--model", "nobody-has-this", "--out", "d.npy"], 3),
        (["render-view", "PHOTO", "--intrinsics", "1,1,0,0", "--pose", "none.json", "--out", "v.png"], 3),
        (["camera-move", "PHOTO", "--seconds", "0.1", "--out", "/proc/c.mp4"], 4),
    ],
)
def test_exit_status_tells_whose_fault_it_is(photo: Path, arguments: list[str], status: int):
    done = engine(*[str(photo) if argument == "PHOTO" else argument for argument in arguments])
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_stops_cleanly_and_leaves_no_clip(photo: Path, tmp_path: Path):
    out = tmp_path / "out" / "c.mp4"
    child = subprocess.Popen(
        [sys.executable, "-m", "engine", "camera-move", str(photo), "--seconds", "400", "--out", str(out), "--json"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell that starts this test in the background has Ctrl-C ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert child.stdout is not None
    for line in child.stdout:
        if '"render", "done": 3' in line:
            break
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=30)
    assert child.returncode == 130, errors
    assert "Traceback" not in errors
    assert not list(out.parent.glob("*"))
