#!/usr/bin/env bash
# Installs the cargo-deny that `make deny` runs, pinned, into the cache that also keeps the control plane: a fresh clone
# finds it there, and the user's own cargo programs stay as they are.
#
# Prints the program's path as its only line on stdout; progress and errors go to stderr.
#
#   CALL_OPERATOR_CACHE    where built programs are kept; default ${XDG_CACHE_HOME:-~/.cache}/call-operator
set -euo pipefail

version=0.20.2

cache=${CALL_OPERATOR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/call-operator}
[[ $cache == /* ]] || cache=$PWD/$cache
program=$cache/bin/cargo-deny

# Another version, or one that was built for another machine, is replaced.
if [[ $("$program" --version 2>/dev/null) == "cargo-deny $version" ]]; then
    echo "$program"
    exit
fi

echo "cargo-deny: building version $version from source, once: about 3 minutes on 2 cores" >&2
# `--force`: cargo itself remembers what it installed there, not whether it runs here.
cargo install --quiet --locked --force --version "$version" --root "$cache" cargo-deny </dev/null >&2
echo "cargo-deny: built in $((SECONDS / 60))m$((SECONDS % 60))s" >&2
echo "$program"
