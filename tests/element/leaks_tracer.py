#!/usr/bin/env python3
"""Runs a test program under GStreamer's leaks tracer and fails when an object outlived it.

usage: leaks_tracer.py PROGRAM [ARG...]
"""
import os
import subprocess
import sys
import tempfile

with tempfile.NamedTemporaryFile() as trace:
    env = dict(os.environ, GST_TRACERS="leaks", GST_DEBUG="GST_TRACER:7", GST_DEBUG_FILE=trace.name, GST_DEBUG_NO_COLOR="1")
    code = subprocess.run(sys.argv[1:], env=env, check=False).returncode
    # The tracer describes its own record formats as well; only a record has an address.
    alive = [line for line in open(trace.name, errors="replace") if "object-alive, " in line and "(gpointer)0x" in line]
if code != 0:
    sys.exit(code)
for line in alive[:20]:
    print(line.strip())
print(f"{len(alive)} objects alive at the end")
sys.exit(1 if alive else 0)
