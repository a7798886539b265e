//! Damaged archives of Java and programs with what compilers write into them.

use anyhow::Result;

use super::{Target, exercise};
use crate::oracle::Work;

pub(super) fn targets() -> Vec<Target> {
    let target =
        |name, seeds, exercise| Target { name, seeds, fix: nothing, exercise, refused: &[] };
    vec![
        target("jar", jars as fn(&Work) -> Result<_>, exercise::jar as fn(_) -> _),
        target("program", programs, exercise::program),
        target("metadata", metadata, exercise::metadata),
    ]
}

/// Archives in archives, stored and compressed.
fn jars(work: &Work) -> Result<Vec<Vec<u8>>> {
    work.bash(
        r#"mkdir -p a/META-INF/maven/g/a b/META-INF/maven/g/b c/BOOT-INF/lib c/META-INF
printf 'groupId=g\nartifactId=a\nversion=1\n' > a/META-INF/maven/g/a/pom.properties
printf 'groupId=g\nartifactId=b\nversion=2\n' > b/META-INF/maven/g/b/pom.properties
printf 'Manifest-Version: 1.0\nImplementation-Version: 3\n' > c/META-INF/MANIFEST.MF
(cd a; zip -q -9 -r ../c/BOOT-INF/lib/a-1.jar .); (cd b; zip -q -0 -r ../c/BOOT-INF/lib/b-2.jar .)
(cd c; zip -q -0 -r ../stored.jar .; zip -q -9 -r ../packed.jar .)"#,
    )?;
    ["stored.jar", "packed.jar"].iter().map(|name| Ok(std::fs::read(work.path(name))?)).collect()
}

/// A small program with what Go and `cargo auditable` put into theirs.
fn programs(work: &Work) -> Result<Vec<Vec<u8>>> {
    work.bash(
        r#"export PATH=$PATH:/usr/local/go/bin GOTOOLCHAIN=local
printf 'module m\n\ngo 1.19\n' > go.mod; printf 'package main\n\nfunc main() {}\n' > main.go
go build -buildvcs=false -o go . 2>&1
objcopy -O binary --only-section=.go.buildinfo go info
/usr/bin/python3 -c 'import sys, zlib; sys.stdout.buffer.write(zlib.compress(sys.argv[1].encode()))' \
  '{"packages": [{"name": "a", "version": "1.0.0", "source": "crates.io"}]}' > crates
objcopy --add-section .go.buildinfo=info --add-section .dep-v0=crates /bin/true program"#,
    )?;
    Ok(vec![std::fs::read(work.path("program"))?])
}

/// The texts that other tools than ours wrote, each led by the number of its kind.
fn metadata(work: &Work) -> Result<Vec<Vec<u8>>> {
    work.bash(
        r#"export COMPOSER_HOME=$PWD/home COMPOSER_ALLOW_SUPERUSER=1 COMPOSER_DISABLE_NETWORK=1
set -- /usr/lib/python3/dist-packages/*.dist-info/METADATA
printf '\0' > 0; head -c 4000 "$1" >> 0
set -- /usr/share/rubygems-integration/all/specifications/*.gemspec
printf '\1' > 1; cat "$1" >> 1
set -- $(npm root --global)/npm/package.json
printf '\2' > 2; cat "$1" >> 2
mkdir one app; echo '{"name": "some/one", "version": "v1.2.0", "license": ["MIT"]}' > one/composer.json
echo '{"name": "the/app", "require": {"some/one": "*"}, "repositories": [{"packagist.org": false}, {"type": "path", "url": "../one"}]}' > app/composer.json
(cd app; composer install --quiet --no-interaction 2>&1)
printf '\3' > 3; cat app/vendor/composer/installed.json >> 3"#,
    )?;
    (0..4).map(|kind| Ok(std::fs::read(work.path(&kind.to_string()))?)).collect()
}

fn nothing(_: &mut [u8], _: usize) {}
