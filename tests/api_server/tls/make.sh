#!/usr/bin/env bash
# Makes the certificates beside it anew, with openssl 3. They prove nothing to anybody: their keys are here for all to read.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

authority() { # name
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500 -subj "/CN=call-operator tests, $1" \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign -keyout "$1.key" -out "$1.crt" 2>/dev/null
}

certificate() { # name, authority, host, days from now
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$3" -keyout "$1.key" -out "$1.csr" 2>/dev/null
    openssl x509 -req -in "$1.csr" -CA "$2.crt" -CAkey "$2.key" -days "$4" -out "$1.crt" \
        -extfile <(printf 'subjectAltName=DNS:%s\nextendedKeyUsage=serverAuth\n' "$3") 2>/dev/null
    rm "$1.csr"
}

authority trusted
authority stranger
certificate good trusted localhost 36500
certificate expired trusted localhost -1
certificate wrong-host trusted elsewhere.example 36500
certificate unknown stranger localhost 36500
rm trusted.key stranger.key stranger.crt ./*.srl 2>/dev/null || true
