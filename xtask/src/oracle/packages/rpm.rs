//! rpm: rpmbuild makes the packages, rpm installs and lists them. Where it has only SQLite, its
//! headers are put into the other containers: into Berkeley DB by db_load, which the library's
//! authors made, and into that of SUSE by rpm's own functions, compiled from its source.

use anyhow::Result;
use fathom_guest::report::Package;

use super::{Case, Work, or_none, ours, same};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::new("packages/rpm-sqlite", |work| {
            made(work)?;
            compare(work, "db", "/var/lib/rpm")
        }),
        Case::new("packages/rpm-sqlite-elsewhere", |work| {
            made(work)?;
            compare(work, "db", "/usr/lib/sysimage/rpm")
        }),
        Case::new("packages/rpm-sqlite-log", |work| {
            made(work)?;
            work.bash(LOG)?;
            compare(work, "logged", "/var/lib/rpm")
        }),
        Case::new("packages/rpm-sqlite-hot-journal", |work| {
            made(work)?;
            work.bash(JOURNAL)?;
            // rpm opens the database to read only, and so cannot undo anything itself.
            let theirs = theirs(work, "undone")?;
            compare_with(work, &theirs, "hot", "/var/lib/rpm")
        }),
    ];
    cases.push(Case::new("packages/rpm-ndb", |work| {
        made(work)?;
        ndb(work)
    }));
    for page_size in [512, 1024, 4096, 16384, 65536] {
        cases.push(Case::new(format!("packages/rpm-sqlite-{page_size}"), move |work| {
            made(work)?;
            work.bash(&format!(
                "sqlite3 db/rpmdb.sqlite 'pragma journal_mode=delete; pragma page_size={page_size}; vacuum'"
            ))?;
            compare(work, "db", "/var/lib/rpm")
        }));
        for order in [1234, 4321] {
            let name = format!("packages/rpm-bdb-{page_size}-{order}");
            cases.push(Case::new(name, move |work| {
                made(work)?;
                bdb(work, page_size, order)
            }));
        }
    }
    cases
}

/// Packages of every kind, and `db` with them installed.
fn made(work: &Work) -> Result<()> {
    work.bash(MAKE).map(drop)
}

/// More than a hundred packages without files, one with thousands, with and without an epoch, signed
/// and not, and a key.
const MAKE: &str = r#"
export HOME=$PWD GNUPGHOME=$PWD/gpg
cat > many.spec <<'S'
Name: many
Version: 1.0
Release: 1
Summary: s
License: MIT and BSD
BuildArch: noarch
%description
d
%files
%{lua: for n = 1, 120 do print("\n%package -n sub"..n.."\nSummary: s\nVersion: "..n.."."..(n*7).."\n%description -n sub"..n.."\nd\n%files -n sub"..n.."\n") end}
S
cat > odd.spec <<'S'
Name: odd-name_with.dots
Epoch: 3
Version: 1.0~rc1^git20240101
Release: 0.1.module+el8
Summary: s
License: GPL-2.0-or-later WITH x
Vendor: Ärger & Söhne, Inc.
Packager: Somebody <a@b>
Distribution: Distro 9
ModularityLabel: nodejs:18:8060020220523160029:ad008a3a
BuildArch: noarch
%description
d
%install
mkdir -p %{buildroot}/usr/share/long
for i in $(seq 1 6000); do : > %{buildroot}/usr/share/long/a-file-with-a-rather-long-name-$i; done
echo content > %{buildroot}/usr/share/long/content
%files
/usr/share/long
S
sed 's/^Name:.*/Name: packed/; /^Vendor/d; /^Epoch/s/3/0/; s/6000/60/; /^Modul/d' odd.spec > packed.spec
for spec in *.spec; do
  rpmbuild -bb --quiet --define "_topdir $PWD/build" --define 'debug_package %{nil}' $spec 2>&1
done
mkdir -m 700 gpg; trap 'gpgconf --kill gpg-agent' EXIT
gpg --batch --quiet --passphrase '' --quick-gen-key 'Signer <s@x>' rsa2048 sign never 2>&1
gpg --export -a > key.asc
rpmsign --define '__gpg /usr/bin/gpg' --define '_gpg_name Signer' --addsign \
  build/RPMS/noarch/sub1?-*.rpm build/RPMS/noarch/odd* >/dev/null 2>&1
