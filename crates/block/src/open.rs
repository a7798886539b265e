//! The one door: from a location to disks.

use std::sync::Arc;

use crate::cache::{Cached, ClusterCache, ImageClusters, PageCache, Reach};
use crate::error::{Error, Problem, Result};
use crate::formats::{Format, foreign, ova, qcow2, raw, vdi, vhd, vhdx, vmdk};
use crate::gate::{Admitted, Gate, Siblings, Wish};
use crate::location::Location;
use crate::meter::{Meter, Metered};
use crate::named::Named;
use crate::read::{ReadAt, read_array, read_vec};
use crate::source::FileSource;
#[cfg(feature = "http")]
use crate::source::http::{Agents, HttpOptions, HttpSource};

/// The longest chain of images that depend on each other. VMware stops at 32 snapshots; qemu has
/// no limit, and an attacker would not either.
pub(crate) const MAX_CHAIN: usize = 128;

/// How much of a source detection looks at.
const HEAD: u64 = 4096;

/// How many bytes the page cache holds unless told otherwise.
const DEFAULT_CACHE: usize = 32 << 20;

/// How many bytes of decompressed clusters are kept.
const DECOMPRESSED: usize = 8 << 20;

/// What is fetched from a web server besides what was asked for: a round trip there costs as much
/// as some hundred kilobytes do.
const HTTP_REACH: Reach =
    Reach { ahead: 4 << 20, grain: 64 << 10, around: 512 << 10, budget: 8 << 20 };

/// Everything that opening an image needs to be told. Cheap to clone; clones share the cache and
/// the meter.
#[derive(Clone)]
pub struct Opener {
    gate: Arc<dyn Gate>,
    cache: Arc<PageCache>,
    clusters: Arc<ClusterCache>,
    meter: Arc<Meter>,
    #[cfg(feature = "http")]
    agents: Arc<Agents>,
    format: Option<Format>,
    snapshot: Option<String>,
}

impl Default for Opener {
    fn default() -> Self {
        Self {
            gate: Arc::new(Siblings::default()),
            cache: Arc::new(PageCache::new(DEFAULT_CACHE)),
            clusters: Arc::new(ClusterCache::new(DECOMPRESSED)),
            meter: Arc::default(),
            #[cfg(feature = "http")]
            agents: Arc::new(Agents::new(HttpOptions::default())),
            format: None,
            snapshot: None,
        }
    }
}

impl Opener {
    /// An opener with the default gate: an image may open its siblings and nothing else.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets `gate` decide what an image may open.
    #[must_use]
    pub fn gate(mut self, gate: impl Gate + 'static) -> Self {
        self.gate = Arc::new(gate);
        self
    }

    /// Reads through `cache`.
    #[must_use]
    pub fn cache(mut self, cache: Arc<PageCache>) -> Self {
        self.cache = cache;
        self
    }

    /// Takes the image for `format`, whatever its first bytes say.
    #[must_use]
    pub fn format(mut self, format: Option<Format>) -> Self {
        self.format = format;
        self
    }

    /// Opens the internal snapshot with this id or name instead of the current state.
    #[must_use]
    pub fn snapshot(mut self, snapshot: Option<String>) -> Self {
        self.snapshot = snapshot;
        self
    }

    /// Fetches from web servers as `options` say.
    #[cfg(feature = "http")]
    #[must_use]
    pub fn http(mut self, options: HttpOptions) -> Self {
        self.agents = Arc::new(Agents::new(options));
        self
    }

    /// What has been read through this opener.
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Opens the disks at `location`: one, or as many as an archive holds.
    pub fn open(&self, location: &Location) -> Result<Vec<Disk>> {
        self.open_source(match location {
            Location::Path(path) => {
                Source::new(self.file(FileSource::open(path)?), location.clone())
            }
            Location::Url(url) => self.url(url)?,
        })
    }

