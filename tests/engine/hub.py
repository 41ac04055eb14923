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
    """Offers the files of one folder as one repository. bytes_a_second: 0 = as fast as it goes. asked: every path."""

    daemon_threads = True

    def __init__(self, repository: str, folder: Path, bytes_a_second: int = 0) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.repository, self.folder, self.bytes_a_second = repository, folder, bytes_a_second
        self.asked: list[str] = []
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
        if path == f"/api/models/{hub.repository}/revision/main":
            self.send_json({"id": hub.repository, "sha": REVISION, "siblings": [{"rfilename": name} for name in names]})
        elif path.startswith(f"/api/models/{hub.repository}/tree/"):
            self.send_json([
                {"type": "file", "path": name, "size": (hub.folder / name).stat().st_size, "oid": REVISION}
                for name in names
            ])
        elif path.startswith(f"/{hub.repository}/resolve/") and path.split("/")[-1] in names:
            self.send_file(hub.folder / path.split("/")[-1], whole)
        else:
            self.send(404, b"", {})

    def send_json(self, plain: Any) -> None:
        self.send(200, json.dumps(plain).encode(), {"Content-Type": "application/json"})

    def send_file(self, file: Path, whole: bool) -> None:
        content = file.read_bytes()
        etag = hashlib.sha256(content).hexdigest()
        self.send(200, content, {"ETag": f'"{etag}"', "X-Repo-Commit": REVISION}, whole)

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
