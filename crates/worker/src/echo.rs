//! Gives back what it was given: to see that everything in between works.

use std::time::Duration;

use fathom_jobs::Operation;
use serde_json::json;

use crate::handler::{Done, Handler, Running, Task, Trouble};

/// The longest that an echo may take its time.
const LONGEST: f64 = 3600.0;

/// The operation `echo`. `delay_seconds` lets it take its time, `fail` lets it fail with that code.
#[derive(Debug)]
pub struct Echo;

impl Handler for Echo {
    fn operation(&self) -> Operation {
        Operation::Echo
    }

    fn run<'a>(&'a self, task: &'a Task) -> Running<'a> {
        Box::pin(async move {
            if let Some(seconds) =
                task.data.get("delay_seconds").and_then(serde_json::Value::as_f64)
            {
                if !(0.0..=LONGEST).contains(&seconds) {
                    let what = format!("delay_seconds: it is from 0 to {LONGEST}");
                    return Err(Trouble::lasting("VALIDATION_ERROR", what));
                }
                task.progress("waiting", Some(0), "");
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_secs_f64(seconds)) => {}
                    _ = task.stopped() => {}
                }
            }
            if let Some(code) = task.data.get("fail").and_then(serde_json::Value::as_str) {
                return Err(Trouble::passing(code, "it was asked to fail"));
            }
            Ok(Done { data: json!({ "echo": task.data }), ..Done::default() })
        })
    }
}
