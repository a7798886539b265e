//! FAT as mkfs.fat makes it and mtools fill and read it.
//!
//! The kernel of the test machine has no vfat, so the reference is what mcopy takes out of the
//! image. FAT knows no owners, links or attributes, and mcopy does not tell what is allocated.

use std::path::Path;

use anyhow::{Result, ensure};
use fathom_filesystem::{FileType, Health, Tree};

use super::fixture::{self, Abilities};
use super::manifest::Ignore;
use super::{Case, Manifest, Work};

/// mtools look through the whole directory for every name they write, so it is not large.
const ABILITIES: Abilities = Abilities {
    unix: false,
    symlinks: false,
    hard_links: false,
    xattrs: false,
    odd_names: false,
    large_directory: 150,
    large_file: 2 << 20,
};

const SMALL: Abilities = Abilities { large_file: 100 << 10, ..ABILITIES };

const IGNORE: Ignore = Ignore {
    owner_and_mode: true,
    links: true,
    changed: true,
    created: true,
    inode: true,
    allocated: true,
    directory_size: true,
    xattrs: true,
    directory_times: true,
    directory_links: false,
};

/// The type, the size of the image and the options of mkfs.fat.
const SHAPES: [(&str, &str, &str); 17] = [
    ("FAT12", "8M", "-F 12 -s 8"),
    ("FAT12", "15M", "-F 12 -s 8"),
    ("FAT12", "32M", "-F 12 -s 32"),
    ("FAT12", "128M", "-F 12 -s 128"),
    ("FAT12", "12M", "-F 12 -S 4096 -s 1"),
    ("FAT16", "24M", "-F 16 -s 1"),
    ("FAT16", "32M", "-F 16 -s 4"),
    ("FAT16", "512M", "-F 16 -s 64"),
    ("FAT16", "1G", "-F 16 -s 128"),
    ("FAT16", "64M", "-F 16 -S 2048 -s 2"),
    ("FAT32", "40M", "-F 32 -s 1"),
    ("FAT32", "300M", "-F 32 -s 8"),
    ("FAT32", "3G", "-F 32 -s 64"),
    ("FAT32", "6G", "-F 32 -s 128"),
    ("FAT32", "300M", "-F 32 -S 1024 -s 2"),
    ("FAT32", "40M", "-F 32 -s 1 -f 1"),
    ("FAT32", "600M", "-F 32 -S 4096 -s 2 -R 8"),
];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (variant, size, options) in SHAPES {
        let name = format!("fat/{variant} {size} {options}").replace(' ', "_");
        let cluster_is_small = matches!(options, "-F 16 -s 1" | "-F 32 -s 1" | "-F 32 -s 1 -f 1");
        cases.push(Case::new(name, move |work| {
            make(work, size, &format!("{options} -n LABEL -i 1234abcd"))?;
            fill(work, |at| {
                fixture::populate(at, if variant == "FAT12" { SMALL } else { ABILITIES })?;
                // mtools cannot grow a directory by more than one cluster for a name.
                if cluster_is_small { bash(at, "rm -r names") } else { Ok(()) }
            })?;
            compare(work, variant, "LABEL")
        }));
    }
    cases.push(Case::new("fat/floppy", |work| {
        make(work, "1440K", "-n FLOPPY -i 1234abcd")?;
        fill(work, |at| bash(at, "mkdir a; echo b > a/b; head -c 300000 /dev/urandom > noise"))?;
        compare(work, "FAT12", "FLOPPY")
    }));
    for (variant, options) in [("FAT12", "-F 12 -s 8"), ("FAT16", "-F 16"), ("FAT32", "-F 32 -s 1")]
    {
        let size = if variant == "FAT32" { "40M" } else { "15M" };
        cases.push(Case::new(format!("fat/{variant}_names"), move |work| {
            make(work, size, options)?;
            fill(work, |at| bash(at, NAMES))?;
            names(work)
        }));
        cases.push(Case::new(format!("fat/{variant}_fragmented"), move |work| {
            make(work, size, &format!("{options} -n LABEL -i 1234abcd"))?;
            mtools(work, FRAGMENTED)?;
            compare(work, variant, "LABEL")
        }));
        cases.push(Case::new(format!("fat/{variant}_damaged"), move |work| {
            make(work, size, options)?;
            fill(work, |at| {
                bash(at, "mkdir a; for i in $(seq 1 20); do seq $i 9999 > a/file-$i; done")
            })?;
            damaged(work)
        }));
    }
    cases
}

