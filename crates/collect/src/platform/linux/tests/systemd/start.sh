# Runs systemd as the first process of a machine of its own: own processes, mounts, network and
# control groups, with the units of the folder that is the only argument. Nothing outside is
# touched except a control group, `barograph-test-PID` of this shell, that the caller takes away.
set -e
for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/*; do
  group=$hierarchy/barograph-test-$$
  if [ -f $hierarchy/cgroup.procs ] && mkdir $group; then
    # A group of cpuset takes nobody before it was given processors.
    echo $$ > $group/cgroup.procs 2> /dev/null || rmdir $group
  fi
done
exec unshare --mount --pid --cgroup --net --uts --ipc --fork --kill-child --mount-proc sh -e -c '
  # Mounted again, the hierarchies begin at our own control group.
  if [ -f /sys/fs/cgroup/cgroup.procs ]; then
    umount -R /sys/fs/cgroup
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
  else
    for hierarchy in /sys/fs/cgroup/*; do
      if mountpoint -q $hierarchy; then umount $hierarchy; fi
    done
    mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd
    if [ -d /sys/fs/cgroup/unified ]; then mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified; fi
  fi
  mount -t tmpfs tmpfs /run
  mount --bind "$1" /etc/systemd/system
  exec env -i container=test PATH=/usr/bin:/bin SYSTEMD_UNIT_PATH=/etc/systemd/system \
    /lib/systemd/systemd --system --show-status=no --unit=default.target
' sh "$1"
