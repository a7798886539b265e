//! What is to become of a result besides being kept: `output` of a payload.

use fathom_jobs::Operation;

use super::payload::{Fields, Options, Wrong};

/// How a document is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Yaml,
    Markdown,
    Html,
    Csv,
    Cyclonedx,
    Spdx,
    Sarif,
    Junit,
    Gitlab,
    Openvex,
    CsafVex,
}

use Format::{
    CsafVex, Csv, Cyclonedx, Gitlab, Html, Json, Junit, Markdown, Openvex, Sarif, Spdx, Yaml,
};

impl Format {
    #[cfg(test)]
    const ALL: [Self; 12] =
        [Json, Yaml, Markdown, Html, Csv, Cyclonedx, Spdx, Sarif, Junit, Gitlab, Openvex, CsafVex];

    /// As payloads call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Json => "json",
            Yaml => "yaml",
            Markdown => "markdown",
            Html => "html",
            Csv => "csv",
            Cyclonedx => "cyclonedx",
            Spdx => "spdx",
            Sarif => "sarif",
            Junit => "junit",
            Gitlab => "gitlab",
            Openvex => "openvex",
            CsafVex => "csaf-vex",
        }
    }

    /// What files of it end with.
    pub(super) fn extension(self) -> &'static str {
        match self {
            Json => "json",
            Yaml => "yaml",
            Markdown => "md",
            Html => "html",
            Csv => "csv",
            Cyclonedx => "cdx.json",
            Spdx => "spdx.json",
            Sarif => "sarif.json",
            Junit => "junit.xml",
            Gitlab => "gitlab.json",
            Openvex => "openvex.json",
            CsafVex => "csaf.json",
        }
    }

    /// Those that the result of an operation can be written in.
    pub(super) fn of(operation: Operation) -> &'static [Self] {
        match operation {
            Operation::Inspect => &[Json, Yaml, Markdown, Html, Csv, Cyclonedx, Spdx],
            Operation::Scan => &[
                Json, Yaml, Markdown, Html, Csv, Cyclonedx, Sarif, Junit, Gitlab, Openvex, CsafVex,
            ],
            Operation::Diff => &[Json, Yaml, Html],
            Operation::Profile | Operation::Checksum => &[Json, Yaml],
            Operation::Echo => &[],
        }
    }
}

/// How what is written is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Gzip,
    Zstd,
}

impl Compression {
    const ALL: [Self; 3] = [Self::None, Self::Gzip, Self::Zstd];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    /// What is put behind the name of a file.
    pub(super) fn ending(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Gzip => ".gz",
            Self::Zstd => ".zst",
        }
    }
}

/// What is to be written, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) destination: String,
    pub(super) format: Format,
    pub(super) compression: Compression,
}

impl Wanted {
    /// What `output` asks for; nothing where it asks for no more than to keep the result.
    pub(super) fn of(fields: &Fields<'_>, operation: Operation) -> Result<Option<Self>, Wrong> {
        let Some(output) = fields.object("output")? else { return Ok(None) };
        let possible = Format::of(operation);
        let format = one(&output, "format", possible, Json, Format::name)?;
        let compression =
            one(&output, "compression", &Compression::ALL, Compression::None, Compression::name)?;
        let Some(destination) = output.text("destination")? else {
            let without = "is of what is written elsewhere; say where in output.destination";
            return match (format, compression) {
                (Json, Compression::None) => Ok(None),
                (Json, _) => Err(format!("{}: it {without}", output.name("compression"))),
                _ => Err(format!("{}: it {without}", output.name("format"))),
            };
        };
        // What goes without sections is no whole report, and other documents have no word for that.
        if !matches!(format, Json | Yaml) && !Options::of(fields)?.left_out.is_empty() {
            let what = "what goes without sections is written as json or yaml";
            return Err(format!("{}: {what}", output.name("format")));
        }
        Ok(Some(Self { destination: destination.to_owned(), format, compression }))
    }
}

/// The one of a few that a member names.
fn one<T: Copy>(
    output: &Fields<'_>,
    member: &str,
    possible: &[T],
    usual: T,
    name: fn(T) -> &'static str,
) -> Result<T, Wrong> {
    let Some(text) = output.text(member)? else { return Ok(usual) };
    possible.iter().copied().find(|it| name(*it) == text).ok_or_else(|| {
        let text: String = text.chars().take(64).collect();
        let names: Vec<_> = possible.iter().map(|it| name(*it)).collect();
        format!(
            "{}: there is no {text:?} here; there are {}",
            output.name(member),
            names.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn wanted(operation: Operation, output: Value) -> Result<Option<Wanted>, Wrong> {
        let data = json!({ "output": output });
        Wanted::of(&Fields::of(&data)?, operation)
    }

    #[test]
    fn what_is_asked_for() {
        for nothing in [json!(null), json!({}), json!({ "format": "json", "compression": "none" })]
        {
            assert_eq!(wanted(Operation::Inspect, nothing), Ok(None));
        }
        let all = json!({ "format": "spdx", "compression": "zstd", "destination": "/out" });
        let expected = Wanted {
            destination: "/out".to_owned(),
            format: Format::Spdx,
            compression: Compression::Zstd,
        };
        assert_eq!(wanted(Operation::Inspect, all), Ok(Some(expected)));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (operation, output, begins) in [
            (Operation::Inspect, json!(1), "output: an object is meant"),
            (Operation::Inspect, json!({ "format": 1 }), "output.format: a text is meant"),
            (
                Operation::Inspect,
                json!({ "format": "pdf" }),
                "output.format: there is no \"pdf\" here",
            ),
            (
                Operation::Inspect,
                json!({ "format": "sarif" }),
                "output.format: there is no \"sarif\"",
            ),
            (Operation::Scan, json!({ "format": "spdx" }), "output.format: there is no \"spdx\""),
            (
                Operation::Checksum,
                json!({ "format": "html" }),
                "output.format: there is no \"html\"",
            ),
            (
                Operation::Inspect,
                json!({ "format": "yaml" }),
                "output.format: it is of what is written",
            ),
            (
                Operation::Inspect,
                json!({ "compression": 1 }),
                "output.compression: a text is meant",
            ),
            (
                Operation::Inspect,
                json!({ "compression": "lz4" }),
                "output.compression: there is no",
            ),
            (
                Operation::Inspect,
                json!({ "compression": "gzip" }),
                "output.compression: it is of what",
            ),
            (
                Operation::Inspect,
                json!({ "destination": 1 }),
                "output.destination: a text is meant",
            ),
        ] {
            let wrong = wanted(operation, output.clone()).unwrap_err();
            assert!(wrong.starts_with(begins), "{output}: {wrong}");
        }
    }

    #[test]
    fn what_goes_without_sections_is_no_whole_report() {
        for (format, fits) in [("json", true), ("yaml", true), ("spdx", false), ("html", false)] {
            let data = json!({
                "options": { "include_users": false },
                "output": { "format": format, "destination": "/out" },
            });
            let wanted = Wanted::of(&Fields::of(&data).unwrap(), Operation::Inspect);
            assert_eq!(wanted.is_ok(), fits, "{format}: {wanted:?}");
        }
    }

    #[test]
    fn each_format_has_a_name_and_an_ending_of_its_own() {
        let mut endings = std::collections::BTreeSet::new();
        let mut names = std::collections::BTreeSet::new();
        for format in Format::ALL {
            assert!(endings.insert(format.extension()) && names.insert(format.name()));
        }
    }
}
