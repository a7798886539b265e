//! Values that are of another type than they should be: they are taken for missing, and the rest of a
//! document is read.
//!
//! What a document may make us keep is bounded by what it lists, not only by its size: the smallest
//! element takes three bytes there, and some hundred here.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// How many bytes the elements of the lists of one document may take.
const MOST: usize = 96 << 20;

thread_local! {
    /// How many of them are left to the document that is being read.
    static LEFT: Cell<usize> = const { Cell::new(MOST) };
}

/// Begins a document.
pub(crate) fn begin() {
    LEFT.set(MOST);
}

/// Takes room for an element.
fn take<E: serde::de::Error>(bytes: usize) -> Result<(), E> {
    match LEFT.get().checked_sub(bytes) {
        Some(left) => {
            LEFT.set(left);
            Ok(())
        }
        None => Err(E::custom("it lists more than is read of one document")),
    }
}

/// What every visitor here does with values of a type that it does not want.
macro_rules! nothing_of {
    ($($visit:ident: $of:ty),*) => {
        $(fn $visit<E: serde::de::Error>(self, _: $of) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        })*
        fn visit_unit<E: serde::de::Error>(self) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
    };
}

fn drain_seq<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<(), A::Error> {
    while seq.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

fn drain_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<(), A::Error> {
    while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}

/// Whether there is a value, whatever it is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Present(pub(crate) bool);

impl<'de> Deserialize<'de> for Present {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self(true))
    }
}

/// A text, or nothing that can be used as one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text(Option<String>);

impl Text {
    /// The text, if it is one and says something.
    pub(crate) fn get(&self) -> Option<&str> {
        self.0.as_deref().map(str::trim).filter(|text| !text.is_empty())
    }

    /// The same, to keep.
    pub(crate) fn owned(&self) -> Option<String> {
        self.get().map(str::to_owned)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(Some(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;
        impl<'de> Visitor<'de> for Texts {
            type Value = Text;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a text")
            }

            nothing_of!(visit_bool: bool, visit_f64: f64);

            fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Text, E> {
                Ok(Text(Some(value.to_string())))
            }

            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Text, E> {
                Ok(Text(Some(value.to_string())))
            }

            fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Text, E> {
                Ok(Text(Some(value.to_owned())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Text, A::Error> {
                drain_seq(seq).map(|()| Text(None))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Text, A::Error> {
                drain_map(map).map(|()| Text(None))
            }
        }
        deserializer.deserialize_any(Texts)
    }
}

/// Yes or no, or nothing that is either.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flag(pub(crate) Option<bool>);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Flags;
        impl<'de> Visitor<'de> for Flags {
            type Value = Flag;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("true or false")
            }

            nothing_of!(visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

            fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Flag, E> {
                Ok(Flag(Some(value)))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Flag, A::Error> {
                drain_seq(seq).map(|()| Flag(None))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Flag, A::Error> {
                drain_map(map).map(|()| Flag(None))
            }
        }
        deserializer.deserialize_any(Flags)
    }
}

/// An object, or nothing that is one.
#[derive(Clone, Debug)]
pub(crate) struct One<T>(pub(crate) Option<T>);

impl<T> Default for One<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for One<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Ones<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Ones<T> {
            type Value = One<T>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            nothing_of!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<One<T>, A::Error> {
                drain_seq(seq).map(|()| One(None))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<One<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(|it| One(Some(it)))
            }
        }
        deserializer.deserialize_any(Ones(PhantomData))
    }
}

/// A list of objects, each with its name where the list is an object itself.
#[derive(Clone, Debug)]
pub(crate) struct Each<T> {
    pub(crate) items: Vec<(String, T)>,
    /// How many elements were no objects.
    pub(crate) wrong: usize,
}

impl<T> Default for Each<T> {
    fn default() -> Self {
        Self { items: Vec::new(), wrong: 0 }
    }
}

impl<T> Each<T> {
    fn add<E: serde::de::Error>(&mut self, name: String, item: One<T>) -> Result<(), E> {
        take::<E>(size_of::<(String, T)>())?;
        match item.0 {
            Some(item) => self.items.push((name, item)),
            None => self.wrong += 1,
        }
        Ok(())
    }

    /// The objects, without their names.
    pub(crate) fn into_items(self) -> impl DoubleEndedIterator<Item = T> {
        self.items.into_iter().map(|(_, item)| item)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Each<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Lists<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Lists<T> {
            type Value = Each<T>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a list")
            }

            nothing_of!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Each<T>, A::Error> {
                let mut each = Each::default();
                while let Some(item) = seq.next_element::<One<T>>()? {
                    each.add::<A::Error>(String::new(), item)?;
                }
                Ok(each)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Each<T>, A::Error> {
                let mut each = Each::default();
                while let Some((name, item)) = map.next_entry::<String, One<T>>()? {
                    each.add::<A::Error>(name, item)?;
                }
                Ok(each)
            }
        }
        deserializer.deserialize_any(Lists(PhantomData))
    }
}

/// A list of objects, or one object of another kind.
#[derive(Default)]
pub(crate) enum Either<T, O> {
    List(Each<T>),
    Object(O),
    #[default]
    Neither,
}

impl<'de, T: Deserialize<'de>, O: Deserialize<'de>> Deserialize<'de> for Either<T, O> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Eithers<T, O>(PhantomData<(T, O)>);
        impl<'de, T: Deserialize<'de>, O: Deserialize<'de>> Visitor<'de> for Eithers<T, O> {
            type Value = Either<T, O>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a list or an object")
            }

            nothing_of!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Either<T, O>, A::Error> {
                Each::deserialize(SeqAccessDeserializer::new(seq)).map(Either::List)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Either<T, O>, A::Error> {
                O::deserialize(MapAccessDeserializer::new(map)).map(Either::Object)
            }
        }
        deserializer.deserialize_any(Eithers(PhantomData))
    }
}

/// An object whose names are no matter of its kind.
pub(crate) struct Keyed<T>(pub(crate) HashMap<String, T>);

impl<T> Default for Keyed<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Keyed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Maps<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Maps<T> {
            type Value = Keyed<T>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            nothing_of!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Keyed<T>, A::Error> {
                drain_seq(seq).map(|()| Keyed::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keyed<T>, A::Error> {
                let mut keyed = HashMap::new();
                while let Some((name, item)) = map.next_entry::<String, T>()? {
                    take::<A::Error>(size_of::<(String, T)>())?;
                    keyed.insert(name, item);
                }
                Ok(Keyed(keyed))
            }
        }
        deserializer.deserialize_any(Maps(PhantomData))
    }
}

/// A list of texts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Texts(pub(crate) Vec<String>);

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Lists;
        impl<'de> Visitor<'de> for Lists {
            type Value = Texts;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a list of texts")
            }

