#!/bin/bash
# The first and only process of the appliance, of which the work follows. It makes volumes with the
# tools and the kernel that own them, fills them, reads everything back after a fresh activation, and
# writes what it read to disks of their own. Everything it says goes to the console, which the host
# keeps.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 TZ=UTC DM_DISABLE_UDEV=1
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp; mount -t tmpfs run /run
finish() { sync; echo "appliance: $1"; echo 1 > /proc/sys/kernel/sysrq; echo b > /proc/sysrq-trigger; sleep 60; }
trap 'finish "failed in line $LINENO"' ERR
set -eE -o pipefail
for module in virtio_pci virtio_blk dm_mod dm_crypt dm_raid dm_mirror dm_snapshot raid1 xfs \
  raid0 raid10 raid456 linear md_mod ext4 xts aesni_intel; do modprobe $module || echo "no $module"; done
# A disk by the name that the host gave it.
disk() { grep -lx "$1" /sys/block/vd*/serial | cut -d/ -f4 | sed 's,^,/dev/,'; }

mkdir -p /etc/lvm /run/lvm
cat > /etc/lvm/lvm.conf <<'END'
devices { use_devicesfile=0 obtain_device_list_from_udev=0 external_device_info_source="none" hints="none" }
activation { udev_sync=0 udev_rules=0 monitoring=0 raid_fault_policy="warn" mirror_log_fault_policy="warn" mirror_image_fault_policy="warn" }
global { use_lvmpolld=0 event_activation=0 }
backup { backup=0 archive=0 }
END

mkdir -p /mnt

