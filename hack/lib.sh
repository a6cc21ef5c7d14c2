# What the scripts that build and release have in common. To be sourced, at the top of the checkout.
# shellcheck shell=bash

say() { echo "$(basename "$0" .sh): $*" >&2; }
fail() { say "$*"; exit 1; }

# Where cargo builds.
target_directory() {
    local target=${CARGO_TARGET_DIR:-$PWD/target}
    [[ $target == /* ]] || target=$PWD/$target
    echo "$target"
}

# A field of our package: of the first table of Cargo.toml.
package_field() { sed -n "/^\[dependencies\]/q; s/^$1 = \"\(.*\)\"\$/\1/p" Cargo.toml; }
package_version() { package_field version; }

# The commit of the checkout; one that was changed since says so.
commit_of_checkout() {
    local commit
    commit=$(git rev-parse --short=12 HEAD 2>/dev/null) || { echo unknown; return; }
    git diff --quiet HEAD 2>/dev/null || commit+=-dirty
    echo "$commit"
}

# When the commit was made, in seconds since 1970: the time that whatever is built from it bears.
commit_time() { git log -1 --format=%ct 2>/dev/null || echo 0; }

# Names of a processor: as images have it, from either.
oci_arch() {
    case $1 in
        amd64 | x86_64) echo amd64 ;;
        arm64 | aarch64) echo arm64 ;;
        *) fail "ARCH is \"$1\"; images are built for amd64 and arm64" ;;
    esac
}

# The target of rustc, from what images call the processor.
rust_triple() {
    case $1 in
        amd64) echo x86_64-unknown-linux-musl ;;
        arm64) echo aarch64-unknown-linux-musl ;;
    esac
}

size_of() { du --apparent-size --block-size=1000 "$1" | awk '{ printf "%.1f MB", $1 / 1000 }'; }

# Installs Debian packages, if we may; otherwise says what to install.
install_packages() {
    (($# > 0)) || return 0
    local asroot=()
    if ((EUID != 0)); then
        # A build machine lets us; a developer is not asked for a password.
        sudo --non-interactive true 2>/dev/null || fail "install what is missing: sudo apt-get install $*"
        asroot=(sudo --non-interactive)
    fi
    command -v apt-get >/dev/null || fail "this machine has no apt-get; images are built on Debian or Ubuntu, with $*"
    say "installing $*"
    "${asroot[@]}" apt-get update -qq >&2
    "${asroot[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends "$@" >&2
}

# The image that the chart runs if nobody says otherwise, without a tag.
chart_image() { sed -n 's/^  repository: //p' charts/call-operator/values.yaml; }
