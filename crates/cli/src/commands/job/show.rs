//! A job, in words.

use fathom_jobs::{Status, View, moment};
use serde_json::Value;

use crate::exit::Failure;
use crate::output::Out;
use crate::text::harmless;

/// All of it.
pub(super) fn write(view: &View) -> Result<(), Failure> {
    let mut lines = vec![
        ("operation", view.operation.clone()),
        ("namespace", view.namespace.clone()),
        ("pool", format!("{}, priority {}", view.pool, view.priority)),
        ("try", format!("{} of {}", view.attempt, view.max_attempts)),
        ("submitted", format!("{} by {}", second(&view.submitted_at), view.submitted_by)),
    ];
    let mut add = |name, value: Option<String>| lines.extend(value.map(|value| (name, value)));
    add("next try", view.next_attempt_at.as_deref().map(second));
    add("started", view.started_at.as_deref().map(second));
    add("ended", view.completed_at.as_deref().map(second));
    add("took", took(view));
    add("worker", view.worker_id.clone());
    add(
        "progress",
        view.progress.as_ref().map(|progress| match progress.progress_percent {
            Some(percent) => format!("{}, {percent} %", progress.phase),
            None => progress.phase.clone(),
        }),
    );
    add("asked to stop", view.cancel_requested.then(|| "yes".to_owned()));
    let trouble = view.error.as_ref();
    add("trouble", trouble.map(|error| format!("{}: {}", error.code, error.message)));
    for why in &view.unplaced {
        add("no worker", Some(why.clone()));
    }
    let mut out = Out::new();
    out.line(harmless(&format!("{} is {}", view.job_id, name(view.status))))?;
    for (name, value) in lines {
        out.line(format!("  {name:<14}{}", harmless(&value)))?;
    }
    out.finish()
}

/// How it ended, in a sentence.
pub(super) fn sentence(view: &View) -> String {
    let mut text = format!("{} is {}", view.job_id, name(view.status));
    if let Some(took) = took(view) {
        text.push_str(&format!(", and took {took}"));
    }
    if let Some(error) = &view.error {
        text.push_str(&format!(": {}: {}", error.code, error.message));
    }
    text
}

/// As documents write it.
pub(super) fn name(status: Status) -> String {
    match serde_json::to_value(status) {
        Ok(Value::String(name)) => name,
        _ => String::new(),
    }
}

/// A moment to the second.
pub(super) fn second(at: &str) -> String {
    let text: String = at.chars().take(19).map(|c| if c == 'T' { ' ' } else { c }).collect();
    harmless(&text)
}

/// How long it took, or takes so far as is known.
pub(super) fn took(view: &View) -> Option<String> {
    let started = moment(view.started_at.as_deref()?)?;
    let ended = moment(view.completed_at.as_deref()?)?;
    let seconds = ended.since(started).as_secs_f64();
    Some(match seconds {
        ..1.0 => format!("{:.0} ms", seconds * 1000.0),
        ..60.0 => format!("{seconds:.1} s"),
        ..3600.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3600.0),
    })
}
