#!/usr/bin/env python3
"""Holds messages of the WebSocket of channels to its schema: check_messages.py SCHEMA LINES, each line {"from": ..., "message": ...}."""

import json
import sys

import jsonschema

with open(sys.argv[1], encoding="utf-8") as file:
    schema = json.load(file)
jsonschema.Draft202012Validator.check_schema(schema)
of = {
    sender: jsonschema.Draft202012Validator({**schema, "anyOf": [{"$ref": "#/$defs/from_" + sender}]})
    for sender in ("offhook", "client")
}
seen = set()
wrong = 0
with open(sys.argv[2], encoding="utf-8") as file:
    for line in file:
        said = json.loads(line)
        seen.add((said["from"], said["message"]["type"]))
        for error in of[said["from"]].iter_errors(said["message"]):
            wrong += 1
            reasons = [each.message for each in error.context or []]
            print(said["from"], json.dumps(said["message"])[:400], error.message[:200], reasons[:3])
print("checked:", ", ".join(sorted(" ".join(each) for each in seen)))
sys.exit(1 if wrong or not seen else 0)
