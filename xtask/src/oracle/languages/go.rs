//! Go: what its linker writes into programs, as `go version -m` lists it.

use anyhow::{Result, ensure};
use fathom_guest::report::PackageKind;

use super::{cached, folder, found, same, shown};
use crate::oracle::Work;

/// Programs of others, fixed by their checksums: of Go 1.16, where texts are pointed to, for Linux;
/// of Go 1.20 for Windows and for macOS. All are stripped.
const OTHERS: &str = r#"
fetch() {
  file=$(npm pack --silent "$1"); echo "$2 $file" | sha256sum --check --quiet; mkdir $3; tar xf $file -C $3
}
fetch esbuild-linux-64@0.11.23 6978d7d632b5cbdb05ec35243e77522efec1b2e3c5b9b48b81188e778528f0d4 old
fetch @esbuild/win32-x64@0.21.5 a0a749db5cf2f00bbfdcd0e47c30dc6d7b6817191ae009ff46d48fc75133c888 windows
fetch @esbuild/darwin-x64@0.21.5 adaf34486bdca8560c42aa172ee2a4307b6988689938d696a8f24fe4d93703e4 macos
"#;

/// Built here, whole, stripped of symbols and of the headers of sections; and built by others.
pub(super) fn programs(work: &Work) -> Result<()> {
    let others = shown(&cached("go", OTHERS)?);
    work.bash(&format!(
        "mkdir -p root/usr/bin; export PATH=$PATH:/usr/local/go/bin GOTOOLCHAIN=local GOFLAGS=-mod=mod
         cp {others}/old/package/bin/esbuild root/usr/bin/old
         cp {others}/windows/package/esbuild.exe root/usr/bin/windows.exe
         cp {others}/macos/package/bin/esbuild root/usr/bin/macos
         cp /bin/true root/usr/bin/true
         cp -r {} module; cd module
         go build -buildvcs=false -o ../root/usr/bin/whole . 2>&1
         go build -buildvcs=false -trimpath -ldflags '-s -w' -o ../root/usr/bin/stripped . 2>&1
         cp ../root/usr/bin/whole ../root/usr/bin/nameless
         for field in '40 8' '60 4'; do
           set -- $field; head -c $2 /dev/zero | dd of=../root/usr/bin/nameless bs=1 seek=$1 conv=notrunc status=none
         done",
        shown(&folder("go"))
    ))?;
    // What stands in place of a module is in the line after it, with the version `(devel)` if it is a
    // folder.
    let said = work.bash(
        r#"export PATH=$PATH:/usr/local/go/bin
{ go version -m root/usr/bin/* 2>/dev/null || true; } | awk -F'\t' '
function flush() { if (last != "") print file "\t" last; last = "" }
/^root/ { flush(); split($0, part, ": go"); file = substr(part[1], 5); print file "\tstdlib\t" part[2] }
$2 == "mod" || $2 == "dep" { flush(); last = $3 "\t" $4 }
$2 == "=>" && $4 != "" && $4 != "(devel)" { last = $3 "\t" $4 }
END { flush() }'"#,
    )?;
    ensure!(said.lines().any(|line| line.starts_with("/usr/bin/old\tstdlib\t1.16")), "{said}");
    let ours = found(work, PackageKind::Go)?
        .into_iter()
        .map(|package| format!("{}\t{}\t{}", package.evidence.0, package.name, package.version));
    same(&said, &ours.collect::<Vec<_>>())
}
