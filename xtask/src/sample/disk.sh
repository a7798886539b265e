# What samples/machine.qcow2 starts with, and the disk that all of it is put on.

# `kernel RELEASE` has the boot header of x86, which leads to the text that says the release.
kernel() {
  head -c 32768 /dev/zero > "boot/vmlinuz-$1"
  at() { dd of="boot/vmlinuz-$2" bs=1 seek=$(($1)) conv=notrunc status=none; }
  printf '\x1f' | at 0x1f1 "$1"
  printf '\x55\xaa\xeb\x66HdrS\x0f\x02' | at 0x1fe "$1"
  printf '\x00\x3a' | at 0x20e "$1"
  printf '%s (buildd@example) #%s SMP' "$1" "${1//[!0-9]/}" | at 0x3c00 "$1"
}
# `tree RELEASE` is a folder of modules, with what is built in and what is not.
tree() {
  mkdir -p "root/usr/lib/modules/$1"
  printf 'kernel/drivers/%s.ko\n' virtio/virtio virtio/virtio_ring virtio/virtio_pci > "root/usr/lib/modules/$1/modules.builtin"
  printf 'kernel/%s.ko:\n' drivers/block/virtio_blk drivers/scsi/virtio_scsi drivers/net/virtio_net \
    drivers/virtio/virtio_balloon drivers/scsi/vmw_pvscsi drivers/net/vmxnet3/vmxnet3 \
    drivers/misc/vmw_vmci/vmw_vmci fs/btrfs/btrfs > "root/usr/lib/modules/$1/modules.dep"
}
# An initial filesystem with the modules of the platform that it was made on: microcode first, as it
# is, and behind it the archive itself, packed.
archive() { (cd "$1"; find . -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +; find . | sort | cpio -o -H newc --reproducible --quiet -R 0:0); }
initial() {
  rm -rf early main; mkdir -p early/kernel/x86/microcode main/usr/lib/modules/"$1"/kernel/drivers/{scsi,net/vmxnet3} main/conf
  echo microcode > early/kernel/x86/microcode/GenuineIntel.bin
  ln -s usr/lib main/lib
  echo module > main/usr/lib/modules/"$1"/kernel/drivers/scsi/vmw_pvscsi.ko
  echo module > main/usr/lib/modules/"$1"/kernel/drivers/net/vmxnet3/vmxnet3.ko
  echo module > main/usr/lib/modules/"$1"/kernel/drivers/net/virtio_net.ko
  echo MODULES=dep > main/conf/initramfs.conf
  { archive early; archive main | zstd -q -19; } > "boot/initrd.img-$1"
}
mkdir -p boot/grub boot/efi
for release in 5.15.0-122-generic 5.15.0-125-generic; do kernel $release; tree $release; initial $release; done
ln -s vmlinuz-5.15.0-125-generic boot/vmlinuz
ln -s initrd.img-5.15.0-125-generic boot/initrd.img
head -c 1024 /dev/zero | tr '\0' '#' > boot/grub/grubenv
printf '# GRUB Environment Block\n' | dd of=boot/grub/grubenv conv=notrunc status=none
cat > boot/grub/grub.cfg <<'X'
if [ -s $prefix/grubenv ]; then
  set have_grubenv=true
  load_env
fi
if [ "${next_entry}" ] ; then
  set default="${next_entry}"
  set next_entry=
  save_env next_entry
else
  set default="0"
