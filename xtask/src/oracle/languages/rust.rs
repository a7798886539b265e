//! Rust: what `cargo auditable` puts into programs, as `rust-audit-info` lists it.

use anyhow::Result;
use fathom_guest::report::PackageKind;

use super::{found, same, shown};
use crate::oracle::Work;
use crate::tools::{self, CARGO_AUDITABLE, RUST_AUDIT_INFO};

pub(super) fn programs(work: &Work) -> Result<()> {
    let auditable = shown(&tools::cargo_tool(CARGO_AUDITABLE)?);
    let info = shown(&tools::cargo_tool(RUST_AUDIT_INFO)?);
    let said = work.bash(&format!(
        r#"unset CARGO_TARGET_DIR RUSTFLAGS
mkdir -p root/usr/bin program/src; cd program
cat > Cargo.toml <<'S'
[package]
name = "audited"
version = "0.3.1"
edition = "2021"
build = "build.rs"
[dependencies]
itoa = "=1.0.9"
memchr = "=2.6.4"
[build-dependencies]
version_check = "=0.9.4"
[profile.release]
strip = true
[workspace]
S
echo 'fn main() {{ println!("{{}}", itoa::Buffer::new().format(memchr::memchr(1, &[1]).unwrap_or(0))); }}' > src/main.rs
echo 'fn main() {{ let _ = version_check::triple(); }}' > build.rs
{auditable} auditable build --quiet --release 2>&1 >&2
cp target/release/audited ../root/usr/bin/
{info} ../root/usr/bin/audited | python3 -c '
import json, sys
for one in json.load(sys.stdin)["packages"]:
    if one.get("kind", "runtime") == "runtime":
        print(one["name"], one["version"], one["source"], sep="\t")'"#
    ))?;
    let ours = found(work, PackageKind::Cargo)?.into_iter().map(|package| {
        format!("{}\t{}\t{}", package.name, package.version, package.origin.unwrap_or_default())
    });
    same(&said, &ours.collect::<Vec<_>>())
}
