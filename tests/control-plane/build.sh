#!/usr/bin/env bash
# Builds the real control plane that tests and demo run on: etcd, kube-apiserver, kube-controller-manager, kubectl.
# The versions are pinned by go.mod and go.sum beside this file.
#
# Prints the directory with the four programs as its only line on stdout; progress and errors go to stderr.
# The first build takes minutes, so its result is kept outside the checkout, under a name made of everything that
# decides what is built: a fresh clone finds it, a new pin gets a directory of its own.
#
#   KUBEBUILDER_ASSETS     a directory that has the four programs already: nothing is built
#   CALL_OPERATOR_CACHE    where built programs are kept; default ${XDG_CACHE_HOME:-~/.cache}/call-operator
#
# Runs on Linux and on macOS, whose bash is 3.2 and which has no flock: see take_lock.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
programs=(etcd kube-apiserver kube-controller-manager kubectl)
packages=(
    go.etcd.io/etcd/server/v3
    k8s.io/kubernetes/cmd/kube-apiserver
    k8s.io/kubernetes/cmd/kube-controller-manager
    k8s.io/kubernetes/cmd/kubectl
)

say() { echo "control plane: $*" >&2; }
fail() { say "$*"; exit 1; }

# Names the first program that a directory lacks; succeeds when there is none.
missing_program() {
    local program
    for program in "${programs[@]}"; do
        [[ -f $1/$program && -x $1/$program ]] || { echo "$program"; return 1; }
    done
}

if [[ -n ${KUBEBUILDER_ASSETS:-} ]]; then
    missing=$(missing_program "$KUBEBUILDER_ASSETS") ||
        fail "KUBEBUILDER_ASSETS=$KUBEBUILDER_ASSETS has no program $missing; all of ${programs[*]} are needed"
    echo "$KUBEBUILDER_ASSETS"
    exit
fi

# Kubernetes takes its version from the linker; without it kubectl and the API server call themselves v0.0.0.
version=$(sed -n 's|^.*k8s\.io/kubernetes \(v[0-9.]*\).*$|\1|p' "$here/go.mod")
[[ -n $version ]] || fail "go.mod pins no version of k8s.io/kubernetes"
numbers=${version#v}
minor=${numbers#*.}
component=k8s.io/component-base/version
linker_flags="-s -w -X $component.gitVersion=$version -X $component.gitMajor=${numbers%%.*}"
linker_flags+=" -X $component.gitMinor=${minor%%.*} -X $component.gitTreeState=clean"
build_flags=(-mod=readonly -trimpath -ldflags "$linker_flags")

# Settings of the caller's shell must not change what is built.
export CGO_ENABLED=0 GOFLAGS='' GOWORK=off GOOS='' GOARCH=''

digest() { if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi; }
# The platform counts because a home directory may be shared between machines.
pins=$({ cat "$here/go.mod" "$here/go.sum"; echo "${build_flags[@]}" "$CGO_ENABLED"; uname -sm; } | digest)
cache=${CALL_OPERATOR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/call-operator}
[[ $cache == /* ]] || cache=$PWD/$cache
directory=$cache/control-plane-${pins:0:16}

finish_if_built() { if missing_program "$directory" >/dev/null; then echo "$directory"; exit; fi; }

# One build at a time. The kernel drops the lock when this process dies, however it dies. Without flock (macOS) two
# builds at once do the work twice; each has a directory of its own, so neither harms the other.
take_lock() {
    command -v flock >/dev/null || return 0
    exec 9>>"$cache/control-plane.lock"
    flock -n 9 && return
    say "waiting for another build"
    flock 9
}

need_go() {
    local wanted have least advice
    wanted=$(sed -n 's/^go //p' "$here/go.mod")
    advice="install Go ${wanted%.0} or newer from https://go.dev/dl/"
    command -v go >/dev/null || fail "building it needs Go: $advice"
    # Go 1.21 and newer fetches the Go that go.mod names by itself, unless it is told not to (GOTOOLCHAIN=local).
    have=$(cd "$here" && go env GOVERSION 2>/dev/null) || have=
    have=${have#go1.}
    have=${have%%[!0-9]*}
    least=${wanted#1.}
    ((${have:-0} >= ${least%%.*})) ||
        fail "$(GOTOOLCHAIN=local go version | cut -d ' ' -f 3) is too old to build it: $advice"
}

# Shows how far the go build with this process id is, until it ends; passes its exit code on.
follow() {
    local done_packages shown=0
    while kill -0 "$1" 2>/dev/null; do
        sleep 1
        ((SECONDS < shown + 15)) && continue
        shown=$SECONDS
        done_packages=$(wc -l <"$partial.log")
        say "$((done_packages)) of ~$total packages, $((SECONDS / 60))m$((SECONDS % 60))s"
    done
    wait "$1"
}

# The compilers are killed with go: they share its process group.
stop_build() {
    if [[ -n $build ]]; then
        kill -TERM -- "-$build" 2>/dev/null || true
        wait "$build" 2>/dev/null || true
    fi
    rm -rf "$partial" "$partial.log" "$partial.work"
}

finish_if_built
mkdir -p "$cache"
take_lock
finish_if_built
need_go

# Built beside its final place and renamed at the end: what has the final name is complete.
if command -v flock >/dev/null; then rm -rf "$directory".partial-*; fi
partial=$directory.partial-$$
build=
trap stop_build EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
mkdir "$partial" "$partial.work"
export GOTMPDIR=$partial.work # a killed go leaves its working files

SECONDS=0 # a wait for another build is over
say "building Kubernetes $version and etcd from source, once: about 11 minutes on 2 cores"
total=$(cd "$here" && go list -mod=readonly -deps "${packages[@]}" 2>"$partial.log" | wc -l) ||
    { cat "$partial.log" >&2; fail "the Go modules could not be fetched"; }
total=$((total))

# Job control gives the build a process group of its own. It must not hold the lock: it may outlive a killed script.
cd "$here"
set -m
go build -v "${build_flags[@]}" -o "$partial/" "${packages[@]}" </dev/null >"$partial.log" 2>&1 9>&- &
build=$!
set +m
follow "$build" || { tail -n 30 "$partial.log" >&2; fail "go build failed"; }
build=

mv "$partial/server" "$partial/etcd" # go build names a program after its folder
finish_if_built                      # without flock another build may have been faster
rm -rf "$directory"
mv "$partial" "$directory"
say "built in $((SECONDS / 60))m$((SECONDS % 60))s"
echo "$directory"
