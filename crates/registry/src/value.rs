//! Values, as they are asked for.

use std::fmt;
use std::sync::Arc;

use fathom_block::{Error, Result};

use crate::decode;
use crate::hive::Shared;
use crate::value_record::ValueRecord;

/// What a value is said to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ValueType {
    /// `REG_NONE`
    None,
    /// `REG_SZ`: text.
    String,
    /// `REG_EXPAND_SZ`: text with names of variables in it.
    ExpandString,
    /// `REG_BINARY`
    Binary,
    /// `REG_DWORD`
    Dword,
    /// `REG_DWORD_BIG_ENDIAN`
    DwordBigEndian,
    /// `REG_LINK`: the path of another key.
    Link,
    /// `REG_MULTI_SZ`: several texts.
    MultiString,
    /// `REG_RESOURCE_LIST`
    ResourceList,
    /// `REG_FULL_RESOURCE_DESCRIPTOR`
    FullResourceDescriptor,
    /// `REG_RESOURCE_REQUIREMENTS_LIST`
    ResourceRequirementsList,
    /// `REG_QWORD`
    Qword,
    /// Any other number: some programs keep what they like there.
    Other(u32),
}

impl ValueType {
    fn new(number: u32) -> Self {
        match number {
            0 => Self::None,
            1 => Self::String,
            2 => Self::ExpandString,
            3 => Self::Binary,
            4 => Self::Dword,
            5 => Self::DwordBigEndian,
            6 => Self::Link,
            7 => Self::MultiString,
            8 => Self::ResourceList,
            9 => Self::FullResourceDescriptor,
            10 => Self::ResourceRequirementsList,
            11 => Self::Qword,
            other => Self::Other(other),
        }
    }

    /// The number that stands for it.
    pub fn number(self) -> u32 {
        match self {
            Self::None => 0,
            Self::String => 1,
            Self::ExpandString => 2,
            Self::Binary => 3,
            Self::Dword => 4,
            Self::DwordBigEndian => 5,
            Self::Link => 6,
            Self::MultiString => 7,
            Self::ResourceList => 8,
            Self::FullResourceDescriptor => 9,
            Self::ResourceRequirementsList => 10,
            Self::Qword => 11,
            Self::Other(number) => number,
        }
    }
}

/// A value of a key. Its data is read when it is asked for.
#[derive(Clone)]
pub struct Value {
    hive: Arc<Shared>,
    record: ValueRecord,
    name: String,
}

impl Value {
    pub(crate) fn open(hive: &Arc<Shared>, offset: u32) -> Result<Self> {
        let record = ValueRecord::read(&hive.cells, offset)?;
        let name = String::from_utf16_lossy(&record.name);
        Ok(Self { hive: hive.clone(), record, name })
    }

    /// The name; empty for the value that a key has for itself ("default"). What is no Unicode is
    /// replaced; see [`Value::name_units`].
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name as it is stored: in UTF-16, perhaps not well-formed.
    pub fn name_units(&self) -> &[u16] {
        &self.record.name
    }

    /// What it is said to hold.
    pub fn value_type(&self) -> ValueType {
        ValueType::new(self.record.kind)
    }

    /// How long its data says it is.
    pub fn size(&self) -> u32 {
        self.record.size
    }

    /// The data, whatever the type. Where its cell ends before it, what there is of it comes back
    /// and the hive has a problem more; data over 16 MiB is not read.
    pub fn data(&self) -> Result<Vec<u8>> {
        let data = self.record.data(&self.hive.cells).map_err(|error| error.within(self.what()))?;
        if data.len() < self.record.size as usize {
            let why = format!("{} bytes are claimed; there are {}", self.record.size, data.len());
            self.hive.report(Error::corrupt(self.what(), self.record.at, why));
        }
        Ok(data)
    }

    /// The text of a `REG_SZ`, `REG_EXPAND_SZ` or `REG_LINK`, up to its first zero; variables stay
    /// as they are. A missing zero at the end and an odd length do no harm.
    pub fn string(&self) -> Result<String> {
        match self.value_type() {
            ValueType::String | ValueType::ExpandString | ValueType::Link => {
                Ok(decode::string(&self.text()?))
            }
            _ => Err(self.is_no("text")),
        }
    }

    /// The texts of a `REG_MULTI_SZ`. Empty ones between others are kept.
    pub fn strings(&self) -> Result<Vec<String>> {
        match self.value_type() {
            ValueType::MultiString => Ok(decode::strings(&self.text()?)),
            _ => Err(self.is_no("list of texts")),
        }
    }

    /// The number of a `REG_DWORD` or `REG_DWORD_BIG_ENDIAN`.
    pub fn dword(&self) -> Result<u32> {
        match self.value_type() {
            ValueType::Dword => self.number().map(u32::from_le_bytes),
            ValueType::DwordBigEndian => self.number().map(u32::from_be_bytes),
            _ => Err(self.is_no("32-bit number")),
        }
    }

    /// The number of a `REG_QWORD`.
    pub fn qword(&self) -> Result<u64> {
        match self.value_type() {
            ValueType::Qword => self.number().map(u64::from_le_bytes),
            _ => Err(self.is_no("64-bit number")),
        }
    }

    /// The bytes of a `REG_BINARY`.
    pub fn binary(&self) -> Result<Vec<u8>> {
        match self.value_type() {
            ValueType::Binary => self.data(),
            _ => Err(self.is_no("row of bytes")),
        }
    }

    /// The data of a text, unless a part of it was lost.
    fn text(&self) -> Result<Vec<u8>> {
        let data = self.data()?;
        match self.record.lost(&self.hive.cells, &data) {
            None => Ok(data),
            Some(at) => {
                let why = "zeros begin with a sector, where there should be text";
                Err(Error::corrupt(self.what(), at, why))
            }
        }
    }

    fn number<const N: usize>(&self) -> Result<[u8; N]> {
        let data = if self.record.size as usize == N { self.data()? } else { Vec::new() };
        data.try_into().map_err(|_| {
            let why = format!("a number of {N} bytes has {}", self.record.size);
            Error::corrupt(self.what(), self.record.at, why)
        })
    }

    fn is_no(&self, wanted: &str) -> Error {
        Error::invalid(self.what(), format!("it is {:?}, and no {wanted}", self.value_type()))
    }

    fn what(&self) -> String {
        format!("registry value {:?}", self.name)
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Value")
            .field("name", &self.name)
            .field("type", &self.value_type())
            .field("size", &self.record.size)
            .finish()
    }
}
