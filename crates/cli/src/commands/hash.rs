//! `fathom hash`.

use std::io::Read as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use fathom_block::{Error, ErrorKind};
use fathom_filesystem::{FileType, Found, Tree};
use serde::Serialize;

use super::entry::{as_directory, json_path};
use crate::args::{Algorithm, Hash};
use crate::exit::{Each, Failure, Verdict, say, warn};
use crate::hash::digest;
use crate::interrupt;
use crate::machine::{Machine, guest_path};
use crate::output::Out;
use crate::progress::Progress;
use crate::text;

/// How many files are hashed before their lines are printed.
const BATCH: usize = 1024;

/// The longest list of checksums that is taken, in bytes.
const MAX_LIST: u64 = 256 << 20;

#[derive(Serialize)]
struct Line {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_hex: Option<String>,
    digest: String,
}

/// What became of one line of a list that is checked.
#[derive(Serialize)]
struct Checked {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_hex: Option<String>,
    verdict: &'static str,
}

pub(crate) fn run(options: &Hash) -> Result<Verdict, Failure> {
    let machine = Machine::open(&options.guest.source)?;
    let tree = machine.files(&options.guest.on)?;
    if let Some(list) = &options.check {
        return check(&tree, list, options);
    }
    let mut out = Out::new();
    let mut lines = Vec::new();
    let mut partial = false;
    let mut batch = Vec::new();
    let progress = Progress::new("hashing", None);
    let mut flush = |batch: &mut Vec<(Vec<u8>, Found)>, out: &mut Out, partial: &mut bool| {
        for (path, outcome) in digests(batch, options.algorithm, &progress)? {
            match outcome {
                Ok(digest) if options.guest.output.is_json() => {
                    let (path, path_hex) = json_path(&path);
                    lines.push(Line { path, path_hex, digest });
                }
                Ok(digest) if out.is_terminal() => out.line(shown_line(&digest, &path))?,
                Ok(digest) => out.bytes(&checksum_line(&digest, &path))?,
                Err(error) => {
                    warn(&error.within(text::name(&path)));
                    *partial = true;
                }
            }
        }
        batch.clear();
        Ok::<(), Failure>(())
    };
    let mut each = Each::of(options.paths.len());
    let mut one = |path: &[u8]| {
        let found = tree.resolve(path, true)?;
        match found.metadata()?.file_type {
            FileType::File => batch.push((path.to_vec(), found)),
            FileType::Directory if options.recursive => {
                partial |= tree.lacks_beneath(path);
                for step in tree.walk(&as_directory(&tree, path)?)? {
                    interrupt::check()?;
                    if let Some(problem) = step.metadata.as_ref().err().or(step.problem.as_ref()) {
                        warn(problem);
                        partial = true;
                    }
                    if step.metadata.is_ok_and(|metadata| metadata.file_type == FileType::File) {
                        batch.push((step.path, step.found));
                    }
                    if batch.len() >= BATCH {
                        flush(&mut batch, &mut out, &mut partial)?;
                    }
                }
            }
            FileType::Directory => {
                return Err(Failure::Usage(format!(
                    "{} is a directory; --recursive hashes what is beneath it",
                    text::name(path)
                )));
            }
            _ => {
                return Err(Failure::Usage(format!("{} is not a regular file", text::name(path))));
            }
        }
        Ok(())
    };
    for path in &options.paths {
        each.note(one(guest_path(path)))?;
    }
    flush(&mut batch, &mut out, &mut partial)?;
    if options.guest.output.is_json() {
        out.json(&lines)?;
    }
    drop(progress);
    out.finish()?;
    each.verdict(partial)
}

type Digest = Result<String, Error>;

