//! Where what stands in the file, and the records that its tables are made of.
//!
//! A file begins with [`MAGIC`], [`VERSION`] and a directory of sections; all numbers are little-endian.
//! A section is a table of records of one size, or bytes. What refers to a record does so by its place
//! in its table, what refers to a text by the offset of its length in [`Section::Pool`].
//!
//! Behind the directory stand the checksum of the front and of [`Section::Sums`], which has one of every
//! [`CHUNK`] of what lies between. What is looked at is compared with its own before it is believed, and
//! what is not looked at is not read for that.

use std::ops::Range;

/// What every file begins with.
pub(super) const MAGIC: [u8; 8] = *b"FathomAd";

/// The version of this layout, and of the keys of versions within.
pub(super) const VERSION: u32 = 3;

/// How long the directory and what stands before it are.
pub(super) const DIRECTORY: usize = 16 + Section::ALL.len() * 16;

/// How long the front is: the directory, and the checksum of it and of the other ones.
pub(super) const HEADER: usize = DIRECTORY + 4;

/// How many bytes have a checksum of their own, counted from the end of the front.
pub(super) const CHUNK: usize = 4096;

/// Where a text would be referred to, or a version: there is none.
pub(super) const NONE: u32 = u32::MAX;

/// The parts of a file, in the order of the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    /// JSON: who provides this, and how much of it there is.
    About,
    /// [`Namespace`]s, by their names.
    Namespaces,
    /// [`Name`]s, by namespace and hash.
    Names,
    /// [`Row`]s, those of a name beside each other.
    Rows,
    /// [`Version`]s.
    Versions,
    /// References to texts: what a row holds for alone.
    Qualifiers,
    /// [`Advisory`]s.
    Advisories,
    /// Numbers that advisories have lists of: CVEs, CWEs, references to texts.
    Lists,
    /// [`Vector`]s, by advisory.
    Vectors,
    /// [`Mention`]s, by CVE.
    Mentions,
    /// [`Score`]s, by CVE.
    Scores,
    /// [`Exploited`], by CVE.
    Exploited,
    /// [`Replaced`] updates.
    Replaced,
    /// [`Ended`] releases.
    Ends,
    /// Texts, each behind its length in two bytes, and keys.
    Pool,
    /// [`Block`]s, by their first advisories.
    Blocks,
    /// Compressed blocks of long texts.
    Cold,
    /// Checksums (CRC-32) of everything between the front and this.
    Sums,
}

impl Section {
    pub(super) const ALL: [Self; 18] = [
        Self::About,
        Self::Namespaces,
        Self::Names,
        Self::Rows,
        Self::Versions,
        Self::Qualifiers,
        Self::Advisories,
        Self::Lists,
        Self::Vectors,
        Self::Mentions,
        Self::Scores,
        Self::Exploited,
        Self::Replaced,
        Self::Ends,
        Self::Pool,
        Self::Blocks,
        Self::Cold,
        Self::Sums,
    ];
}

/// One record of a table.
pub(super) trait Record: Sized {
    /// How many bytes it takes.
    const SIZE: usize;

    /// What the bytes say, of which there are `SIZE`.
    fn decode(bytes: Bytes<'_>) -> Self;

    /// Adds the bytes, of which there are `SIZE`.
    fn encode(&self, out: &mut Vec<u8>);
}

/// Bytes that numbers are taken from. What is missing reads as nought; tables are checked to be of
/// whole records.
#[derive(Clone, Copy)]
pub(super) struct Bytes<'b>(pub(super) &'b [u8]);

impl Bytes<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let Some((taken, rest)) = self.0.split_first_chunk() else { return [0; N] };
        self.0 = rest;
        *taken
    }

    fn u8(&mut self) -> u8 {
        let [byte] = self.take();
        byte
    }

    pub(super) fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.take())
    }

    pub(super) fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take())
    }

    pub(super) fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.take())
    }
}

