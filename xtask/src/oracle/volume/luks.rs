//! LUKS volumes: headers by cryptsetup, payloads by a script over libgcrypt; whole images by qemu;
//! and whole LUKS1 images by the script, for the ciphers that neither of the others writes here.

use anyhow::{Result, bail};
use fathom_block::ErrorKind;
use fathom_volume::{Content, Key, Keys, Layer, Limits};

use super::super::{Case, Work};
use super::{check_bytes, check_refused, volume};

/// The second implementation.
const SCRIPT: &str = include_str!("luks.py");

/// What the payloads hold, and the script.
const PRELUDE: &str = r#"
openssl enc -aes-128-ctr -K 11 -iv 0 -in /dev/zero 2>/dev/null | head -c 262144 > clear || true
# format TYPE CIPHER KEYBITS OPTIONS: makes disk.img, with the volume key in `key`.
format() {
  openssl enc -aes-128-ctr -K 22 -iv 0 -in /dev/zero 2>/dev/null | head -c $(($3 / 8)) > key || true
  truncate -s 20M disk.img
  printf secret | cryptsetup luksFormat -q --type $1 --cipher "$2" --key-size $3 --volume-key-file key "${@:4}" disk.img - > log 2>&1 || { cat log; false; }
}
# payload CIPHER [SECTOR]: fills disk.img.
payload() {
  local offset=$(cryptsetup luksDump disk.img | awk '/Payload offset:/ { print $3 * 512 } /^Data segments/ { s = 1 } s && /offset:/ { print $2; exit }')
  python3 luks.py payload "$1" key ${2:-512} 0 clear disk.img $offset
  truncate -s $((offset + 262144)) disk.img
}
cheap="--pbkdf pbkdf2 --pbkdf-force-iterations 1000"
# patch CODE: changes the JSON text of both LUKS2 headers, and makes their checksums right.
patch() { python3 - "$1" <<'END'
import hashlib, json, sys
with open('disk.img', 'r+b') as file:
    for at in (0, 16384):
        file.seek(at)
        header = bytearray(file.read(16384))
        text = json.loads(header[4096:].split(b'\0')[0])
        exec(sys.argv[1])
        new = json.dumps(text).encode()
        header[4096:] = new + bytes(12288 - len(new))
        header[448:512] = bytes(64)
        header[448:480] = hashlib.sha256(header).digest()
        file.seek(at)
        file.write(header)
END
}
"#;

/// Makes `disk.img` with a script, and reads it with the passphrase `secret`.
fn opens(name: &str, script: impl Into<String>) -> Case {
    let script = script.into();
    Case::new(format!("volume/luks-{name}"), move |work: &Work| {
        std::fs::write(work.path("luks.py"), SCRIPT)?;
        work.bash(&format!("{PRELUDE}\n{script}"))?;
        let discovery = work.discover(&["disk.img"], &["not this", "secret"])?;
        if let Some(problem) = &volume(&discovery, "disk0")?.problem {
            bail!("{problem}");
        }
        check_bytes(work, volume(&discovery, "disk0/luks")?, "clear")
    })
}

