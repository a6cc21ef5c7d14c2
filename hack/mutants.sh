#!/usr/bin/env bash
# Breaks the operator on purpose, one mutation at a time, and checks that a test notices each: the test suite is only
# worth what it catches. A mutation is a patch in hack/mutants/ that begins with
#
#   Layer: pure | claim          pure: unit tests or the model notice it; claim: the API server is needed
#   Red: <arguments of cargo test>    the cheapest tests that must fail; more than one line: tried in this order
#
# It works on a copy of the tree, in the target directory of this one, so that only this crate is built anew. Fails if a
# patch no longer applies or does not build (then mend the patch), or if the tests stay green (then mend the tests).
#
#   ONLY=pure hack/mutants.sh    the mutations of one layer, or those whose name contains this
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

only=${ONLY:-}
target=${CARGO_TARGET_DIR:-$PWD/target}
[[ $target == /* ]] || target=$PWD/$target
copy=$target/mutants
locked=()
[[ -z ${CI:-} ]] || locked=(--locked)

# A mutant that hangs is not better than one that fails.
longest=600

field() { sed -n "s/^$1: //p" "$2"; }

is_wanted() {
    [[ -z $only || $(field Layer "$1") == "$only" || $(basename "$1") == *"$only"* ]]
}

fresh_copy() {
    mkdir -p "$copy"
    # Unchanged files keep their time, so that cargo need not look at them again.
    git ls-files --cached --others --exclude-standard -z | rsync_like
}

# What rsync would do; not every machine has it.
rsync_like() {
    rm -rf "$copy/src" "$copy/tests" "$copy/Cargo.toml"
    tar --null --files-from=- --create --ignore-failed-read 2>/dev/null | tar --extract --directory "$copy"
}

run_tests() {
    # shellcheck disable=SC2086 # they are several arguments
    (cd "$copy" && CARGO_TARGET_DIR=$target timeout "$longest" cargo test --quiet "${locked[@]}" "$@")
}

# The bin of the mutant lies where ours was.
restore() {
    rm -rf "$copy"
    cargo build --quiet --bins "${locked[@]}"
}
trap restore EXIT

output=$(mktemp)
failed=0
count=0

mutants=()
for patch in hack/mutants/*.patch; do
    is_wanted "$patch" && mutants+=("$patch")
done
[[ ${#mutants[@]} -gt 0 ]] || { echo "mutants: none is called or layered \"$only\"" >&2; exit 2; }

fresh_copy
for patch in "${mutants[@]}"; do
    name=$(basename "$patch" .patch)
    count=$((count + 1))
    began=$SECONDS
    # Not a repository of its own: git would look for the one around it.
    if ! (cd "$copy" && GIT_CEILING_DIRECTORIES=$target git apply --recount "$OLDPWD/$patch") 2>"$output"; then
        echo "mutants: $name: the patch does not apply any more; mend it" >&2
        sed 's/^/    /' "$output" >&2
        failed=$((failed + 1))
        continue
    fi
    verdict="STAYED GREEN"
    while read -r tests; do
        # shellcheck disable=SC2086
        if ! run_tests --no-run $tests >"$output" 2>&1; then
            verdict="DOES NOT BUILD"
            tail -n 30 "$output" >&2
            break
        fi
        # shellcheck disable=SC2086
        if ! RUST_BACKTRACE=0 run_tests $tests >"$output" 2>&1; then
            red=$(sed -n 's/^---- \(.*\) stdout ----$/\1/p' "$output" | sort -u | head -n 3 | paste -sd ' ')
            verdict="red: ${red:-hangs}"
            break
        fi
    done < <(field Red "$patch")
    [[ $verdict == red:* ]] || failed=$((failed + 1))
    printf 'mutants: %-34s %s (%ds)\n' "$name" "$verdict" $((SECONDS - began))
    (cd "$copy" && GIT_CEILING_DIRECTORIES=$target git apply --recount --reverse "$OLDPWD/$patch")
done
rm -f "$output"
echo "mutants: $((count - failed)) of $count were noticed"
[[ $failed -eq 0 ]]
