//! Where mirrors are: web servers, and folders of this machine.

use std::fs::File;
use std::io::{self, Read, Seek as _};
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use fathom_block::Location;
use fathom_block::source::{HttpOptions, Web};

use crate::error::Error;
use crate::files;

/// How long a document may take: whoever holds it back keeps nobody waiting.
const PATIENCE: Duration = Duration::from_secs(60);

/// How much of a file is read at once.
const PIECE: usize = 256 << 10;

/// What is made of a piece of a file.
pub type Each<'e> = dyn FnMut(&[u8]) -> io::Result<()> + 'e;

/// What serves files by their names.
pub trait Mirror {
    /// How it is called, without what may be secret in its address.
    fn shown(&self) -> String;

    /// All of a document, which has at most so many bytes.
    fn document(&self, name: &str, most: u64) -> fathom_block::Result<Vec<u8>>;

    /// Shows what is missing of a file: the bytes of this range, which ends where the file does.
    fn rest(
        &self,
        name: &str,
        missing: Range<u64>,
        each: &mut Each<'_>,
    ) -> fathom_block::Result<()>;
}

/// A mirror on a web server.
pub struct Site {
    base: String,
    web: Web,
}

impl Site {
    /// The one at this address.
    pub fn new(address: &str, http: &HttpOptions) -> Self {
        Self { base: address.trim_end_matches('/').to_owned(), web: Web::new(http) }
    }

    fn address(&self, name: &str) -> String {
        format!("{}/{name}", self.base)
    }
}

impl Mirror for Site {
    fn shown(&self) -> String {
        Location::Url(self.base.clone()).to_string()
    }

    fn document(&self, name: &str, most: u64) -> fathom_block::Result<Vec<u8>> {
        self.web.document(&self.address(name), most, PATIENCE)
    }

    fn rest(
        &self,
        name: &str,
        missing: Range<u64>,
        each: &mut Each<'_>,
    ) -> fathom_block::Result<()> {
        self.web.rest(&self.address(name), missing, each)
    }
}

/// A mirror that lies in a folder.
pub struct Folder(pub PathBuf);

impl Folder {
    fn open(&self, name: &str) -> fathom_block::Result<File> {
        let path = self.0.join(name);
        files::open(&path).map_err(|error| match error {
            Error::Host(what, error) => fathom_block::Error::io(what, error),
            error => fathom_block::Error::invalid(path.display().to_string(), error.to_string()),
        })
    }

    fn failed(&self, name: &str) -> impl FnOnce(io::Error) -> fathom_block::Error {
        let shown = self.0.join(name).display().to_string();
        move |error| fathom_block::Error::io(shown, error)
    }
}

impl Mirror for Folder {
    fn shown(&self) -> String {
        self.0.display().to_string()
    }

    fn document(&self, name: &str, most: u64) -> fathom_block::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let file = self.open(name)?;
        file.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(self.failed(name))?;
        match bytes.len() as u64 > most {
            true => Err(too_long(self.0.join(name).display().to_string(), most)),
            false => Ok(bytes),
        }
    }

    fn rest(
        &self,
        name: &str,
        missing: Range<u64>,
        each: &mut Each<'_>,
    ) -> fathom_block::Result<()> {
        let mut file = self.open(name)?;
        let length = file.metadata().map_err(self.failed(name))?.len();
        if length != missing.end {
            let why = format!("it has {length} bytes, where {} are expected", missing.end);
            let shown = self.0.join(name).display().to_string();
            return Err(fathom_block::Error::malformed(shown, why));
        }
        file.seek(io::SeekFrom::Start(missing.start)).map_err(self.failed(name))?;
        let mut buffer = vec![0; PIECE];
        let mut at = missing.start;
        while at < missing.end {
            let count = PIECE.min((missing.end - at) as usize);
            file.read_exact(&mut buffer[..count]).map_err(self.failed(name))?;
            each(&buffer[..count]).map_err(self.failed(name))?;
            at += count as u64;
        }
        Ok(())
    }
}

fn too_long(shown: String, most: u64) -> fathom_block::Error {
    fathom_block::Error::malformed(shown, format!("it has more than {most} bytes"))
}
