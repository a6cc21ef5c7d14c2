#!/usr/bin/env bash
# Builds the container image: a static program and Debian's certificate authorities, from scratch.
#
# Prints the path of the image as its only line on stdout: an OCI archive, target/image/call-operator-VERSION-ARCH.tar.
# Progress and errors go to stderr.
#
# So that two builds can be compared, times are those of the commit, paths of this machine are left out, and the
# authorities are those of Debian's package, without what this machine's administrator has added.
#
#   ARCH                  amd64 or arm64; default: this machine's
#   IMAGE                 its name, without a tag; default that of the chart
#   IMAGE_SOURCE          where its source is found (a URL), for its label; default: no such label
#   SOURCE_DATE_EPOCH     the time that its files have; default: that of the commit
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source hack/lib.sh

authorities=/usr/share/ca-certificates/mozilla
target=$(target_directory)
machine=$(oci_arch "$(uname -m)")
arch=$(oci_arch "${ARCH:-$machine}")
triple=$(rust_triple "$arch")
version=$(package_version)
image=${IMAGE:-$(chart_image)}
commit=$(commit_of_checkout)
epoch=${SOURCE_DATE_EPOCH:-$(commit_time)}

# The C compiler is for ring. It is musl's own for this machine; for another one, where Debian has none, the one for
# glibc: of a C library ring's code wants no more than the declarations.
choose_compiler() {
    case $machine-$arch in
        "$arch-$arch") compiler=musl-gcc packages=(musl-tools) ;;
        *-arm64) compiler=aarch64-linux-gnu-gcc packages=(gcc-aarch64-linux-gnu libc6-dev-arm64-cross) ;;
        *-amd64) compiler=x86_64-linux-gnu-gcc packages=(gcc-x86-64-linux-gnu libc6-dev-amd64-cross) ;;
    esac
}

install_tools() {
    local missing=()
    command -v buildah >/dev/null || missing+=(buildah)
    command -v "$compiler" >/dev/null || missing+=("${packages[@]}")
    [[ -d $authorities ]] || missing+=(ca-certificates)
    install_packages "${missing[@]}"
    rustup target list --installed | grep -qx "$triple" || rustup target add "$triple" >&2
}

build_program() {
    local upper=${triple//-/_} cargo_home=${CARGO_HOME:-$HOME/.cargo} separator=$'\x1f'
    export "CC_$upper=$compiler"
    [[ $machine == "$arch" ]] || export "CARGO_TARGET_${upper^^}_LINKER=$compiler"
    # glibc's checked variants of memcpy and the like do not exist in musl.
    export "CFLAGS_$upper=-U_FORTIFY_SOURCE"
    CARGO_ENCODED_RUSTFLAGS="--remap-path-prefix=$cargo_home/registry/src=/registry$separator--remap-path-prefix=$PWD=/call-operator" \
    CALL_OPERATOR_COMMIT=$commit \
        "$(hack/cargo-tool.sh cargo-auditable)" auditable build --quiet --locked --profile dist --target "$triple" --bin call-operator </dev/null >&2
}

lay_out() {
    local certificates=$work/root/etc/ssl/certs
    mkdir -p "$certificates"
    install -m 0755 "$target/$triple/dist/call-operator" "$work/root/call-operator"
    # One file, in the order of their names.
    (export LC_ALL=C; cat "$authorities"/*.crt) >"$certificates/ca-certificates.crt"
    chmod -R u=rwX,go=rX "$work/root"
}

buildah_() {
    buildah --storage-driver vfs --root "$work/storage" --runroot "$work/run" "$@"
}

# Its store is a directory of its own: images of this machine's user are neither seen nor touched.
pack() {
    local labels=(
        "title=call-operator"
        "description=$(package_field description)"
        "version=$version"
        "revision=$commit"
        "created=$(date --utc --date "@$epoch" +%Y-%m-%dT%H:%M:%SZ)"
        "licenses=$(package_field license)"
        ${IMAGE_SOURCE:+"source=$IMAGE_SOURCE"}
    )
    buildah_ build --quiet --layers=false --isolation chroot --os linux --arch "$arch" --timestamp "$epoch" \
        --identity-label=false "${labels[@]/#/--label=org.opencontainers.image.}" \
        --file hack/image/Containerfile --tag "$image:$version" "$work/root" >/dev/null
    buildah_ push --quiet "$image:$version" "oci:$work/oci:$image:$version" >&2
    # buildah can write the archive too, but with the time of now in it.
    tar --create --file "$work/image.tar" --directory "$work/oci" --sort=name --mtime "@$epoch" --owner 0 --group 0 \
        --numeric-owner --mode u=rwX,go=rX blobs index.json oci-layout
}

choose_compiler
install_tools
build_program
mkdir -p "$target/image"
archive=$target/image/call-operator-$version-$arch.tar
work=$(mktemp -d "$target/image/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
lay_out
pack
mv "$work/image.tar" "$archive"
say "$image:$version for linux/$arch, commit $commit"
say "$(size_of "$archive") compressed; in it, a program of $(size_of "$work/root/call-operator")"
echo "$archive"
