//! Values that are more than a text or a number, each with one spelling and a clear error.

mod address;
mod network;
mod size;
mod span;

pub use address::Address;
pub use network::Network;
pub use size::Size;
pub use span::Span;

/// Makes a value of a text: in documents it is that text, and its schema says so by `format`.
macro_rules! text_value {
    ($name:ident, $format:literal, $about:literal, $($example:literal),+) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string",
                    "format": $format,
                    "description": $about,
                    "examples": [$($example),+],
                })
            }
        }
    };
}
use text_value;

/// Why a text is not the value of this format; nothing where it is, or where the format is none of
/// ours.
pub(crate) fn objection(format: &str, text: &str) -> Option<String> {
    match format {
        "duration" => text.parse::<Span>().err(),
        "size" => text.parse::<Size>().err(),
        "network" => text.parse::<Network>().err(),
        "address" => text.parse::<Address>().err(),
        "ip" => {
            text.parse::<std::net::IpAddr>().err().map(|_| format!("{text:?} is no IP address"))
        }
        _ => None,
    }
}

/// The parts of a text that is numbers with units: `1h30m` as (1, h), (30, m).
fn parts(text: &str) -> Option<Vec<(u64, &str)>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, behind) = rest.split_at(digits);
        let unit = behind.find(|c: char| c.is_ascii_digit()).unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(unit);
        parts.push((number.parse().ok()?, unit.trim()));
        rest = behind;
    }
    (!parts.is_empty()).then_some(parts)
}