    /// Opens the disks in bytes that the caller already has; `location` is what they go by, and
    /// where what they refer to is looked for.
    pub fn open_reader(&self, reader: Arc<dyn ReadAt>, location: &Location) -> Result<Vec<Disk>> {
        self.open_source(Source::new(reader, location.clone()))
    }

    /// Opens the disks in what a gate let through, as those are opened that an image asks for.
    pub fn open_admitted(&self, admitted: Admitted) -> Result<Vec<Disk>> {
        self.open_source(self.source_of(admitted)?)
    }

    /// The bytes at `location` as they lie there. Nothing in them is looked at, and none are kept.
    pub fn bytes(&self, location: &Location) -> Result<Arc<dyn ReadAt>> {
        match location {
            Location::Path(path) => {
                let source = Arc::new(FileSource::open(path)?);
                Ok(Arc::new(Metered::new(source, self.meter.clone())))
            }
            #[cfg(feature = "http")]
            Location::Url(url) => {
                let agents = Arc::clone(&self.agents);
                Ok(Arc::new(HttpSource::open(url, agents, Arc::clone(&self.meter))?))
            }
            #[cfg(not(feature = "http"))]
            Location::Url(url) => self.url(url).map(|source| source.reader),
        }
    }

    fn open_source(&self, source: Source) -> Result<Vec<Disk>> {
        let location = source.location.clone();
        let chain = Chain { opener: self, location: &location, depth: 0, probed: false };
        open_as(self.format, source, &chain).map_err(|error| error.of_image(&location))
    }

    fn file(&self, source: FileSource) -> Arc<dyn ReadAt> {
        self.behind_cache(Arc::new(source))
    }

    #[cfg(feature = "http")]
    fn url(&self, url: &str) -> Result<Source> {
        let source = HttpSource::open(url, Arc::clone(&self.agents), Arc::clone(&self.meter))?;
        let note = source.note();
        let reader = Cached::new(Arc::new(source), Arc::clone(&self.cache), HTTP_REACH);
        Ok(Source { note, ..Source::new(Arc::new(reader), Location::Url(url.to_owned())) })
    }

    #[cfg(not(feature = "http"))]
    fn url(&self, url: &str) -> Result<Source> {
        let name = Location::Url(url.to_owned()).to_string();
        Err(Error::unsupported(name, "this program was built without HTTP").placed())
    }

    fn behind_cache(&self, transport: Arc<dyn ReadAt>) -> Arc<dyn ReadAt> {
        self.reached(transport, Reach::default())
    }

    fn reached(&self, transport: Arc<dyn ReadAt>, reach: Reach) -> Arc<dyn ReadAt> {
        let metered = Arc::new(Metered::new(transport, self.meter.clone()));
        Arc::new(Cached::new(metered, self.cache.clone(), reach))
    }

    /// Opens what an image asked for, if the gate admits it.
    fn admit(&self, wish: &Wish<'_>) -> Result<Source> {
        self.source_of(self.gate.admit(wish)?)
    }

    fn source_of(&self, admitted: Admitted) -> Result<Source> {
        match admitted {
            Admitted::File(file, path) => {
                let file = FileSource::from_file(file, path.display().to_string())?;
                Ok(Source::new(self.file(file), Location::Path(path)))
            }
            Admitted::Url(url) => self.url(&url),
            Admitted::Reader(reader, location) => {
                let reach = match location {
                    Location::Path(_) => Reach::default(),
                    Location::Url(_) => HTTP_REACH,
                };
                Ok(Source::new(self.reached(reader, reach), location))
            }
        }
    }
}

/// Bytes of which the format is not yet known.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) reader: Arc<dyn ReadAt>,
    pub(crate) location: Location,
    /// What is to be known of where they come from.
    pub(crate) note: Option<&'static str>,
}

impl Source {
    fn new(reader: Arc<dyn ReadAt>, location: Location) -> Self {
        Self { reader, location, note: None }
    }
}

