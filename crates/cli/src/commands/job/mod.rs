//! `fathom job`: jobs of a service, asked for over HTTP.

mod client;
mod follow;
mod list;
mod show;
mod submit;

use fathom_jobs::{ResultDocument, Status, View};
use serde::Serialize;
use serde_json::Value;

use self::client::Client;
use crate::args::{JobCommand, JobResult, OneJob, Remote};
use crate::exit::{Failure, Verdict, say};
use crate::output::Out;
use crate::text::harmless;

/// The exit code where a job has not ended yet.
const NOT_ENDED: u8 = 24;

pub(crate) fn run(command: &JobCommand) -> Result<Verdict, Failure> {
    match command {
        JobCommand::Submit(options) => submit::run(options),
        JobCommand::List(options) => list::run(options),
        JobCommand::Show(options) => show(options),
        JobCommand::Watch(options) => {
            let (client, path) = of(&options.remote, &options.id)?;
            watch(&client, &options.id, &path, options.json)
        }
        JobCommand::Cancel(options) => cancel(options),
        JobCommand::Result(options) => result(options),
        JobCommand::Replay(options) => replay(options),
    }
}

/// The service, and where the job is there.
fn of(remote: &Remote, id: &str) -> Result<(Client, String), Failure> {
    // Names of jobs need no escaping; what does is none.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:@+~=".contains(&byte);
    if id.is_empty() || id.starts_with('.') || !id.bytes().all(plain) {
        let what = format!("job {id:?}");
        return Err(fathom_block::Error::not_found(what, "no job is called so").into());
    }
    Ok((Client::of(remote)?, format!("/api/v1/jobs/{id}")))
}

fn print(value: &impl Serialize) -> Result<(), Failure> {
    let mut out = Out::new();
    out.json(value)?;
    out.finish()
}

fn show(options: &OneJob) -> Result<Verdict, Failure> {
    let (client, path) = of(&options.remote, &options.id)?;
    if options.json {
        print(&client.json::<Value>("GET", &path, None)?)?;
    } else {
        show::write(&client.json("GET", &path, None)?)?;
    }
    Ok(Verdict::Done)
}

/// Follows a job to its end, and says how that was.
fn watch(client: &Client, id: &str, path: &str, json: bool) -> Result<Verdict, Failure> {
    follow::to_the_end(client, id, path)?;
    if json {
        let view: Value = follow::patiently(|| client.json("GET", path, None))?;
        print(&view)?;
        let status = serde_json::from_value(view["status"].clone());
        return ended(status.unwrap_or(Status::Running));
    }
    let view: View = follow::patiently(|| client.json("GET", path, None))?;
    let mut out = Out::new();
    out.line(harmless(&show::sentence(&view)))?;
    out.finish()?;
    ended(view.status)
}

fn cancel(options: &OneJob) -> Result<Verdict, Failure> {
    let (client, path) = of(&options.remote, &options.id)?;
    let view: Value = client.json("DELETE", &path, None)?;
    if options.json {
        print(&view)?;
    } else if view["status"] == "cancelled" {
        say(&format!("{} is called off", options.id));
    } else {
        say(&format!("whoever has {} is asked to stop; `fathom job watch` waits", options.id));
    }
    Ok(Verdict::Done)
}

fn replay(options: &OneJob) -> Result<Verdict, Failure> {
    let (client, path) = of(&options.remote, &options.id)?;
    let view: Value = client.json("POST", &format!("{path}/replay"), Some("{}".to_owned()))?;
    if options.json {
        print(&view)?;
    } else {
        say(&format!("{} waits for its turn again", options.id));
    }
    Ok(Verdict::Done)
}

fn result(options: &JobResult) -> Result<Verdict, Failure> {
    let (client, path) = of(&options.remote, &options.id)?;
    let document: ResultDocument = client.json("GET", &format!("{path}/result"), None)?;
    if options.data {
        print(&document.data)?;
    } else {
        print(&document)?;
    }
    if let Some(error) = document.error.as_ref().filter(|_| options.data) {
        say(&format!("{}: {}: {}", options.id, error.code, error.message));
    }
    ended(document.status)
}

/// The exit code that says how a job ended.
fn ended(status: Status) -> Result<Verdict, Failure> {
    match status {
        Status::Completed => Ok(Verdict::Done),
        Status::Failed => Err(Failure::Said(20)),
        Status::Cancelled => Err(Failure::Said(21)),
        Status::Timeout => Err(Failure::Said(22)),
        Status::Dead => Err(Failure::Said(23)),
        _ => Err(Failure::Said(NOT_ENDED)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_end_has_its_code() {
        let code = |status| match ended(status) {
            Ok(_) => 0,
            Err(Failure::Said(code)) => code,
            Err(other) => panic!("{other:?}"),
        };
        let ends = [
            Status::Completed,
            Status::Failed,
            Status::Cancelled,
            Status::Timeout,
            Status::Dead,
            Status::Running,
        ];
        assert_eq!(ends.map(code), [0, 20, 21, 22, 23, 24]);
        // As the table of all codes has them.
        for (code, word) in [(20, "failed"), (21, "off"), (22, "long"), (23, "dead"), (24, "not")] {
            let line = format!("  {code}  `fathom job`: the job ");
            let told = crate::exit::TABLE.lines().find_map(|it| it.strip_prefix(&line)).unwrap();
            assert!(told.contains(word), "{told}");
        }
    }
}
