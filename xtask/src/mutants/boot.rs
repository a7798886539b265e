//! Damaged initial filesystems, and menus of GRUB.

use anyhow::Result;

use super::{Target, exercise};
use crate::oracle::Work;

pub(super) fn targets() -> Vec<Target> {
    let target =
        |name, seeds, exercise| Target { name, seeds, fix: nothing, exercise, refused: &[] };
    vec![
        target("initramfs", initramfs as fn(&Work) -> _, exercise::initramfs as fn(_) -> _),
        target("grub", grub, exercise::grub),
    ]
}

/// An archive in front, as microcode is, and one behind it that is packed in each way there is.
fn initramfs(work: &Work) -> Result<Vec<Vec<u8>>> {
    work.bash(
        r#"mkdir -p tree/lib/modules/1/kernel early/kernel
for name in virtio_net xen-blkfront other; do head -c 700 /usr/bin/env > tree/lib/modules/1/kernel/$name.ko; done
echo x > early/kernel/microcode; ln -s a tree/b
(cd tree; find . | cpio --quiet -o -H newc) > plain; (cd early; find . | cpio --quiet -o -H newc) > early.cpio
pack() { cat early.cpio - > packed-$1; }
gzip -c plain | pack gzip; xz -c --check=crc32 plain | pack xz; zstd -qc plain | pack zstd
lz4 -qlc plain | pack lz4; lzop -c plain | pack lzop; xz -c --format=lzma plain | pack lzma; pack plain < plain"#,
    )?;
    ["plain", "gzip", "xz", "zstd", "lz4", "lzop", "lzma"]
        .iter()
        .map(|name| Ok(std::fs::read(work.path(&format!("packed-{name}")))?))
        .collect()
}

/// A menu with everything in it, and an environment that chooses.
fn grub(_: &Work) -> Result<Vec<Vec<u8>>> {
    const MENU: &str = r#"
if [ -s $prefix/grubenv ]; then load_env; fi
set default="${saved_entry}"
function kernel { set extra="$1"; }
if [ x"${feature_menuentry_id}" = xy -a ! -f /none ]; then id="--id"; elif cpuid -l; then id=; else id=2; fi
for i in 1 2 3; do set x=$i; done
blscfg
menuentry 'One' --class a $id 'one' { search --fs-uuid --set=root 1-2; linux /vmlinuz-1 a "b $extra"; initrd /i }
submenu "More" --id more {
  menuentry Two --id=two { kernel a; linux /boot/vmlinuz-1 $extra
  }
}
"#;
    const REST: &str = "saved_entry=more>two\nDEFAULT a\nLABEL a\nKERNEL vmlinuz-1\nAPPEND x\n\
        title T\nlinux /vmlinuz-1\noptions $saved_entry\n";
    Ok(vec![[MENU.as_bytes(), &[0], REST.as_bytes()].concat()])
}

fn nothing(_: &mut [u8], _: usize) {}
