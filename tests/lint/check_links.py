#!/usr/bin/env python3
"""Every link of a Markdown page to a file of the tree, and to a heading in it, leads somewhere."""

import re
import urllib.parse

import tree

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
CODE = re.compile(r"`[^`]*`")


def anchors(content):
    """The names that headings get: lower case, spaces to hyphens, punctuation dropped."""
    fenced = False
    for line in content.splitlines():
        if line.startswith("```"):
            fenced = not fenced
        if not fenced and line.startswith("#"):
            heading = line.lstrip("#").strip().lower()
            yield re.sub(r"[^\w\- ]", "", heading).replace(" ", "-")


def check(path):
    fenced = False
    for number, line in enumerate(tree.text(path).splitlines(), 1):
        if line.startswith("```"):
            fenced = not fenced
        if fenced:
            continue
        for target in LINK.findall(CODE.sub("", line)):
            if re.match(r"[a-z]+:", target):
                continue
            file, _, anchor = urllib.parse.unquote(target).partition("#")
            found = (tree.root() / path).parent / file if file else tree.root() / path
            if not found.exists():
                yield f"{path}:{number}: {target} does not exist"
            elif anchor and found.suffix == ".md" and anchor not in anchors(found.read_text(encoding="utf-8")):
                yield f"{path}:{number}: {target}: no such heading"


def main():
    pages = list(tree.files(["docs", "examples", "pipelines", "scripts", "tests", "web"], [".md"]))
    pages += [page.relative_to(tree.root()) for page in sorted(tree.root().glob("*.md"))]
    tree.finish("links", [problem for page in pages for problem in check(page)])


main()
