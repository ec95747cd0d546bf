#!/bin/bash
# Runs the steps of a recipe in a copy of a Debian root: bash recipe-run.sh ROOT SCRATCH CHECKOUT
# Started with `unshare -m -p -n -u --fork`, so that nothing of it reaches the machine, and
# all its processes end with it. SCRATCH has step-01.sh, step-02.sh, ...; it gets out-01, ...
set -eu
root=$1 scratch=$2 checkout=$3
mount --make-rprivate /
mkdir -p "$scratch/upper" "$scratch/work" "$scratch/root"
mount -t overlay overlay -o "lowerdir=$root,upperdir=$scratch/upper,workdir=$scratch/work" "$scratch/root"
new=$scratch/root
mount -t proc proc "$new/proc"
mount --bind /dev "$new/dev"
mount -t tmpfs tmpfs "$new/run"
mount -t tmpfs tmpfs "$new/tmp"
chmod 1777 "$new/tmp"
mkdir -p "$new/run/lock"
# What systemd-tmpfiles does at boot.
chroot "$new" install -d -o condor -g condor /run/condor
mkdir -p "$new/usr/local/src/credmon"
cp -r "$checkout/configs" "$new/usr/local/src/credmon/"
node "$checkout/scripts/install.mjs" "$new/usr/local" >/dev/null
hostname recipe
ip link set lo up
for step in "$scratch"/step-*.sh; do
  number=${step##*/step-}
  number=${number%.sh}
  env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
    chroot "$new" /bin/bash -euo pipefail -c "$(cat "$step")" >"$scratch/out-$number" 2>&1 </dev/null ||
    exit 1
done
