#!/bin/busybox sh
# The guest's first process: puts a writable layer over the host's files, which stay untouched, and
# goes on there with the script that the host left in the shared folder. An error ends it, and with
# it the guest: the kernel panics when its first process ends.
set -e
/bin/busybox mkdir -p /dev /proc /sys /host /layer /guest
/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
while read -r module; do insmod "/modules/$module"; done </modules/order

share=trans=virtio,version=9p2000.L,msize=1048576,access=any
mount -t 9p -o "ro,cache=loose,$share" host /host
mount -t tmpfs -o size=75% layer /layer
mkdir /layer/upper /layer/work
mount -t overlay -o lowerdir=/host,upperdir=/layer/upper,workdir=/layer/work guest /guest

cd /guest
for folder in dev proc sys; do mount --move "/$folder" "$folder"; done
# devtmpfs has none of these links.
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr
mkdir -p dev/pts dev/shm
mount -t devpts devpts dev/pts
mount -t tmpfs shm dev/shm
mount -t tmpfs run run
mount -t tracefs tracefs sys/kernel/tracing
mount -t debugfs debugfs sys/kernel/debug
mount -t bpf bpf sys/fs/bpf
mount -t cgroup2 cgroup2 sys/fs/cgroup
mkdir run/shared
mount -t 9p -o "cache=none,$share" shared run/shared
ip link set lo up
# systemd is given a root that is one: it makes others of it for its services.
if [ -e run/shared/command ]; then exec switch_root /guest /bin/sh /run/shared/boot; fi
exec chroot . /bin/sh /run/shared/boot
