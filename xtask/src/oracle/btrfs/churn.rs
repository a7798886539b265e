//! Random work on a mounted filesystem, some of it fsynced: the same for the same seed.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use anyhow::Result;
use rustix::fs::{FallocateFlags, XattrFlags, fallocate, lsetxattr, removexattr};

/// A small random-number generator (xorshift64*).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, bound: u64) -> u64 {
        (self.next() >> 16) % bound
    }
}

/// Works in `directory`: some of it is committed, then some more is fsynced, or not.
pub(super) fn run(directory: &Path, seed: u64) -> Result<()> {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    for dir in ["a", "a/b", "c"] {
        fs::create_dir(directory.join(dir))?;
    }
    for _ in 0..150 {
        let _ = step(directory, &mut random, false);
    }
    rustix::fs::syncfs(File::open(directory)?)?;
    for _ in 0..20 + random.below(120) {
        // What cannot be done, such as removing what is not there, is not done.
        let _ = step(directory, &mut random, true);
    }
    Ok(())
}

fn name(directory: &Path, random: &mut Random) -> PathBuf {
    let dir = ["", "a", "a/b", "c", "a/d", "c/e"][random.below(6) as usize];
    directory.join(dir).join(format!("name-{}", random.below(12)))
}

fn step(directory: &Path, random: &mut Random, fsync: bool) -> io::Result<()> {
    let path = name(directory, random);
    let open =
        || OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
    match random.below(17) {
        0..=3 => {
            let most = [100, 5000, 200_000][random.below(3) as usize];
            let mut bytes = vec![0; 1 + random.below(most) as usize];
            let noisy = random.below(2) == 0;
            for (index, byte) in bytes.iter_mut().enumerate() {
                *byte = if noisy { random.next() as u8 } else { (index / 100) as u8 };
            }
            let at = [0, 0, 3000, 8192, 100_000][random.below(5) as usize];
            open()?.write_all_at(&bytes, at)?;
        }
        4 => open()?.set_len(random.below(150_000))?,
        5 => {
            let flags =
                [FallocateFlags::empty(), FallocateFlags::KEEP_SIZE][random.below(2) as usize];
            fallocate(open()?, flags, random.below(100_000), 1 + random.below(100_000))?;
        }
        6 => {
            let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            fallocate(open()?, flags, random.below(50_000), 1 + random.below(50_000))?;
        }
        7 => fs::rename(&path, name(directory, random))?,
        8 => fs::hard_link(&path, name(directory, random))?,
        9 => fs::remove_file(&path)?,
        10 => fs::create_dir(directory.join(["a/d", "c/e"][random.below(2) as usize]))?,
        11 => fs::remove_dir(directory.join(["a/d", "c/e"][random.below(2) as usize]))?,
        12 => {
            let attribute = format!("user.{}", random.below(4));
            lsetxattr(&path, attribute, &random.next().to_le_bytes(), XattrFlags::empty())?;
        }
        13 => removexattr(&path, format!("user.{}", random.below(4)))?,
        14 => {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600 + random.below(64) as u32))?
        }
        15 => symlink(format!("target-{}", random.below(100)), &path)?,
        _ => {
            let dir = ["a/d", "c/e"][random.below(2) as usize];
            fs::rename(
                directory.join(dir),
                directory.join(["a/b/moved", "c/moved"][random.below(2) as usize]),
            )?;
        }
    }
    if fsync {
        match random.below(4) {
            0 => File::open(&path)?.sync_all()?,
            1 => File::open(name(directory, random))?.sync_all()?,
            2 if random.below(3) == 0 => {
                File::open(path.parent().unwrap_or(directory))?.sync_all()?
            }
            _ => {}
        }
    }
    Ok(())
}
