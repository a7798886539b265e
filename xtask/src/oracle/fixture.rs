//! The tree of files that golden images are filled with: every shape that has ever tripped a
//! reader, the same on every run.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;

use crate::shell;

/// What the filesystem under test can hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Abilities {
    /// Owners, modes, device nodes, sockets and pipes.
    pub(crate) unix: bool,
    /// Symbolic links.
    pub(crate) symlinks: bool,
    /// Hard links.
    pub(crate) hard_links: bool,
    /// Extended attributes of any namespace.
    pub(crate) xattrs: bool,
    /// Names that are not UTF-8 or hold odd characters.
    pub(crate) odd_names: bool,
    /// How many entries the large directory has.
    pub(crate) large_directory: usize,
    /// About how many bytes the largest files have.
    pub(crate) large_file: u64,
}

impl Abilities {
    /// All that Linux filesystems can do.
    pub(crate) const LINUX: Self = Self {
        unix: true,
        symlinks: true,
        hard_links: true,
        xattrs: true,
        odd_names: true,
        large_directory: 3000,
        large_file: 8 << 20,
    };
}

/// Fills `directory`.
pub(crate) fn populate(directory: &Path, abilities: Abilities) -> Result<()> {
    let mut script = String::from(
        r#"
umask 022
# Bytes that are the same on every run and do not compress.
noise() { openssl enc -aes-128-ctr -K 000102030405060708090a0b0c0d0e0f -iv "$(printf '%032x' "$2")" -in /dev/zero 2>/dev/null | head -c "$1" || true; }
mkdir -p etc var/lib/dpkg usr/share/doc home/ada/.ssh tmp empty
printf 'NAME="Fathom test"\nID=fathom\nVERSION_ID="1"\n' > etc/os-release
printf 'host\n' > etc/hostname
: > empty-file
printf 'x' > one-byte
for size in 59 60 61 159 160 161 511 512 513 1023 1024 1025 2048 4095 4096 4097 65535 65536 65537 1048577; do
  noise $size $size > "usr/share/doc/size-$size"
done
yes 'a line that compresses well' | head -c 700000 > usr/share/doc/compressible || true
"#,
    );
    let _ = writeln!(script, "noise {} 77 > var/lib/dpkg/status", abilities.large_file);
    let _ = writeln!(
        script,
        r#"
# Holes: at the start, in the middle, at the end, and nothing but one.
truncate -s {large} sparse-tail; noise 5000 1 | dd of=sparse-tail conv=notrunc status=none
truncate -s {large} sparse-head; noise 5000 2 | dd of=sparse-head bs=1 seek=$(({large} - 5000)) conv=notrunc status=none
truncate -s {large} sparse-all
truncate -s {large} sparse-comb
for at in 1 3 5 7 9 40 41 42 200 1000; do noise 4096 $at | dd of=sparse-comb bs=4096 seek=$at conv=notrunc status=none; done
# A directory that needs an index, names of every length.
mkdir large; (cd large; pad=$(printf 'n%.0s' {{1..40}}); for ((i = 1; i <= {entries}; i++)); do echo $i > "entry-$i-${{pad:0:i % 40}}"; done)
mkdir names; (cd names; for letter in {{a..z}}; do pads+=("$(printf "$letter%.0s" {{1..255}})"); done
  for ((i = 1; i <= 255; i++)); do pad=${{pads[i % 26]}}; : > "${{pad:0:i}}"; done)
mkdir -p deep/$(printf 'd/%.0s' $(seq 1 60)); echo bottom > deep/$(printf 'd/%.0s' $(seq 1 60))file
touch -d '1969-07-20 20:17:40.5 UTC' before-1970 || true
touch -d '1931-05-06 07:08:09.123456789 UTC' long-before-1970 || true
touch -d '2038-01-19 03:14:08.25 UTC' after-2038 || true
touch -d '2106-02-07 06:28:16 UTC' after-2106 || true
touch -d '2024-02-29 12:34:56.789012345 UTC' etc/hostname
"#,
        large = abilities.large_file,
        entries = abilities.large_directory,
    );
    if abilities.odd_names {
        script.push_str(
            r#"
mkdir odd; (cd odd
: > $'new\nline'; : > $'tab\there'; : > $'not-utf8-\xff\xfe'; : > ' leading'; : > 'trailing '; : > '-rf'
: > $'\x01\x02'; : > 'back\slash'; : > "quote'\""; : > 'émoji-😀'; : > '日本語'; : > ':colon'; : > '*star?')
"#,
        );
    }
    if abilities.symlinks {
        script.push_str(
            r#"
ln -s etc/os-release link-relative; ln -s /etc/os-release link-absolute; ln -s nowhere link-dangling
ln -s "$(printf 'a%.0s' $(seq 1 59))" link-59; ln -s "$(printf 'b%.0s' $(seq 1 60))" link-60
ln -s "$(printf 'c%.0s' $(seq 1 200))" link-200; ln -s "$(printf 'e%.0s' $(seq 1 1000))" link-1000
ln -s ../../../../etc/hostname link-out; ln -s link-loop-b link-loop-a; ln -s link-loop-a link-loop-b
"#,
        );
    }
    if abilities.hard_links {
        script.push_str("ln etc/hostname hard-1; ln etc/hostname home/hard-2\n");
    }
    if abilities.unix {
        script.push_str(
            r#"
mknod dev-char c 1 3; mknod dev-block b 8 17; mknod dev-large c 300 70000; mkfifo pipe
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")' 2>/dev/null || perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => "socket", Listen => 1)'
chown 1000:1001 home/ada; chown 70000:80000 home/ada/.ssh; chmod 700 home/ada/.ssh; chmod 1777 tmp
cp etc/hostname suid; chmod 4755 suid; cp etc/hostname sgid; chmod 2711 sgid; chmod 000 etc/hostname
"#,
        );
    }
    if abilities.xattrs {
        script.push_str(
            r#"
setfattr -n user.small -v value etc/os-release; setfattr -n user.empty etc/os-release
setfattr -n user.binary -v 0x00ff0a0d00 etc/os-release; setfattr -n trusted.t -v trust etc/os-release
setfattr -n security.selinux -v system_u:object_r:etc_t:s0 etc
# Some keep all attributes of a file in one small block.
setfattr -n user.large -v "$(printf 'L%.0s' $(seq 1 2000))" one-byte || setfattr -n user.large -v "$(printf 'L%.0s' $(seq 1 600))" one-byte
for i in $(seq 1 20); do setfattr -n "user.many-$i" -v "$(printf "v%.0s" $(seq 1 $i))" empty-file; done
setcap cap_net_raw+ep suid 2>/dev/null || setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 suid
setfacl -m u:1234:rwx -m g:4321:r one-byte; setfacl -d -m u:1234:rwx home
"#,
        );
    }
    shell::bash(directory, &script)?;
    Ok(())
}
