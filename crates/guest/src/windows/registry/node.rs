//! A key of the registry and its values, each read so that the section knows what it missed.

use std::cell::OnceCell;
use std::collections::HashMap;

use fathom_block::{Error, Result};
use fathom_registry::{Key, Value, ValueType};

use super::{MAX_VALUE, Registry, too_much};
use crate::files::Read;

/// A key of the registry.
pub(in crate::windows) struct Node<'r> {
    registry: &'r Registry<'r>,
    key: Key,
    place: String,
}

impl<'r> Node<'r> {
    pub(super) fn new(registry: &'r Registry<'r>, key: Key, place: String) -> Self {
        Self { registry, key, place }
    }

    /// Its path as Windows shows it: `HKLM\SOFTWARE\…`.
    pub(in crate::windows) fn place(&self) -> &str {
        &self.place
    }

    /// Its own name.
    pub(in crate::windows) fn name(&self) -> &str {
        self.key.name()
    }

    /// The key at a path beneath this one.
    pub(in crate::windows) fn child(&self, path: &str) -> Read<Self> {
        let place = format!(r"{}\{path}", self.place);
        match self.key.lookup(path) {
            Ok(Some(key)) => Read::There(Self::new(self.registry, key, place)),
            Ok(None) => Read::Absent,
            Err(error) => self.registry.unread_at(&error, &place),
        }
    }

    /// The keys beneath it, in their order. What cannot be read of them is noted; keys that stand for
    /// others are passed over.
    pub(in crate::windows) fn children(&self) -> impl Iterator<Item = Self> + '_ {
        let registry = self.registry;
        let mut ended = false;
        self.key
            .subkeys()
            .map_while(move |key| {
                if ended {
                    return None;
                }
                if !Registry::take(&registry.keys, 1) {
                    ended = true;
                    registry.note(&too_much(&self.place), &self.place);
                    return None;
                }
                Some(match key {
                    Ok(key) if key.is_link() => None,
                    Ok(key) => {
                        let place = format!(r"{}\{}", self.place, key.name());
                        Some(Self::new(registry, key, place))
                    }
                    Err(error) => {
                        registry.note(&error, &self.place);
                        None
                    }
                })
            })
            .flatten()
    }

    /// Its values, read as they are asked for.
    pub(in crate::windows) fn values(&self) -> Values<'_> {
        let mut list = Vec::new();
        let mut damage = None;
        for value in self.key.values() {
            if !Registry::take(&self.registry.keys, 1) {
                let error = too_much(&self.place);
                self.registry.note(&error, &self.place);
                damage.get_or_insert(error.to_string());
                break;
            }
            match value {
                Ok(value) => list.push(value),
                Err(error) => {
                    self.registry.note(&error, &self.place);
                    damage.get_or_insert(error.to_string());
                }
            }
        }
        Values { registry: self.registry, place: &self.place, list, damage, index: OnceCell::new() }
    }
}

/// The values of a key.
pub(in crate::windows) struct Values<'n> {
    registry: &'n Registry<'n>,
    place: &'n str,
    list: Vec<Value>,
    /// Why some of them could not be read: one that is not among them may be one of those.
    damage: Option<String>,
    /// Where each name stands in the list, made where the list is long.
    index: OnceCell<HashMap<String, usize>>,
}

/// Lists that are no longer are looked through from the beginning.
const SHORT: usize = 32;

