//! `fathom job list`.

use fathom_jobs::View;
use serde::Deserialize;
use serde_json::Value;

use super::client::Client;
use super::{print, show};
use crate::args::JobList;
use crate::exit::{Failure, Verdict, say};
use crate::output::{Columns, Out};
use crate::text::harmless;

/// How many are asked for at once.
const PAGE: usize = 50;

#[derive(Deserialize)]
struct Page {
    jobs: Vec<Value>,
    next: Option<String>,
}

pub(super) fn run(options: &JobList) -> Result<Verdict, Failure> {
    let client = Client::of(&options.remote)?;
    let mut query = String::new();
    for (name, value) in [
        ("status", &options.status),
        ("operation", &options.operation),
        ("namespace", &options.namespace),
    ] {
        if let Some(value) = value {
            query.push_str(&format!("{name}={}&", encoded(value)));
        }
    }
    let mut jobs = Vec::new();
    let mut cursor = String::new();
    let more = loop {
        let most = options.limit.saturating_sub(jobs.len()).clamp(1, PAGE);
        let path = format!("/api/v1/jobs?{query}limit={most}{cursor}");
        let page: Page = client.json("GET", &path, None)?;
        jobs.extend(page.jobs);
        match page.next {
            Some(next) if jobs.len() < options.limit => {
                cursor = format!("&cursor={}", encoded(&next));
            }
            next => break next.is_some(),
        }
    };
    jobs.truncate(options.limit);
    if options.json {
        print(&jobs)?;
        return Ok(Verdict::Done);
    }
    let views: Result<Vec<View>, _> = jobs.into_iter().map(serde_json::from_value).collect();
    let views = views.map_err(|error| {
        let why = format!("it answers what fathom does not: {error}");
        Failure::from(fathom_block::Error::unreachable(options.remote.server.as_str(), why))
    })?;
    let mut columns = Columns::new(&[3]);
    let heads = ["job", "status", "operation", "try", "submitted", "took", "worker", "trouble"];
    columns.row(heads.map(str::to_owned).to_vec());
    for view in &views {
        columns.row(vec![
            harmless(&view.job_id),
            show::name(view.status),
            harmless(&view.operation),
            format!("{}/{}", view.attempt, view.max_attempts),
            show::second(&view.submitted_at),
            show::took(view).unwrap_or_default(),
            harmless(view.worker_id.as_deref().unwrap_or_default()),
            harmless(view.error.as_ref().map_or("", |error| &error.code)),
        ]);
    }
    let mut out = Out::new();
    columns.write(&mut out)?;
    out.finish()?;
    if more {
        say(&format!("there are more than {}; --limit shows more", options.limit));
    }
    Ok(Verdict::Done)
}

/// A value as it stands behind the question mark of an address.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b',' => {
                encoded.push(char::from(byte));
            }
            byte => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}
