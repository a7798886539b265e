//! One word or text as the value of a setting, wherever it was written.

use serde_json::{Number, Value};

use crate::problem::quoted;
use crate::shape::Kind;
use crate::suggest::closest;
use crate::value::objection;

/// The value that the text is; an error says why it is none, and never what a secret was.
pub(crate) fn value(kind: &Kind, text: &str) -> Result<Value, String> {
    match kind {
        Kind::Secret => Ok(Value::String(text.trim_end_matches(['\n', '\r']).to_owned())),
        Kind::Text(format) => match format.as_deref().and_then(|format| objection(format, text)) {
            Some(why) => Err(why),
            None => Ok(Value::String(text.to_owned())),
        },
        Kind::Boolean => match text {
            "true" | "True" | "TRUE" => Ok(Value::Bool(true)),
            "false" | "False" | "FALSE" => Ok(Value::Bool(false)),
            _ => Err(format!("{} is neither true nor false", quoted(text))),
        },
        Kind::Integer(least, most) => {
            let number: i128 =
                text.parse().map_err(|_| format!("{} is no whole number", quoted(text)))?;
            if number < *least || number > *most {
                return Err(format!("{number} is not from {least} to {most}"));
            }
            let number = Number::from_i128(number);
            number.map(Value::Number).ok_or_else(|| format!("{} is too large", quoted(text)))
        }
        Kind::Number(least, most) => {
            let number: f64 = text.parse().map_err(|_| format!("{} is no number", quoted(text)))?;
            // What is no number at all is in no range.
            if !(*least..=*most).contains(&number) {
                return Err(format!("{} is not from {least} to {most}", quoted(text)));
            }
            let number = Number::from_f64(number);
            number.map(Value::Number).ok_or_else(|| format!("{} is no number", quoted(text)))
        }
        Kind::Choice(words) => {
            if words.iter().any(|word| word == text) {
                return Ok(Value::String(text.to_owned()));
            }
            let mut why =
                format!("there is no {}; it is one of {}", quoted(text), words.join(", "));
            if let Some(meant) = closest(text, words.iter().map(String::as_str)) {
                why.push_str(&format!("; did you mean {meant}?"));
            }
            Err(why)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(kind: &Kind, text: &str, expected: Result<Value, &str>) {
        match (value(kind, text), expected) {
            (Ok(value), Ok(expected)) => assert_eq!(value, expected),
            (Err(why), Err(expected)) => assert!(why.contains(expected), "{why}"),
            (value, expected) => panic!("{text}: {value:?} and not {expected:?}"),
        }
    }

    #[test]
    fn texts_become_values() {
        let choice = Kind::Choice(vec!["amqp".into(), "kafka".into()]);
        check(&Kind::Boolean, "true", Ok(json!(true)));
        check(&Kind::Boolean, "yes", Err("\"yes\" is neither true nor false"));
        check(&Kind::Integer(1, 65535), "8080", Ok(json!(8080)));
        check(&Kind::Integer(1, 65535), "0", Err("0 is not from 1 to 65535"));
        check(&Kind::Integer(1, 65535), "65536", Err("65536 is not from 1 to 65535"));
        check(&Kind::Integer(1, 65535), "0x10", Err("is no whole number"));
        check(&Kind::Number(0.0, 1.0), "0.5", Ok(json!(0.5)));
        check(&Kind::Number(0.0, 1.0), "NaN", Err("is not from 0 to 1"));
        check(&Kind::Number(0.0, 1.0), "2", Err("is not from 0 to 1"));
        check(&choice, "kafka", Ok(json!("kafka")));
        check(&choice, "ampq", Err("it is one of amqp, kafka; did you mean amqp?"));
        check(&Kind::Text(None), "1.10", Ok(json!("1.10")));
        check(&Kind::Text(Some("duration".into())), "30", Err("30 of what?"));
        check(&Kind::Secret, "hush\n", Ok(json!("hush")));
    }
}
