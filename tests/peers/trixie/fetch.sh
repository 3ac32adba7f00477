#!/bin/sh
# fetch.sh: does what ../fetch.sh does, with the lists beside this one and from Debian 13, whatever this machine's release is.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
keys=/usr/share/keyrings/debian-archive-keyring.gpg
[ -e $keys ] || { echo "peers: missing: $keys" >&2; exit 1; }
# A cache beside the other one: each throws away what is not its own.
PEERS_CACHE=${PEERS_CACHE:-${CARGO_TARGET_DIR:-$here/../../../target}/peers}-trixie
mkdir -p "$PEERS_CACHE/apt/parts" && PEERS_CACHE=$(cd "$PEERS_CACHE" && pwd)
# Its apt takes further settings from there.
cat >"$PEERS_CACHE/trixie.sources" <<SOURCES
Types: deb
URIs: http://deb.debian.org/debian
Suites: trixie
Components: main
Signed-By: $keys
SOURCES
cat >"$PEERS_CACHE/apt/parts/trixie.conf" <<CONF
Dir::Etc::sourcelist "$PEERS_CACHE/trixie.sources";
Dir::Etc::sourceparts "/dev/null";
CONF
. "$here/../fetch.sh"
