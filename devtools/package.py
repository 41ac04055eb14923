"""The extension's zip, made and checked by Blender's own extension tool out of its Python module."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from pathlib import Path

from devtools.environments import newest_blender
from devtools.house import BUILD, ROOT, DevError, zip_path


def build() -> Path:
    """Makes and validates build/diorama-<version>.zip; returns its path."""
    blender, python = newest_blender()
    folder = next(python.parent.parent.glob("**/scripts/addons_core/bl_pkg"))
    target = zip_path()
    made = BUILD / "new" / target.name
    shutil.rmtree(made.parent, ignore_errors=True)
    made.parent.mkdir(parents=True)
    tags = f"--valid-tags={folder.parents[1] / 'modules' / '_bpy_internal' / 'extensions' / 'tags.py'}"
    _tool(python, folder, "build", tags, "--source-dir", str(ROOT), "--output-filepath", str(made))
    _in_order(made)
    _tool(python, folder, "validate", tags, str(made))
    made.replace(target)            # a zip with this name is always a whole and valid one
    made.parent.rmdir()
    with zipfile.ZipFile(target) as archive:
        count = len(archive.namelist())
    print(f"[build] {target.relative_to(ROOT)}: {count} files, {target.stat().st_size // 1024} KiB, "
          f"valid for Blender {blender.version}'s extension tool", flush=True)
    return target


def _tool(python: Path, folder: Path, *arguments: str) -> None:
    command = [python, folder / "cli" / "blender_ext.py", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or "error" in (done.stdout + done.stderr).lower():
        raise DevError(f"Blender's extension tool refused to {arguments[0]} the extension:\n{done.stdout}{done.stderr}")


def _in_order(path: Path) -> None:
    """Writes the zip again, sorted and with one date: the same source gives the same bytes."""
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in sorted(archive.namelist())}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in contents.items():
            entry = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
