#!/usr/bin/env python3
"""Writes the table of findings (findings.json) as C++: embed_findings.py IN OUT."""

import json
import sys

SEVERITIES = {"error": "Error", "warning": "Warning", "info": "Info"}


def literal(text):
    return json.dumps(text, ensure_ascii=True)


def main():
    source, target = sys.argv[1:]
    with open(source, encoding="utf-8") as file:
        table = json.load(file)
    lines = ['#include "diagnosis/findings.h"', "", "namespace offhook::diagnosis {", "namespace {", "constexpr Known kTable[] = {"]
    for entry in table:
        is_ours = "true" if "daemon" in entry["seen_by"] else "false"
        lines.append(
            f'    {{{literal(entry["code"])}, Severity::{SEVERITIES[entry["severity"]]}, {is_ours},\n'
            f'     {literal(entry["cause"])},\n     {literal(entry["fix"])},\n'
            f'     {literal(entry["symptom"])}, {literal(entry["hop"] or "")}}},'
        )
    lines += ["};", "}  // namespace", "", "std::span<const Known> known_findings() noexcept {", "    return kTable;", "}", "", "}  // namespace offhook::diagnosis", ""]
    with open(target, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))


if __name__ == "__main__":
    main()
