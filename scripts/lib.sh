# shellcheck shell=bash
# What the scripts beside this file share. Sourced, never run; the sourcing script has set `-euo pipefail`.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
RUN_DIR=$ROOT/run
PROGRAM=$ROOT/build/offhook

step() { printf '==> %s\n' "$*"; }
warn() { printf 'warning: %s\n' "$*" >&2; }
die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

# configure FOLDER [meson option...]: makes a build folder once; ninja notices later changes by itself.
configure() {
    local folder=$1
    shift
    if [ -f "$ROOT/$folder/build.ninja" ]; then
        return 0
    fi
    step "Configuring $folder"
    # A compiler cache makes the second build of the same sources short; without one the build is the same.
    local compiler=${CXX:-g++}
    if command -v ccache >/dev/null && [ "${compiler#ccache}" = "$compiler" ]; then
        compiler="ccache $compiler"
    fi
    # 150 programs are linked: a quarter of the build with the default linker.
    if command -v mold >/dev/null; then
        export CXX_LD=${CXX_LD:-mold}
    fi
    # Backtraces have their lines; what only a debugger asks for would be a third of the build.
    export CXXFLAGS=${CXXFLAGS--g1}
    CXX=$compiler meson setup "$ROOT/$folder" "$ROOT" "$@" >"$ROOT/$folder.log" 2>&1 || {
        tail -n 15 "$ROOT/$folder.log" >&2
        die "meson could not configure $folder; the whole output is in $folder.log, and scripts/setup installs what is missing."
    }
    mv "$ROOT/$folder.log" "$ROOT/$folder/setup.log"
}

# build FOLDER [target...]
build() {
    local folder=$1
    shift
    step "Building ${*:-everything} in $folder"
    ninja -C "$ROOT/$folder" "$@" || die "the build in $folder failed; the first error above is the one to mend."
}

build_release() {
    configure build -Dbuildtype=debugoptimized
    build build "$@"
    [ -x "$PROGRAM" ] || die "the build ended without build/offhook; remove the build folder and try again."
}

# http_get HOST:PORT PATH: the answer, headers included; fails when nobody listens. No curl needed.
http_get() {
    local host=${1%:*} port=${1##*:} answer
    answer=$(
        exec 2>/dev/null
        exec 3<>"/dev/tcp/$host/$port" || exit 1
        printf 'GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$2" "$1" >&3
        timeout 3 cat <&3
    ) || return 1
    printf '%s\n' "$answer"
}

# running_pid: the pid of our background daemon, or nothing. A stale file or another program's pid does not count.
running_pid() {
    local pid
    [ -f "$RUN_DIR/offhook.pid" ] || return 1
    pid=$(cat "$RUN_DIR/offhook.pid")
    [ -n "$pid" ] && [ -r "/proc/$pid/cmdline" ] || return 1
    tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q '^[^ ]*offhook serve' || return 1
    [ "$(cut -d' ' -f3 "/proc/$pid/stat" 2>/dev/null)" != Z ] || return 1
    printf '%s\n' "$pid"
}
