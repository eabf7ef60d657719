#!/usr/bin/env python3
"""Each code of the diagnosis has its section in docs/debug-guide.md, which says of it what the table says."""

import json
import re

import tree

GUIDE = "docs/debug-guide.md"
TABLE = "src/diagnosis/findings.json"


def sections():
    """Heading of the third level -> line number and text below it."""
    found, name = {}, None
    for number, line in enumerate(tree.text(GUIDE).splitlines(), 1):
        if line.startswith("#"):
            name = line[4:] if line.startswith("### ") else None
            if name:
                found[name] = (number, [])
        elif name:
            found[name][1].append(line)
    return {name: (number, "\n".join(lines)) for name, (number, lines) in found.items()}


def main():
    problems = []
    known = sections()
    for entry in json.loads(tree.text(TABLE)):
        code = entry["code"]
        if code not in known:
            problems.append(f"{TABLE}: {code} has no section \"### {code}\" in {GUIDE}")
            continue
        number, text = known[code]
        for word, wanted in (("Symptom", entry["symptom"]), ("Cause", entry["cause"]), ("Fix", entry["fix"])):
            if f"- {word}: {wanted}" not in text:
                problems.append(f"{GUIDE}:{number}: {word} of {code} is not what {TABLE} says")
        if not re.search(r"^- Look at: \S", text, re.M):
            problems.append(f"{GUIDE}:{number}: {code} does not say what to look at")
        if entry["hop"] and f"`{entry['hop']}`" not in text:
            problems.append(f"{GUIDE}:{number}: {code} does not name its hop {entry['hop']}")
    tree.finish("the sections of the diagnosis", problems)


if __name__ == "__main__":
    main()
