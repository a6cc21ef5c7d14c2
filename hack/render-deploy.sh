#!/usr/bin/env bash
# Prints deploy/call-operator.yaml: the chart with its default values, for people without Helm. The CRDs are in crds/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

helm=$(tests/tools/build.sh helm)
name=call-operator

cat <<END
# Written by \`make generate\` from charts/call-operator; do not edit. Everything but the CRDs: kubectl apply -f crds -f deploy
apiVersion: v1
kind: Namespace
metadata:
  name: $name
  labels:
    app.kubernetes.io/component: rbac
    app.kubernetes.io/part-of: $name
    pod-security.kubernetes.io/enforce: restricted
END

# Helm has no part in what is applied: neither its hooks nor its marks. CI's own settings of Helm must not count.
env -u KUBECONFIG "$helm" template "$name" charts/call-operator --namespace "$name" --no-hooks --set crds.enabled=false |
    sed -e '/^$/d' -e '/^# Source: /d' -e '/^ *helm\.sh\/chart: /d' -e '/^ *app\.kubernetes\.io\/managed-by: Helm$/d'
