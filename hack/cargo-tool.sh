#!/usr/bin/env bash
# Installs a cargo program that the Makefile runs, pinned, into the cache that also keeps the control plane: a fresh clone
# finds it there, and the user's own cargo programs stay as they are.
#
#   hack/cargo-tool.sh cargo-deny
#
# Prints the program's path as its only line on stdout; progress and errors go to stderr.
#
#   CALL_OPERATOR_CACHE    where built programs are kept; default ${XDG_CACHE_HOME:-~/.cache}/call-operator
set -euo pipefail

name=${1:-}
case $name in
    cargo-deny) version=0.20.2 ;;      # licenses, sources and banned crates
    cargo-cyclonedx) version=0.5.9 ;;  # the SBOM
    cargo-auditable) version=0.7.7 ;;  # writes into the program what it is made of, for scanners of images
    *) echo "usage: hack/cargo-tool.sh cargo-deny | cargo-cyclonedx | cargo-auditable" >&2; exit 2 ;;
esac

cache=${CALL_OPERATOR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/call-operator}
[[ $cache == /* ]] || cache=$PWD/$cache
program=$cache/bin/$name

# Another version, or one that was built for another machine, is replaced. Not all of them tell their version: cargo does.
is_installed() {
    grep -qs "^\"$name $version " "$cache/.crates.toml" || return 1
    "$program" --help >/dev/null 2>&1 || (($? < 126))
}
if is_installed; then
    echo "$program"
    exit
fi

echo "$name: building version $version from source, once: some minutes on 2 cores" >&2
# `--force`: cargo itself remembers what it installed there, not whether it runs here.
cargo install --quiet --locked --force --version "$version" --root "$cache" "$name" </dev/null >&2
echo "$name: built in $((SECONDS / 60))m$((SECONDS % 60))s" >&2
echo "$program"