/// What a format reader may ask for while it opens: other images, through the gate.
pub(crate) struct Chain<'a> {
    opener: &'a Opener,
    location: &'a Location,
    depth: usize,
    /// The image's format was guessed from bytes that a guest may have written.
    probed: bool,
}

impl Chain<'_> {
    /// How many images stand above this one, each of which asked for the next.
    pub(crate) fn depth(&self) -> usize {
        self.depth
    }

    /// The internal snapshot that the user chose. Only the top of a chain is asked.
    pub(crate) fn snapshot(&self) -> Option<&str> {
        self.opener.snapshot.as_deref().filter(|_| self.depth == 0)
    }

    /// Where this image may keep clusters that it has decompressed.
    pub(crate) fn clusters(&self) -> ImageClusters {
        self.opener.clusters.image()
    }

    /// Opens another image that this one depends on. `declared` is the format that this image says
    /// it has. Where it says none the bytes decide; but since a guest may have written them, an
    /// image found so may not open anything in its turn.
    pub(crate) fn image(&self, asked: &str, role: &str, declared: Option<Format>) -> Result<Disk> {
        if self.depth + 1 >= MAX_CHAIN {
            return Err(Error::unsupported(
                format!("{role} {asked:?} of {}", self.location),
                format!("the chain is longer than {MAX_CHAIN} images, or goes in a circle"),
            )
            .placed());
        }
        let source = self.source(asked, role)?;
        let location = source.location.clone();
        let probed = declared.is_none() || self.probed;
        let chain =
            Chain { opener: self.opener, location: &location, depth: self.depth + 1, probed };
        let mut disks =
            open_as(declared, source, &chain).map_err(|error| error.of_image(&location))?;
        match (disks.pop(), disks.is_empty()) {
            (Some(disk), true) => Ok(disk),
            _ => {
                Err(Error::unsupported(location.to_string(), format!("a {role} must be one disk")))
            }
        }
    }

    /// Opens bytes that this image consists of, such as an extent or an external data file.
    pub(crate) fn source(&self, asked: &str, role: &str) -> Result<Source> {
        let wish = Wish { from: self.location, asked, role };
        if self.probed {
            return Err(wish.refuse(
                "the format of the image that asks was declared nowhere, only guessed from bytes \
                 that its guest could have written",
            ));
        }
        self.opener.admit(&wish)
    }

    /// Opens one image out of an archive, whose bytes are a part of the archive's. `declared` is
    /// the format that the archive says it has. It may not open anything in its turn.
    pub(crate) fn member(&self, source: Source, declared: Option<Format>) -> Result<Vec<Disk>> {
        if self.depth > 0 {
            return Err(Error::unsupported(self.location.to_string(), "an archive in an archive"));
        }
        let location = source.location.clone();
        let chain = Chain { opener: self.opener, location: &location, depth: 1, probed: true };
        open_as(declared, source, &chain)
    }
}

/// Whether the first bytes of a file of this length are those of a format.
type Probe = fn(&[u8], u64) -> bool;

/// What format the first bytes say it is. Anything unknown is raw; what is known to be something
/// else is refused.
fn detect(reader: &dyn ReadAt, location: &Location) -> Result<Format> {
    let head = read_vec(reader, "image header", 0, HEAD.min(reader.len()))?;
    let formats: [(Format, Probe); 6] = [
        (Format::Qcow2, qcow2::probe),
        (Format::Vmdk, vmdk::probe),
        (Format::Vhdx, vhdx::probe),
        (Format::Vdi, vdi::probe),
        (Format::Ova, ova::probe),
        (Format::Vhd, vhd::probe),
    ];
    let known = formats.iter().find(|(_, probe)| probe(&head, reader.len()));
    let name = location.file_name();
    // A description is text and has no magic; only its name says what it is.
    let described = name.to_ascii_lowercase().ends_with(".ovf");
    match known {
        Some((known, _)) => return Ok(*known),
        None if described => return Ok(Format::Ovf),
        None => {}
    }
    let tail = tail(reader)?;
    if vhd::probe_tail(&tail) {
        return Ok(Format::Vhd);
    }
    foreign::refuse(&head, &tail, &name).map_or(Ok(Format::Raw), Err)
}

