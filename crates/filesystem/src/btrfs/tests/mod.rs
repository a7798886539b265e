//! Small filesystems made by hand, right and wrong ones. What mkfs and the kernel make is compared
//! by `cargo xtask oracle btrfs/`.

mod damage;
mod files;
mod image;
mod subvolumes;

use fathom_block::{ErrorKind, ReadAt as _};

use self::image::Image;
use crate::tree::Tree;

/// Reads the file in odd portions and as a whole.
fn check_file(tree: &Tree, path: &str, wanted: &[u8]) {
    let file = tree.open(path.as_bytes()).unwrap();
    assert_eq!(file.len(), wanted.len() as u64, "{path}");
    assert_eq!(tree.read(path.as_bytes(), 1 << 20).unwrap(), wanted, "{path}");
    for (start, length) in [(0, 1), (1, 4095), (4095, 2), (100, 9000), (8191, 4098)] {
        let end = (start + length).min(wanted.len());
        let start = start.min(end);
        let mut buf = vec![0xEE; end - start];
        file.read_at(start as u64, &mut buf).unwrap();
        assert_eq!(buf, wanted[start..end], "{path} {start}..{end}");
    }
    assert!(file.read_at(wanted.len() as u64, &mut [0]).is_err());
    file.prefetch(std::slice::from_ref(&(0..file.len())));
}

fn refused(image: &mut Image, kind: ErrorKind, words: &str) {
    let error = image.open().err().unwrap();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(words), "{error}");
}

/// The error of reading all of `path`.
fn unreadable(image: &mut Image, path: &str, words: &str) {
    let error = image.tree().read(path.as_bytes(), 1 << 20).unwrap_err();
    assert!(error.to_string().contains(words), "{error}");
}
