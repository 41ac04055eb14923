"""The commands and requests around models, in whatever engine runs these tests."""

import importlib.util
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine import protocol
from engine.protocol import (
    TERMINAL,
    Cancel,
    Cancelled,
    DownloadModel,
    Failed,
    Finished,
    ListModels,
    Progress,
    RemoveModel,
    Submit,
)

ROOT = Path(__file__).resolve().parents[2]
LIGHT = importlib.util.find_spec("huggingface_hub") is None


def environment(tmp_path, **more):
    return os.environ | {"HF_HOME": str(tmp_path / "hub"), "HF_HUB_DISABLE_TELEMETRY": "1", **more}


def models(tmp_path, *arguments, **more):
    """`python -m engine models ...` in a process of its own, with an empty cache, offline unless told otherwise."""
    return subprocess.run([sys.executable, "-m", "engine", "models", *arguments], cwd=ROOT, capture_output=True,
                          text=True, check=False, timeout=120,
                          env=environment(tmp_path, **{"HF_HUB_OFFLINE": "1", **more}))


def engine_server(tmp_path, **more):
    """`python -m engine serve` on pipes, with an empty cache, offline unless told otherwise."""
    told = environment(tmp_path, **{"HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT), **more})
    return subprocess.Popen([sys.executable, "-P", "-m", "engine", "serve"], cwd=ROOT, env=told, stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def served(tmp_path, *requests):
    """What the server answers to these requests, one last word each."""
    with engine_server(tmp_path) as process:
        assert process.stdin and process.stdout
        process.stdin.write(b"".join(protocol.encode(Submit(str(n), one)) for n, one in enumerate(requests)))
        process.stdin.flush()
        said = (protocol.decode(line) for line in process.stdout)
        found = [next(one for one in said if isinstance(one, TERMINAL)) for _ in requests]
        process.stdin.close()
    return found


def test_list_shows_licence_and_size(tmp_path):
    done = models(tmp_path, "list")
    assert done.returncode == 0, done.stderr
    for text in ("depth-anything-v2-small", "99 MB to download", "Licence: Apache-2.0", "--accept-licence", "CPU"):
        assert text in done.stderr
    plain = json.loads(models(tmp_path, "list", "--json").stdout.splitlines()[-1])
    assert plain["type"] == "result" and plain["devices"][-1] == "CPU"
    assert {m["id"] for m in plain["models"] if m["downloaded"]} == set()
    assert {m["kind"] for m in plain["models"]} == {"depth", "video"}
    assert {m["id"] for m in plain["models"] if m["default"]} == {"depth-anything-v2-small", "wan-2.2-ti2v-5b"}
    assert len({m["id"] for m in plain["models"]}) == len(plain["models"]), "one name, one model"


@pytest.mark.parametrize(("arguments", "status", "text"), [
    (("download",), 3, "needs a model's id"),
    (("download", "no-such-model"), 3, "no model called"),
    (("download", "depth-pro"), 3, "research only"),
    (("remove", "no-such-model"), 3, "no model called"),
    (("remove", "dpt-large"), 0, "0 MB are free again"),
    (("burn", "dpt-large"), 2, "invalid choice"),
])
def test_what_is_asked_for_wrongly_is_told(tmp_path, arguments, status, text):
    done = models(tmp_path, *arguments)
    assert done.returncode == status, done.stderr
    assert text in done.stderr and "Traceback" not in done.stderr


def test_a_download_shows_the_licence_first_and_says_what_is_missing(tmp_path):
    done = models(tmp_path, "download", "dpt-large")
    assert done.returncode == 4
    assert done.stderr.index("Licence: Apache-2.0") < done.stderr.index("full engine" if LIGHT else "works offline")
    assert "Draft depth" in done.stderr and "Traceback" not in done.stderr


def test_the_server_answers_requests_about_models(tmp_path):
    listed, refused, removed = served(tmp_path, ListModels(), DownloadModel("depth-pro"), RemoveModel("glpn"))
    assert isinstance(listed, Finished) and isinstance(removed, Finished) and isinstance(refused, Failed)
    assert len(listed.result["models"]) > 5 and listed.result["devices"][-1] == "CPU"
    assert removed.result["freed_bytes"] == 0
    assert refused.kind == "bad_request" and "research only" in refused.message


# ------------------------------------------------------------------ with a hub of our own


@pytest.fixture
def hub(tmp_path):
    from tests.engine.hub import Hub

    files = tmp_path / "files"
    files.mkdir()
    (files / "config.json").write_text('{"model_type": "dpt"}')
    (files / "model.safetensors").write_bytes(os.urandom(3_000_000))
    for name in ("model.fp16.safetensors", "pytorch_model.bin", "README.md"):
        (files / name).write_bytes(b"not wanted")
    one = Hub("Intel/dpt-large", files)
    yield one
    one.end()


@pytest.mark.full
def test_a_model_is_downloaded_once_listed_and_removed(tmp_path, hub):
    online = {"HF_ENDPOINT": hub.address, "HF_HUB_OFFLINE": "0"}
    done = models(tmp_path, "download", "dpt-large", "--json", **online)
    assert done.returncode == 0, done.stderr
    *steps, result = [json.loads(line) for line in done.stdout.splitlines()]
    assert [step["done"] for step in steps if step["type"] == "progress"][-1] == 3
    assert {m["id"] for m in result["models"] if m["downloaded"]} == {"dpt-large"}
    fetched = {path.split("/")[-1] for path in hub.asked if "/resolve/" in path}
    assert fetched == {"config.json", "model.safetensors"}
    assert all(path.startswith(("/api/models/Intel/dpt-large", "/Intel/dpt-large")) for path in hub.asked), hub.asked
    assert "dpt-large: DPT Large (MiDaS 3.0) (downloaded)" in models(tmp_path, "list").stderr
    assert "3 MB are free again" in models(tmp_path, "remove", "dpt-large").stderr
    assert "(downloaded)" not in models(tmp_path, "list").stderr


@pytest.mark.full
def test_a_cancelled_download_stops_and_the_next_one_ends_it(tmp_path, hub):
    """A slow hub: cancelled between two pieces; never a half model that is taken for a whole one."""
    (hub.folder / "model.safetensors").write_bytes(os.urandom(25_000_000))
    hub.bytes_a_second = 8_000_000
    with engine_server(tmp_path, HF_ENDPOINT=hub.address, HF_HUB_OFFLINE="0") as process:
        deadline = time.monotonic() + 60

        def listen():
            # Heartbeats come for ever: an answer that never comes must not be waited for.
            for line in process.stdout:
                assert time.monotonic() < deadline, "no answer"
                yield protocol.decode(line)

        def say(*messages):
            process.stdin.write(b"".join(map(protocol.encode, messages)))
            process.stdin.flush()

        said = listen()
        say(Submit("1", DownloadModel("dpt-large")))
        first = next(one for one in said if isinstance(one, Progress) and one.total > 1)
        assert (first.stage, first.total) == ("download", 25)
        say(Cancel("1"))
        begun = time.monotonic()
        assert next(one for one in said if isinstance(one, TERMINAL)) == Cancelled("1")
        assert time.monotonic() - begun < 5, "later, the session would end the process"
        hub.bytes_a_second = 0
        say(Submit("2", ListModels()), Submit("3", DownloadModel("dpt-large")))
        before, after = (next(one for one in said if isinstance(one, TERMINAL)) for _ in range(2))
        process.stdin.close()
    assert [m["id"] for m in before.result["models"] if m["downloaded"]] == []
    assert [m["id"] for m in after.result["models"] if m["downloaded"]] == ["dpt-large"]


@pytest.mark.full
def test_a_hub_out_of_reach_and_one_without_the_model(tmp_path, hub):
    done = models(tmp_path, "download", "glpn", HF_ENDPOINT=hub.address, HF_HUB_OFFLINE="0")
    assert done.returncode == 4 and "could not be downloaded" in done.stderr and "Traceback" not in done.stderr
    done = models(tmp_path, "download", "glpn", HF_ENDPOINT="http://127.0.0.1:9", HF_HUB_OFFLINE="0")
    assert done.returncode == 4 and "could not be downloaded" in done.stderr and "Traceback" not in done.stderr
