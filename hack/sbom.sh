#!/usr/bin/env bash
# Writes the SBOM (CycloneDX 1.5, JSON) of the program in the image: every crate that it is made of, macros included, with
# version, license and checksum, for one processor.
#
# Prints its path as its only line on stdout: target/image/call-operator-VERSION-ARCH.cdx.json.
#
#   ARCH    amd64 or arm64; default: this machine's
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source hack/lib.sh

arch=$(oci_arch "${ARCH:-$(uname -m)}")
name=call-operator-$(package_version)-$arch.cdx
file=$(target_directory)/image/$name.json
mkdir -p "$(dirname "$file")"

# It writes beside Cargo.toml, and nowhere else.
trap 'rm -f "$name.json"' EXIT
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(commit_time)} \
    "$(hack/cargo-tool.sh cargo-cyclonedx)" cyclonedx --quiet --format json --spec-version 1.5 \
    --target "$(rust_triple "$arch")" --no-build-deps --override-filename "$name" </dev/null >&2
# Our own package is named by where it was checked out: that is nobody's business, and differs between machines.
own="pkg:cargo/call-operator@"
sed -e "s|path+file://$PWD#call-operator@|$own|g" -e "s|path+file://$PWD#|$own|g" -e 's|?download_url=file://[^"#]*||g' \
    "$name.json" >"$file.new"
if grep -qF "$PWD" "$file.new"; then fail "the SBOM has a path of this machine: look for $PWD in $file.new"; fi
mv "$file.new" "$file"
say "$(grep -c '"purl"' "$file") packages"
echo "$file"
