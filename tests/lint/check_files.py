#!/usr/bin/env python3
"""What holds for every file: under 800 lines, no spaces at line ends, a newline at the end, include guards; and no test
waits by sleeping or by a port that somebody else may have."""

import re

import tree

MAX_LINES = 800
SOURCES = ["src", "plugins", "tests", "scripts", "pipelines", "examples", "docs", "web"]
ENDINGS = [".h", ".cpp", ".py", ".sh", ".build", ".launch", ".md", ".toml", ".ts", ".tsx", ".css"]
SLEEP = re.compile(r"\b(sleep_for|sleep_until|usleep|g_usleep)\b|(?<![\w:.>])sleep\s*\(")


def check(path):
    content = tree.text(path)
    lines = content.split("\n")
    # Tables of generated text have the length they need.
    if len(lines) > MAX_LINES and path.suffix != ".md":
        yield f"{path}:{MAX_LINES}: {len(lines)} lines; one concept has fewer than {MAX_LINES}"
    if content and not content.endswith("\n"):
        yield f"{path}:{len(lines)}: no newline at the end"
    for number, line in enumerate(lines, 1):
        if line != line.rstrip(" \t") and path.suffix != ".md":
            yield f"{path}:{number}: spaces at the end of the line"
        if path.parts[0] == "tests" and path.suffix in (".h", ".cpp") and SLEEP.search(line.split("//")[0]):
            yield f"{path}:{number}: a test sleeps; wait for the thing itself"
    if path.suffix == ".h" and "#pragma once" not in content:
        yield f"{path}:1: no #pragma once"


def main():
    paths = list(tree.files(SOURCES, ENDINGS))
    assert paths, "no sources found"
    tree.finish("files", [problem for path in paths for problem in check(path)])


main()
