#!/usr/bin/env python3
"""Every answer that Offhook gave in the tests so far (http-log, one file a process) is what the document says: its route, its
status, its content type, and its body by the schema. Members that the schema does not name are an error here, though clients
have to bear them: somebody forgot to describe them.

    answers_test.py openapi.json http-log"""

import collections
import json
import re
import sys
from pathlib import Path
from urllib.parse import unquote

import jsonschema

SKIP = 77
SHOWN = 30
METHODS = ("get", "put", "post", "delete", "options", "patch")
# What the server says of a path that is none, or before it looks for one.
OF_NO_ROUTE = {400, 403, 404, 405, 411, 413, 414, 431}
FORMATS = jsonschema.FormatChecker(formats=())


@FORMATS.checks("date-time")
def is_time(value):
    return not isinstance(value, str) or re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value) is not None


def strict(node, is_part=False):
    """In place: an object has the members that are named and no others."""
    if isinstance(node, list):
        for each in node:
            strict(each, is_part)
    elif isinstance(node, dict):
        if isinstance(node.get("properties"), dict) and node.get("type") == "object" and not is_part:
            node.setdefault("additionalProperties", False)
        for key, each in node.items():
            if key not in ("example", "examples", "enum", "default"):
                strict(each, key == "allOf")


class Document:
    def __init__(self, path):
        self.json = json.loads(Path(path).read_text())
        strict(self.json["components"]["schemas"])
        strict(self.json["paths"])
        strict(self.json["components"]["responses"])
        self.resolver = jsonschema.RefResolver.from_schema(self.json)
        self.paths = []
        # A literal segment is nearer than one that takes anything.
        for pattern in sorted(self.json["paths"], key=lambda pattern: [part.startswith("{") for part in pattern.split("/")]):
            self.paths.append((re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(pattern))), pattern))

    def operation(self, method, path):
        path = unquote(path.split("?")[0])
        for regex, pattern in self.paths:
            if regex.fullmatch(path):
                return pattern, self.json["paths"][pattern].get("get" if method == "HEAD" else method.lower())
        return None, None

    def resolved(self, node):
        while "$ref" in node:
            node = self.resolver.resolve(node["$ref"])[1]
        return node

    def errors_of(self, schema, value):
        validator = jsonschema.Draft202012Validator(schema, resolver=self.resolver, format_checker=FORMATS)
        for error in validator.iter_errors(value):
            yield from leaves(error)


def leaves(error):
    """The innermost errors of the alternative that fits best."""
    if not error.context:
        yield "/".join(map(str, error.absolute_path)) + ": " + error.message[:200]
        return
    ways = collections.defaultdict(list)
    for each in error.context:
        ways[each.schema_path[0]].append(each)
    for each in max(ways.values(), key=lambda way: max(len(e.absolute_path) for e in way)):
        yield from leaves(each)


def faults(document, entry):
    method, status = entry["method"], entry["status"]
    pattern, operation = document.operation(method, entry["path"])
    problem = {"$ref": "#/components/schemas/Problem"}
    if operation is None:
        if method == "OPTIONS" and status == 204:
            return None, []  # a browser asked what it may
        if status not in OF_NO_ROUTE:
            return None, [f"{status} where the document has nothing"]
        return None, list(document.errors_of(problem, json.loads(entry["body"]))) if entry["body"] and method != "HEAD" else []
    route = f"{'GET' if method == 'HEAD' else method} {pattern}"
    answer = operation["responses"].get(str(status))
    if answer is None:
        return route, [f"status {status} is not in the document: {entry.get('body', '')[:200]}"]
    content = document.resolved(answer).get("content")
    if method == "HEAD" or not entry.get("body"):
        return route, []
    kind = entry["content_type"].split(";")[0].strip()
    if not content or kind not in content:
        return route, [f"content type {kind or 'missing'} of {status} is not in the document"]
    if not kind.endswith("json"):
        return route, []
    try:
        value = json.loads(entry["body"])
    except ValueError as error:
        return route, [f"the body is no JSON: {error}"]
    return route, list(document.errors_of(content[kind]["schema"], value))


def main():
    document = Document(sys.argv[1])
    counts = {f"{method.upper()} {path}": collections.Counter() for path, item in document.json["paths"].items()
              for method in item if method in METHODS}
    wrong, total = collections.Counter(), 0
    for file in sorted(Path(sys.argv[2]).glob("*.jsonl")):
        for line in file.read_text().splitlines():
            entry = json.loads(line)
            total += 1
            route, found = faults(document, entry)
            if route:
                counts[route][entry["status"]] += 1
            for fault in found:
                wrong[f"{route or entry['method'] + ' ' + entry['path']}: {re.sub('[0-9a-f]{12}', '...', fault)} [{file.stem}]"] += 1
    if not total:
        print("no test has written down an answer yet; run the integration tests first")
        sys.exit(SKIP)
    for route, statuses in counts.items():
        print(f"{sum(statuses.values()):6d}  {route}  {' '.join(f'{status}:{n}' for status, n in sorted(statuses.items()))}")
    never = [route for route, statuses in counts.items() if not statuses]
    print(f"{total} answers, {len(counts) - len(never)} of {len(counts)} operations; never asked: {', '.join(never) or 'none'}")
    for fault, times in wrong.most_common(SHOWN):
        print(f"{times:6d}  {fault}", file=sys.stderr)
    print(f"{sum(wrong.values())} answers' faults of {len(wrong)} kinds")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
