# Fresh Debian 12 roots for the packages' test: kept as archives, entered by chroot, or booted with systemd in namespaces
# of their own. For root alone.

fresh_debian_cache=${XDG_CACHE_HOME:-$HOME/.cache}/skiff/debian-12
fresh_debian_environment=(env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive)

# Why there can be none here; nothing where there can.
why_no_fresh_debian() {
  [ "$(id -u)" -eq 0 ] || { echo "not root"; return; }
  command -v debootstrap >/dev/null || { echo "no debootstrap"; return; }
  unshare --mount --pid --fork true 2>/dev/null || echo "no namespaces"
}

# keep_root FOLDER ARCHIVE: whole or not at all.
keep_root() {
  tar -C "$1" --one-file-system -czf "$2.new" . && mv "$2.new" "$2"
}

# make_fresh_debian ARCHIVE PACKAGE...: with these packages and what they need. Says what is wrong, should it fail.
make_fresh_debian() {
  [ ! -e "$1" ] || return 0
  local root=$fresh_debian_cache/new log=$fresh_debian_cache/log
  mkdir -p "$fresh_debian_cache"
  rm -rf "$root"
  {
    debootstrap --variant=minbase bookworm "$root" \
      && in_root "$root" apt-get update \
      && in_root "$root" apt-get install --yes --no-install-recommends "${@:2}" \
      && in_root "$root" sh -c 'apt-get clean && rm -rf /var/lib/apt/lists/*' \
      && keep_root "$root" "$1"
  } >"$log" 2>&1 || { tail -n 3 "$log"; return 1; }
  rm -rf "$root"
}

# unpack_root ARCHIVE FOLDER
unpack_root() { mkdir -p "$2" && tar -C "$2" -xzf "$1"; }

# in_root FOLDER COMMAND...: no process that it starts is left behind.
in_root() {
  unshare --mount --pid --fork --kill-child --mount-proc="$1/proc" chroot "$1" "${fresh_debian_environment[@]}" "${@:2}"
}

# Every file and folder of a root, one a line.
files_of_root() {
  (cd "$1" && find . -xdev \( -path ./proc -o -path ./sys -o -path ./dev -o -path ./run -o -path ./tmp \) -prune -o -print) | LC_ALL=C sort
}

# boot_root FOLDER: starts systemd in it, without a network, and sets `booted` to its process; fails where it does not come up.
# It gets a cgroup of its own, for it takes the whole of what it sees for its own.
boot_root() {
  local root=$1 cgroups unshare_pid
  cgroups=$(findmnt -n -t cgroup2 -o TARGET | head -n 1)
  [ -n "$cgroups" ] || return 1
  booted_cgroup=$cgroups/skiff-packaging-$$
  mkdir "$booted_cgroup"
  (
    echo "$BASHPID" >"$booted_cgroup/cgroup.procs"
    exec unshare --mount --pid --fork --kill-child --cgroup --net --uts --ipc \
      bash -c "
        set -e
        mount --make-rprivate /
        mount --bind \"\$0\" \"\$0\"
        mount -t proc proc \"\$0/proc\"
        mount -t sysfs -o ro sysfs \"\$0/sys\"
        mount -t cgroup2 cgroup2 \"\$0/sys/fs/cgroup\"
        mount -t tmpfs tmpfs \"\$0/run\"
        ip link set lo up
        exec chroot \"\$0\" ${fresh_debian_environment[*]} container=test /lib/systemd/systemd" "$root"
  ) </dev/null >"$root.boot.log" 2>&1 &
  unshare_pid=$!
  local deadline=$((SECONDS + 60))
  until booted=$(pgrep -P "$unshare_pid") && in_booted systemctl --quiet is-active multi-user.target 2>/dev/null; do
    [ "$SECONDS" -lt "$deadline" ] && kill -0 "$unshare_pid" 2>/dev/null || return 1
    sleep 0.2
  done
}

in_booted() { nsenter --target "$booted" --mount --pid --net --uts --ipc --cgroup --root --wd "${fresh_debian_environment[@]}" "$@"; }

# Ends all that runs in the root that was booted.
stop_booted() {
  [ -z "${booted:-}" ] || kill -KILL "$booted" 2>/dev/null || true
  booted=
  wait
  [ -z "${booted_cgroup:-}" ] || find "$booted_cgroup" -depth -type d -exec rmdir {} + 2>/dev/null || true
}
