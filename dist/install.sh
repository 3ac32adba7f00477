#!/bin/sh
# install.sh: lays the files of dist/ and the manual pages out under $DESTDIR, with the paths of this installation in them.
#   DESTDIR=   the folder to install into      PREFIX=/usr      SYSCONFDIR=/etc
#   install.sh --remove   takes the same files away again
# The programs and the modules are `make install`'s own business.
set -eu
mode=${1:-}
here=$(cd "$(dirname "$0")" && pwd)
prefix=${PREFIX:-/usr} sysconf=${SYSCONFDIR:-/etc} dest=${DESTDIR:-}
bin=$prefix/bin libexec=$prefix/libexec data=$prefix/share

put() { # MODE FILE TARGET
    if [ "$mode" = --remove ]; then rm -f "$dest$3"; return; fi
    mkdir -p "$dest${3%/*}"
    sed -e "s|@bindir@|$bin|g; s|@libexecdir@|$libexec|g; s|@datadir@|$data|g" "$2" >"$dest$3"
    chmod "$1" "$dest$3"
}

cd "$here"
put 644 dbus-1/system.d/org.freedesktop.machine1.conf "$data/dbus-1/system.d/org.freedesktop.machine1.conf"
put 644 dbus-1/system-services/org.freedesktop.machine1.service "$data/dbus-1/system-services/org.freedesktop.machine1.service"
put 644 polkit-1/actions/org.freedesktop.machine1.policy "$data/polkit-1/actions/org.freedesktop.machine1.policy"
put 644 systemd/switchyard-machined.socket "$prefix/lib/systemd/system/switchyard-machined.socket"
put 644 systemd/switchyard-machined.service "$prefix/lib/systemd/system/switchyard-machined.service"
put 644 dbus-1/system.d/org.freedesktop.resolve1.conf "$data/dbus-1/system.d/org.freedesktop.resolve1.conf"
put 644 dbus-1/system-services/org.freedesktop.resolve1.service "$data/dbus-1/system-services/org.freedesktop.resolve1.service"
put 644 polkit-1/actions/org.freedesktop.resolve1.policy "$data/polkit-1/actions/org.freedesktop.resolve1.policy"
put 644 systemd/switchyard-resolved.service "$prefix/lib/systemd/system/switchyard-resolved.service"
put 644 sysusers.d/switchyard.conf "$prefix/lib/sysusers.d/switchyard.conf"
put 644 tmpfiles.d/switchyard.conf "$prefix/lib/tmpfiles.d/switchyard.conf"
put 644 resolv.conf "$prefix/lib/systemd/resolv.conf"
put 755 openrc/switchyard-machined "$sysconf/init.d/switchyard-machined"
put 755 runit/switchyard-machined/run "$sysconf/sv/switchyard-machined/run"
put 755 runit/switchyard-machined/log/run "$sysconf/sv/switchyard-machined/log/run"
put 755 openrc/switchyard-resolved "$sysconf/init.d/switchyard-resolved"
put 755 runit/switchyard-resolved/run "$sysconf/sv/switchyard-resolved/run"
put 755 runit/switchyard-resolved/log/run "$sysconf/sv/switchyard-resolved/log/run"
put 644 oci/hooks.d/switchyard.json "$data/containers/oci/hooks.d/switchyard.json"
put 644 cdi/switchyard.json "$sysconf/cdi/switchyard.json"
put 755 lxc/switchyard-lxc-hook "$data/lxc/hooks/switchyard-lxc-hook"
put 644 lxc/switchyard.conf "$data/switchyard/lxc.conf"
put 644 completions/switchyard-lookaside.bash "$data/bash-completion/completions/switchyard-lookaside"
put 644 completions/_switchyard-lookaside.zsh "$data/zsh/site-functions/_switchyard-lookaside"
put 644 completions/switchyard-lookaside.fish "$data/fish/vendor_completions.d/switchyard-lookaside.fish"
put 644 completions/switchyard-oci-hook.bash "$data/bash-completion/completions/switchyard-oci-hook"
put 644 completions/_switchyard-oci-hook.zsh "$data/zsh/site-functions/_switchyard-oci-hook"
put 644 completions/switchyard-oci-hook.fish "$data/fish/vendor_completions.d/switchyard-oci-hook.fish"
for page in ../docs/man/*.[1-8]; do
    put 644 "$page" "$data/man/man${page##*.}/${page##*/}"
done
# What is left empty of our own; what runit or somebody else keeps there stays.
if [ "$mode" = --remove ]; then
    for dir in "$sysconf/sv/switchyard-machined/log" "$sysconf/sv/switchyard-resolved/log" \
        "$sysconf/sv/switchyard-machined" "$sysconf/sv/switchyard-resolved" "$data/switchyard" "$libexec/switchyard"; do
        rmdir "$dest$dir" 2>/dev/null || true
    done
fi
