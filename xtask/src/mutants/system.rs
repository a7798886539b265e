//! Damaged files of a whole system: databases of packages, accounts, units, mounts, one of every kind.

use anyhow::Result;

use super::{Target, exercise};
use crate::oracle::Work;

pub(super) fn targets() -> Vec<Target> {
    vec![Target { name: "system", seeds, fix: |_, _| {}, exercise: exercise::system, refused: &[] }]
}

fn seeds(_: &Work) -> Result<Vec<Vec<u8>>> {
    Ok(vec![FILES.as_bytes().to_vec()])
}

const FILES: &str = r#"//// /etc/os-release
ID=debian
VERSION_ID="12"
PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
ID_LIKE='a b'
//// /etc/debian_version
12.5
//// /etc/hostname
a.example.org
//// /etc/machine-id
0123456789abcdef0123456789abcdef
//// /etc/timezone
Europe/Vienna
//// /etc/fstab
UUID=5ab0f00d-0000-4000-8000-000000000001 / ext4 errors=remount-ro 0 1
LABEL=with\040blank /srv xfs nofail,x-systemd.device-timeout=1 0 2
/dev/disk/by-path/pci-0000:00:1f.2-ata-1-part2 /data ext4 defaults
/srv/a /srv/b none bind
/swapfile none swap sw,pri=3 0 0
//// /etc/crypttab
data UUID=5ab0f00d-0000-4000-8000-000000000002 none luks,discard
//// /etc/systemd/system/srv-c.mount
[Mount]
What=/dev/vg/c
Where=/srv/c
Type=xfs
//// /var/lib/dpkg/status
Package: bash
Status: install ok installed
Priority: required
Installed-Size: 7164
Maintainer: a <a@example.org>
Architecture: amd64
Multi-Arch: foreign
Source: bash (5.2.15-2)
Version: 5.2.15-2+b7
Depends: libc6 (>= 2.36), x | y
Conffiles:
 /etc/bash.bashrc 89269e1298235f1b12b4c16e4065ad0d obsolete
Description: a shell
 with more
 .
 lines

Package: old
Status: deinstall ok config-files
Architecture: all
Version: 1:2~rc1-3
//// /var/lib/dpkg/updates/0001
Package: bash
Status: install ok unpacked
Version: 5.3-1
//// /var/lib/dpkg/info/bash.list
/.
/bin/bash
//// /usr/share/doc/bash/copyright
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Files: *
License: GPL-3+
//// /lib/apk/db/installed
C:Q1p78yvTLG094tHE1+dToJGbmYzQE=
P:musl
V:1.2.4-r2
A:x86_64
S:383459
I:622592
T:the musl c library
L:MIT
o:musl
t:1699357573
p:so:libc.musl-x86_64.so.1=1
F:lib
R:ld-musl-x86_64.so.1
a:0:0:755

P:b
V:1
//// /etc/apk/world
musl
//// /etc/pacman.conf
[options]
DBPath = /var/lib/pacman
//// /var/lib/pacman/local/zlib-1:1.3-1/desc
%NAME%
zlib

%VERSION%
1:1.3-1

%BASE%
zlib

%ARCH%
x86_64

%INSTALLDATE%
1700000000

%LICENSE%
Zlib
a

//// /var/db/pkg/app-shells/bash-5.2_p15-r6/SLOT
0/5
//// /var/db/pkg/app-shells/bash-5.2_p15-r6/repository
gentoo
//// /var/db/pkg/app-shells/bash-5.2_p15-r6/BUILD_TIME
1700000000
//// /var/lib/snapd/state.json
{"data":{"snaps":{"core22":{"type":"base","sequence":[{"name":"core22","snap-id":"x","revision":"864"}],"active":true,"current":"864","channel":"stable"}}}}
//// /var/lib/flatpak/app/org.example.App/current/active/metadata
[Application]
name=org.example.App
runtime=org.example.Platform/x86_64/23
//// /etc/passwd
root:x:0:0:root:/root:/bin/bash
joe:x:1000:1000:Joe,,,:/home/joe:/bin/sh
+::::::
//// /etc/shadow
root:$y$j9T$abc$def:19700:0:99999:7:::
joe:!$6$salt$hash:19700:1:90:7:30:20000:
//// /etc/group
root:x:0:
sudo:x:27:joe,root
//// /etc/gshadow
sudo:*:joe:root
//// /etc/sudoers
Defaults env_reset, !authenticate, secure_path="/a:/b"
User_Alias ADMINS = joe, %wheel, \
  #1000
Cmnd_Alias SHUT = /sbin/reboot, /bin/a [a-z]*
root ALL=(ALL:ALL) ALL
ADMINS ALL=(root) NOPASSWD: SHUT, !/bin/b
@includedir /etc/sudoers.d
//// /etc/sudoers.d/x
%sudo ALL=(ALL) TIMEOUT=5m ALL
//// /root/.ssh/authorized_keys
from="10.0.0.0/8",command="a \"b\"" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGVzZXMgYXJlIG5vdCB0aGUga2V5cyB5b3Ugc2Vl joe@a
//// /lib/systemd/system/a@.service
[Unit]
Description=a
Requires=b.socket
[Service]
ExecStart=/bin/a -x %i
User=joe
[Install]
WantedBy=multi-user.target
Alias=c@.service
DefaultInstance=1
Also=b.socket
//// /etc/systemd/system/a@.service.d/10.conf
[Service]
ExecStart=
ExecStart=-/bin/b \
  -y
//// /lib/systemd/system/b.socket
[Socket]
ListenStream=80
ListenDatagram=[::1]:53
//// /lib/systemd/system/c.timer
[Timer]
OnCalendar=daily
Unit=a@1.service
//// /lib/systemd/system-preset/90.preset
enable a@*.service x y
disable *
//// /etc/init.d/old
#!/bin/sh
### BEGIN INIT INFO
# Provides: old
# Default-Start: 2 3
# Default-Stop:
### END INIT INFO
//// /etc/crontab
SHELL=/bin/sh
*/5 * * * * root /bin/a
@reboot joe b
//// /etc/postgresql/15/main/postgresql.conf
port = 5433
data_directory = '/var/lib/postgresql/15/main'
//// /var/lib/postgresql/15/main/PG_VERSION
15
//// /opt/apache-tomcat-9.0.80/RELEASE-NOTES
Apache Tomcat Version 9.0.80
//// /usr/lib/python3/dist-packages/a-1.dist-info/METADATA
Metadata-Version: 2.1
Name: a
Version: 1
License: MIT
//// /srv/node_modules/b/package.json
{"name":"b","version":"2.0.0","license":{"type":"MIT"}}
//// /etc/cloud/cloud.cfg
users: [default, {name: x}]
//// /etc/default/grub
GRUB_DEFAULT=0
//// /boot/grub/grub.cfg
set default="1>0"
submenu 'x' { menuentry 'y' --id z { linux /boot/vmlinuz-6 root=/dev/sda ro; initrd /boot/initrd-6 } }
//// /boot/vmlinuz-6
kernel
//// /etc/apt/sources.list
deb [signed-by=/a arch=amd64] http://u:p@deb.example.org/debian bookworm main contrib
//// /etc/yum.repos.d/a.repo
[base]
name=a $releasever
baseurl=https://a/$basearch/
gpgcheck=0
"#;
