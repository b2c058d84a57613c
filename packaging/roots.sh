# Clean Debian 12 roots below build/roots, for the scripts beside this one; as root, after setup.sh package.

roots=$PWD/build/roots
mkdir -p "$roots"

fail() { echo "failed: $*" >&2; exit 1; }

# Prints the folder of a fresh root, which has what debootstrap calls minbase; the mirror is that of this machine.
fresh_root() { # NAME
  local folder=$roots/base root=$roots/$1
  if [[ ! -e $folder.done ]]; then
    rm -rf "$folder"
    debootstrap --variant=minbase bookworm "$folder" \
      "$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | sed -n 1p)" >"$roots/base.log" ||
      { tail "$roots/base.log" >&2; fail debootstrap; }
    touch "$folder.done"
  fi
  rm -rf "$root"
  cp -a "$folder" "$root"
  cp /etc/resolv.conf /etc/hosts "$root/etc/"
  echo "$root"
}

# Runs a command in the root, with /proc, by which the program finds its plugins.
inside() { # ROOT COMMAND...
  unshare --mount sh -c 'root=$1; shift; mount --bind /proc "$root/proc" && exec chroot "$root" "$@"' sh \
    "$1" env -i PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin HOME=/root LC_ALL=C.UTF-8 "${@:2}"
}
