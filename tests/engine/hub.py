"""A model hub of our own on this machine, as far as a download needs one: for tests, never a network."""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
import time
from pathlib import Path
from typing import Any

REVISION = "1" * 40


class Hub(http.server.ThreadingHTTPServer):
    """Offers the files of one folder as one repository.

    bytes_a_second: 0 = as fast as it goes. asked: every path; ranges: the byte at which each broken file was taken up.
    spoiled: names of files that arrive with other content. gated: only for people who accepted its terms.
    """

    daemon_threads = True

    def __init__(self, repository: str, folder: Path, bytes_a_second: int = 0) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.repository, self.folder, self.bytes_a_second = repository, folder, bytes_a_second
        self.asked: list[str] = []
        self.ranges: list[int] = []
        self.spoiled: set[str] = set()
        self.gated = False
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def end(self) -> None:
        self.shutdown()
        self.server_close()


class _Answer(http.server.BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self.answer(False)

    def do_GET(self) -> None:
        self.answer(True)

    def answer(self, whole: bool) -> None:
        hub, path = self.server, self.path.split("?")[0]
        hub.asked.append(path)
        names = sorted(file.name for file in hub.folder.iterdir())
        if hub.gated:
            self.send(403, b"", {"X-Error-Code": "GatedRepo"})
        elif path == f"/api/models/{hub.repository}/revision/main":
            self.send_json({"id": hub.repository, "sha": REVISION, "siblings": [{"rfilename": name} for name in names]})
        elif path.startswith(f"/api/models/{hub.repository}/tree/"):
            self.send_json([self.entry(hub.folder / name) for name in names])
        elif path.startswith(f"/{hub.repository}/resolve/") and path.split("/")[-1] in names:
            self.send_file(hub.folder / path.split("/")[-1], whole)
        else:
            self.send(404, b"", {})

    def entry(self, file: Path) -> dict[str, Any]:
        """As the hub describes a file: git's name of its content, and for weights their SHA-256."""
        content = file.read_bytes()
        size = len(content)
        name = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
        found: dict[str, Any] = {"type": "file", "path": file.name, "size": size, "oid": name}
        if file.suffix == ".safetensors":
            found["lfs"] = {"oid": hashlib.sha256(content).hexdigest(), "size": size, "pointerSize": 134}
        return found

    def send_json(self, plain: Any) -> None:
        self.send(200, json.dumps(plain).encode(), {"Content-Type": "application/json"})

    def send_file(self, file: Path, whole: bool) -> None:
        hub, content, entry = self.server, file.read_bytes(), self.entry(file)
        headers = {"ETag": f'"{entry["lfs"]["oid"] if "lfs" in entry else entry["oid"]}"', "X-Repo-Commit": REVISION}
        if file.name in hub.spoiled:
            content = content[:-1] + bytes([content[-1] ^ 1])
        start = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").split("-")[0])
        if whole and start:
            hub.ranges.append(start)
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self.send(206 if whole and start else 200, content[start if whole else 0 :], headers, whole)

    def send(self, status: int, content: bytes, headers: dict[str, str], whole: bool = True) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        speed = self.server.bytes_a_second
        step = speed // 10 or len(content) or 1
        for start in range(0, len(content) if whole else 0, step):
            self.wfile.write(content[start : start + step])
            if speed and len(content) > step:
                time.sleep(0.1)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: what was asked is remembered."""
