#!/usr/bin/env python3
"""Who may include whom. The table is the one in docs/architecture.md; change both together."""

import re

import tree

INTERFACES = ["base", "glib", "socket", "http", "config", "model", "sdp", "state", "access", "connection", "diagnosis"]
PLUGINS = ["worker", "rtp", "srtp", "session", "element", "rtpcallsrc", "aitap", "linekeeper", "rtpcallsink", "callstats", "mixer"]
ROOMS = ["signalling", "channel", "media", "ai", "stats", "events", "store", "trace", "demo"]

# A room of src/ -> the rooms of src/ that it may include besides itself.
MAY_INCLUDE = {
    "base": [],
    "glib": ["base"],
    "state": ["base"],
    "socket": ["base"],
    "http": ["base", "glib", "socket"],
    "model": ["base"],
    "config": ["base", "model"],
    "sdp": ["base", "config", "model"],
    "diagnosis": ["base", "model"],
    "access": ["base", "glib", "http", "config", "model"],
    "connection": ["base", "glib", "http", "config", "model"],
    **{room: INTERFACES for room in ROOMS},
    "call": INTERFACES + ROOMS,
    "api": INTERFACES + ROOMS + ["call"],
    "caller": INTERFACES,
    "cli": INTERFACES + ROOMS + ["call", "caller"],
}
# Rooms of src/ that may include headers of plugins/ as well.
PLUGIN_HEADERS_FOR = {"media", "channel", "ai", "call", "api", "caller", "cli"}
EXAMPLES_MAY_INCLUDE = ["base", "socket", "ai", "caller"]
PLUGINS_MAY_INCLUDE = ["base", "glib", "model"]

# A library's headers -> the only places that may include them.
LIBRARIES = [
    (r"osip(parser)?2/", ["src/signalling/sip/"]),
    (r"libsoup/", ["src/http/", "tests/unit/signalling/sip_server"]),
    (r"toml\+\+/", ["src/config/"]),
    (r"gst/webrtc/", ["src/media/web_transport", "src/media/detail/web_", "tests/"]),
    (r"(nice|stun/usages)/", ["src/media/detail/web_ice.cpp", "tests/"]),
    (r"spdlog/(?!fmt/)", ["src/base/log"]),  # its formatter is anybody's
    (r"openssl/", ["plugins/srtp/transform.cpp", "src/media/web_certificate.cpp", "src/socket/", "src/ai/protocols/", "src/access/", "tests/"]),
    (r"hiredis/", ["src/connection/redis_", "tests/"]),
    (r"sqlite3\.h", ["src/store/", "tests/"]),
    (r"prometheus/", ["src/api/", "tests/"]),
    (r"simdjson", ["src/ai/protocols/message.cpp"]),
    (r"CLI/", ["src/cli/", "src/main.cpp", "src/caller/", "examples/", "tests/"]),
]
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def allowed(area, room, target):
    """Whether a file of `room` (in src/ or plugins/) may include "target/...". None: not one of our rooms."""
    is_plugin = target in PLUGINS or target == "offhook_plugin.h"
    is_room = target in MAY_INCLUDE or target == "app"
    if not is_plugin and not is_room:
        return None
    if area == "plugins":
        return is_plugin or target in PLUGINS_MAY_INCLUDE
    if area == "examples":
        return target in EXAMPLES_MAY_INCLUDE
    if room in ("app", "main") or target == room:
        return True
    if is_plugin:
        return room in PLUGIN_HEADERS_FOR
    return target in MAY_INCLUDE.get(room, [])


def check(path):
    area, *rest = path.parts
    room = rest[0] if len(rest) > 1 else "main"
    for number, line in enumerate(tree.text(path).splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        header = match.group(2)
        for pattern, places in LIBRARIES:
            if re.match(pattern, header) and not any(str(path).startswith(place) for place in places):
                yield f"{path}:{number}: {header} may be included only in {', '.join(places)}"
        if match.group(1) == '"' and area != "tests" and allowed(area, room, header.split("/")[0]) is False:
            yield f"{path}:{number}: {area}/{room} may not include {header}"
        if match.group(1) == '"' and (header.startswith("..") or "/../" in header):
            yield f"{path}:{number}: {header}: include from the root of src or plugins"


def main():
    paths = list(tree.files(["src", "plugins", "examples", "tests"], [".h", ".cpp"]))
    assert paths, "no sources found"
    tree.finish("includes", [problem for path in paths for problem in check(path)])


main()
