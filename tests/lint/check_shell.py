#!/usr/bin/env python3
"""shellcheck has nothing to say about the shell scripts of scripts/, tests/ and .ci/."""

import shutil
import subprocess
import sys

import tree


def is_shell(path):
    with open(tree.root() / path, "rb") as file:
        first = file.readline()
    return first.startswith(b"#!") and (b"bash" in first or first.rstrip().endswith(b"/sh"))


def main():
    if not shutil.which("shellcheck"):
        print("shellcheck is not installed: apt install shellcheck")
        sys.exit(tree.SKIP)
    paths = [str(path) for path in tree.files(["scripts", "tests", ".ci"], [""]) if is_shell(path)]
    assert paths, "no scripts found"
    done = subprocess.run(
        ["shellcheck", "--external-sources", "--format=gcc", *paths], cwd=tree.root(), capture_output=True, text=True
    )
    tree.finish("shell", [line for line in (done.stdout + done.stderr).splitlines() if line])


main()
