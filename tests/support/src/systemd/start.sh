# Hands PID 1 over to systemd. What of /proc is the machine's is out of its reach: it raises limits as it starts, and would
# take the controllers of version 1 of the cgroups.
mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys
mount --bind /dev/null /proc/cgroups
exec env -i container=switchyard-test PATH=/usr/sbin:/usr/bin SYSTEMD_LOG_TARGET=console \
    /usr/lib/systemd/systemd --system --unit=sandbox.target --log-target=console --show-status=no
