#!/usr/bin/env python3
"""precompile.py STAMP DEPFILE OUTPUT HEADER COMPILER... -- FLAG...: precompiled headers for g++.

g++ takes any file of the folder OUTPUT.gch that was made with the flags of the file it compiles, and reads
OUTPUT itself, which is empty, when none was: so one folder serves libraries, programs and tests, and a wrong guess
costs time only.
"""

import concurrent.futures
import os
import shutil
import subprocess
import sys

# What the build compiles most with: rooms, cold rooms, and tests, which are not position independent code of a library.
VARIANTS = {
    "rooms": ["-O2", "-fPIC"],
    "cold": ["-O1", "-fPIC"],
    "programs": ["-O2"],
    "tests": ["-O0", "-DGTEST_HAS_PTHREAD=1", "-include", "gmock/gmock.h", "-include", "gtest/gtest.h"],
}


def make(compiler, flags, source, target):
    part = target + ".part"
    subprocess.run([*compiler, *flags, "-x", "c++-header", "-o", part, source], check=True)
    os.replace(part, target)


def main():
    stamp, depfile, output, header, *rest = sys.argv[1:]
    split = rest.index("--")
    compiler, flags = rest[:split], rest[split + 1 :]
    folder = output + ".gch"
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    with open(output, "w", encoding="utf-8"):
        pass
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        made = [
            pool.submit(make, compiler, flags + variant, header, os.path.join(folder, name))
            for name, variant in VARIANTS.items()
        ]
        for each in made:
            each.result()
    # The tests' has all headers that any of them has.
    subprocess.run(
        [*compiler, *flags, *VARIANTS["tests"], "-x", "c++-header", "-M", "-MF", depfile, "-MT", stamp, header], check=True
    )
    with open(stamp, "w", encoding="utf-8"):
        pass


main()
