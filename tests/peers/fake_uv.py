"""Stands in for uv: makes a folder with a link to Python, unpacks a hashed wheel; FAKE_UV says what goes wrong."""

import hashlib
import os
import sys
import time
import zipfile
from pathlib import Path

arguments, mood = sys.argv[1:], os.environ.get("FAKE_UV", "")
with Path(os.environ["FAKE_UV_LOG"]).open("a") as log:
    log.write(" ".join(arguments) + "\n")

if arguments[0] == "venv":
    binaries = Path(arguments[-1]) / "bin"
    binaries.mkdir(exist_ok=True)
    (binaries / "python").unlink(missing_ok=True)
    (binaries / "python").symlink_to(sys.executable)
    version = f"{sys.version_info.major}.{sys.version_info.minor}.0"
    (binaries.parent / "pyvenv.cfg").write_text(f"uv = 0\nversion_info = {version}\n")
    sys.exit(0)

print(
    "Resolved 2 packages in 1ms\nDownloading numpy (15.5MiB)\nDownloading av (34.5MiB)\n Downloaded numpy", flush=True
)
if mood == "slow":
    time.sleep(60)
if mood == "offline":
    sys.exit("error: Request failed after 3 retries\n  Caused by: dns error: failed to look up address information")
if "--target" in arguments:
    pins = Path(arguments[arguments.index("-r") + 1]).read_text()
    wheel = next(Path(arguments[arguments.index("--find-links") + 1]).glob(pins.split("==")[0] + "*.whl"))
    if hashlib.sha256(wheel.read_bytes()).hexdigest() not in pins:
        sys.exit(f"error: Hash mismatch for `{wheel.name}`")
    zipfile.ZipFile(wheel).extractall(arguments[arguments.index("--target") + 1])