/// The checksums of the files, computed side by side, in the order of the files.
fn digests(
    files: &[(Vec<u8>, Found)],
    algorithm: Algorithm,
    progress: &Progress,
) -> Result<Vec<(Vec<u8>, Digest)>, Failure> {
    let next = AtomicUsize::new(0);
    let work = || -> Result<Vec<(usize, Digest)>, Failure> {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some((_, found)) = files.get(index) else { return Ok(done) };
            let outcome = found.open().map_err(Failure::Read);
            done.push((
                index,
                match outcome.and_then(|file| digest(&*file, algorithm, progress)) {
                    Ok(digest) => Ok(digest),
                    Err(Failure::Read(error)) => Err(error),
                    Err(other) => return Err(other),
                },
            ));
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(files.len());
    let mut done = std::thread::scope(|scope| {
        let workers: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut done = work()?;
        for worker in workers {
            match worker.join() {
                Ok(theirs) => done.extend(theirs?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok::<_, Failure>(done)
    })?;
    done.sort_unstable_by_key(|(index, _)| *index);
    Ok(done.into_iter().map(|(index, outcome)| (files[index].0.clone(), outcome)).collect())
}

/// A line as sha256sum writes it: a name with a newline or backslash is escaped, and the line says
/// so by starting with a backslash.
fn checksum_line(digest: &str, path: &[u8]) -> Vec<u8> {
    let mut line = Vec::with_capacity(digest.len() + path.len() + 4);
    if path.iter().any(|byte| matches!(byte, b'\n' | b'\\' | b'\r')) {
        line.push(b'\\');
    }
    line.extend_from_slice(digest.as_bytes());
    line.extend_from_slice(b"  ");
    for byte in path {
        match byte {
            b'\n' => line.extend_from_slice(b"\\n"),
            b'\r' => line.extend_from_slice(b"\\r"),
            b'\\' => line.extend_from_slice(b"\\\\"),
            other => line.push(*other),
        }
    }
    line.push(b'\n');
    line
}

/// The same for a terminal, which must not obey a name. It is the line of sha256sum for every name
/// that it spells out as well.
fn shown_line(digest: &str, path: &[u8]) -> String {
    let shown = text::name(path);
    let mark = if shown.as_bytes() == path { "" } else { "\\" };
    format!("{mark}{digest}  {shown}")
}

/// The opposite of [`checksum_line`].
fn parse_line(line: &[u8]) -> Option<(String, Vec<u8>)> {
    let (escaped, line) = match line.strip_prefix(b"\\") {
        Some(rest) => (true, rest),
        None => (false, line),
    };
    let cut = line.iter().position(|byte| *byte == b' ')?;
    let digest = std::str::from_utf8(&line[..cut]).ok()?;
    if !matches!(digest.len(), 64 | 128) || !digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    // A second blank, or an asterisk that says "binary", stands before the name; some tools leave it.
    let name = line.get(cut + 1..)?;
    let name = name.strip_prefix(b" ").or_else(|| name.strip_prefix(b"*")).unwrap_or(name);
    if name.is_empty() {
        return None;
    }
    if !escaped {
        return Some((digest.to_lowercase(), name.to_vec()));
    }
    let mut path = Vec::new();
    let mut bytes = name.iter();
    while let Some(byte) = bytes.next() {
        path.push(match byte {
            b'\\' => match bytes.next()? {
                b'n' => b'\n',
                b'r' => b'\r',
                b'\\' => b'\\',
                _ => return None,
            },
            other => *other,
        });
    }
    Some((digest.to_lowercase(), path))
}

/// Compares files with a list of checksums. A file that differs or is missing makes the answer
/// "no"; one that cannot be read makes it incomplete.
fn check(tree: &Tree, list: &Path, options: &Hash) -> Result<Verdict, Failure> {
    let mut text = Vec::new();
    let name = list.display().to_string();
    if list == Path::new("-") {
        std::io::stdin().lock().take(MAX_LIST).read_to_end(&mut text)
    } else {
        std::fs::File::open(list).and_then(|file| file.take(MAX_LIST).read_to_end(&mut text))
    }
    .map_err(Failure::reading(name.clone()))?;
    if text.len() as u64 == MAX_LIST {
        let why = format!("{name} is longer than {} MiB: check it in parts", MAX_LIST >> 20);
        return Err(Failure::Usage(why));
    }
    let mut out = Out::new();
    let mut lines = Vec::new();
    let (mut checked, mut wrong, mut unread) = (0, 0, 0);
    let progress = Progress::new("checking", None);
    for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
        interrupt::check()?;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        let (wanted, path) = parse_line(line).ok_or_else(|| {
            Failure::Usage(format!("{name}, line {}: that is no line of sha256sum", number + 1))
        })?;
        // The digest's length says which it is.
        let algorithm = if wanted.len() == 128 { Algorithm::Sha512 } else { Algorithm::Sha256 };
        let outcome = match tree.open(&path) {
            Ok(file) => digest(&*file, algorithm, &progress),
            Err(error) => Err(error.into()),
        };
        checked += 1;
        let verdict = match outcome {
            Ok(digest) if digest == wanted => "OK",
            Ok(_) => "DIFFERS",
            Err(Failure::Read(error)) => {
                warn(&error);
                if error.kind() == ErrorKind::NotFound { "MISSING" } else { "CANNOT BE READ" }
            }
            Err(other) => return Err(other),
        };
        match verdict {
            "OK" => {}
            "CANNOT BE READ" => unread += 1,
            _ => wrong += 1,
        }
        if options.guest.output.is_json() {
            let (path, path_hex) = json_path(&path);
            lines.push(Checked { path, path_hex, verdict });
        } else {
            out.line(format!("{}: {verdict}", text::name(&path)))?;
        }
    }
    drop(progress);
    if checked == 0 {
        return Err(Failure::Usage(format!("{name} holds no checksums")));
    }
    if options.guest.output.is_json() {
        out.json(&lines)?;
    }
    out.finish()?;
    if unread > 0 {
        say(&format!("{unread} of {checked} files cannot be read"));
    }
    if wrong > 0 {
        say(&format!("{wrong} of {checked} files differ or are missing"));
        return Ok(Verdict::No);
    }
    Ok(if unread > 0 { Verdict::Partial } else { Verdict::Done })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_survive_the_way_there_and_back() {
        let digest = "ab".repeat(32);
        for path in [b"plain".as_slice(), b"new\nline", b"back\\slash", b" two  spaces", b"\xff"] {
            let line = checksum_line(&digest, path);
            assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
            let parsed = parse_line(&line[..line.len() - 1]).unwrap();
            assert_eq!(parsed, (digest.clone(), path.to_vec()));
        }
        assert!(parse_line(b"nonsense  file").is_none());
    }

    #[test]
    fn a_terminal_is_shown_the_same_lines_but_obeys_none() {
        let digest = "ab".repeat(32);
        for path in [b"plain".as_slice(), b"new\nline", b"back\\slash", "\u{e9}".as_bytes()] {
            let line = checksum_line(&digest, path);
            assert_eq!(shown_line(&digest, path).as_bytes(), &line[..line.len() - 1]);
        }
        let shown = shown_line(&digest, "a\u{1b}[31m\u{9b}\u{202e}".as_bytes());
        assert_eq!(shown, format!("\\{digest}  a\\u{{1b}}[31m\\u{{9b}}\\u{{202e}}"));
    }
}