mkdir db
rpmkeys --dbpath $PWD/db --import key.asc
rpm --force-debian --dbpath $PWD/db -i --justdb --nodeps --noscripts --ignoresize build/RPMS/noarch/*.rpm 2>&1
"#;

/// Some packages are removed and others added while a reader holds the log open.
const LOG: &str = r#"
export HOME=$PWD
cat > change <<'S'
rpm="rpm --force-debian --dbpath $PWD/db"
$rpm -e --justdb --nodeps --noscripts sub7 sub77 sub120 odd-name_with.dots
$rpm -i --justdb --nodeps --noscripts --ignoresize build/RPMS/noarch/odd*.rpm
cp -r db logged
S
sqlite3 db/rpmdb.sqlite 'begin; select count(*) from Packages;' '.shell bash change 2>&1'
test $(stat -c %s logged/rpmdb.sqlite-wal) -gt 100000
rm -f logged/rpmdb.sqlite-shm
"#;

/// A transaction has been written into the database in part when it is cut off.
const JOURNAL: &str = r#"
sqlite3 db/rpmdb.sqlite 'pragma journal_mode=delete;'
sqlite3 db/rpmdb.sqlite 'pragma cache_size=2; pragma cache_spill=2; begin;
  update Packages set blob=zeroblob(length(blob)) where hnum % 3 = 0; delete from Packages where hnum > 60;
  insert into Packages select hnum + 1000, randomblob(90000) from Packages limit 20;' '.shell cp -r db hot'
test $(stat -c %s hot/rpmdb.sqlite-journal) -gt 10000
! cmp -s db/rpmdb.sqlite hot/rpmdb.sqlite
cp -r hot undone; sqlite3 undone/rpmdb.sqlite 'select count(*) from Packages'
"#;

/// What rpm says of the database in `folder`, and what we say once it lies at `place`.
fn compare(work: &Work, folder: &str, place: &str) -> Result<()> {
    let theirs = theirs(work, folder)?;
    compare_with(work, &theirs, folder, place)
}

fn compare_with(work: &Work, theirs: &str, folder: &str, place: &str) -> Result<()> {
    work.bash(&format!(
        "mkdir -p root{place}; cp -a {folder}/. root{place}/; rm -f root{place}/*-shm"
    ))?;
    let ours = ours(work, "root")?;
    same(theirs, &ours.iter().map(line).collect::<Vec<_>>())
}

/// rpm changes a database by reading it, so it gets a copy.
fn theirs(work: &Work, folder: &str) -> Result<String> {
    work.bash(&format!(
        r#"export HOME=$PWD; rm -rf copy; cp -a {folder} copy
        rpm --dbpath $PWD/copy -qa --qf '%{{NAME}}|%{{EPOCH}}|%{{VERSION}}|%{{RELEASE}}|%{{ARCH}}|%|VENDOR?{{%{{VENDOR}}}}:{{%{{PACKAGER}}}}||%{{SOURCERPM}}|%{{MODULARITYLABEL}}|%{{LICENSE}}|%{{DISTRIBUTION}}|%{{LONGSIZE}}|%|RSAHEADER?{{%{{RSAHEADER:pgpsig}}}}:{{%|DSAHEADER?{{%{{DSAHEADER:pgpsig}}}}:{{%|SIGPGP?{{%{{SIGPGP:pgpsig}}}}:{{%|SIGGPG?{{%{{SIGGPG:pgpsig}}}}:{{(none)}}|}}|}}|}}||%{{INSTALLTIME}}\n' > list
        python3 - <<'P'
import datetime
for line in open('list', encoding='utf-8'):
    fields = line.rstrip('\n').split('|')
    fields[-2] = fields[-2][-16:] if 'Key ID' in fields[-2] else '(none)'
    time = datetime.datetime.fromtimestamp(int(fields[-1]), datetime.timezone.utc)
    fields[-1] = time.strftime('%Y-%m-%dT%H:%M:%SZ')
    print('|'.join(fields))
P"#
    ))
}

/// A package as the query above prints it.
fn line(package: &Package) -> String {
    let number = |number: Option<u64>| number.map_or("(none)".to_owned(), |n| n.to_string());
    let release = or_none(&package.release);
    let source = package.source.as_ref().map(|source| {
        let own = format!("{}-{release}", package.version);
        let version = package.source_version.as_ref().unwrap_or(&own);
        format!("{source}-{version}.src.rpm")
    });
    [
        package.name.as_str(),
        &number(package.epoch.map(u64::from)),
        &package.version,
        release,
        or_none(&package.architecture),
        or_none(&package.vendor),
        or_none(&source),
        or_none(&package.module),
        or_none(&package.licence),
        or_none(&package.origin),
        &number(package.size),
        or_none(&package.signature),
        or_none(&package.installed),
    ]
    .join("|")
}

/// The same headers in a hash table of Berkeley DB, in either byte order.
fn bdb(work: &Work, page_size: u32, order: u32) -> Result<()> {
    work.bash(&format!(
        r#"python3 - <<'P'
import sqlite3, struct
rows = sqlite3.connect('db/rpmdb.sqlite').execute('select hnum, blob from Packages').fetchall()
number = lambda n: struct.pack('<I' if {order} == 1234 else '>I', n).hex()
with open('dump', 'w') as out:
    out.write('VERSION=3\nformat=bytevalue\ntype=hash\ndb_pagesize={page_size}\ndb_lorder={order}\nHEADER=END\n')
    out.write(f' {{number(0)}}\n {{number(len(rows))}}\n')
    for hnum, blob in rows:
        out.write(f' {{number(hnum)}}\n {{blob.hex()}}\n')
    out.write('DATA=END\n')
P
        mkdir bdb; db5.3_load -f dump bdb/Packages"#
    ))?;
    compare(work, "bdb", "/var/lib/rpm")
}

/// The same headers in the container of SUSE. Debian's rpm is built without it, so that what rpm
/// says of the other container is what counts. Every third package is put in twice, and others are
/// taken away again, so that there are holes and slots of no use.
fn ndb(work: &Work) -> Result<()> {
    let source = crate::shell::cache()?.join("rpm-source");
    std::fs::create_dir_all(&source)?;
    crate::shell::bash(&source, SOURCE)?;
    std::fs::write(work.path("ndb.c"), include_str!("ndb.c"))?;
    work.bash(&format!(
        r#"source=$(echo '{}'/rpm-*/)
        mkdir -p stub/rpm
        cat > stub/system.h <<'S'
