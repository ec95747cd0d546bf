#!/usr/bin/env bash
# Makes a root directory of Debian and keeps it as one archive. The tests of the projects `pool` and
# `packages` and the demo with --pool work in copies of it.
#
#   make-root.sh [KIND]     prints the path of the archive; the work takes about a minute, a repetition seconds
#     pool                  Debian 13 with HTCondor (the default)
#     debian13              Debian 13 with Node.js, where packages are installed
#     debian12              Debian 12 without Node.js
#     newcomer              Debian 13 with only Node.js and npm
#   CREDMON_POOL_ROOT       where the archive of the pool is kept (/var/cache/credmon/pool-root.tar.zst)
#
# Needs root, debootstrap, zstd and Debian's package mirror that this machine uses. A kept archive is made
# again when this file changes, and brought up to date when the mirror has newer packages; without a mirror it
# stays as it is. Beside it, a file .packages lists the versions of the packages.
set -euo pipefail

kind=${1:-pool}
release=trixie
# The last line: what HTCondor's own Python credmon and its web application import.
packages=(htcondor nodejs ca-certificates openssl procps curl python3 util-linux iproute2 socat
  nginx-light apache2 xrootd-server xrootd-plugins xrootd-scitokens-plugins xrootd-client sudo
  python3-requests-oauthlib python3-six python3-flask)
case $kind in
  pool) ;;
  debian13) packages=(nodejs ca-certificates) ;;
  newcomer) packages=(nodejs npm ca-certificates) ;;
  debian12) release=bookworm packages=(ca-certificates) ;;
  *) echo "make-root.sh: unknown kind: $kind" >&2; exit 2 ;;
esac
users=(alice bob)

archive=/var/cache/credmon/$kind-root.tar.zst
if [ "$kind" = pool ]; then archive=${CREDMON_POOL_ROOT:-$archive}; fi
stamp=$(sha256sum "${BASH_SOURCE[0]}" | cut -d' ' -f1)
mkdir -p "$(dirname "$archive")"
exec 9>"$archive.lock"
flock 9

work=$(mktemp -d "$archive.XXXXXX")
root=$work/root
mkdir "$root"
# Nothing of the root may be mounted when it is deleted.
cleanUp() {
  if mountpoint -q "$root/proc"; then umount "$root/proc"; fi
  rm -rf --one-file-system "$work"
}
trap cleanUp EXIT
inside() {
  chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C "$@"
}
pack() {
  umount "$root/proc"
  inside dpkg-query -W > "$archive.packages"
  rm -f "$root/etc/resolv.conf"
  tar --zstd --numeric-owner --exclude='./var/cache/apt/*' --exclude='./usr/share/doc/*' \
    --exclude='./usr/share/locale/*' -cf "$archive.new" -C "$root" .
  mv "$archive.new" "$archive"
  echo "$stamp" > "$archive.stamp"
}

if [ -f "$archive" ] && [ "$(cat "$archive.stamp" 2>/dev/null || true)" = "$stamp" ]; then
  tar --zstd -xf "$archive" -C "$root"
  cp /etc/resolv.conf "$root/etc/resolv.conf"
  mount -t proc proc "$root/proc"
  if ! inside apt-get update -q >&2; then
    echo "make-root.sh: no package mirror; $archive stays as it is" >&2
  elif inside apt-get -s dist-upgrade | grep -q '^Inst '; then
    inside apt-get dist-upgrade -y -q --no-install-recommends >&2
    pack
  fi
else
  mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' | sort -u | grep -v security | head -1)
  debootstrap --variant=minbase "$release" "$root" "${mirror:-http://deb.debian.org/debian}" >&2
  cp /etc/resolv.conf "$root/etc/resolv.conf"
  # No package may start its service here.
  printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
  chmod 755 "$root/usr/sbin/policy-rc.d"
  mount -t proc proc "$root/proc"
  inside apt-get update -q >&2
  inside apt-get install -y -q --no-install-recommends "${packages[@]}" >&2
  for user in "${users[@]}"; do inside useradd --create-home --shell /bin/bash "$user"; done
  pack
fi
echo "$archive"
