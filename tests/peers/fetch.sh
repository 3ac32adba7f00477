#!/bin/sh
# fetch.sh: lays the packages of ./packages, and ./sources, out under target/peers/KEY/root and prints that folder.
# Nothing is installed: packages are downloaded and unpacked, no script of theirs runs. Needs no privilege.
#   PEERS_CACHE=DIR   another place for the cache      PEERS_OFFLINE=1   never download
# Safe under concurrent callers: one fetches, the others wait for it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=${PEERS_CACHE:-${CARGO_TARGET_DIR:-$here/../../target}/peers}
say() { printf 'peers: %s\n' "$*" >&2; }

for tool in apt-get dpkg-deb flock sha256sum; do
    command -v $tool >/dev/null || { say "missing: $tool (the tests take their peers from Debian packages)"; exit 1; }
done
mkdir -p "$cache" && cache=$(cd "$cache" && pwd)
# The key names what would change the result: the lists, this script, the release and the architecture.
key=$(cat "$here/packages" "$here/sources" "$0" /etc/os-release 2>/dev/null | { cat; dpkg --print-architecture; } | sha256sum | cut -c1-16)
home=$cache/$key
if [ ! -e "$home/complete" ]; then
    exec 9>"$cache/lock"
    flock -n 9 || { say "another run is fetching; waiting"; flock 9; }
fi
if [ -e "$home/complete" ]; then echo "$home/root"; exit 0; fi
if [ -n "${PEERS_OFFLINE:-}" ]; then say "missing: $home (PEERS_OFFLINE is set)"; exit 1; fi

# An apt of our own: the machine's sources and keys, but private lists, archives and an empty dpkg status. Hooks of the
# machine's configuration (they clean /var/cache/apt) are left out, and so are indices that nobody here reads.
apt=$cache/apt
rm -rf "$home"; mkdir -p "$home/root" "$apt/lists/partial" "$apt/archives/partial" "$apt/dpkg" "$apt/parts"
: >"$apt/dpkg/status"
{
    apt-config dump | grep -Ev '^(Dir|APT::Update|DPkg|Acquire::IndexTargets|APT::Sandbox)'
    cat <<CONF
Dir::State "$apt";
Dir::State::lists "$apt/lists";
Dir::State::status "$apt/dpkg/status";
Dir::Cache "$apt";
Dir::Cache::archives "$apt/archives";
Dir::Etc::parts "$apt/parts";
Dir::Log "$apt";
APT::Sandbox::User "";
APT::Install-Recommends "false";
APT::Get::Assume-Yes "true";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::http::Timeout "60";
Debug::NoLocking "true";
CONF
} >"$apt/apt.conf"
export APT_CONFIG="$apt/apt.conf" DEBIAN_FRONTEND=noninteractive
say "reading the package lists"
apt-get -q update >"$apt/update.log" 2>&1 || true  # a broken third-party source need not matter: the next step decides

known=$(apt-cache pkgnames)
wanted= absent=
while read -r name optional; do
    case $name in ''|'#'*) continue;; esac
    if printf '%s\n' "$known" | grep -qx "$name"; then wanted="$wanted $name"
    elif [ "$optional" != '?' ]; then absent="$absent $name"; fi
done <"$here/packages"
if [ -n "$absent" ]; then say "missing packages (is a Debian source configured and reachable?):$absent"; exit 1; fi

say "downloading ($(echo $wanted | wc -w) packages and their dependencies)"
# shellcheck disable=SC2086  # a list of names
if ! apt-get -q --download-only install $wanted >"$apt/download.log" 2>&1; then
    say "missing: the packages could not be downloaded: $(grep -m1 '^E:' "$apt/download.log" || echo "see $apt/download.log")"; exit 1
fi
count=$(ls "$apt"/archives/*.deb | wc -l)
say "unpacking $count packages"
# On a machine with a merged /usr the links must be there first, or the packages' /lib hides them.
mkdir -p "$home/root/usr/bin" "$home/root/usr/sbin" "$home/root/usr/lib" "$home/root/usr/lib64"
for d in bin sbin lib lib64; do ln -s "usr/$d" "$home/root/$d"; done
for deb in "$apt"/archives/*.deb; do dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink --no-same-owner -C "$home/root"; done
for deb in "$apt"/archives/*.deb; do dpkg-deb -W --showformat='${Package} ${Version}\n' "$deb"; done >"$home/versions"
# Who can reach Debian's packages need not reach these: a test that misses one says so.
mkdir -p "$home/root/usr/src"
while read -r name url sum; do
    case $name in ''|'#'*) continue;; esac
    say "downloading $name"
    /usr/lib/apt/apt-helper download-file "$url" "$home/root/usr/src/$name.tar.gz" "SHA256:$sum" >>"$apt/download.log" 2>&1 ||
        { say "missing: $url: $(tail -n 1 "$apt/download.log")"; rm -f "$home/root/usr/src/$name.tar.gz"; }
done <"$here/sources"
rm -rf "$apt/archives" "$home/root/usr/share/doc" "$home/root/usr/share/man" "$home/root/usr/share/locale"
touch "$home/complete"
# Of an older list; a day old, so that no run still stands on it.
find "$cache" -mindepth 1 -maxdepth 1 -type d -mtime +1 ! -name "$key" ! -name apt -exec rm -rf {} +
echo "$home/root"
