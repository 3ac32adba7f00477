#!/bin/sh
# What `make demo` shows: in a private sandbox two containers with networks of their own, web and db, are registered with
# machined, and programs of the system find them by name. Each command is printed as a person would type it.
#   demo.sh SANDBOX [CMD [ARG]...]   opens that sandbox by this program, and shows it there, or runs CMD
if [ $# != 0 ]; then
    sandbox=$1; shift
    [ $# != 0 ] || set -- sh "$0"
    exec "$sandbox" --resolved --hosts 'files mymachines resolve [!UNAVAIL=return] dns' \
        --container web:create --container db:varlink -- "$@"
fi
show() {
    printf '\n# %s\n' "$*"
    sh -c "$*" || { echo "demo: this failed" >&2; exit 1; }
}
address() { getent ahostsv4 "$1" | { read -r first _; echo "$first"; }; }

echo "web was registered by D-Bus (CreateMachine), db by Varlink (io.systemd.Machine.Register)."
show machinectl list
show getent hosts web
show getent ahosts db
show getent hosts "$(address web)"
show busybox ping -c 1 -W 2 db
echo
echo "Programs that read /etc/resolv.conf by themselves ask resolved, which asks machined:"
show busybox nslookup web 127.0.0.53
show resolvectl query db
# An ordinary user has no cgroups to put a container in, by which ps would know it.
[ -z "$SWITCHYARD_SANDBOX_CGROUPS" ] || show ps -C busybox -o pid,machine,args
printf '\nThe same by hand: make shell\n'
