//! pacman: packages put together by hand, installed and listed by pacman itself.

use anyhow::Result;
use fathom_guest::report::Package;

use super::{Case, Work, ours, same};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("packages/pacman", |work| {
            work.bash(&MAKE.replace("@DB@", "/var/lib/pacman"))?;
            compare(work, "/var/lib/pacman")
        }),
        Case::new("packages/pacman-elsewhere", |work| {
            work.bash(&MAKE.replace("@DB@", "/srv/packages"))?;
            work.bash(
                "mkdir root/etc; printf '[options]\\nDBPath = /srv/packages/\\n' > root/etc/pacman.conf",
            )?;
            compare(work, "/srv/packages")
        }),
    ]
}

const MAKE: &str = r#"
mkdir -p root@DB@ built
make() { # name version arch packager lines
  mkdir -p pkg/usr/share/$1; echo $1 > pkg/usr/share/$1/file
  printf '%s\n' "pkgname = $1" "pkgbase = ${5:-$1}" "pkgver = $2" "pkgdesc = d" "builddate = 1700000000" \
    "packager = $4" "size = 12345" "arch = $3" "license = GPL" "license = MIT" > pkg/.PKGINFO
  (cd pkg; bsdtar -cf - .PKGINFO usr | zstd -q > ../built/$1.pkg.tar.zst); rm -r pkg
}
make plain 1.0-1 any 'Somebody <a@b>'
make with-epoch 2:1.0.r5.gabc-3 any 'Unknown Packager'
make split.part_x+y 20240101-1.2 any 'Jürgen <j@x>' base
for i in $(seq 1 40); do make many-$i $i.$i-$i any Many; done
pacman -U --noconfirm --noscriptlet --root $PWD/root --dbpath $PWD/root@DB@ --cachedir $PWD/cache \
  --hookdir $PWD/none --gpgdir $PWD/none --logfile $PWD/log --config /dev/null built/*.zst 2>&1
"#;

fn compare(work: &Work, place: &str) -> Result<()> {
    let theirs = work.bash(&format!(
        r#"pacman --config /dev/null --root $PWD/root --dbpath $PWD/root{place} -Qi | python3 -c '
import sys, datetime
for block in sys.stdin.read().split("\n\n"):
    fields = dict((part.strip() for part in line.split(" : ", 1)) for line in block.splitlines() if " : " in line)
    if fields:
        time = datetime.datetime.strptime(fields["Install Date"].rsplit(" ", 1)[0] if fields["Install Date"][-1].isalpha() else fields["Install Date"], "%a %b %d %H:%M:%S %Y")
        print(fields["Name"], fields["Version"], fields["Architecture"], fields["Packager"], fields["Licenses"], time.strftime("%Y-%m-%dT%H:%M:%SZ"), sep="|")'"#
    ))?;
    let ours = ours(work, "root")?;
    same(&theirs, &ours.iter().map(line).collect::<Vec<_>>())
}

fn line(package: &Package) -> String {
    let epoch = package.epoch.map_or(String::new(), |epoch| format!("{epoch}:"));
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let release = text(&package.release);
    [
        package.name.clone(),
        format!("{epoch}{}-{release}", package.version),
        text(&package.architecture),
        // What pacman says where nobody is named.
        package.vendor.clone().unwrap_or_else(|| "Unknown Packager".to_owned()),
        text(&package.licence),
        text(&package.installed),
    ]
    .join("|")
}
