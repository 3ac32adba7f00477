# PID 1 of a container of the tests, until it hands over to /init. Run by `busybox sh` with the root as $1;
# everything here is an applet. The network is there and the user mapping written before this starts.
set -e
root=$1
hostname "$2"
mount --make-rprivate /
mount --rbind "$root" "$root" # pivot_root(2) wants a mount point
cd "$root"
if [ -d usr/bin ]; then mount --rbind /run/containers/.bin bin; else mount --rbind /usr usr; fi
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t tmpfs -o mode=755 tmpfs dev
for node in null zero full random urandom tty; do : >dev/$node; mount --bind /dev/$node dev/$node; done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mount -t tmpfs -o mode=755 tmpfs run
mkdir run/systemd run/dbus run/log
pivot_root . .
umount -l .
: >/run/ready
exec env -i container=switchyard-test PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "$3" sh /init
