//! Damaged LUKS volumes, read with the right passphrase.

use std::sync::Arc;

use anyhow::{Result, bail};
use fathom_volume::{Disk, Key, Keys, Limits};
use sha2::{Digest as _, Sha256};

use super::{Outcome, Target, exercise};
use crate::oracle::Work;

pub(super) fn targets() -> Vec<Target> {
    vec![Target { name: "luks", seeds, fix, exercise: read, refused: &[] }]
}

fn seeds(work: &Work) -> Result<Vec<Vec<u8>>> {
    work.bash(
        r#"
small() { truncate -s 20M "$1"; printf secret | cryptsetup luksFormat -q "${@:2}" "$1" - > log 2>&1 || { cat log; false; }; }
small one --type luks1 --cipher aes-xts-plain64 --key-size 256 --hash sha1 --pbkdf-force-iterations 1000
truncate -s 2176K one
small two --type luks2 --luks2-metadata-size 16k --luks2-keyslots-size 256k --offset 576 --cipher aes-xts-plain64 --key-size 256 --pbkdf pbkdf2 --pbkdf-force-iterations 1000
truncate -s 640K two
small three --type luks2 --luks2-metadata-size 16k --luks2-keyslots-size 256k --offset 576 --cipher aes-cbc-essiv:sha256 --key-size 256 --sector-size 4096 --pbkdf argon2id --pbkdf-memory 32 --pbkdf-force-iterations 4 --pbkdf-parallel 1
truncate -s 640K three
"#,
    )?;
    for name in ["one", "two", "three"] {
        if work.discover(&[name], &["secret"])?.find("disk0/luks").is_none() {
            bail!("{name} is not healthy");
        }
    }
    ["one", "two", "three"].into_iter().map(|name| Ok(std::fs::read(work.path(name))?)).collect()
}

/// Makes the checksums of both LUKS2 headers right. LUKS1 has none.
fn fix(image: &mut [u8], _at: usize) {
    for header in [0, 16 << 10] {
        let Some(header) = image.get_mut(header..header + (16 << 10)) else {
            continue;
        };
        if header[6..8] == [0, 2] {
            header[448..512].fill(0);
            let sum = Sha256::digest(&*header);
            header[448..480].copy_from_slice(&sum);
        }
    }
}

fn read(image: Vec<u8>) -> Outcome {
    let disk = Disk { name: "mutant".into(), reader: Arc::new(image), sector_size: None };
    // What the damage makes of the cost is refused and not paid.
    let limits = Limits { memory: 1 << 20, work: 20_000 };
    let keys = Keys::new(vec![Key::new(None, b"secret".to_vec())]).limits(limits);
    exercise::found(&fathom_volume::discover(&[disk], &keys))
}
