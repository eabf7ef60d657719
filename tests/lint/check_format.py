#!/usr/bin/env python3
"""clang-format 14 has nothing to change. Other versions format differently, so without 14 the check is skipped."""

import shutil
import subprocess
import sys

import tree


def main():
    program = shutil.which("clang-format-14") or shutil.which("clang-format")
    version = subprocess.run([program, "--version"], capture_output=True, text=True).stdout if program else ""
    if "version 14." not in version:
        print(f"clang-format 14 is not installed ({version.strip() or 'none'}): apt install clang-format")
        sys.exit(tree.SKIP)
    paths = [str(path) for path in tree.files(["src", "plugins", "examples", "tests"], [".h", ".cpp"])]
    assert paths, "no sources found"
    done = subprocess.run([program, "--dry-run", "-Werror", *paths], cwd=tree.root(), capture_output=True, text=True)
    problems = [line for line in done.stderr.splitlines() if "error:" in line]
    tree.finish("format", problems)


main()
