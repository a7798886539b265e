//! Damaged databases of rpm: its three containers, and the headers in them.

use anyhow::{Context as _, Result};

use super::{Target, exercise};
use crate::oracle::Work;

pub(super) fn targets() -> Vec<Target> {
    let target = |name, seeds, fix, exercise| Target { name, seeds, fix, exercise, refused: &[] };
    vec![
        target("rpm-header", headers, nothing as fn(&mut [u8], usize), exercise::rpm_header),
        target("rpm-sqlite", sqlite, nothing, exercise::rpm_sqlite),
        target("rpm-bdb", bdb, nothing, exercise::rpm_bdb),
        target("rpm-ndb", ndb, adler, exercise::rpm_ndb),
    ]
}

/// A dozen packages, one with a header of several pages.
const MAKE: &str = r#"
export HOME=$PWD
cat > some.spec <<'S'
Name: some
Version: 1.0
Release: 1
Epoch: 2
Summary: s
License: MIT
Vendor: Somebody
ModularityLabel: a:1:2:3
BuildArch: noarch
%description
d
%install
mkdir -p %{buildroot}/usr/share/long
for i in $(seq 1 99); do : > %{buildroot}/usr/share/long/a-file-with-a-rather-long-name-$i; done
%files
/usr/share/long
%{lua: for n = 1, 10 do print("\n%package -n sub"..n.."\nSummary: s\n%description -n sub"..n.."\nd\n%files -n sub"..n.."\n") end}
S
rpmbuild -bb --quiet --define "_topdir $PWD/build" some.spec 2>&1
mkdir db
rpm --force-debian --dbpath $PWD/db -i --justdb --nodeps --noscripts --ignoresize build/RPMS/noarch/*.rpm 2>&1
"#;

/// The headers of these packages.
fn headers(work: &Work) -> Result<Vec<Vec<u8>>> {
    work.bash(MAKE)?;
    let hex = work.bash("sqlite3 db/rpmdb.sqlite 'select hex(blob) from Packages'")?;
    hex.lines().map(|line| bytes(line).context("sqlite3 does not print a number")).collect()
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits = hex.as_bytes().chunks(2);
    digits.map(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok()).collect()
}

/// A database alone, one with a log and one with a hot journal behind it.
fn sqlite(work: &Work) -> Result<Vec<Vec<u8>>> {
    work.bash(MAKE)?;
    work.bash(
        r#"
create="attach 'db/rpmdb.sqlite' as rpm; create table Packages (hnum integer primary key, blob blob not null); insert into Packages select * from rpm.Packages"
sqlite3 plain "pragma page_size=1024; $create"
sqlite3 logged "pragma page_size=1024; pragma journal_mode=wal; $create where hnum < 4" >/dev/null
sqlite3 logged "attach 'db/rpmdb.sqlite' as rpm; insert into Packages select * from rpm.Packages where hnum > 3;" \
  "delete from Packages where hnum = 2;" '.shell cat logged logged-wal > both'
sqlite3 plain "pragma cache_size=2; pragma cache_spill=2; begin; update Packages set blob = zeroblob(length(blob));" \
  '.shell cp plain hot; cat hot plain-journal > torn'
test -s plain -a -s both -a -s torn"#,
    )?;
    ["plain", "both", "torn"].iter().map(|name| Ok(std::fs::read(work.path(name))?)).collect()
}

fn bdb(work: &Work) -> Result<Vec<Vec<u8>>> {
    let headers = headers(work)?;
    let mut images = Vec::new();
    for (order, word) in [(1234, u32::to_le_bytes as fn(u32) -> [u8; 4]), (4321, u32::to_be_bytes)]
    {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let mut dump = format!(
            "VERSION=3\nformat=bytevalue\ntype=hash\ndb_pagesize=1024\ndb_lorder={order}\n\
             HEADER=END\n {}\n {}\n",
            hex(&word(0)),
            hex(&word(20))
        );
        for (number, header) in (1..).zip(&headers) {
            dump += &format!(" {}\n {}\n", hex(&word(number)), hex(header));
        }
        std::fs::write(work.path("dump"), dump + "DATA=END\n")?;
        work.bash(&format!("db5.3_load -f dump {order}"))?;
        images.push(std::fs::read(work.path(&order.to_string()))?);
    }
    Ok(images)
}

fn ndb(work: &Work) -> Result<Vec<Vec<u8>>> {
    Ok(vec![exercise::ndb(&headers(work)?)])
}

fn nothing(_: &mut [u8], _: usize) {}

/// Makes the checksum right of the header that holds the byte.
fn adler(image: &mut [u8], at: usize) {
    let word = |image: &[u8], at: usize| {
        let bytes = image.get(at..at.checked_add(4)?)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?) as usize)
    };
    for slot in (32..4096).step_by(16) {
        let place = word(image, slot + 8).zip(word(image, slot + 12));
        let Some((start, length)) = place.map(|(block, blocks)| (block * 16, blocks * 16)) else {
            return;
        };
        if start > 0 && length > 28 && (start..start + length).contains(&at) {
            let tail = start + length - 12;
            if let Some(sum) = image.get(start..tail).map(exercise::adler32)
                && let Some(place) = image.get_mut(tail..tail + 4)
            {
                place.copy_from_slice(&sum.to_le_bytes());
            }
        }
    }
}
