//! What was learned of the initial filesystems of other machines.
//!
//! To unpack one takes longer than to look at everything else, and machines that were cloned have the
//! same. So whoever looks at several machines remembers what their initial filesystems hold, by the
//! digest of all their bytes. A machine of its kind alone pays nothing: a digest is made only where
//! length and both ends have been seen before.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fathom_block::{ReadAt, Result};
use sha2::{Digest as _, Sha256};

/// How many initial filesystems are remembered, and how many drivers of each at most.
const MAX_MARKS: usize = 1024;
const MAX_DRIVERS: usize = 256;

/// How much is read at once: so much goes past the page cache.
const PORTION: usize = 1 << 20;

/// How much at each end is compared before anything else is.
const END: usize = 4 << 10;

/// What was learned so far. Shared by all that look at machines.
#[derive(Debug, Default)]
pub struct Learned {
    marks: Mutex<HashMap<Mark, State>>,
}

/// What is cheap to know of a file: its length and a digest of both its ends.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Mark {
    length: u64,
    ends: [u8; 32],
}

#[derive(Clone, Debug)]
enum State {
    /// One was seen; whether others are like it is not known.
    Once,
    /// It has this digest, and these drivers.
    Whole([u8; 32], Arc<[String]>),
    /// It cannot be read, or holds more than is remembered.
    Vain,
}

impl Mark {
    fn of(reader: &dyn ReadAt) -> Result<Self> {
        let length = reader.len();
        let size = length.min(END as u64) as usize;
        let mut ends = vec![0; 2 * size];
        let (first, last) = ends.split_at_mut(size);
        reader.read_many(&mut [(0, first), (length - size as u64, last)])?;
        Ok(Self { length, ends: Sha256::digest(&ends).into() })
    }
}

impl Learned {
    fn marks(&self) -> MutexGuard<'_, HashMap<Mark, State>> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The drivers in the initial filesystem, if that is known from another machine. Those of one
    /// that was seen once before are looked for by `look`, and remembered. Whatever goes wrong here
    /// goes wrong again, and is told, where the file is read for itself.
    pub(super) fn recall(
        &self,
        reader: &dyn ReadAt,
        look: impl FnOnce() -> Result<Vec<String>>,
    ) -> Option<Arc<[String]>> {
        let mark = Mark::of(reader).ok()?;
        let state = {
            let mut marks = self.marks();
            let state = marks.get(&mark).cloned();
            if state.is_none() && marks.len() < MAX_MARKS {
                marks.insert(mark.clone(), State::Once);
            }
            state?
        };
        match state {
            State::Vain => None,
            State::Whole(digest, drivers) => (digest_of(reader).ok()? == digest).then_some(drivers),
            State::Once => {
                let whole = digest_of(reader).and_then(|digest| Ok((digest, look()?)));
                let whole = whole.ok().filter(|(_, drivers)| drivers.len() <= MAX_DRIVERS);
                let (state, drivers) = match whole {
                    Some((digest, drivers)) => {
                        let drivers: Arc<[String]> = drivers.into();
                        (State::Whole(digest, Arc::clone(&drivers)), Some(drivers))
                    }
                    None => (State::Vain, None),
                };
                self.marks().insert(mark, state);
                drivers
            }
        }
    }
}

fn digest_of(reader: &dyn ReadAt) -> Result<[u8; 32]> {
    let mut hasher = Sha256::new();
    let mut portion = vec![0; PORTION.min(reader.len() as usize)];
    let mut at = 0;
    while at < reader.len() {
        let length = (reader.len() - at).min(PORTION as u64) as usize;
        reader.read_at(at, &mut portion[..length])?;
        hasher.update(&portion[..length]);
        at += length as u64;
    }
    Ok(hasher.finalize().into())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn what_is_the_same_is_looked_at_twice_and_no_more() {
        let learned = Learned::default();
        let looks = Cell::new(0);
        let recall = |bytes: &Vec<u8>| {
            learned.recall(bytes, || {
                looks.set(looks.get() + 1);
                Ok(vec![bytes[END].to_string()])
            })
        };
        let mut one = vec![1; 3 * END];
        // The first time its reader looks for itself.
        assert_eq!((recall(&one), looks.get()), (None, 0));
        for _ in 0..3 {
            assert_eq!((recall(&one).as_deref(), looks.get()), (Some(&["1".to_owned()][..]), 1));
        }
        // As long, with the same ends, and yet another.
        one[END] = 2;
        assert_eq!((recall(&one), looks.get()), (None, 1));
    }

    #[test]
    fn what_cannot_be_looked_at_is_not_tried_again() {
        let learned = Learned::default();
        let looks = Cell::new(0);
        let bytes = vec![0; 10];
        for _ in 0..4 {
            let recalled = learned.recall(&bytes, || {
                looks.set(looks.get() + 1);
                Err(fathom_block::Error::unsupported("it", "it is not"))
            });
            assert_eq!(recalled, None);
        }
        assert_eq!(looks.get(), 1);
        let many = vec![1; 10];
        let all = || Ok(vec![String::new(); MAX_DRIVERS + 1]);
        assert_eq!(learned.recall(&many, all), None);
        assert_eq!(learned.recall(&many, all), None);
    }
}
