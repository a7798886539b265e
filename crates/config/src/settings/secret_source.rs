//! How a secret stands in the file.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// A secret as it is written: a text, or where the text is. What it is resolved to is a
/// [`fathom_secret::Secret`]; this is its schema alone, of which `writeOnly` tells the loader.
pub(crate) struct SecretSource;

impl JsonSchema for SecretSource {
    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let place = |name: &str, about: &str| {
            json_schema!({
                "type": "object",
                "properties": { name: { "type": "string", "description": about } },
                "required": [name],
                "additionalProperties": false,
            })
        };
        json_schema!({
            "description": "A secret: the text itself, or the file or environment variable that holds it.",
            "writeOnly": true,
            "anyOf": [
                { "type": "string" },
                place("file", "The file that holds it; newlines at its end do not count."),
                place("env", "The environment variable that holds it."),
            ],
        })
    }
}
