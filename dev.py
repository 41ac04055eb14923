#!/usr/bin/env python3
"""One door for people: demo, test, build, bench, blender. Standard library only, Python 3.11 or newer.

    python3 dev.py demo [PHOTO] [--out FOLDER]  sets everything up, then the main job in real headless Blender
    python3 dev.py test [TIER ...]              sets everything up, then the tests
    python3 dev.py lint                         ruff and types
    python3 dev.py build                        build/diorama-<version>.zip
    python3 dev.py bench [NAME]                 measures
    python3 dev.py blender                      a Blender on your PATH, with Diorama in a profile of its own
    python3 dev.py lock                         compiles the requirement files anew
    python3 dev.py models                       the table of models in docs/models.md, from the catalog
"""

import argparse
import os
import sys

if sys.version_info < (3, 11):  # noqa: UP036 (a person may start it with any Python)
    sys.exit("dev.py needs Python 3.11 or newer; this is " + sys.version.split()[0] + ".")

sys.dont_write_bytecode = True


def parser() -> argparse.ArgumentParser:
    """Every command and its options."""
    as_written = argparse.RawDescriptionHelpFormatter
    top = argparse.ArgumentParser(prog="dev.py", description=__doc__, formatter_class=as_written)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    demo = commands.add_parser("demo", help="a photo becomes a moving clip in headless Blender")
    demo.add_argument("photo", nargs="?", default="", help="default: a CC0 photograph")
    demo.add_argument("--out", default="demo", help="folder for the results (default: demo)")
    test = commands.add_parser("test", help="the tests; arguments after -- go to pytest")
    test.add_argument("tiers", nargs="*", metavar="TIER", help="default: every tier that this machine can run")
    test.add_argument("--strict", action="store_true", default=os.environ.get("CI", "").lower() in ("1", "true"),
                      help="a required tier that cannot run is a failure (default where CI=true)")
    commands.add_parser("lint", help="ruff and types")
    commands.add_parser("build", help="the extension's zip")
    bench = commands.add_parser("bench", help="measures; prints a table")
    bench.add_argument("name", nargs="?", default="camera-move", help="'all': all outside Blender; '?' lists")
    bench.add_argument("--runs", type=int, default=5)
    bench.add_argument("--kit", default="", help="the evaluation kit's folder (default: $DIORAMA_EVAL, ../shared/eval)")
    bench.add_argument("--write", action="store_true", help="also into docs/benchmarks.md")
    commands.add_parser("blender", help="opens a Blender window with Diorama installed")
    commands.add_parser("lock", help="compiles the requirement files anew")
    commands.add_parser("models", help="writes the table of models in docs/models.md")
    return top


def main(arguments: list[str]) -> int:
    """Runs one command; returns the exit status."""
    more: list[str] = []
    if "--" in arguments:
        cut = arguments.index("--")
        arguments, more = arguments[:cut], arguments[cut + 1:]
    asked = parser().parse_args(arguments)
    from devtools import house

    try:
        return run(asked, more)
    except house.DevError as error:
        print(f"dev.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def run(asked: argparse.Namespace, more: list[str]) -> int:
    """Imports what the command needs and nothing else."""
    match asked.command:
        case "demo":
            from devtools import demo

            return demo.demo(asked.photo, asked.out)
        case "test":
            from devtools import tiers

            return tiers.test(asked.tiers, asked.strict, more)
        case "lint":
            from devtools import tiers

            return tiers.lint()
        case "build":
            from devtools import package

            package.build()
        case "bench":
            from devtools import bench

            return bench.bench(asked.name, asked.runs, asked.write, asked.kit)
        case "blender":
            from devtools import window

            return window.open_blender()
        case "lock":
            from devtools import lock

            lock.lock()
        case "models":
            from devtools import models

            models.write()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
