//! `fathom job submit`.

use std::io::Read as _;
use std::path::Path;

use fathom_jobs::{LARGEST, Receipt};
use serde_json::{Map, Value, json};

use super::client::Client;
use super::{of, print, show, watch};
use crate::args::JobSubmit;
use crate::exit::{Failure, Verdict, say};
use crate::output::Out;

pub(super) fn run(options: &JobSubmit) -> Result<Verdict, Failure> {
    let mut job = match &options.file {
        Some(path) => read(path)?,
        None => typed(options)?,
    };
    fill(&mut job, options)?;
    let client = Client::of(&options.remote)?;
    let receipt: Value = client.json("POST", "/api/v1/jobs", Some(Value::from(job).to_string()))?;
    let known: Receipt = serde_json::from_value(receipt.clone()).map_err(|error| {
        let why = format!("it answers what fathom does not: {error}");
        Failure::from(fathom_block::Error::unreachable(options.remote.server.as_str(), why))
    })?;
    if options.wait {
        let (client, path) = of(&options.remote, &known.job_id)?;
        if !options.json {
            say(&format!("{} is sent; when this is interrupted, it goes on", known.job_id));
        }
        return watch(&client, &known.job_id, &path, options.json);
    }
    if options.json {
        print(&receipt)?;
        return Ok(Verdict::Done);
    }
    let mut out = Out::new();
    out.line(crate::text::harmless(&known.job_id))?;
    out.finish()?;
    if known.status != fathom_jobs::Status::Pending {
        say(&format!("it was sent before, and is {}", show::name(known.status)));
    }
    Ok(Verdict::Done)
}

fn read(path: &Path) -> Result<Map<String, Value>, Failure> {
    let shown = path.display().to_string();
    let mut text = String::new();
    let most = LARGEST as u64 + 1;
    match shown.as_str() {
        "-" => std::io::stdin().take(most).read_to_string(&mut text),
        _ => std::fs::File::open(path)
            .map_err(Failure::reading(shown.clone()))?
            .take(most)
            .read_to_string(&mut text),
    }
    .map_err(Failure::host(shown.clone()))?;
    if text.len() > LARGEST {
        return Err(Failure::Usage(format!("{shown}: a job has at most {LARGEST} bytes")));
    }
    object(&shown, &text)
}

fn object(what: &str, text: &str) -> Result<Map<String, Value>, Failure> {
    match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(Failure::Usage(format!("{what}: an object of JSON is meant, as {{\"a\":1}}"))),
        Err(error) => Err(Failure::Usage(format!("{what}: it is no JSON: {error}"))),
    }
}

/// The job of what was typed.
fn typed(options: &JobSubmit) -> Result<Map<String, Value>, Failure> {
    let operation = options.operation.as_deref().unwrap_or_default();
    let operation = match operation.contains('.') {
        true => operation.to_owned(),
        false => format!("fathom.{operation}"),
    };
    let mut payload = match &options.payload {
        Some(text) => object("--payload", text)?,
        None => Map::new(),
    };
    let images: Vec<Value> = options.image.iter().map(|path| json!({ "path": path })).collect();
    match images.as_slice() {
        [] => {}
        [image] => drop(payload.insert("image".to_owned(), image.clone())),
        images => drop(payload.insert("images".to_owned(), images.into())),
    }
    let mut job = Map::new();
    job.insert("operation".to_owned(), operation.into());
    job.insert("payload".to_owned(), payload.into());
    Ok(job)
}

/// What was typed goes over what stands in a file.
fn fill(job: &mut Map<String, Value>, options: &JobSubmit) -> Result<(), Failure> {
    if let Some(id) = &options.id {
        job.insert("job_id".to_owned(), json!(id));
    }
    for (group, name, value) in [
        ("execution", "idempotency_key", options.key.as_ref().map(|it| json!(it))),
        ("execution", "priority", options.priority.map(|it| json!(it))),
        ("execution", "max_attempts", options.max_attempts.map(|it| json!(it))),
        ("execution", "timeout_seconds", options.timeout.map(|it| json!(it))),
        ("metadata", "namespace", options.namespace.as_ref().map(|it| json!(it))),
        ("routing", "worker_pool", options.pool.as_ref().map(|it| json!(it))),
    ] {
        let Some(value) = value else { continue };
        let fields = job.entry(group).or_insert_with(|| json!({}));
        let Value::Object(fields) = fields else {
            return Err(Failure::Usage(format!("{group}: an object of JSON is meant")));
        };
        fields.insert(name.to_owned(), value);
    }
    Ok(())
}
