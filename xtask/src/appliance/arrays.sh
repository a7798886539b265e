# Arrays of md, one after the other in partitions of the same number on every disk of members. What
# there is to make stands in /arrays: the number of the partition, a name, how many members, the
# place of what is told of it in MiB, and the options of mdadm.

mkdir -p /run/mdadm
member() { echo "$(disk "member$1")$2"; }
members() { local i; for i in $(seq 0 $(($1 - 1))); do member "$i" "$2"; done; }
tell() { tar --format=posix --xattrs --xattrs-include='*' --numeric-owner --sparse -C /mnt -cf - . | dd of="$(disk told)" bs=1M seek="$1" conv=notrunc status=none; }
fill() { # DEVICE
  mkfs.ext4 -q -b 4096 "$1"; mount "$1" /mnt
  tar --xattrs --xattrs-include='*' --numeric-owner -C /mnt -xf "$(disk fixture)" 2> /dev/null
  for i in 1 2 3; do head -c 200000 /dev/urandom > /mnt/noise-$i; done
  sync; rm /mnt/noise-2; head -c 900000 /dev/urandom > /mnt/late
  umount /mnt
}
show() { mount -o ro,noload "$1" /mnt; tell "$place"; umount /mnt; }
start() { mdadm --assemble --quiet --run "/dev/md$number" "$@"; }
stop() { mdadm --stop --quiet "/dev/md$number"; }
# Arrays on the same disks would wait for each other, and for one that is kept slow forever.
settle() {
  [ ! -e "/sys/block/md$number/md/sync_force_parallel" ] || echo 1 > "/sys/block/md$number/md/sync_force_parallel"
  mdadm --wait "/dev/md$number" > /dev/null || true
}
create() { # MEMBERS... -- OPTIONS...
  local on=(); while [ "$1" != -- ]; do on+=("$1"); shift; done; shift
  mdadm --create "/dev/md$number" --run --homehost=appliance --name="$name" --raid-devices="$devices" "$@" "${on[@]}" 2>&1
  settle
}
slow() { echo 1 > "/sys/block/md$number/md/sync_force_parallel"; echo 1 > "/sys/block/md$number/md/sync_speed_min"; echo 1 > "/sys/block/md$number/md/sync_speed_max"; }
# Adds to the layout in a superblock of version 1.2, and to its checksum.
patch() { # MEMBER DELTA
  local at value
  for at in 4172 4312; do
    value=$(($(od -An -tu4 -j $at -N 4 "$1") + $2))
    printf "$(printf '\\x%02x\\x%02x\\x%02x\\x%02x' $((value & 255)) $((value >> 8 & 255)) $((value >> 16 & 255)) $((value >> 24 & 255)))" | dd of="$1" bs=1 seek=$at conv=notrunc status=none
  done
}
# The byte of its data offset on a member, in sectors.
offset() { od -An -tu8 -j 4224 -N 8 "$1" | tr -d ' '; }

# What is written by no filesystem, but in a pattern: chunks of 4 KiB, each of which starts with its
# number and is filled with a byte of that.
tiny() {
  head -c "$(blockdev --getsize64 "/dev/md$number")" "$(disk pattern)" > "/dev/md$number"
}

