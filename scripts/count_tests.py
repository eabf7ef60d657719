#!/usr/bin/env python3
"""Sums what meson wrote about its runs: `count_tests.py LOG.json...` prints `passed failed skipped`.

A GoogleTest program counts by its cases, any other test as one. A program that crashed or timed out shows no
failed case and still counts as one failure.
"""
import json
import re
import sys
from pathlib import Path

# "[  FAILED  ] Ways/Test.Case/Direct, where GetParam() = ... (12 ms)"
CASE = re.compile(r"^\[ *(OK|FAILED|SKIPPED) *\] ([^\s,]+).*\(\d+ ms\)$", re.MULTILINE)


def counts_of(test: dict) -> list:
    # A case that was measured again (tests/integration/harness/steady_main.cpp) counts by its last result.
    cases = list({name: result for result, name in CASE.findall(test.get("stdout", ""))}.values())
    counts = [cases.count("OK"), cases.count("FAILED"), cases.count("SKIPPED")]
    is_bad = test["result"] not in ("OK", "SKIP", "EXPECTEDFAIL")
    if is_bad and counts[1] == 0:
        counts[1] = 1
    if not any(counts):
        counts[2 if test["result"] == "SKIP" else 0] = 1
    return counts


def main() -> int:
    total = [0, 0, 0]
    for path in map(Path, sys.argv[1:]):
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                total = [a + b for a, b in zip(total, counts_of(json.loads(line)))]
    print(*total)
    return 0


if __name__ == "__main__":
    sys.exit(main())