#define _GNU_SOURCE
#include <dirent.h>
#include <stdlib.h>
#define _(text) text
#define xcalloc calloc
#define xmalloc malloc
#define xrealloc realloc
#define xstrdup strdup
S
        echo 'enum {{ RPMLOG_ERR, RPMLOG_WARNING }}; static inline void rpmlog(int level, ...) {{}}' > stub/rpm/rpmlog.h
        gcc -w -I stub -I "$source" -o ndb ndb.c "$source/lib/backend/ndb/rpmpkg.c"
        mkdir ndbs
        python3 - <<'P' | ./ndb ndbs/Packages.db
import sqlite3, struct, sys
put = lambda n, blob: sys.stdout.buffer.write(struct.pack('<II', n, len(blob)) + blob)
rows = sqlite3.connect('db/rpmdb.sqlite').execute('select hnum, blob from Packages').fetchall()
for hnum, blob in rows:
    put(hnum, blob)
    put(hnum + 1000, blob[:9000] + bytes(hnum))
for hnum, blob in rows:
    if hnum % 3 == 0: put(hnum, blob + bytes(40)); put(hnum, blob)
    put(hnum + 1000, b'')
for n in range(2000, 2300): put(n, b'x' * n)
for n in range(2000, 2300): put(n, b'')
P"#,
        source.display()
    ))?;
    let theirs = theirs(work, "db")?;
    compare_with(work, &theirs, "ndbs", "/usr/lib/sysimage/rpm")
}

/// The source of Debian's rpm, got once by apt from where this machine's packages come from.
const SOURCE: &str = r#"
ls rpm_*.dsc >/dev/null 2>&1 && exit
rm -rf parts sources.list; mkdir -p parts lists/partial cache/archives/partial; touch sources.list
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
  [ ! -e "$file" ] || sed -n 's/^deb[[:space:]]/deb-src /p' "$file" >> sources.list
done
for file in /etc/apt/sources.list.d/*.sources; do
  [ ! -e "$file" ] || sed 's/^Types:.*/Types: deb-src/' "$file" > "parts/${file##*/}"
done
apt="apt-get -qq -o Dir::Etc::sourcelist=$PWD/sources.list -o Dir::Etc::sourceparts=$PWD/parts"
apt="$apt -o Dir::State::lists=$PWD/lists -o Dir::Cache=$PWD/cache -o APT::Sandbox::User=root"
$apt update; $apt source --download-only rpm
tar xf rpm_*.orig.tar.*
"#;
