//! Lists that no record has without an end.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// The most items of a list. The longest real ones have some ten thousand.
const MOST: usize = 1 << 18;

/// A list; one that is longer than any real one is an error.
#[derive(Debug)]
pub(crate) struct List<T>(pub(crate) Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'l, T> IntoIterator for &'l List<T> {
    type Item = &'l T;
    type IntoIter = std::slice::Iter<'l, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<'d, T: Deserialize<'d>> Deserialize<'d> for List<T> {
    fn deserialize<D: Deserializer<'d>>(from: D) -> Result<Self, D::Error> {
        struct Items<T>(PhantomData<T>);

        impl<'d, T: Deserialize<'d>> Visitor<'d> for Items<T> {
            type Value = List<T>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a list")
            }

            // Some write `null` where there is nothing.
            fn visit_unit<E>(self) -> Result<List<T>, E> {
                Ok(List::default())
            }

            fn visit_seq<A: SeqAccess<'d>>(self, mut list: A) -> Result<List<T>, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = list.next_element()? {
                    if items.len() >= MOST {
                        return Err(A::Error::custom(format!("a list of more than {MOST}")));
                    }
                    items.push(item);
                }
                Ok(List(items))
            }
        }

        from.deserialize_any(Items(PhantomData))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    #[test]
    fn ends() {
        assert_eq!(serde_json::from_str::<List<u8>>("[1, 2]").unwrap().0, [1, 2]);
        assert!(serde_json::from_str::<List<u8>>("null").unwrap().0.is_empty());
        let long = format!("[{}1]", "1,".repeat(MOST));
        assert!(serde_json::from_str::<List<u8>>(&long).is_err());
        assert!(serde_json::from_str::<List<u8>>("{}").is_err());
    }
}
