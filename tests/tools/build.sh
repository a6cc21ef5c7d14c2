#!/usr/bin/env bash
# Builds tools that the tests use, each pinned by a go.mod of its own: tests/tools/NAME/{go.mod,go.sum}, with one `tool`
# line that says which package: somebody else's, or the module itself where the tool is ours.
#
#   tests/tools/build.sh NAME...
#
# Prints the path of each program, one a line, in the order asked; progress and errors go to stderr. What is built is
# kept outside the checkout under a name made of everything that decides it: a fresh clone finds it there.
#
#   CALL_OPERATOR_CACHE    where built programs are kept; default ${XDG_CACHE_HOME:-~/.cache}/call-operator
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${CALL_OPERATOR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/call-operator}
[[ $cache == /* ]] || cache=$PWD/$cache
build_flags=(-mod=readonly -trimpath -ldflags "-s -w")

# Settings of the caller's shell must not change what is built.
export CGO_ENABLED=0 GOFLAGS='' GOWORK=off GOOS='' GOARCH=''

say() { echo "$name: $*" >&2; }
fail() { say "$*"; exit 1; }
digest() { if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi; }

# The source of a tool of our own.
sources() {
    local source
    for source in "$1"/*.go; do if [[ -f $source ]]; then cat "$source"; fi; done
}

# One build of a tool at a time. The kernel drops the lock when this process dies. Without flock (macOS) two builds at
# once do the work twice; each has a file of its own, so neither harms the other.
take_lock() {
    command -v flock >/dev/null || return 0
    exec 9>>"$cache/tools/$name.lock"
    flock 9
}

build() {
    local module=$here/$name package pins program partial
    [[ -f $module/go.mod ]] || fail "there is no $module/go.mod"
    package=$(sed -n 's/^tool //p' "$module/go.mod")
    [[ -n $package ]] || fail "go.mod has no line that begins with \"tool \""
    pins=$({ cat "$module/go.mod" "$module/go.sum"; sources "$module"; echo "${build_flags[@]}"; uname -sm; } | digest)
    program=$cache/tools/$name-${pins:0:16}
    if [[ ! -x $program ]]; then
        mkdir -p "$cache/tools"
        take_lock
        if [[ ! -x $program ]]; then
            command -v go >/dev/null || fail "building it needs Go: https://go.dev/dl/"
            SECONDS=0
            say "building $package from source, once"
            partial=$program.partial-$$
            (cd "$module" && go build "${build_flags[@]}" -o "$partial" "$package" </dev/null >&2 9>&-) ||
                { rm -f "$partial"; fail "go build failed"; }
            mv "$partial" "$program"
            say "built in $((SECONDS / 60))m$((SECONDS % 60))s"
        fi
    fi
    echo "$program"
}

(($# > 0)) || { echo "usage: tests/tools/build.sh NAME..., one of $(cd "$here" && echo */)" >&2; exit 2; }
for name in "$@"; do build; done
