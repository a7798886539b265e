//! Where an image is: a path or a URL.

use std::fmt;
use std::path::{Path, PathBuf};

/// Where an image is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Location {
    /// A file or block device of this machine.
    Path(PathBuf),
    /// An `http://` or `https://` address.
    Url(String),
}

impl Location {
    /// What a person typed: an address if it starts like one, a path otherwise.
    pub fn parse(text: impl AsRef<std::ffi::OsStr>) -> Self {
        let text = text.as_ref();
        match text.to_str() {
            Some(url) if url.starts_with("http://") || url.starts_with("https://") => {
                Self::Url(url.to_owned())
            }
            _ => Self::Path(PathBuf::from(text)),
        }
    }

    /// The last part of the name, for titles.
    pub fn file_name(&self) -> String {
        match self {
            Self::Path(path) => path
                .file_name()
                .map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into()),
            Self::Url(url) => {
                let path = url.split(['?', '#']).next().unwrap_or(url);
                path.rsplit('/').next().unwrap_or(path).to_owned()
            }
        }
    }
}

impl From<&Path> for Location {
    fn from(path: &Path) -> Self {
        Self::Path(path.to_owned())
    }
}

/// An address is shown without what may be secret in it: user information and the query.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "{}", path.display()),
            Self::Url(url) => {
                let shown = url.split(['?', '#']).next().unwrap_or(url);
                match shown.split_once("://") {
                    Some((scheme, rest)) => {
                        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
                        let host = host.rsplit('@').next().unwrap_or(host);
                        write!(f, "{scheme}://{host}/{path}")
                    }
                    None => f.write_str(shown),
                }
            }
        }
    }
}