const NAMES: &str = r#"
: > 'lower.txt'; : > 'UPPER.TXT'; : > 'MiXed.TxT'; : > 'lower.TXT2'; : > 'UPPER2.txt'; : > 'a.b.c'; : > '.hidden'; : > 'noext'
: > 'with space.txt'; : > ' leading'; : > '+,;=[]'; : > 'ünïcode-éàç'; : > '日本語'; : > 'Ελληνικά'; : > 'ÇA.TXT'
: > 'exactly 13 ch'; : > 'exactly 26 characters long'; : > "$(printf 'n%.0s' $(seq 1 255))"; : > 'longname with a tail'
mkdir 'A directory' DIR dir.ext; echo x > 'A directory/file'; echo y > DIR/FILE; mkdir -p dir.ext/1/2/3; echo z > dir.ext/1/2/3/z
touch -d '1980-01-01 00:00:00' first; touch -d '2107-12-31 23:59:58' last; touch -d '2024-02-29 12:34:57.9' leap
"#;

const FRAGMENTED: &str = r#"
mkdir few; for i in $(seq 1 120); do head -c $((i * 97)) /dev/urandom > few/$i; done
mcopy -i image -s -Q -n few ::/
for i in $(seq 1 2 120); do echo ::/few/$i; done | xargs mdel -i image
head -c 2000000 /dev/urandom > scattered; mcopy -i image -Q -n scattered ::/few/
for i in $(seq 2 4 120); do echo ::/few/$i; done | xargs mdel -i image
head -c 900000 /dev/urandom > again; mcopy -i image -Q -n again ::/
# Fill what is left to the last cluster.
free=$(mdir -i image ::/ | awk '/bytes free/ { gsub("[^0-9]", ""); print }')
head -c $free /dev/urandom > rest; mcopy -i image -Q -n rest ::/
"#;

fn bash(at: &Path, script: &str) -> Result<()> {
    crate::shell::bash(at, script).map(drop)
}

fn make(work: &Work, size: &str, options: &str) -> Result<()> {
    // The sector size is no property of a file; mkfs.fat is told it and mtools read it.
    work.bash(&format!("truncate -s {size} image; mkfs.fat {options} image >/dev/null"))?;
    Ok(())
}

/// Runs a script with mtools that take short names for code page 437 and trust us.
fn mtools(work: &Work, script: &str) -> Result<String> {
    work.bash(&format!(
        "printf 'mtools_skip_check=1\\ndefault_codepage=437\\n' > mtoolsrc
         export MTOOLSRC=$PWD/mtoolsrc
         {script}"
    ))
}

/// Fills a folder and copies it into the image.
fn fill(work: &Work, fill: impl Fn(&Path) -> Result<()>) -> Result<()> {
    std::fs::create_dir_all(work.path("in"))?;
    fill(&work.path("in"))?;
    let each = "cd in; find . -mindepth 1 -maxdepth 1 -print0";
    mtools(work, &format!("{each} | xargs -0 -I+ mcopy -i ../image -s -Q -m -n + ::/"))?;
    Ok(())
}

/// What mtools take out of the image. They take 2100 for a leap year when they read, though not
/// when they write, so that all later dates are a day late.
fn theirs(work: &Work) -> Result<Manifest> {
    const MARCH_2100: i64 = 4_107_542_400;
    mtools(work, "rm -rf out; mkdir out; mcopy -i image -s -Q -m -n '::/*' out/")?;
    let mut manifest = Manifest::from_kernel(&work.path("out"))?;
    for entry in manifest.0.values_mut().filter(|entry| entry.modified.seconds > MARCH_2100) {
        entry.modified.seconds -= 86400;
    }
    Ok(manifest)
}

fn compare(work: &Work, variant: &str, label: &str) -> Result<()> {
    let theirs = theirs(work)?;
    let tree = work.tree("image")?;
    ensure!(theirs.len() > 1, "the image is empty");
    ensure!(tree.problems().is_empty(), "problems: {:?}", tree.problems());
    theirs.check(&Manifest::from_tree(&tree)?, IGNORE)?;
    let info = tree.mounts()[0].filesystem.info();
    ensure!(info.variant == variant && info.health == Health::Clean, "{info:?}");
    ensure!(info.label.as_deref() == Some(label), "the label is {:?}", info.label);
    ensure!(info.uuid.as_deref() == Some("1234-ABCD"), "the serial is {:?}", info.uuid);
    let free =
        mtools(work, "mdir -i image ::/ | awk '/bytes free/ { gsub(\"[^0-9]\", \"\"); print }'")?;
    ensure!(
        info.free.map(|free| free.to_string()).as_deref() == Some(free.trim()),
        "{free} {info:?}"
    );
    lookups(&tree)
}

