//! Bills of materials: CycloneDX and SPDX.
//!
//! Both list the operating systems of a machine and what is installed on each. What a report does
//! not know is said in the words of each format: a list that is not complete is a composition of
//! CycloneDX that is `incomplete` or `unknown`, and an annotation of SPDX. Numbers and names of the
//! documents are derived from the report, and the time is an argument: the same report and the same
//! time give the same bytes.

mod cpe;
mod cyclonedx;
mod hash;
mod licence;
mod names;
mod spdx;

pub(crate) use cyclonedx::tool;
pub use cyclonedx::write as cyclonedx;
pub use fathom_report::package_url;
pub(crate) use hash::uuid;
pub use licence::expression as licence;
pub use spdx::write as spdx;