# Makes one, fills it, tells what is in it, and leaves it as it should be found.
make() {
  number=$((part + 10)); on=($(members "$devices" "$part"))
  work=fill
  case $name in tiny-*)
    work=tiny
    # By default there would be no room for data.
    case $options in *0.90*|*=1.0*) ;; *) options="$options --data-offset=64";; esac;;
  esac
  case $name in
    *patched*)
      delta=${options%% *}
      create "${on[@]}" -- ${options#* } --assume-clean; stop
      for one in "${on[@]}"; do patch "$one" "$delta"; done
      start "${on[@]}"; $work "/dev/md$number";;
    stale*)
      create "${on[@]}" -- $options; fill "/dev/md$number"
      mdadm "/dev/md$number" --quiet --fail "${on[1]}"; sleep 1; mdadm "/dev/md$number" --quiet --remove "${on[1]}"
      mount "/dev/md$number" /mnt; rm /mnt/late; head -c 700000 /dev/urandom > /mnt/after; umount /mnt
      unset 'on[1]';;
    bad*)
      create "${on[@]}" -- $options; fill "/dev/md$number"; stop
      # Half of the first member is said to be bad, and then is.
      from=$(($(offset "${on[0]}") + 2048)); start "${on[@]}"
      for at in $(seq 0 512 7680); do echo "$((from + at)) 512" > "/sys/block/md$number/md/dev-$(basename "${on[0]}")/bad_blocks"; done
      mount "/dev/md$number" /mnt; touch /mnt/marked; umount /mnt
      sleep 1; stop; dd if=/dev/urandom of="${on[0]}" bs=512 seek=$from count=8192 conv=notrunc status=none; start "${on[@]}";;
    spare*) create "${on[@]}" "$(member "$devices" "$part")" -- $options; fill "/dev/md$number";;
    journal*)
      create "${on[@]}" -- $options --write-journal="$(member "$devices" "$part")"; fill "/dev/md$number"; stop
      start "${on[@]}" "$(member "$devices" "$part")"; show "/dev/md$number"; stop; return;;
    lvm*)
      create "${on[@]}" -- $options; pvcreate -q "/dev/md$number"; vgcreate -q vgmd "/dev/md$number"
      lvcreate -q -y -Wn -Zn -n inner -l 100%FREE vgmd; fill /dev/vgmd/inner; show /dev/vgmd/inner
      vgchange -q -an vgmd; stop; return;;
    luks*)
      create "${on[@]}" -- $options
      printf %s secret | cryptsetup luksFormat -q --type luks2 --luks2-metadata-size 16k --luks2-keyslots-size 512k --pbkdf pbkdf2 --pbkdf-force-iterations 2000 "/dev/md$number" -
      printf %s secret | cryptsetup open --key-file - "/dev/md$number" clear
      fill /dev/mapper/clear; show /dev/mapper/clear; cryptsetup close clear; stop; return;;
    parted*)
      create "${on[@]}" -- $options
      printf 'label: gpt\nsize=3M\nsize=+\n' | sfdisk -q "/dev/md$number" 2> /dev/null; sleep 1
      fill "/dev/md${number}p2"; show "/dev/md${number}p2"; stop; return;;
    whole*)
      devices=2; on=("$(disk "$name-0")" "$(disk "$name-1")"); create "${on[@]}" -- $options
      printf 'label: dos\nsize=3M\nsize=+\n' | sfdisk -q "/dev/md$number" 2> /dev/null; sleep 1
      fill "/dev/md${number}p2"; show "/dev/md${number}p2"; stop; return;;
    *) create "${on[@]}" -- $options; $work "/dev/md$number";;
  esac
  stop
  if [ $work = fill ]; then start "${on[@]}"; show "/dev/md$number"; stop; fi
  case $name in
    # These are as they are when the power fails.
    dirty*)
      start "${on[@]}"; echo 10000 > "/sys/block/md$number/md/safe_mode_delay"
      mount "/dev/md$number" /mnt; head -c 300000 /dev/urandom > /mnt/during; sync; tell "$place"; umount /mnt;;
    rebuild*)
      start "${on[@]}"; mdadm "/dev/md$number" --quiet --fail "${on[1]}"; sleep 1; mdadm "/dev/md$number" --quiet --remove "${on[1]}"
      mdadm --zero-superblock "${on[1]}"; dd if=/dev/urandom of="${on[1]}" bs=1M count=10 conv=notrunc status=none
      slow; mdadm "/dev/md$number" --quiet --add "${on[1]}"; sleep 3;;
    replace*)
      start "${on[@]}"; slow; mdadm "/dev/md$number" --quiet --add "$(member "$devices" "$part")"
      mdadm "/dev/md$number" --quiet --replace "${on[1]}"; sleep 3;;
    reshape*)
      start "${on[@]}"; mdadm "/dev/md$number" --quiet --add "$(member "$devices" "$part")"; slow
      mdadm --grow "/dev/md$number" --quiet --raid-devices=$((devices + 1)); sleep 3;;
  esac
}

# One that cannot be made keeps none of the others from it; that nothing is told of it is noticed.
trap - ERR; set +e
while read -r part name devices place options; do
  (set -e; make)
  [ $? = 0 ] && echo "made $name" || { echo "not made: $name"; umount /mnt; mdadm --stop "/dev/md$((part + 10))"; }
done < /arrays
cat /proc/mdstat
finish done