/// Every name is found as it is, in capitals and in small letters.
fn lookups(tree: &Tree) -> Result<()> {
    for step in tree.walk(b"/")? {
        for spelling in
            [step.path.clone(), step.path.to_ascii_uppercase(), step.path.to_ascii_lowercase()]
        {
            let found = tree.resolve(&spelling, false)?;
            ensure!(found.node == step.found.node, "{} is another", spelling.escape_ascii());
        }
        let absent = [step.path.as_slice(), b"-absent"].concat();
        ensure!(tree.resolve(&absent, false).is_err(), "{} exists", absent.escape_ascii());
    }
    Ok(())
}

/// Names of every kind; then with pieces of long names that have lost their file.
fn names(work: &Work) -> Result<()> {
    let before = theirs(work)?;
    let tree = work.tree("image")?;
    before.check(&Manifest::from_tree(&tree)?, IGNORE)?;
    lookups(&tree)?;
    // The short name of a long one.
    let long = tree.resolve(b"/exactly 26 characters long", false)?;
    ensure!(
        tree.resolve(b"/exactl~2", false)?.node == long.node
            || tree.resolve(b"/exactl~1", false)?.node == long.node
    );
    // The entry is marked as deleted, its pieces stay.
    let mut image = std::fs::read(work.path("image"))?;
    let place = long.node.inode as usize;
    image[place] = 0xE5;
    // And one whose pieces belong to another name.
    let other = tree.resolve(b"/longname with a tail", false)?.node.inode as usize;
    image[other + 7] = b'X';
    std::fs::write(work.path("image"), image)?;
    let after = theirs(work)?;
    ensure!(after.len() + 1 == before.len(), "mtools see {} and saw {}", after.len(), before.len());
    after.check(&Manifest::from_tree(&work.tree("image")?)?, IGNORE)
}

/// The second table stands in for the first; marks of use and of errors are told.
fn damaged(work: &Work) -> Result<()> {
    let theirs = theirs(work)?;
    let image = std::fs::read(work.path("image"))?;
    let number = |at: usize| u16::from_le_bytes([image[at], image[at + 1]]) as usize;
    let (sector, table) = (number(11), number(11) * number(14));
    let variant = work.tree("image")?.mounts()[0].filesystem.info().variant;
    let (state, second) = match variant.as_str() {
        "FAT12" => (37, None),
        "FAT16" => (37, Some(table + 3)),
        _ => (65, Some(table + 7)),
    };
    let mut patches = vec![
        ("second table", Health::Clean, (table..table + sector).collect::<Vec<_>>(), 0),
        ("not unmounted", Health::Dirty, vec![state], 1),
    ];
    // The two highest bits of the second entry's 16 or 28 are clear when they mean something.
    if let Some(second) = second {
        let top = if variant == "FAT16" { 0x80 } else { 0x08 };
        patches.push(("not unmounted", Health::Dirty, vec![second], image[second] & !top));
        patches.push((
            "read or write errors",
            Health::Errors,
            vec![second],
            image[second] & !(top / 2),
        ));
    }
    for (words, health, places, value) in patches {
        let mut copy = image.clone();
        places.iter().for_each(|place| copy[*place] = value);
        std::fs::write(work.path("damaged"), copy)?;
        let tree = work.tree("damaged")?;
        let problems: Vec<String> = tree.problems().iter().map(ToString::to_string).collect();
        ensure!(problems.len() == 1 && problems[0].contains(words), "{words}: {problems:?}");
        let found = tree.mounts()[0].filesystem.info().health;
        ensure!(found == health, "{words}: health is {found}");
        theirs.check(&Manifest::from_tree(&tree)?, IGNORE)?;
    }
    // A chain that goes round is an error of its file, and of nothing else.
    let tree = work.tree("image")?;
    let entry = tree.resolve(b"/a/file-1", false)?.node.inode as usize;
    let cluster = number(entry + 26);
    let mut copy = image.clone();
    match variant.as_str() {
        "FAT12" => {
            let at = table + cluster * 3 / 2;
            let pair = u16::from_le_bytes([copy[at], copy[at + 1]]);
            let own = cluster as u16;
            let pair = if cluster % 2 == 0 { pair & 0xF000 | own } else { pair & 0xF | own << 4 };
            copy[at..at + 2].copy_from_slice(&pair.to_le_bytes());
        }
        "FAT16" => {
            copy[table + 2 * cluster..][..2].copy_from_slice(&(cluster as u16).to_le_bytes())
        }
        _ => copy[table + 4 * cluster..][..4].copy_from_slice(&(cluster as u32).to_le_bytes()),
    }
    std::fs::write(work.path("damaged"), copy)?;
    let tree = work.tree("damaged")?;
    let mut failed = 0;
    for step in tree.walk(b"/")? {
        if step.metadata?.file_type == FileType::File && step.found.open().is_err() {
            ensure!(step.path == b"/a/file-1", "{} does not open", step.path.escape_ascii());
            failed += 1;
        }
    }
    ensure!(failed == 1, "a file whose chain goes round opens");
    Ok(())
}
