# LUKS and LVM.

# What is told of a filesystem that is mounted on /mnt.
tell() { tar --format=posix --xattrs --xattrs-include='*' --numeric-owner --sparse -C /mnt -cf "$(disk "$1")" .; }
# Fills the filesystem on a device, in several goes so that its files are in several pieces.
fill() {
  mount "$1" /mnt
  tar --xattrs --xattrs-include='*' --numeric-owner -C /mnt -xf "$(disk fixture)"
  sync; rm -r /mnt/large; for i in $(seq 1 40); do head -c 150000 /dev/urandom > /mnt/noise-$i; done
  sync; for i in $(seq 1 3 40); do rm /mnt/noise-$i; done; head -c 3000000 /dev/urandom > /mnt/late
  umount /mnt
}
one=$(printf 'the first one') two=$(printf 'the second one') three=$(printf 'the third one')
argon="--pbkdf argon2id --pbkdf-memory 65536 --pbkdf-parallel 1 --pbkdf-force-iterations 4"

# LUKS2: three slots with keys of their own, one of them of another kind.
luks() { # NAME OPTIONS...
  local device; device=$(disk "$1")
  printf %s "$one" | cryptsetup luksFormat -q --type luks2 --cipher aes-xts-plain64 --key-size 512 $argon "${@:2}" "$device" -
  printf %s "$two" > /tmp/two; printf %s "$three" > /tmp/three
  printf %s "$one" | cryptsetup luksAddKey -q --key-file - $argon "$device" /tmp/two
  printf %s "$one" | cryptsetup luksAddKey -q --key-file - --pbkdf pbkdf2 --pbkdf-force-iterations 2000 "$device" /tmp/three
  printf %s "$two" | cryptsetup open --key-file - "$device" clear
  mkfs.ext4 -q /dev/mapper/clear; fill /dev/mapper/clear; cryptsetup close clear
  printf %s "$three" | cryptsetup open --key-file - "$device" clear
  mount -o ro,noload /dev/mapper/clear /mnt; tell "$1.tar"; umount /mnt; cryptsetup close clear
  echo "made $1"
}
luks luks
luks luks-4k --sector-size 4096

# LVM: four physical volumes, on which every kind of volume lies that the kernel maps for us.
pvs=(); for i in 0 1 2 3; do pvs+=("$(disk pv$i)"); done
vgcreate -q vg0 "${pvs[@]}"
lv() { lvcreate -q -y -Wn -Zn -an -n "$1" "${@:3}" -L "$2" vg0 ${on[$1]:-}; }
declare -A on=([degraded]="${pvs[3]} ${pvs[2]}")
lv linear 1200M
lv striped 360M -i 3 -I 64k
lv raid1 64M --type raid1 -m 1
lv mirror 64M --type mirror -m 1
lv degraded 64M --type raid1 -m 1
lv crypt 64M
declare -A type=([linear]=ext4 [striped]=xfs [raid1]=ext4 [mirror]=ext4 [degraded]=ext4)
synced() { for i in $(seq 1 300); do [ "$(lvs --noheadings -o sync_percent vg0/$1 | tr -d ' ')" = 100.00 ] && return; sleep 1; done; false; }
for name in linear striped raid1 mirror degraded; do
  lvchange -q -ay vg0/$name; mkfs.${type[$name]} -q /dev/vg0/$name; fill /dev/vg0/$name
  case $name in raid1|mirror|degraded) synced $name;; esac
  lvchange -q -an vg0/$name; echo "made $name"
done
lvchange -q -ay vg0/crypt
printf %s "$one" | cryptsetup luksFormat -q --type luks2 $argon /dev/vg0/crypt -
printf %s "$one" | cryptsetup open --key-file - /dev/vg0/crypt clear
mkfs.ext4 -q /dev/mapper/clear; fill /dev/mapper/clear
mount -o ro,noload /dev/mapper/clear /mnt; tell crypt.tar; umount /mnt
cryptsetup close clear; lvchange -q -an vg0/crypt; echo "made crypt"

# Reads a volume of the group back after a fresh activation.
declare -A option=([ext4]=noload [xfs]=norecovery)
read_back() { # NAME OPTIONS...
  lvchange -q -ay "${@:2}" vg0/$1
  mount -o ro,${option[${type[$1]}]} /dev/vg0/$1 /mnt; tell $1.tar; umount /mnt
  lvchange -q -an vg0/$1; echo "told $1"
}
for name in linear striped raid1 mirror; do read_back $name; done
# The first leg goes, and what is written then is on the other alone.
echo 1 > "/sys/block/$(basename "${pvs[3]}")/device/../remove"; sleep 1
lvchange -q -ay --activationmode degraded vg0/degraded
mount /dev/vg0/degraded /mnt; head -c 5000000 /dev/urandom > /mnt/after; rm /mnt/late; umount /mnt
lvchange -q -an vg0/degraded
read_back degraded --activationmode degraded
lvs -a -o lv_name,segtype,lv_attr,devices vg0
finish done
