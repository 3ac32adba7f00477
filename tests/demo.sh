#!/bin/sh
# What `make demo` shows, inside the sandbox: two containers with networks of their own, web and db, are registered with
# machined, and programs of the system find them by name. Each command is printed as a person would type it.
show() {
    printf '\n# %s\n' "$*"
    sh -c "$*" || { echo "demo: this failed" >&2; exit 1; }
}
address=$(getent ahostsv4 web | { read -r address _; echo "$address"; })

show getent hosts web
show getent ahosts db
show getent hosts "$address"
show "ps -C busybox,init -o pid,machine,args"
show machinectl list