/// The end of the file, where some formats have what others have at the beginning; of a shorter file,
/// zeros.
fn tail(reader: &dyn ReadAt) -> Result<[u8; 512]> {
    let Some(at) = reader.len().checked_sub(512) else { return Ok([0; 512]) };
    read_array(reader, "end of the image, which says whether it is a VHD or raw", at)
}

/// What the file's name says it is, where its bytes say that it is nothing. Its header may be
/// damaged, or all of it lost; the guest's bytes are then not where raw bytes would have them. The
/// extents of a VMDK are raw rightly, and their names end like its own.
fn misnamed(location: &Location) -> Option<Problem> {
    let name = location.file_name().to_ascii_lowercase();
    let (stem, ending) = name.rsplit_once('.')?;
    let marks = match ending {
        "vmdk" if is_flat_extent(stem) => return None,
        "qcow2" | "qcow" => "qcow2 header",
        "vmdk" => "VMDK header or descriptor",
        "vhd" | "vpc" => "VHD footer",
        "vhdx" | "avhdx" => "VHDX header",
        "vdi" => "VDI header",
        "ova" => "header of a tar archive",
        _ => return None,
    };
    let why = format!(
        "its name ends in .{ending}, but it has no {marks}: it is read as raw; give --image-format \
         raw if that is right"
    );
    Some(Error::corrupt("image header", 0, why).of_image(location))
}

/// `disk-flat`, or `disk-f001` and the like.
fn is_flat_extent(stem: &str) -> bool {
    let numbered = |(_, number): (&str, &str)| {
        number.len() == 3 && number.bytes().all(|byte| byte.is_ascii_digit())
    };
    stem.ends_with("-flat") || stem.rsplit_once("-f").is_some_and(numbered)
}

/// Opens the disks in bytes that are `declared` to be of a format, or whose format they say.
fn open_as(declared: Option<Format>, source: Source, chain: &Chain<'_>) -> Result<Vec<Disk>> {
    let format = match declared {
        Some(format) => format,
        None => detect(&*source.reader, &source.location)?,
    };
    if let (Some(snapshot), false) = (chain.snapshot(), format == Format::Qcow2) {
        let why = format!("a {format} image has no internal snapshots");
        return Err(Error::not_found(format!("snapshot {snapshot:?}"), why));
    }
    let (location, note) = (source.location.clone(), source.note);
    let disk = match format {
        Format::Raw => raw::open(source, chain),
        Format::Qcow2 => qcow2::open(source, chain),
        Format::Vmdk => vmdk::open(source, chain),
        Format::Vhd => vhd::open(source, chain),
        Format::Vhdx => vhdx::open(source, chain),
        Format::Vdi => vdi::open(source, chain),
        Format::Ova | Format::Ovf => return ova::open(source, chain),
    };
    disk.map(|mut disk| {
        // Plain bytes are named by what they are read from.
        if format != Format::Raw {
            disk.reader = Arc::new(Named { disk: disk.reader, location });
        } else if declared.is_none() {
            disk.problems.extend(misnamed(&location));
        }
        if let (Some(note), Some(top)) = (note, disk.layers.first_mut()) {
            let comma = if top.detail.is_empty() { "" } else { ", " };
            top.detail = format!("{}{comma}{note}", top.detail);
        }
        vec![disk]
    })
}

