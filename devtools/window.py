"""A real Blender window with Diorama installed in a profile of its own, for a person to try."""

from __future__ import annotations

import os
import shutil
import subprocess

from devtools.environments import ENGINE, clean_environment, engine_python
from devtools.house import BUILD, DevError
from devtools.package import build


def open_blender() -> int:
    """Starts the Blender on PATH, or the one that the variable BLENDER names; returns its status."""
    blender = os.environ.get("BLENDER") or shutil.which("blender")
    if not blender:
        raise DevError("There is no blender on your PATH. Install Blender 4.2 or newer, or set BLENDER to its program.")
    engine_python()
    package = build()
    profile = BUILD / "blender-profile"
    profile.mkdir(exist_ok=True)
    environment = clean_environment() | {"BLENDER_USER_RESOURCES": str(profile)}
    install = [blender, "--command", "extension", "install-file", "-r", "user_default", "--enable", str(package)]
    if subprocess.run(install, env=environment, check=False).returncode:
        raise DevError("That Blender did not install the extension; see above.")
    tell = ("import bpy; extension = bpy.context.preferences.addons['bl_ext.user_default.diorama']; "
            f"extension.preferences.engine_folder = {str(ENGINE)!r}")
    command = [blender, "--app-template", "Video_Editing", "--python-expr", tell]
    return subprocess.run(command, env=environment, check=False).returncode