/// Makes `disk.img` with a script: it is not read, and the problem says why.
fn refuses(name: &str, words: &'static [&'static str], script: &'static str) -> Case {
    Case::new(format!("volume/luks-{name}"), move |work: &Work| {
        std::fs::write(work.path("luks.py"), SCRIPT)?;
        work.bash(&format!("{PRELUDE}\n{script}"))?;
        let discovery = work.discover(&["disk.img"], &["secret"])?;
        let disk = volume(&discovery, "disk0")?;
        match &disk.content {
            Content::Luks { .. } if discovery.volumes.len() == 1 => check_refused(disk, words),
            other => bail!("{other:?}, {} volumes", discovery.volumes.len()),
        }
    })
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    // By cryptsetup: the hashes and key derivations.
    for hash in [
        "sha1",
        "sha224",
        "sha256",
        "sha384",
        "sha512",
        "sha3-256",
        "ripemd160",
        "whirlpool",
        "blake2b-512",
        "blake2s-256",
    ] {
        cases.push(opens(
            &format!("1-{hash}"),
            format!("format luks1 aes-xts-plain64 512 --hash {hash} --pbkdf-force-iterations 1000; payload aes-xts-plain64"),
        ));
        cases.push(opens(
            &format!("2-{hash}"),
            format!(
                "format luks2 aes-xts-plain64 512 --hash {hash} --sector-size 512 $cheap; payload aes-xts-plain64"
            ),
        ));
    }
    for (name, options) in [
        (
            "argon2id-small",
            "--pbkdf argon2id --pbkdf-memory 1024 --pbkdf-force-iterations 4 --pbkdf-parallel 4",
        ),
        (
            "argon2i",
            "--pbkdf argon2i --pbkdf-memory 65536 --pbkdf-force-iterations 4 --pbkdf-parallel 1",
        ),
        ("argon2id-default", ""),
    ] {
        cases.push(opens(
            &format!("2-{name}"),
            format!("format luks2 aes-xts-plain64 512 {options}; payload aes-xts-plain64 $(cryptsetup luksDump disk.img | awk '/sector:/ {{ print $2 }}')"),
        ));
    }
    for sector in [512, 1024, 2048, 4096] {
        cases.push(opens(
            &format!("2-sector-{sector}"),
            format!("format luks2 aes-xts-plain64 256 --sector-size {sector} $cheap; payload aes-xts-plain64 {sector}"),
        ));
    }
    for (cipher, bits) in
        [("aes-cbc-essiv:sha256", 256), ("aes-cbc-plain", 128), ("aes-cbc-plain64", 192)]
    {
        let shown = cipher.replace(':', "-");
        cases.push(opens(
            &format!("1-{shown}-{bits}"),
            format!("format luks1 {cipher} {bits} --pbkdf-force-iterations 1000; payload {cipher}"),
        ));
        cases.push(opens(
            &format!("2-{shown}-{bits}"),
            format!("format luks2 {cipher} {bits} --sector-size 512 $cheap; payload {cipher}"),
        ));
    }
    cases.extend([
        opens(
            "2-many-slots",
            "format luks2 aes-xts-plain64 512 $cheap --sector-size 512; printf other > other; printf secret > secret
for i in 1 2 3; do printf wrong$i > wrong; cryptsetup luksAddKey -q $cheap --key-file secret disk.img wrong; done
cryptsetup luksKillSlot -q --key-file wrong disk.img 0; cryptsetup luksAddKey -q $cheap --key-file wrong --key-slot 9 disk.img secret
cryptsetup config --priority prefer --key-slot 9 disk.img; cryptsetup config --priority ignore --key-slot 1 disk.img
payload aes-xts-plain64",
        ),
        opens(
            "2-large-header",
            "format luks2 aes-xts-plain64 512 $cheap --sector-size 512 --luks2-metadata-size 1m --luks2-keyslots-size 4m; payload aes-xts-plain64",
        ),
        opens("2-named", "format luks2 aes-xts-plain64 512 $cheap --sector-size 512 --label 'a label' --subsystem sub; payload aes-xts-plain64"),
        opens("2-token", "format luks2 aes-xts-plain64 512 $cheap --sector-size 512; cryptsetup token add --key-description desc disk.img; payload aes-xts-plain64"),
    ]);
    // By qemu: its own cryptography, key slots included.
    for cipher in ["aes-128", "aes-256", "serpent-128", "serpent-256", "twofish-128", "twofish-256"]
    {
        for (mode, iv) in
            [("xts", "plain64"), ("xts", "plain"), ("cbc", "essiv"), ("cbc", "plain64")]
        {
            let hash = match cipher {
                "aes-128" => "sha1",
                "serpent-256" => "ripemd160",
                "twofish-256" => "sha512",
                _ => "sha256",
            };
            // The hash of the key must be a key of the cipher.
            if iv == "essiv" && cipher.ends_with("128") {
                continue;
            }
            let essiv = if iv == "essiv" { ",ivgen-hash-alg=sha256" } else { "" };
            cases.push(opens(
                &format!("qemu-{cipher}-{mode}-{iv}"),
                format!(
                    "for attempt in {{1..60}}; do [ $attempt -lt 5 ] || sleep 0.3; qemu-img convert -f raw -O luks --object secret,id=s,data=secret -o key-secret=s,cipher-alg={cipher},cipher-mode={mode},ivgen-alg={iv}{essiv},hash-alg={hash},iter-time=10 clear disk.img && break; done"
                ),
            ));
        }
    }
    // By the script: the rest.
    for (cipher, bits, hash) in [
        ("camellia-xts-plain64", 512, "sha256"),
        ("camellia-cbc-essiv:sha256", 256, "sha512"),
        ("camellia-cbc-plain", 192, "sha1"),
        ("serpent-cbc-plain64", 192, "sha256"),
        ("aes-xts-plain64", 384, "sha256"),
        ("aes-xts-essiv:sha256", 512, "sha256"),
        ("aes-lrw-benbi", 256, "sha1"),
        ("aes-lrw-benbi", 384, "sha256"),
        ("serpent-lrw-benbi", 384, "sha256"),
        ("twofish-lrw-plain64", 384, "sha256"),
        ("aes-cbc-plain64be", 256, "sha256"),
        ("aes-ecb", 256, "sha256"),
    ] {
        cases.push(opens(
            &format!("script-{}-{bits}", cipher.replace(':', "-")),
            format!("head -c {} /dev/urandom > key; python3 luks.py luks1 {cipher} {hash} key secret clear disk.img", bits / 8),
        ));
    }
    cases.extend([
        refuses(
            "wrong-key",
            &["encrypted", "the key is wrong for the only key slot"],
            "format luks2 aes-xts-plain64 512 $cheap; printf other > other; printf secret > secret
cryptsetup luksChangeKey -q $cheap --key-file secret disk.img other",
        ),
        refuses("costly", &["encrypted", "argon2id", "2147483648"],
            "format luks2 aes-xts-plain64 512 --pbkdf argon2id --pbkdf-memory 1024 --pbkdf-force-iterations 4
patch 'text[\"keyslots\"][\"0\"][\"kdf\"][\"memory\"] = 2097152'"),
        refuses("integrity", &["unsupported", "hmac(sha256)"], "format luks2 aes-xts-plain64 512 $cheap
patch 'text[\"segments\"][\"0\"][\"integrity\"] = {\"type\": \"hmac(sha256)\"}'"),
        refuses("requirement", &["requirement", "from-the-future"], "format luks2 aes-xts-plain64 512 $cheap
patch 'text[\"config\"][\"requirements\"] = {\"mandatory\": [\"from-the-future\"]}'"),
        refuses("reencryption", &["reencryption"], "format luks2 aes-xts-plain64 512 $cheap; printf secret > secret
cryptsetup reencrypt -q --init-only --encrypt --reduce-device-size 8m --key-file secret disk.img >> log 2>&1 || \
patch 'text[\"config\"][\"requirements\"] = {\"mandatory\": [\"online-reencrypt-v2\"]}'"),
        refuses("unknown-cipher", &["xchacha12,aes-adiantum-plain64"], "format luks2 aes-xts-plain64 256 $cheap
patch 'text[\"segments\"][\"0\"][\"encryption\"] = \"xchacha12,aes-adiantum-plain64\"'"),
        refuses("unknown-hash", &["sm3"], "format luks1 aes-xts-plain64 512 --hash sm3 --pbkdf-force-iterations 1000"),
        refuses("detached", &["detached"], "format luks1 aes-xts-plain64 512 --pbkdf-force-iterations 1000 --header head; mv head disk.img"),
        refuses("2-detached", &["detached"], "format luks2 aes-xts-plain64 512 $cheap --header head; mv head disk.img"),
        Case::new("volume/luks-locked", |work: &Work| {
            work.bash(&format!("{PRELUDE}\nformat luks2 aes-xts-plain64 512 $cheap --label mine"))?;
            let discovery = work.discover(&["disk.img"], &[])?;
            let disk = volume(&discovery, "disk0")?;
            let kind = disk.problem.as_ref().map(fathom_block::Error::kind);
            match &disk.content {
                Content::Luks { version: 2, label: Some(label), cipher, .. }
                    if label == "mine" && cipher == "aes-xts-plain64" && kind == Some(ErrorKind::Encrypted) => Ok(()),
                other => bail!("{other:?} {kind:?}"),
            }
        }),
        Case::new("volume/luks-2-one-header-damaged", |work: &Work| {
            std::fs::write(work.path("luks.py"), SCRIPT)?;
            work.bash(&format!("{PRELUDE}\nformat luks2 aes-xts-plain64 512 $cheap --sector-size 512; payload aes-xts-plain64; cp disk.img whole"))?;
            for damage in ["bs=1 seek=5000", "bs=1 seek=100", "bs=1 seek=2", "bs=4096 count=1 if=/dev/zero", "bs=1 seek=20000"] {
                work.bash(&format!("cp whole disk.img; printf XX > bad; dd if=bad {damage} of=disk.img conv=notrunc status=none"))?;
                let discovery = work.discover(&["disk.img"], &["secret"])?;
                if discovery.problems.is_empty() {
                    bail!("{damage}: it is not told");
                }
                check_bytes(work, volume(&discovery, "disk0/luks")?, "clear")?;
            }
            Ok(())
        }),
        Case::new("volume/luks-key-file", |work: &Work| {
            std::fs::write(work.path("luks.py"), SCRIPT)?;
            work.bash(&format!("{PRELUDE}
format luks2 aes-xts-plain64 512 $cheap --sector-size 512; printf secret > secret; head -c 4096 /dev/urandom > file
cryptsetup luksChangeKey -q $cheap --key-file secret disk.img file; payload aes-xts-plain64"))?;
            let secret = std::fs::read(work.path("file"))?;
            let reader = std::sync::Arc::new(std::fs::read(work.path("disk.img"))?);
            let disk = fathom_volume::Disk { name: "disk".into(), reader, sector_size: None };
            let keys = |name: &str| Keys::new(vec![Key::new(Some(name.into()), secret.clone())]);
            let discovery = fathom_volume::discover(std::slice::from_ref(&disk), &keys("disk0"));
            let clear = volume(&discovery, "disk0/luks")?;
            check_bytes(work, clear, "clear")?;
            let Layer::Luks { uuid, .. } = &clear.layer else { bail!("no layer") };
            volume(&fathom_volume::discover(std::slice::from_ref(&disk), &keys(uuid)), "disk0/luks")?;
            let limits = Limits { work: 10, ..Limits::default() };
            let discovery = fathom_volume::discover(&[disk], &keys(uuid).limits(limits));
            check_refused(volume(&discovery, "disk0")?, &["rounds of work"])
        }),
        Case::new("volume/luks-nested", nested),
    ]);
    cases
}

/// A partition, in it LUKS, in it a disk with a table of its own, in it LUKS once more.
fn nested(work: &Work) -> Result<()> {
    std::fs::write(work.path("luks.py"), SCRIPT)?;
    work.bash(&format!(
        "{PRELUDE}
format luks2 aes-xts-plain64 512 $cheap --sector-size 512; payload aes-xts-plain64; cp clear payload
truncate -s 18087936 inner; printf 'label: dos\\nstart=2048, type=83\\n' | sfdisk -q inner
dd if=disk.img of=inner bs=512 seek=2048 conv=notrunc,sparse status=none; mv inner clear; rm disk.img
head -c 64 /dev/urandom > key; python3 luks.py luks1 aes-xts-plain64 sha256 key secret clear luks
truncate -s 32M disk.img; printf 'label: gpt\\nstart=2048\\n' | sfdisk -q disk.img
dd if=luks of=disk.img bs=1M seek=1 conv=notrunc status=none; mv payload clear"
    ))?;
    let discovery = work.discover(&["disk.img"], &["secret"])?;
    let inner = volume(&discovery, "disk0/p1/luks/p1/luks")?;
    check_bytes(work, inner, "clear")
}