fi
set timeout=2
function gfxmode { set gfxpayload="${1}"; }
menuentry 'Ubuntu' --class ubuntu --id 'gnulinux-simple-5ab0f00d' {
  search --no-floppy --fs-uuid --set=root 5ab0f00d-0000-4000-8000-000000000012
  linux /vmlinuz-5.15.0-125-generic root=UUID=5ab0f00d-0000-4000-8000-000000000011 ro rootflags=subvol=@ quiet splash
  initrd /initrd.img-5.15.0-125-generic
}
submenu 'Advanced options for Ubuntu' --id 'gnulinux-advanced-5ab0f00d' {
  menuentry 'Ubuntu, with Linux 5.15.0-125-generic' --id 'gnulinux-5.15.0-125-generic-advanced-5ab0f00d' {
    linux /vmlinuz-5.15.0-125-generic root=UUID=5ab0f00d-0000-4000-8000-000000000011 ro rootflags=subvol=@ quiet splash
    initrd /initrd.img-5.15.0-125-generic
  }
  menuentry 'Ubuntu, with Linux 5.15.0-122-generic' --id 'gnulinux-5.15.0-122-generic-advanced-5ab0f00d' {
    linux /vmlinuz-5.15.0-122-generic root=UUID=5ab0f00d-0000-4000-8000-000000000011 ro rootflags=subvol=@ quiet splash
    initrd /initrd.img-5.15.0-122-generic
  }
}
X

truncate -s 1G disk
sgdisk -a 2048 -U 5AB0F00D-0000-4000-8000-000000000010 \
  -n 1:0:+32M -t 1:ef00 -c 1:EFI -n 2:0:+64M -t 2:8300 -c 2:boot \
  -n 3:0:+64M -t 3:8200 -c 3:swap -n 4:0:+512M -t 4:8300 -c 4:system \
  -u 1:5AB0F00D-0000-4000-8000-000000000021 -u 2:5AB0F00D-0000-4000-8000-000000000022 \
  -u 3:5AB0F00D-0000-4000-8000-000000000023 -u 4:5AB0F00D-0000-4000-8000-000000000024 disk >/dev/null
offset() { echo $(( $(sgdisk -i "$1" disk | awk '/First sector/ { print $3 }') * 512 )); }
onto() { dd if="$2" of=disk bs=1M seek="$(offset "$1")" oflag=seek_bytes conv=notrunc,sparse status=none; }

truncate -s 32M efi.img
mkfs.fat -F 16 -n EFI -i 5AB0F013 efi.img >/dev/null
mmd -i efi.img ::/EFI ::/EFI/ubuntu ::/EFI/BOOT
printf 'not a boot loader\n' > loader
touch -d "@$SOURCE_DATE_EPOCH" loader
for name in ubuntu/shimx64.efi ubuntu/grubx64.efi BOOT/BOOTX64.EFI; do mcopy -m -i efi.img loader "::/EFI/$name"; done
onto 1 efi.img

find boot -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH mke2fs -q -t ext4 -L boot -U 5ab0f00d-0000-4000-8000-000000000012 \
  -E root_owner=0:0,hash_seed=5ab0f00d-0000-4000-8000-00000000001a,lazy_itable_init=1 -d boot boot.img 64M
onto 2 boot.img

truncate -s 64M swap.img
mkswap -q -L swap -U 5ab0f00d-0000-4000-8000-000000000014 swap.img
onto 3 swap.img

# Only the kernel makes subvolumes, and gives each a UUID and the time of day.
chown -R 0:0 root
chown -R 1000:1000 root/home/ops; chown -R 1001:1001 root/home/deploy; chown -R 1002:1002 root/home/reports
chown -R 113:120 root/var/lib/postgresql; chown -R 998:998 root/srv/shop
chown 0:42 root/etc/shadow; chown 0:101 root/usr/bin/crontab; chown 1001:101 root/var/spool/cron/crontabs/deploy
chmod 4755 root/usr/bin/{sudo,passwd} root/usr/local/bin/stock-import; chmod 2755 root/usr/bin/crontab
chmod 755 root/home/reports; chmod 711 root/var/lib/docker; chmod 700 root/var/lib/postgresql/14/main
find root -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
truncate -s 512M system.img
mkfs.btrfs -q -m single -L system -U 5ab0f00d-0000-4000-8000-000000000011 system.img
mkdir mnt; mount -o loop,noatime,compress=zstd system.img mnt
btrfs -q subvolume create mnt/@; btrfs -q subvolume create mnt/@home
cp -a root/home/. mnt/@home/; rm -rf root/home/*
cp -a root/. mnt/@/
umount mnt
onto 4 system.img
qemu-img convert -c -O qcow2 -o compression_type=zstd disk machine.qcow2
