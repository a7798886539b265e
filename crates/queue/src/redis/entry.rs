//! What stands in an entry of a stream.
//!
//! Ours have the field `ticket`. Others put a job into `job`, `data` or `payload`, or into the only
//! field that there is. What was given back has `deliveries` beside it.

use crate::Body;

/// The field of our tickets, and that of what others publish.
pub(super) const TICKET: &str = "ticket";
const JOB: &str = "job";
const DELIVERIES: &str = "deliveries";
/// The fields in which others put a job, the first of them that is there.
const FOREIGN: [&str; 3] = [JOB, "data", "payload"];

/// An entry, as far as we understand it.
pub(super) struct Entry {
    pub(super) body: Body,
    /// How often it was delivered before it was given back.
    pub(super) deliveries: u32,
    pub(super) size: usize,
    /// Why it cannot be handed on.
    pub(super) problem: Option<String>,
}

/// The field in which this body is published.
pub(super) fn field(body: &Body) -> &'static str {
    if body.is_ticket() { TICKET } else { JOB }
}

pub(super) fn read(mut fields: Vec<(String, Vec<u8>)>) -> Entry {
    let mut deliveries = 0;
    if fields.len() > 1
        && let Some(place) = fields.iter().position(|(name, _)| name == DELIVERIES)
    {
        let (_, value) = fields.swap_remove(place);
        deliveries =
            std::str::from_utf8(&value).ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    }
    let size = fields.iter().map(|(_, value)| value.len()).sum();
    let place = [TICKET]
        .iter()
        .chain(&FOREIGN)
        .find_map(|wanted| fields.iter().position(|(name, _)| name == wanted))
        .or_else(|| (fields.len() == 1).then_some(0));
    match place {
        Some(place) => {
            let (name, value) = fields.swap_remove(place);
            let body = Body::decode(name == TICKET, value);
            Entry { body, deliveries, size, problem: None }
        }
        None => Entry {
            body: Body::Foreign(Vec::new()),
            deliveries,
            size,
            problem: Some("none of its fields is job, data or payload".to_owned()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(fields: &[(&str, &str)], body: Option<&str>, deliveries: u32) {
        let fields =
            fields.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
        let entry = read(fields.collect());
        assert_eq!(entry.problem.is_none(), body.is_some());
        assert_eq!(entry.body, Body::Foreign(body.unwrap_or_default().as_bytes().to_vec()));
        assert_eq!(entry.deliveries, deliveries);
    }

    #[test]
    fn the_field_of_a_job_is_found() {
        check(&[("job", "{}")], Some("{}"), 0);
        check(&[("x", "{}")], Some("{}"), 0);
        check(&[("trace", "1"), ("payload", "p"), ("data", "d")], Some("d"), 0);
        check(&[("deliveries", "3"), ("job", "j")], Some("j"), 3);
        check(&[("deliveries", "x"), ("job", "j")], Some("j"), 0);
        check(&[("deliveries", "{}")], Some("{}"), 0);
        check(&[("a", "1"), ("b", "2")], None, 0);
        check(&[], None, 0);
        // What came as a ticket and is none.
        check(&[("ticket", "{}")], Some("{}"), 0);
    }
}