impl Values<'_> {
    /// Where a value of that name stands.
    pub(in crate::windows) fn place(&self, name: &str) -> String {
        format!(r"{}\{name}", self.place)
    }

    /// The names of all of them.
    pub(in crate::windows) fn names(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(Value::name)
    }

    /// Whether there is one of that name; the reason where that cannot be told.
    pub(in crate::windows) fn has(&self, name: &str) -> Read<()> {
        self.read(name, |_| Ok(()))
    }

    /// The number of the type of a value, where there is one of that name.
    pub(in crate::windows) fn kind(&self, name: &str) -> Option<u32> {
        let value = self.list.iter().find(|value| value.name() == name)?;
        Some(value.value_type().number())
    }

    /// The text of a value; of several texts the first; of a number its digits. Text that is empty
    /// is as good as none.
    pub(in crate::windows) fn text(&self, name: &str) -> Read<String> {
        let text = self.read(name, |value| match value.value_type() {
            ValueType::Dword | ValueType::DwordBigEndian => Ok(value.dword()?.to_string()),
            ValueType::Qword => Ok(value.qword()?.to_string()),
            ValueType::MultiString => Ok(value.strings()?.into_iter().next().unwrap_or_default()),
            _ => value.string(),
        });
        match text {
            Read::There(text) if text.trim().is_empty() => Read::Absent,
            other => other,
        }
    }

    /// The texts of a value; one text is a list of one.
    pub(in crate::windows) fn texts(&self, name: &str) -> Read<Vec<String>> {
        let texts = self.read(name, |value| match value.value_type() {
            ValueType::MultiString => value.strings(),
            _ => Ok(vec![value.string()?]),
        });
        texts.map(|mut texts| {
            texts.retain(|text| !text.trim().is_empty());
            texts
        })
    }

    /// The number of a value. Some programs write numbers as text or as bytes.
    pub(in crate::windows) fn number(&self, name: &str) -> Read<u32> {
        let wide = self.wide(name);
        match wide {
            Read::There(number) => match u32::try_from(number) {
                Ok(number) => Read::There(number),
                Err(_) => {
                    let place = self.place(name);
                    let why = format!("{number} is larger than such a number can be");
                    self.registry.unread_at(&Error::corrupt(&place, 0, why), &place)
                }
            },
            Read::Absent => Read::Absent,
            Read::Unread(why) => Read::Unread(why),
        }
    }

    /// The number of a value that may have 64 bits.
    pub(in crate::windows) fn wide(&self, name: &str) -> Read<u64> {
        self.read(name, |value| match value.value_type() {
            ValueType::Qword => value.qword(),
            ValueType::String | ValueType::ExpandString => {
                let text = value.string()?;
                let wrong = |_| Error::invalid(name, format!("{text:?} is no number"));
                text.trim().parse().map_err(wrong)
            }
            ValueType::Binary => match *value.binary()?.as_slice() {
                [a, b, c, d] => Ok(u32::from_le_bytes([a, b, c, d]).into()),
                ref bytes => {
                    Err(Error::invalid(name, format!("{} bytes are no number", bytes.len())))
                }
            },
            _ => value.dword().map(u64::from),
        })
    }

    /// The bytes of a value, whatever it is said to hold.
    pub(in crate::windows) fn bytes(&self, name: &str) -> Read<Vec<u8>> {
        self.read(name, Value::data)
    }

    /// The first value of that name, whatever the case.
    fn find(&self, name: &str) -> Option<&Value> {
        if self.list.len() <= SHORT {
            let is_named = |value: &&Value| {
                value.name().eq_ignore_ascii_case(name)
                    || !name.is_ascii() && value.name().to_lowercase() == name.to_lowercase()
            };
            return self.list.iter().find(is_named);
        }
        let index = self.index.get_or_init(|| {
            let places = self.list.iter().enumerate().rev();
            places.map(|(place, value)| (value.name().to_lowercase(), place)).collect()
        });
        self.list.get(*index.get(&name.to_lowercase())?)
    }

    fn read<T>(&self, name: &str, read: impl FnOnce(&Value) -> Result<T>) -> Read<T> {
        let Some(value) = self.find(name) else {
            return match &self.damage {
                Some(why) => Read::Unread(why.clone()),
                None => Read::Absent,
            };
        };
        let size = value.size();
        let outcome = if size > MAX_VALUE {
            let why = format!("{size} bytes are more than such a value has");
            Err(Error::unsupported(name, why))
        } else if !Registry::take(&self.registry.bytes, size as usize) {
            Err(too_much(name))
        } else {
            read(value)
        };
        match outcome {
            Ok(value) => Read::There(value),
            Err(error) => self.registry.unread_at(&error, &self.place(name)),
        }
    }
}