            nothing_of!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Texts, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = seq.next_element::<Text>()? {
                    take::<A::Error>(size_of::<String>())?;
                    texts.extend(text.0);
                }
                Ok(Texts(texts))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Texts, A::Error> {
                drain_map(map).map(|()| Texts::default())
            }
        }
        deserializer.deserialize_any(Lists)
    }
}

/// The properties of a component, as far as somebody who is known gives them a meaning.
#[derive(Clone, Debug, Default)]
pub(crate) struct Properties(BTreeMap<&'static str, String>);

impl Properties {
    /// The value of a property.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// The value of the first of these that is there.
    pub(crate) fn first(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.get(name)).map(str::to_owned)
    }
}

/// The properties that mean something here.
const PROPERTIES: [&str; 33] = [
    "fathom:architecture",
    "fathom:build",
    "fathom:codename",
    "fathom:hostname",
    "fathom:kind",
    "fathom:module",
    "fathom:origin",
    "fathom:owner",
    "fathom:packages",
    "fathom:root",
    "fathom:source",
    "fathom:source-version",
    "fathom:state",
    "fathom:installation",
    "aquasecurity:trivy:Class",
    "aquasecurity:trivy:FilePath",
    "aquasecurity:trivy:Modularitylabel",
    "aquasecurity:trivy:SrcEpoch",
    "aquasecurity:trivy:SrcName",
    "aquasecurity:trivy:SrcRelease",
    "aquasecurity:trivy:SrcVersion",
    "aquasecurity:trivy:Type",
    "syft:distro:id",
    "syft:distro:prettyName",
    "syft:distro:versionID",
    "syft:location:0:path",
    "syft:metadata:epoch",
    "syft:metadata:modularityLabel",
    "syft:metadata:originPackage",
    "syft:metadata:source",
    "syft:metadata:sourceRpm",
    "syft:metadata:sourceVersion",
    "syft:package:type",
];

impl<'de> Deserialize<'de> for Properties {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Default, serde::Deserialize)]
        #[serde(default)]
        struct Property {
            name: Text,
            value: Text,
        }
        struct Lists;
        impl<'de> Visitor<'de> for Lists {
            type Value = Properties;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a list of properties")
            }

            nothing_of!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Properties, A::Error> {
                let mut properties = BTreeMap::new();
                while let Some(One(property)) = seq.next_element::<One<Property>>()? {
                    let Some(Property { name, value: Text(Some(value)) }) = property else {
                        continue;
                    };
                    let known = PROPERTIES.iter().find(|known| name.get() == Some(known));
                    if let Some(known) = known {
                        properties.entry(*known).or_insert(value);
                    }
                }
                Ok(Properties(properties))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Properties, A::Error> {
                drain_map(map).map(|()| Properties::default())
            }
        }
        deserializer.deserialize_any(Lists)
    }
}

/// Reads a whole document.
pub(crate) fn document<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> serde_json::Result<T> {
    begin();
    match serde_json::from_slice::<One<T>>(bytes)? {
        One(Some(document)) => Ok(document),
        One(None) => Err(serde_json::Error::custom("the document is no object")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default, serde::Deserialize)]
    #[serde(default)]
    struct Sample {
        name: Text,
        each: Each<Sample>,
        flag: Flag,
    }

    #[test]
    fn what_is_of_another_type_is_missing_and_the_rest_is_read() {
        let text =
            r#"{"name":["x"],"each":[1,{"name":"a"},null,{"name":7},[{}],"b"],"flag":"yes"}"#;
        let sample: Sample = document(text.as_bytes()).unwrap();
        assert_eq!(sample.name.get(), None);
        assert_eq!(sample.flag, Flag(None));
        assert_eq!(sample.each.wrong, 4);
        let names: Vec<_> = sample.each.into_items().map(|it| it.name.owned()).collect();
        assert_eq!(names, [Some("a".to_owned()), Some("7".to_owned())]);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let count = MOST / size_of::<(String, Sample)>() + 1;
        let text = format!("{{\"each\":[{}{{}}]}}", "{},".repeat(count));
        let error = document::<Sample>(text.as_bytes()).err().unwrap();
        assert!(error.to_string().contains("more than is read"), "{error}");
        let deep = format!("{}{}", "{\"each\":[".repeat(200), "]}".repeat(200));
        assert!(document::<Sample>(deep.as_bytes()).is_err());
    }
}
