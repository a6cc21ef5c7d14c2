#!/usr/bin/env bash
# Publishes what has been built, step by step; .github/workflows/release.yaml says in which order.
#
#   hack/release.sh check      the tag names the version of Cargo.toml, and CHANGELOG.md has a section for it
#   hack/release.sh images     the image and the SBOM for each processor
#   hack/release.sh push       the images, as one name for all processors
#   hack/release.sh chart      the chart
#   hack/release.sh sign       signs both and attaches the SBOMs to the image
#   hack/release.sh publish    a GitHub release with images, SBOMs and their checksums
#
#   TAG                 the tag that is released, for example v0.1.0
#   IMAGE               name of the image in its registry, without a tag
#   CHARTS              where charts go, without oci://
#   REGISTRY_USER, REGISTRY_PASSWORD    for both, where they ask
#   COSIGN_KEY          sign with this key; default: keyless, by the identity of the workflow
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source hack/lib.sh

version=$(package_version)
built=$(target_directory)/image
processors=(amd64 arm64)
chart=call-operator

needs() {
    local variable
    for variable in "$@"; do [[ -n ${!variable:-} ]] || fail "$variable is not set; see the head of hack/release.sh"; done
}

# Credentials live in a directory of their own and end with this process. All the programs know its format.
log_in() {
    DOCKER_CONFIG=$(mktemp -d)
    export DOCKER_CONFIG
    trap 'rm -rf "$DOCKER_CONFIG"' EXIT
    [[ -n ${REGISTRY_PASSWORD:-} ]] || return 0
    buildah login --authfile "$DOCKER_CONFIG/config.json" --username "$REGISTRY_USER" --password-stdin "${1%%/*}" \
        <<<"$REGISTRY_PASSWORD" >&2
}

tool() { tests/tools/build.sh "$1"; }

check() {
    needs TAG
    [[ $TAG == "v$version" ]] || fail "the tag is $TAG, and the version in Cargo.toml is $version"
    grep -q "^## $version" CHANGELOG.md || fail "CHANGELOG.md has no section \"## $version\""
    git diff --quiet HEAD || fail "the checkout has changes that are not in the commit"
}

images() {
    local processor
    for processor in "${processors[@]}"; do
        ARCH=$processor hack/image.sh
        ARCH=$processor hack/sbom.sh
    done
}

# Each processor's image keeps the name and the digest that it was built with.
push() {
    needs IMAGE
    log_in "$IMAGE"
    local store processor
    store=$(mktemp -d "$built/push.XXXXXX")
    trap 'rm -rf "$store" "$DOCKER_CONFIG"' EXIT
    buildah_() { buildah --storage-driver vfs --root "$store/storage" --runroot "$store/run" "$@"; }
    buildah_ manifest create "$IMAGE:$version" >&2
    for processor in "${processors[@]}"; do
        buildah_ manifest add --arch "$processor" --os linux "$IMAGE:$version" \
            "oci-archive:$built/call-operator-$version-$processor.tar" >&2
    done
    buildah_ manifest push --all --format oci --authfile "$DOCKER_CONFIG/config.json" --digestfile "$built/digest" \
        ${INSECURE_REGISTRY:+--tls-verify=false} "$IMAGE:$version" "docker://$IMAGE:$version" >&2
    say "$IMAGE:$version is $(cat "$built/digest")"
    hand_on image-digest "$(cat "$built/digest")"
}

chart() {
    needs CHARTS
    log_in "$CHARTS"
    local helm
    helm=$(tool helm)
    "$helm" package "charts/$chart" --destination "$built" >&2
    "$helm" push --registry-config "$DOCKER_CONFIG/config.json" ${INSECURE_REGISTRY:+--plain-http} \
        "$built/$chart-$version.tgz" "oci://$CHARTS" 2>&1 | tee "$built/chart-push" >&2
    sed -n 's/^Digest: //p' "$built/chart-push" >"$built/chart-digest"
    [[ -s $built/chart-digest ]] || fail "helm told no digest"
    say "$CHARTS/$chart:$version is $(cat "$built/chart-digest")"
}

sign() {
    needs IMAGE CHARTS
    log_in "$IMAGE"
    local cosign processor flags=(--yes ${COSIGN_KEY:+--key "$COSIGN_KEY"})
    cosign=$(tool cosign)
    # By digest: what was pushed is what is signed.
    "$cosign" sign "${flags[@]}" "$IMAGE@$(cat "$built/digest")" >&2
    "$cosign" sign "${flags[@]}" "$CHARTS/$chart@$(cat "$built/chart-digest")" >&2
    for processor in "${processors[@]}"; do
        "$cosign" attest "${flags[@]}" --type cyclonedx --predicate "$built/call-operator-$version-$processor.cdx.json" \
            "$IMAGE@$(cat "$built/digest")" >&2
    done
}

publish() {
    needs TAG
    local files
    cd "$built"
    files=("call-operator-$version-"*.tar "call-operator-$version-"*.cdx.json "$chart-$version.tgz")
    sha256sum "${files[@]}" >SHA256SUMS
    sed -n "/^## $version/,/^## /{/^## /d;p}" "$OLDPWD/CHANGELOG.md" >notes.md
    gh release create "$TAG" --verify-tag --title "$TAG" --notes-file notes.md "${files[@]}" SHA256SUMS
}

# For later steps of a workflow.
hand_on() { [[ -z ${GITHUB_OUTPUT:-} ]] || echo "$1=$2" >>"$GITHUB_OUTPUT"; }

case ${1:-} in
    check | images | push | chart | sign | publish) "$1" ;;
    *) sed -n '2,17s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
esac
