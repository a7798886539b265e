//! `fathom find`.

use fathom_filesystem::{FileType, Metadata};

use super::entry::{Entry, Look, problem_of_step};
use super::pattern::matches;
use crate::args::Find;
use crate::exit::{Each, Failure, Verdict, warn};
use crate::interrupt;
use crate::machine::{Machine, guest_path};
use crate::output::{JsonArray, Out};
use crate::text;

/// What is searched for.
struct Filter {
    name: Option<Vec<u8>>,
    iname: Option<Vec<u8>>,
    path: Option<Vec<u8>>,
    file_type: Option<FileType>,
    min_size: Option<u64>,
    max_size: Option<u64>,
    mode: Option<u32>,
}

pub(crate) fn run(options: &Find) -> Result<Verdict, Failure> {
    let filter = Filter::new(options)?;
    let machine = Machine::open(&options.guest.source)?;
    let tree = machine.files(&options.guest.on)?;
    let mut out = Out::new();
    let mut array = JsonArray::default();
    let mut partial = false;
    let mut beneath = |start: &[u8]| -> Result<(), Failure> {
        let walk = tree.walk(start)?;
        partial |= tree.lacks_beneath(start);
        let walk = match options.max_depth {
            Some(depth) => walk.max_depth(depth),
            None => walk,
        };
        for step in walk {
            interrupt::check()?;
            // What cannot be looked at is listed if its name fits: it may be what is searched for.
            let fits = filter.fits(&step.path, step.metadata.as_ref().ok());
            let look = (fits && options.guest.output.is_json()).then(|| Look::of_step(&step));
            let problem = match &look {
                Some(look) => look.problem.as_ref(),
                None => problem_of_step(&step),
            };
            if let Some(problem) = problem {
                warn(problem);
                partial = true;
            }
            if !fits {
                continue;
            }
            if let Some(look) = look {
                array.item(&mut out, &Entry::new(&step.path, &look))?;
            } else if options.print0 {
                out.bytes(&step.path)?;
                out.bytes(b"\0")?;
            } else {
                out.line(text::name(&step.path))?;
            }
        }
        Ok(())
    };
    let mut each = Each::of(options.paths.len());
    for start in &options.paths {
        each.note(beneath(guest_path(start)))?;
    }
    if options.guest.output.is_json() {
        array.finish(&mut out)?;
    }
    out.finish()?;
    each.verdict(partial)
}

impl Filter {
    fn new(options: &Find) -> Result<Self, Failure> {
        let size = |text: &Option<String>| text.as_deref().map(parse_size).transpose();
        Ok(Self {
            name: options.name.as_ref().map(|pattern| pattern.clone().into_bytes()),
            iname: options.iname.as_ref().map(|pattern| pattern.to_lowercase().into_bytes()),
            path: options.path.as_ref().map(|pattern| pattern.clone().into_bytes()),
            file_type: options.file_type.map(parse_type).transpose()?,
            min_size: size(&options.min_size)?,
            max_size: size(&options.max_size)?,
            mode: options.mode.as_deref().map(parse_mode).transpose()?,
        })
    }

    fn fits(&self, path: &[u8], metadata: Option<&Metadata>) -> bool {
        let name = path.rsplit(|byte| *byte == b'/').find(|name| !name.is_empty());
        let name = name.unwrap_or(path);
        let lower = || String::from_utf8_lossy(name).to_lowercase().into_bytes();
        let named = self.name.as_ref().is_none_or(|pattern| matches(pattern, name))
            && self.iname.as_ref().is_none_or(|pattern| matches(pattern, &lower()))
            && self.path.as_ref().is_none_or(|pattern| matches(pattern, path));
        let Some(metadata) = metadata else { return named };
        named
            && self.file_type.is_none_or(|wanted| wanted == metadata.file_type)
            && self.min_size.is_none_or(|least| metadata.size >= least)
            && self.max_size.is_none_or(|most| metadata.size <= most)
            && self.mode.is_none_or(|bits| metadata.mode & bits != 0)
    }
}

fn parse_type(letter: char) -> Result<FileType, Failure> {
    Ok(match letter {
        'f' => FileType::File,
        'd' => FileType::Directory,
        'l' => FileType::Symlink,
        'c' => FileType::CharacterDevice,
        'b' => FileType::BlockDevice,
        'p' => FileType::Fifo,
        's' => FileType::Socket,
        other => return Err(Failure::Usage(format!("--type {other}: it is one of f d l c b p s"))),
    })
}

fn parse_mode(text: &str) -> Result<u32, Failure> {
    u32::from_str_radix(text, 8)
        .ok()
        .filter(|bits| *bits <= 0o7777)
        .ok_or_else(|| Failure::Usage(format!("--mode {text}: octal mode bits are wanted: 6000")))
}

fn parse_size(text: &str) -> Result<u64, Failure> {
    let (digits, unit) = match text.char_indices().last() {
        Some((at, 'k' | 'K')) => (&text[..at], 10),
        Some((at, 'm' | 'M')) => (&text[..at], 20),
        Some((at, 'g' | 'G')) => (&text[..at], 30),
        _ => (text, 0),
    };
    digits
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(1 << unit))
        .ok_or_else(|| Failure::Usage(format!("size {text:?}: a number is wanted: 4096, 10M, 2G")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_modes() {
        assert_eq!(parse_size("10M").unwrap(), 10 << 20);
        assert_eq!(parse_size("7").unwrap(), 7);
        for bad in ["", "k", "-1", "99999999999999G", "1é"] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
        assert_eq!(parse_mode("6000").unwrap(), 0o6000);
        assert!(parse_mode("9").is_err());
    }
}
