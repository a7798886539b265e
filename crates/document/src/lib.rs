//! Reports and their differences as documents: YAML, Markdown, CSV, HTML, CycloneDX, SPDX.
//!
//! Every writer takes a `&mut dyn Write` and writes as it goes: a report may list hundreds of
//! thousands of packages. None of them opens a file, asks a clock or reaches the network; what time
//! it is, where a document says that, is an argument, so that the same report gives the same bytes.
//!
//! What a person reads (Markdown, HTML, CSV, and the tables of the command line) is made of one
//! [view] of the report: each section as lists with columns. A format is a [`view::Sink`].
//!
//! Names and texts come out of an image that a stranger wrote. Each writer escapes what its format
//! gives a meaning.

#![forbid(unsafe_code)]

mod csv;
mod diff;
pub mod findings;
mod html;
mod json;
mod markdown;
mod sbom;
pub mod view;
mod words;
mod yaml;

pub use csv::{Csv, record as csv_record};
pub use diff::html as difference_html;
pub use html::report as html;
pub use json::write as json;
pub use markdown::report as markdown;
pub use sbom::{cyclonedx, licence, package_url, spdx};
pub use view::Section;
pub use yaml::write as yaml;
