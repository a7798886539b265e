//! What an operation gives, as a document of the format that was asked for.

use std::io::{self, Write};

use fathom_document as document;
use fathom_document::Section;
use fathom_jobs::Operation;
use fathom_report::{Difference, Report};

use fathom_report::finding::Findings;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::output::{Compression, Format};
use crate::handler::Trouble;

/// How strongly files are packed: those of reports become a tenth, and take no time.
const GZIP: u32 = 6;
const ZSTD: i32 = 6;

/// What is written, up to a length.
struct Bounded {
    bytes: Vec<u8>,
    most: u64,
}

impl Write for Bounded {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        if (self.bytes.len() + buf.len()) as u64 > self.most {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(buf);
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The bytes of the document, of which there are at most so many.
pub(super) fn render(
    operation: Operation,
    data: &Value,
    (format, compression): (Format, Compression),
    made: &str,
    most: u64,
) -> Result<Vec<u8>, Trouble> {
    let mut out = Bounded { bytes: Vec::new(), most };
    write(operation, data, format, made, &mut out)?;
    pack(out, compression).map_err(failed)
}

fn failed(error: io::Error) -> Trouble {
    if error.kind() == io::ErrorKind::FileTooLarge {
        let what = "the document is larger than worker.limits.output";
        return Trouble::lasting("OUTPUT_TOO_LARGE", what);
    }
    Trouble::passing("INTERNAL_ERROR", format!("the document cannot be written: {error}"))
}

fn pack(out: Bounded, compression: Compression) -> io::Result<Vec<u8>> {
    let Bounded { bytes, most } = out;
    let packed = Bounded { bytes: Vec::new(), most };
    let done = match compression {
        Compression::None => return Ok(bytes),
        Compression::Gzip => {
            let mut packer = flate2::write::GzEncoder::new(packed, flate2::Compression::new(GZIP));
            packer.write_all(&bytes)?;
            packer.finish()?
        }
        Compression::Zstd => {
            let mut packer = zstd::stream::write::Encoder::new(packed, ZSTD)?;
            packer.write_all(&bytes)?;
            packer.finish()?
        }
    };
    Ok(done.bytes)
}

fn write(
    operation: Operation,
    data: &Value,
    format: Format,
    made: &str,
    out: &mut Bounded,
) -> Result<(), Trouble> {
    match (operation, format) {
        (_, Format::Json) => document::json(data, out).map_err(failed),
        (_, Format::Yaml) => document::yaml(data, out).map_err(failed),
        (Operation::Inspect, format) => report(&part(data, "report")?, format, made, out),
        (Operation::Scan, format) => findings(&part(data, "findings")?, format, made, out),
        (Operation::Diff, Format::Html) => {
            let difference: Difference = part(data, "difference")?;
            document::difference_html(&difference, out).map_err(failed)
        }
        (_, format) => Err(unwritten(format)),
    }
}

fn unwritten(format: Format) -> Trouble {
    let what = format!("output.format: the result is not written as {}", format.name());
    Trouble::lasting("VALIDATION_ERROR", what)
}

/// A member of what the operation gives.
fn part<T: DeserializeOwned>(data: &Value, name: &str) -> Result<T, Trouble> {
    T::deserialize(data.get(name).unwrap_or(&Value::Null)).map_err(|error| {
        Trouble::lasting("INTERNAL_ERROR", format!("{name} cannot be read back: {error}"))
    })
}

/// Of a report, CSV is the table of packages.
fn report(report: &Report, format: Format, made: &str, out: &mut Bounded) -> Result<(), Trouble> {
    let written = match format {
        Format::Markdown => document::markdown(report, &[], out),
        Format::Html => document::html(report, out),
        Format::Csv => document::Csv::new(Section::Packages, true, out).report(report),
        Format::Cyclonedx => document::cyclonedx(report, made, out),
        Format::Spdx => document::spdx(report, made, out),
        other => return Err(unwritten(other)),
    };
    written.map_err(failed)
}

fn findings(
    found: &Findings,
    format: Format,
    made: &str,
    out: &mut Bounded,
) -> Result<(), Trouble> {
    let one = std::slice::from_ref(found);
    let written = match format {
        Format::Markdown => document::findings::markdown(found, out),
        Format::Html => document::findings::html(found, out),
        Format::Csv => document::findings::Csv::new(true, out).findings(found),
        Format::Cyclonedx => document::findings::cyclonedx(found, made, out),
        Format::Sarif => document::findings::sarif(one, out),
        Format::Junit => document::findings::junit(one, out),
        Format::Gitlab => document::findings::gitlab(one, made, out),
        Format::Openvex => document::findings::openvex(found, made, out),
        Format::CsafVex => document::findings::csaf(found, made, out),
        other => return Err(unwritten(other)),
    };
    written.map_err(failed)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_packed_can_be_unpacked() {
        let data = json!({ "value": "x".repeat(10_000) });
        let render = |compression, most| {
            render(Operation::Checksum, &data, (Format::Json, compression), "", most)
        };
        let plain = render(Compression::None, 1 << 20).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&plain).unwrap(), data);
        let packed = render(Compression::Gzip, 1 << 20).unwrap();
        let mut unpacked = Vec::new();
        flate2::read::GzDecoder::new(packed.as_slice()).read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked, plain);
        let packed = render(Compression::Zstd, 1 << 20).unwrap();
        assert_eq!(zstd::stream::decode_all(packed.as_slice()).unwrap(), plain);
        // The same gives the same bytes, whoever does it again.
        assert_eq!(render(Compression::Zstd, 1 << 20).unwrap(), packed);
        assert_eq!(render(Compression::None, 5000).unwrap_err().code, "OUTPUT_TOO_LARGE");
    }
}