/// Makes a record of fields that follow each other without a gap.
macro_rules! record {
    ($(#[$doc:meta])* $name:ident, $size:literal, { $($(#[$about:meta])* $field:ident: $kind:ident,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(super) struct $name {
            $($(#[$about])* pub(super) $field: $kind,)*
        }

        impl Record for $name {
            const SIZE: usize = $size;

            fn decode(mut bytes: Bytes<'_>) -> Self {
                Self { $($field: bytes.$kind(),)* }
            }

            fn encode(&self, out: &mut Vec<u8>) {
                $(out.extend(self.$field.to_le_bytes());)*
            }
        }
    };
}

impl Record for u32 {
    const SIZE: usize = 4;

    fn decode(mut bytes: Bytes<'_>) -> Self {
        bytes.u32()
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend(self.to_le_bytes());
    }
}

record! {
    /// Names that are of one kind, as those of `Debian:12`. Its names end where those of the next
    /// begin.
    Namespace, 12, {
        /// Its name, as OSV calls ecosystems.
        text: u32,
        /// Its first name.
        names: u32,
        /// Whose versions these are: the place in [`super::SCHEMES`].
        scheme: u8,
        /// What the names are of: 0 packages as installed, 1 what they were built from.
        subject: u8,
        /// [`HAS_UNFIXED`].
        flags: u16,
    }
}

/// Set in the flags of a namespace whose statements tell what remains, not only what was mended.
pub(super) const HAS_UNFIXED: u16 = 1;

record! {
    /// A name, of a package or of what it was built from. Names of which the same is said have the same
    /// rows: a provider says much of it for each of its products.
    Name, 16, {
        /// See [`name_hash`].
        hash: u32,
        text: u32,
        /// Its first row.
        rows: u32,
        /// How many there are.
        count: u32,
    }
}

record! {
    /// One statement: this advisory is about these versions.
    Row, 16, {
        advisory: u32,
        /// The first version that it is not about any more; with [`INCLUSIVE`], the last that it is
        /// about.
        upper: u32,
        /// The first version that it is about.
        lower: u32,
        /// What is to be said of these versions: the place in [`super::STATES`].
        state: u8,
        /// [`INCLUSIVE`], and in the lowest bits the severity, where it is this package's own.
        flags: u8,
        /// What it holds for alone: one more than the place in the table; 0 for everything.
        qualifier: u16,
    }
}

/// Set in the flags of a row of which the upper version is itself one that the advisory is about.
pub(super) const INCLUSIVE: u8 = 0x80;

/// The bits of the flags of a row that are a severity.
pub(super) const SEVERITY: u8 = 0x07;

record! {
    /// A version: in the pool stand its text and then its key.
    Version, 8, {
        text: u32,
        /// How long the key is.
        key: u16,
        /// How long the text is.
        length: u16,
    }
}

impl Version {
    /// Where its text stands in the pool.
    pub(super) fn text(self) -> Range<usize> {
        let start = self.text as usize;
        start..start.saturating_add(self.length.into())
    }

    /// Where its key stands in the pool.
    pub(super) fn key(self) -> Range<usize> {
        let start = self.text().end;
        start..start.saturating_add(self.key.into())
    }
}

record! {
    /// What was published about one flaw or several.
    Advisory, 24, {
        /// Its name, as `DSA-5863-1`.
        text: u32,
        /// The first of its numbers: CVEs, then weaknesses, then references to its other names.
        list: u32,
        /// Its first vector.
        vectors: u32,
        cves: u16,
        weaknesses: u8,
        aliases: u8,
        vector_count: u8,
        severity: u8,
        /// Days since 1970; 0 where it is not known.
        published: u16,
        /// Days since 1970; 0 where it is not known.
        modified: u16,
        /// [`HAS_EXPLOIT`], [`IS_RECORD`].
        flags: u16,
    }
}

/// Set in the flags of an advisory for whose flaws a way to exploit them is published.
pub(super) const HAS_EXPLOIT: u16 = 1;

/// Set in the flags of an advisory about one flaw, which it is named by.
pub(super) const IS_RECORD: u16 = 2;

record! {
    /// A CVSS vector.
    Vector, 8, {
        text: u32,
        /// Whose it is: 0 the provider's, 1 the one who gave the number.
        source: u8,
        /// 2, 3 or 4.
        version: u8,
        /// Ten times the base score.
        score: u8,
        unused: u8,
    }
}

record! {
    /// An advisory that is about a CVE.
    Mention, 8, {
        cve: u32,
        advisory: u32,
    }
}

record! {
    /// How likely a CVE is exploited within a month, by EPSS, in 100,000ths, of which these are the
    /// lower bits.
    Score, 9, {
        cve: u32,
        likelihood: u16,
        percentile: u16,
        /// The bit above those of the likelihood, and twice that of the percentile.
        above: u8,
    }
}

record! {
    /// A CVE that is known to be exploited.
    Exploited, 8, {
        cve: u32,
        /// When that became known: days since 1970.
        added: u16,
        /// Until when it must be mended, for those whom that binds.
        due: u16,
    }
}

/// Set in the days of `due` of what campaigns of ransomware use. Days reach bit 15 in 2059.
pub(super) const RANSOMWARE: u16 = 0x8000;

record! {
    /// An update that another replaces, each a number of Microsoft's knowledge base.
    Replaced, 8, {
        old: u32,
        new: u32,
    }
}

record! {
    /// Until when a release of a distribution is mended.
    Ended, 12, {
        /// The name that the distribution has for itself.
        distribution: u32,
        version: u32,
        /// The last day on which everybody gets mends: days since 1970; 0 where it is over, and nobody
        /// says since when.
        support: u16,
        /// The last day on which those who pay or ask get them; 0 where nobody does.
        extended: u16,
    }
}

record! {
    /// A compressed block of long texts, those of consecutive advisories.
    Block, 16, {
        /// Where it begins in the section.
        offset: u64,
        length: u32,
        /// The first advisory that it has the texts of.
        advisory: u32,
    }
}

/// The hash that names are sorted by. Names that collide stand beside each other, and are told apart
/// by their texts.
pub(super) fn name_hash(name: &str) -> u32 {
    let hash = hash(name);
    (hash ^ (hash >> 32)) as u32
}

/// FNV-1a of 64 bits.
pub(super) fn hash(name: &str) -> u64 {
    name.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}
