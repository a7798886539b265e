//! What is asked for.

use std::collections::BTreeMap;
use std::fmt;

use fathom_block::Format;
use serde::{Deserialize, Serialize};

use super::checksum::Checksum;
use super::failure::{Code, Refusal};
use super::roots::Roots;

/// The most images of one machine.
const MAX_IMAGES: usize = 64;

/// One image: where it is, and what is known of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// A path beneath a configured root, or an `https://` or `s3://` address that is allowed.
    pub source: String,
    /// The format, where it is not to be found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// The internal snapshot to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<String>,
    /// `sha256:HEX` or `HEX`, of the bytes of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// The checksums of the other files that it builds upon, by the names that the images call them.
    /// An image with a checksum may open no others.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub backing_checksums: BTreeMap<String, String>,
}

impl Image {
    /// The image at this place, of which nothing else is known.
    pub fn at(source: impl Into<String>) -> Self {
        Self { source: source.into(), ..Self::default() }
    }
}

/// A key for an encrypted volume. It is never shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// The volume that it is for; any where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<String>,
    /// The passphrase.
    pub secret: String,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("volume", &self.volume).field("secret", &"***").finish()
    }
}

/// A machine to look at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inspection {
    /// Its disks, in the machine's order.
    pub images: Vec<Image>,
    /// Whether to walk over every file.
    #[serde(default)]
    pub deep: bool,
    /// The largest disk that is looked at, in bytes that the guest sees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub largest_disk: Option<u64>,
    /// The moment that ends of life are judged by, in seconds since 1970. Now, where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<u64>,
    /// What opens encrypted volumes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<Key>,
}

impl Inspection {
    /// Refuses what a worker would refuse, without opening anything. The worker checks again.
    pub fn check(&self, roots: &Roots) -> Result<(), Refusal> {
        check(&self.images, Some(roots))
    }
}

/// Of what a checksum is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Content {
    /// The bytes of the image file, whatever they mean. Nothing is parsed.
    File,
    /// The bytes that the guest sees.
    Disk,
}

/// Refuses what makes no sense; where there are roots, also what does not lie beneath them.
pub(crate) fn check(images: &[Image], roots: Option<&Roots>) -> Result<(), Refusal> {
    let invalid = |why: String| Refusal::new(Code::InvalidRequest, why);
    if images.is_empty() || images.len() > MAX_IMAGES {
        let count = images.len();
        return Err(invalid(format!("a machine has 1 to {MAX_IMAGES} images, not {count}")));
    }
    for image in images {
        if let Some(roots) = roots {
            roots.check(&image.source)?;
        }
        if let Some(format) = &image.format
            && Format::from_name(format).is_none()
        {
            let known: Vec<_> = Format::ALL.iter().map(|format| format.name()).collect();
            return Err(invalid(format!("format {format:?} is none of {}", known.join(", "))));
        }
        image.checksum.as_deref().map(Checksum::parse).transpose()?;
        if image.checksum.is_none() && !image.backing_checksums.is_empty() {
            let why = "backing_checksums without the checksum of the image itself prove nothing";
            return Err(Refusal::new(Code::ChecksumInvalid, why));
        }
        for text in image.backing_checksums.values() {
            Checksum::parse(text)?;
        }
    }
    Ok(())
}
