#!/bin/sh
# The first process of a user-mode Linux guest whose root is the host's, read-only.
#
# Its kernel's command line gives REPO (this checkout), PYTHON, MODULES (a folder of kernel
# modules), LAYOUT (v1 or v2) and SUITE (a file of tests). It mounts what a machine needs, runs
# the suite and prints "GUEST-EXIT" with pytest's exit code.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root PYTHONDONTWRITEBYTECODE=1
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs -o mode=1777 tmp /tmp
mount -t tmpfs run /run
mkdir -p /dev/pts /dev/shm /run/bin
mount -t devpts devpts /dev/pts
mount -t tmpfs -o mode=1777 shm /dev/shm
ln -s /proc/self/fd /dev/fd
ln -s fd/0 /dev/stdin
ln -s fd/1 /dev/stdout
ln -s fd/2 /dev/stderr
ip link set lo up

if [ "$LAYOUT" = v1 ]; then
    mount -t tmpfs -o mode=755 cgroup /sys/fs/cgroup
    for controller in cpu cpuacct cpuset memory pids blkio freezer devices; do
        mkdir "/sys/fs/cgroup/$controller"
        mount -t cgroup -o "$controller" cgroup "/sys/fs/cgroup/$controller" 2>/dev/null ||
            rmdir "/sys/fs/cgroup/$controller"
    done
else
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
fi

# busybox's insmod, as kmod is not on every machine: what a module needs comes first.
load() {
    line=$(grep "/$1\.ko:" "$MODULES/modules.dep") || return
    for file in $(echo "$line" | tr ': ' '\n\n' | tac); do
        busybox insmod "$MODULES/$file" 2>/dev/null
    done
}
for module in overlay veth bridge br_netfilter nf_tables nf_conntrack_netlink; do
    load "$module"
done

# Debian's user-mode Linux has nf_tables without any family of IP; no test here has a network,
# and an engine's start only takes away a table that is not there.
printf '#!/bin/sh\nexit 0\n' >/run/bin/nft
chmod +x /run/bin/nft
export PATH=/run/bin:$PATH

cd "$REPO" || exit 1
"$PYTHON" -m pytest -q -p no:cacheprovider "$SUITE" 2>&1
echo "GUEST-EXIT $?"
echo o >/proc/sysrq-trigger
sleep 10
