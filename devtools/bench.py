"""Runs a benchmark, prints its table, and on request keeps the table in docs/benchmarks.md."""

from __future__ import annotations

import datetime
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from devtools.blender import run_inside
from devtools.environments import ENGINE, ENVIRONMENTS, engine_python, full_python, newest_blender, ready
from devtools.house import BUILD, ROOT, DevError
from devtools.package import build
from devtools.photo import default_photo

PAGE = ROOT / "docs" / "benchmarks.md"
KIT_VARIABLE = "DIORAMA_EVAL"
KIT = ROOT.parent / "shared" / "eval"       # where it lies in the developers' own folders
SCRIPTS = ROOT / "benchmarks"


@dataclass(frozen=True)
class Asked:
    """runs: how often to repeat. kit: folder of the evaluation kit, "" = where it is usually found."""

    runs: int
    kit: str


def bench(name: str, runs: int, write: bool, kit: str = "") -> int:
    """Measures, prints the table; write: also into the marked section of docs/benchmarks.md. Returns the status.

    name: one of BENCHMARKS, or "all" for all of them but those in Blender.
    """
    if name not in (*BENCHMARKS, "all"):
        raise DevError(f"There is no benchmark called '{name}'. Choose from: {', '.join(BENCHMARKS)}, all.")
    for chosen in [name] if name != "all" else [one for one in BENCHMARKS if one != "camera-move"]:
        how, measure = BENCHMARKS[chosen]
        print(f"[bench] {chosen} ...", flush=True)
        text = measure(Asked(runs, kit))
        print("\n" + text + "\n", flush=True)
        if write:
            today = datetime.datetime.now().astimezone().date()
            keep(chosen, f"{today}, {machine()}. {how.format(runs=runs)}\n\n{text}")
            print(f"[bench] kept in {PAGE.relative_to(ROOT)}", flush=True)
    return 0


def _camera_move(asked: Asked) -> str:
    engine_python()
    blender, python = newest_blender()
    folder = BUILD / "bench"
    arguments = [str(build()), str(ENGINE), str(default_photo()), str(asked.runs), str(folder)]
    print(f"[bench] 1 + {asked.runs} runs in Blender {blender.version} ...", flush=True)
    run_inside(python, SCRIPTS / "camera_move.py", arguments, folder)
    rows = json.loads((folder / "bench.json").read_text(encoding="utf-8"))
    lines = [f"| Blender {blender.version}, Camera Move, 1920x1080, 4 s at 24 fps | measured | goal |",
             "|---|---:|---:|"]
    return "\n".join([*lines, *(f"| {what} | {value:.3g} {unit} | {goal} |" for what, value, unit, goal in rows)])


def _render(asked: Asked) -> str:
    neighbour: list[object] = []
    try:
        if not _has_mesa():
            raise DevError("Mesa's EGL is not installed (Debian: libegl1 libegl-mesa0)")
        neighbour = ["--depthflow", ready("depthflow")]
    except DevError as error:
        print(f"[bench] DepthFlow is not measured: {error}", flush=True)
    return _script(Path(sys.executable), "render", "--engine", engine_python(), "--eval", ready("eval"), *neighbour,
                   "--runs", asked.runs)


def _has_mesa() -> bool:
    """Whether OpenGL can be had without a window: DepthFlow needs it."""
    folders = (Path("/usr/lib"), Path("/usr/lib64"))
    return any(next(folder.glob(pattern), None) for folder in folders if folder.exists()
               for pattern in ("libEGL_mesa.so*", "*/libEGL_mesa.so*"))


def _layers(asked: Asked) -> str:
    return _script(Path(sys.executable), "layers", "--engine", engine_python(), "--eval", ready("eval"), "--runs",
                   asked.runs)


def _large(asked: Asked) -> str:
    del asked
    return _script(Path(sys.executable), "large", "--engine", engine_python(), "--eval", ready("eval"))


def _novel_view(asked: Asked) -> str:
    return _script(ready("eval"), "second_view", "kit", "--kit", _kit(asked), "--engine", engine_python())


def _unseen(asked: Asked) -> str:
    shutil.rmtree(BUILD / "bench" / "unseen" / "data", ignore_errors=True)
    return _script(ready("eval"), "second_view", "unseen", "--kit", _kit(asked), "--engine", engine_python(),
                   folder="unseen")