/// One guest disk.
#[derive(Clone)]
pub struct Disk {
    /// What to call it: the file's name, or the name inside the archive.
    pub name: String,
    /// The guest's bytes.
    pub reader: Arc<dyn ReadAt>,
    /// The logical sector size where the container states one.
    pub sector_size: Option<u32>,
    /// The images it is made of, the top one first.
    pub layers: Vec<Layer>,
    /// Internal snapshots that [`Opener::snapshot`] could choose.
    pub snapshots: Vec<Snapshot>,
    /// What was wrong with it without stopping the reading.
    pub problems: Vec<Problem>,
    /// What an image that rests on this one knows it by, such as a VMDK's content id.
    pub(crate) identity: Option<String>,
}

/// One image of a chain.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Where it is.
    pub location: Location,
    /// Its format.
    pub format: Format,
    /// The format's own particulars, such as `v3, 64 KiB clusters, zstd`.
    pub detail: String,
    /// How many bytes it presents.
    pub virtual_size: u64,
}

/// A snapshot inside an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// When it was taken, in seconds since 1970.
    pub taken: i64,
    /// The disk's size at that time.
    pub virtual_size: u64,
}

impl Disk {
    /// A disk of one layer.
    pub(crate) fn new(format: Format, location: Location, reader: Arc<dyn ReadAt>) -> Self {
        let layer = Layer { format, detail: String::new(), virtual_size: reader.len(), location };
        Self {
            name: layer.location.file_name(),
            reader,
            sector_size: None,
            layers: vec![layer],
            snapshots: Vec::new(),
            problems: Vec::new(),
            identity: None,
        }
    }

    /// The same disk, with the format's own particulars.
    #[must_use]
    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        if let Some(top) = self.layers.first_mut() {
            top.detail = detail.into();
        }
        self
    }

    /// The same disk, resting on another one whose layers and problems it takes over.
    #[must_use]
    pub(crate) fn over(mut self, beneath: &Disk) -> Self {
        self.layers.extend(beneath.layers.iter().cloned());
        self.problems.extend(beneath.problems.iter().cloned());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_by_name_that_is_none_is_a_problem() {
        let problems = |name: &str, format: Option<Format>| {
            let opener = Opener::new().format(format);
            let bytes = Arc::new(vec![0; 4096]);
            let mut disks = opener.open_reader(bytes, &Location::Path(name.into())).unwrap();
            disks.remove(0).problems
        };
        for name in [
            "x.qcow2",
            "x.QCOW2",
            "x.vmdk",
            "x.vhd",
            "x.vpc",
            "x.vhdx",
            "x.vdi",
            "x.ova",
            "f001.vmdk",
        ] {
            let said = problems(name, None);
            assert_eq!(said.len(), 1, "{name}");
            assert!(said[0].to_string().contains("read as raw"), "{}", said[0]);
            assert!(problems(name, Some(Format::Raw)).is_empty(), "{name}");
        }
        for name in ["x.img", "x.raw", "x", "qcow2", "x-flat.vmdk", "x-f012.vmdk", "x.qcow2.bak"] {
            assert!(problems(name, None).is_empty(), "{name}");
        }
    }

    /// Zeros that cannot be read to their end.
    struct Cut(u64);

    impl ReadAt for Cut {
        fn len(&self) -> u64 {
            self.0
        }
        fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
            if offset + buf.len() as u64 > self.0 - 512 {
                return Err(Error::unreachable("server", "it does not answer"));
            }
            buf.fill(0);
            Ok(())
        }
    }

    #[test]
    fn an_end_that_cannot_be_read_does_not_say_that_it_is_raw() {
        let open = |format| {
            let location = Location::Path("disk".into());
            Opener::new().format(format).open_reader(Arc::new(Cut(1 << 20)), &location)
        };
        let error = open(None).err().unwrap();
        assert_eq!(error.kind(), crate::ErrorKind::Unreachable);
        assert!(error.to_string().contains("whether it is a VHD or raw"), "{error}");
        assert!(open(Some(Format::Raw)).is_ok());
    }
}
