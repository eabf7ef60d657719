"""The files of the source tree that the checks look at, and how a check reports."""

import os
import sys
from pathlib import Path

SKIPPED_FOLDERS = {".git", "subprojects", "node_modules", "__pycache__"}
SKIP = 77  # meson's exit code for a skipped test


def root():
    return Path(__file__).resolve().parents[2]


def files(folders, endings):
    """Paths below the folders whose names end with one of the endings, sorted, relative to the root."""
    for folder in folders:
        for path, names, entries in os.walk(root() / folder):
            names[:] = sorted(n for n in names if n not in SKIPPED_FOLDERS and not n.startswith("build"))
            for entry in sorted(entries):
                if entry.endswith(tuple(endings)):
                    yield (Path(path) / entry).relative_to(root())


def text(path):
    return (root() / path).read_text(encoding="utf-8")


def finish(what, problems):
    """Prints each problem as "path:line: reason" and ends the program."""
    for problem in problems:
        print(problem)
    print(f"{what}: {len(problems)} problem(s)")
    sys.exit(1 if problems else 0)
