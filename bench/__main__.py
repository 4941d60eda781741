"""Run every benchmark of this folder: `python -m bench [NAME …]`; exit status 1 where a stated bound is missed.

A benchmark is a module with `rows()`, which yields `bench.timing.Row`s.
"""

import argparse
import importlib
import pkgutil
import sys

from rich.console import Console
from rich.table import Table

import bench
from bench.timing import Row

TOOLS = {"__main__", "nobody", "timing"}


def main(arguments: list[str] | None = None) -> int:
    names = [module.name for module in pkgutil.iter_modules(bench.__path__) if module.name not in TOOLS]
    parser = argparse.ArgumentParser(prog="python -m bench", description="How fast it is, side by side, on one thread.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names)}; all of them if none is given")
    chosen = parser.parse_args(arguments).names or names
    if unknown := [name for name in chosen if name not in names]:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(names)}")
    missed = [row for name in chosen for row in measured(name) if not row.kept]
    for row in missed:
        print(f"missed: {row.what} against {row.other}: {row.found}, stated {row.stated}", file=sys.stderr)
    return 1 if missed else 0


def measured(name: str) -> list[Row]:
    """The rows of one benchmark, printed as a table."""
    module = importlib.import_module(f"bench.{name}")
    rows = list(module.rows())
    table = Table(title=(module.__doc__ or name).splitlines()[0], title_justify="left")
    for heading in ("what", "ours", "against", "theirs", "found", "stated", ""):
        table.add_column(heading, justify="right" if heading in ("ours", "theirs", "found", "stated") else "left")
    for row in rows:
        table.add_row(
            row.what, row.ours, row.other, row.theirs, row.found, row.stated, "kept" if row.kept else "MISSED"
        )
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    return rows


if __name__ == "__main__":
    sys.exit(main())
