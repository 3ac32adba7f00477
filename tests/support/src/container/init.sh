# PID 1 of a container of the tests, until it hands over: init.sh ROOT NAME {bare|busybox|usr|systemd}. Run by `busybox sh`, so
# everything here is an applet. The network is there and the user mapping written before this starts.
set -e
root=$1 name=$2 contents=$3
if [ $contents = systemd ] && [ -z "$inside" ]; then
    # Its cgroup, where it has been put, becomes the root of what it sees.
    export inside=1
    exec /usr/bin/unshare --cgroup /usr/bin/busybox sh "$0" "$@"
fi
hostname "$name"
mount --make-rprivate /
if [ $contents = bare ]; then
    mount -t proc proc /proc
    mount -t tmpfs -o mode=755 tmpfs /run
    : >/run/ready
    exec /usr/bin/sleep infinity
fi
mount --rbind "$root" "$root" # pivot_root(2) wants a mount point
cd "$root"
case $contents in
busybox) mount --rbind /run/containers/.bin bin ;;
*) mount --rbind /usr usr ;;
esac
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t tmpfs -o mode=755 tmpfs dev
for node in null zero full random urandom tty; do : >dev/$node; mount --bind /dev/$node dev/$node; done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mount -t tmpfs -o mode=755 tmpfs run
mkdir -p run/systemd run/dbus run/log/sandbox
if [ $contents = systemd ]; then
    if [ -d /sys/fs/cgroup/systemd ]; then
        mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup
        mkdir sys/fs/cgroup/systemd sys/fs/cgroup/unified
        mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
        mount -t cgroup2 cgroup2 sys/fs/cgroup/unified
    else
        mount -t cgroup2 cgroup2 sys/fs/cgroup
    fi
fi
pivot_root . .
umount -l .
[ $contents != systemd ] || : >/run/ready
export container=switchyard-test PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
busybox=/usr/bin/busybox
[ $contents != busybox ] || busybox=/bin/busybox
exec $busybox sh /init
