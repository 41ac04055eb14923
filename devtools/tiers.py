"""The tests, tier by tier, and the table at the end.

    lint            ruff and types
    unit            no bpy: protocol, session, camera, the rules of the house
    engine          the engine in its own environment
    blender-X.Y     the built zip, installed in that Blender
    full            learned depth, in the full engine; required where a build of torch is at hand
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from devtools.environments import ENGINE, ENGINE_FULL, engine_python, full_python, has_full, ready
from devtools.house import BLENDERS, BUILD, ROOT, DevError, NotHere
from devtools.package import build

BLENDER_TIERS = tuple(blender.environment for blender in BLENDERS)
REQUIRED = ("lint", "unit", "engine", *BLENDER_TIERS)
TIERS = (*REQUIRED, "full")
WANT_THE_ZIP = ("unit", *BLENDER_TIERS)
BLENDERS_AT_ONCE = 2
ARGUMENTS = {
    "unit": ["tests/unit"],
    "engine": ["tests/engine", "-m", "not full"],
    "full": ["tests/engine", "-m", "full"],
    # Other people's warnings are theirs; tests/blender/conftest.py turns those from our own modules into errors.
    **{tier: ["tests/blender", "-o", "filterwarnings=default"] for tier in BLENDER_TIERS},
}


@dataclass(frozen=True)
class Outcome:
    """state: passed, failed or not run. note: what was counted, or the reason."""

    tier: str
    state: str
    seconds: float
    note: str


def expand(names: list[str]) -> list[str]:
    """Tier names as typed -> tiers in running order. `blender` means all of them, no name means every tier."""
    wanted: set[str] = set()
    for name in names or TIERS:
        fitting = BLENDER_TIERS if name == "blender" else tuple(tier for tier in TIERS if tier == name)
        if not fitting:
            raise DevError(f"There is no tier called '{name}'. Choose from: blender, {', '.join(TIERS)}.")
        wanted.update(fitting)
    return [tier for tier in TIERS if tier in wanted]


def test(names: list[str], strict: bool, more: list[str]) -> int:
    """Sets everything up, runs the tiers, prints the table; returns the exit status.

    strict: a required tier that cannot run on this machine is a failure. more: handed to pytest.
    """
    outcomes: list[Outcome] = []
    pythons: dict[str, Path] = {}
    for tier in expand(names):
        try:
            pythons[tier] = _prepare(tier, tier in names)
        except NotHere as error:
            outcomes.append(Outcome(tier, "not run", 0, str(error)))
        except DevError as error:
            outcomes.append(Outcome(tier, "failed", 0, str(error)))
    package = ""
    if any(tier in WANT_THE_ZIP for tier in pythons):
        package = str(build())
    several = [tier for tier in pythons if tier in BLENDER_TIERS]
    outcomes += [_run(tier, pythons[tier], package, more) for tier in pythons if tier not in several]
    # Side by side, so their output is kept back until each has ended.
    with ThreadPoolExecutor(BLENDERS_AT_ONCE) as pool:
        outcomes += pool.map(lambda tier: _run(tier, pythons[tier], package, more), several)
    return _table(sorted(outcomes, key=lambda outcome: TIERS.index(outcome.tier)), strict)


def _prepare(tier: str, asked: bool) -> Path:
    """The interpreter that runs the tier, with everything that the tier needs in its place. asked: by its name."""
    if tier == "full":
        return full_python(asked)
    engine = engine_python()
    if tier == "lint":
        return ready("tools")
    return ready(tier) if tier in BLENDER_TIERS else engine


def _run(tier: str, python: Path, package: str, more: list[str]) -> Outcome:
    started = time.monotonic()
    if tier == "lint":
        state, note = _lint(python)
    else:
        state, note = _pytest(tier, python, package, more)
    return Outcome(tier, state, time.monotonic() - started, note)


def lint() -> int:
    """ruff and types alone; returns the exit status."""
    return 0 if _run("lint", _prepare("lint", asked=True), "", []).state == "passed" else 1


def _lint(python: Path) -> tuple[str, str]:
    _title("lint")
    checks = {"ruff": ["check", "--quiet"], "basedpyright": ["--pythonpath", str(engine_python())]}
    failed: list[str] = []
    for name, arguments in checks.items():
        command = [python.with_name(name + python.suffix), *arguments]
        if subprocess.run(command, cwd=ROOT, check=False).returncode:
            failed.append(name)
    return ("failed", " and ".join(failed) + " complained") if failed else ("passed", " and ".join(checks))


def _pytest(tier: str, python: Path, package: str, more: list[str]) -> tuple[str, str]:
    report = BUILD / "reports" / f"{tier}.xml"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    command = [python, "-m", "pytest", *ARGUMENTS[tier], f"--junitxml={report}", *more]
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    if package and tier in WANT_THE_ZIP:
        environment |= {"DIORAMA_ZIP": package, "DIORAMA_ENGINE": str(ENGINE)}
        if has_full():
            environment |= {"DIORAMA_ENGINE_FULL": str(ENGINE_FULL)}
    if tier in BLENDER_TIERS:
        done = subprocess.run(command, cwd=ROOT, env=environment, check=False, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        _title(tier)
        sys.stdout.write(done.stdout.decode("utf-8", "replace"))
        sys.stdout.flush()
    else:
        _title(tier)
        done = subprocess.run(command, cwd=ROOT, env=environment, check=False, stdin=subprocess.DEVNULL)
    return _judge(done.returncode, report)


def _judge(status: int, report: Path) -> tuple[str, str]:
    """pytest's own report counts; a process that died has written none."""
    if not report.exists():
        return "failed", f"ended with status {status} before pytest was done"
    suite = next(ElementTree.parse(report).getroot().iter("testsuite"))
    tests, skipped = int(suite.get("tests", 0)), int(suite.get("skipped", 0))
    bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
    counts = {"passed": tests - skipped - bad, "failed": bad, "skipped": skipped}
    note = ", ".join(f"{count} {word}" for word, count in counts.items() if count) or "no test ran"
    if status == 0 and not bad and tests > skipped:
        return "passed", note
    return "failed", note if bad else f"{note}, status {status}"


def _title(tier: str) -> None:
    print(f"\n==================== {tier} ====================", flush=True)


def _table(outcomes: list[Outcome], strict: bool) -> int:
    """Prints one line a tier; returns the exit status."""
    print("\ntier          result     seconds  ")
    print("------------  --------  --------  ----------------------------------------")
    for outcome in outcomes:
        print(f"{outcome.tier:12}  {outcome.state:8}  {outcome.seconds:8.1f}  {outcome.note.splitlines()[0]}")
        for line in outcome.note.splitlines()[1:]:
            print(f"{'':34}{line}")
    failed = [outcome.tier for outcome in outcomes if outcome.state == "failed"]
    missing = [outcome.tier for outcome in outcomes if outcome.state == "not run" and outcome.tier in REQUIRED]
    if missing:
        print(f"\nNot run on this machine: {', '.join(missing)}." + (" They are required here." if strict else ""))
    if failed:
        print(f"\nFailed: {', '.join(failed)}.")
    sys.stdout.flush()
    return 1 if failed or (missing and strict) else 0