def _depth(asked: Asked) -> str:
    return _script(ready("eval"), "draft_depth", "--kit", _kit(asked), "--engine", engine_python())


def _stretched(asked: Asked) -> str:
    del asked
    photos = next(ENVIRONMENTS["eval"].folder.glob("[Ll]ib/**/skimage/data"), None) if ready("eval") else None
    if photos is None:
        raise DevError("The photographs of the scikit-image wheel are not in .venvs/eval; delete that folder.")
    return _script(engine_python(), "stretched", "--photos", photos)


def _finish(asked: Asked) -> str:
    return _script(full_python(), "finish", "--kit", _kit(asked))


def _generate(asked: Asked) -> str:
    return _script(full_python(), "generate", "--runs", asked.runs)


# Name -> how it is measured, and what measures it: a table in Markdown.
BENCHMARKS: dict[str, tuple[str, Callable[[Asked], str]]] = {
    "camera-move": ("Medians of {runs} runs in headless Blender.", _camera_move),
    "render": ("Medians of {runs} runs in turns; CPU seconds of the process and its children, warm kernel cache. "
               "H.264: ours as shipped, DepthFlow's with x264 veryfast, CRF 18. DepthFlow draws with Mesa's llvmpipe, "
               "its own orbital preset, quality 50, no supersampling; ours is the move `orbit`. Compare CPU seconds "
               "rather than wall time: other work shares the machine.", _render),
    "layers": ("Medians of {runs} runs.", _layers),
    "large": ("One run of each length; peak resident memory as the kernel counts it for the process.", _large),
    "novel-view": ("The evaluation kit's sets, rendered by `engine render-view`, scored against real second photos; "
                   "one setting for all.", _novel_view),
    "unseen": ("Scenes of benchmarks/unseen.py, scored by the same kit beside its built-in methods.", _unseen),
    "depth": ("The kit's depth_quality.py through `engine depth --model draft`.", _depth),
    "generate": ("Medians of {runs} runs in turns, one thread, random weights. CPU seconds count: other work shares "
                 "the machine. With a GPU: benchmarks/generate_gpu.py.", _generate),
    "stretched": ("Default amounts, draft depth, photos of the scikit-image wheel at their own size.", _stretched),
    "finish": ("The evaluation kit's photographs; one run of the full engine on the CPU. The truth between the photos "
               "of a stereo pair is the view half way.", _finish),
}


def _script(python: Path, name: str, *arguments: object, folder: str = "") -> str:
    """Runs benchmarks/NAME.py; the Markdown that it leaves in its folder. Raises DevError."""
    out = BUILD / "bench" / (folder or name)
    table = out / f"{name}.md"
    table.unlink(missing_ok=True)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    environment |= {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [python, SCRIPTS / f"{name}.py", *arguments, "--out", out]
    if subprocess.run(list(map(str, command)), cwd=ROOT, env=environment, check=False).returncode or not table.exists():
        raise DevError(f"The benchmark {name} failed; its own words are above.")
    return table.read_text(encoding="utf-8")


def _kit(asked: Asked) -> Path:
    """The folder of the evaluation kit. Raises DevError."""
    named = asked.kit or os.environ.get(KIT_VARIABLE, "")
    folder = Path(named).resolve() if named else KIT
    if not (folder / "novel_view.py").is_file():
        raise DevError(f"The evaluation kit is not in {folder}. Name its folder with --kit or {KIT_VARIABLE}.")
    return folder


def machine() -> str:
    """What kind of machine this is, without its name."""
    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists() and (found := re.search(r"^model name\s*:\s*(.+)$", cpuinfo.read_text(), re.MULTILINE)):
        processor = found[1]
    return f"{processor}, {os.cpu_count()} cores, no GPU used, {platform.system()}"


def keep(name: str, text: str) -> None:
    """Replaces the section between the two marks of this benchmark, or appends one."""
    begin, end = f"<!-- bench {name} -->", f"<!-- /bench {name} -->"
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else "# Benchmarks\n"
    section = f"{begin}\n{text}\n{end}"
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    page = pattern.sub(lambda _: section, page) if begin in page else f"{page}\n## {name}\n\n{section}\n"
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page, encoding="utf-8")
