#!/usr/bin/env python3
"""Every event name that the program writes is in the table of docs/events.md, and nothing else is."""

import re
from pathlib import Path

import tree

PAGE = "docs/events.md"
NAME = re.compile(r'"([a-z]+\.[a-z_]+)"')
# Who names the event in a call of its own that ends in log::write.
WRITERS = re.compile(r"\b(?:log::write|tell)\(")


def calls(text):
    """The arguments of every call of a writer, strings and nested parentheses included."""
    for match in WRITERS.finditer(text):
        depth, at, in_string = 0, match.end() - 1, False
        while at < len(text):
            char = text[at]
            if in_string:
                at += char == "\\"
                in_string = char != '"'
            elif char == '"':
                in_string = True
            elif char in "()":
                depth += 1 if char == "(" else -1
                if depth == 0:
                    break
            at += 1
        yield match.start(), text[match.end():at]


def written():
    """Name to "path:line" of the first place."""
    places = {}
    for path in tree.files(["src", "plugins"], [".cpp", ".h"]):
        text = tree.text(path)
        for start, arguments in calls(text):
            # The name is among the first three arguments; what follows is text and fields.
            for name in NAME.findall(",".join(arguments.split(",")[:4])):
                places.setdefault(name, f"{path}:{text.count(chr(10), 0, start) + 1}")
    return places


def documented():
    names = {}
    for number, line in enumerate(tree.text(Path(PAGE)).splitlines(), 1):
        if line.startswith("| `"):
            for name in re.findall(r"`([a-z]+\.[a-z_]+)`", line.split("|")[1]):
                names[name] = f"{PAGE}:{number}"
    return names


if __name__ == "__main__":
    in_source, in_page = written(), documented()
    problems = [f"{place}: the event {name} is not in the table of {PAGE}" for name, place in sorted(in_source.items()) if name not in in_page]
    # Some names are put together by more than one line; the table may have those.
    everything = "".join(tree.text(path) for path in tree.files(["src", "plugins"], [".cpp", ".h"]))
    problems += [f"{place}: no code writes {name}" for name, place in sorted(in_page.items()) if f'"{name}"' not in everything]
    tree.finish("events", problems)
