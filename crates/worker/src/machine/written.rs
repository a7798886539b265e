//! A handler whose result is written elsewhere too, where a job asks for that.
//!
//! Each job has one name at its destination, and only who holds the job lets a file take that name
//! ([`fathom_artefact::Artefacts::replace`]): the store is asked when everything else is done. So
//! whatever is interrupted there is no file, or one, and never two:
//!
//! - killed before the name is taken: the next try writes it;
//! - killed between that and the end of the job: the next try puts its own in place of it;
//! - taken for dead and not dead: whoever has the job now is asked for, and the late one leaves the
//!   name alone;
//! - the job is called off, or out of time, in the moment in which its file takes the name: the job
//!   ends as it was told to, and the file stays. Its result does not name it.
//!
//! What the result names is what its own try has written: nobody after it can hold the job.

use std::sync::Arc;

use fathom_artefact::{Error, Kind, Replaced};
use fathom_jobs::{Operation, Outputs, Written, rfc3339};
use fathom_store::Time;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::output::Wanted;
use super::payload::Fields;
use super::{Tools, look, render};
use crate::handler::{Done, Handler, Running, Task, Trouble};

/// Writes what `handler` gives.
pub(super) struct WrittenBy<H> {
    pub(super) handler: H,
    pub(super) tools: Arc<Tools>,
}

impl<H: Handler> Handler for WrittenBy<H> {
    fn operation(&self) -> Operation {
        self.handler.operation()
    }

    fn run<'a>(&'a self, task: &'a Task) -> Running<'a> {
        Box::pin(self.run_and_write(task))
    }
}

impl<H: Handler> WrittenBy<H> {
    async fn run_and_write(&self, task: &Task) -> Result<Done, Trouble> {
        let wanted = self.wanted(&task.data)?;
        let done = self.handler.run(task).await?;
        match wanted {
            None => Ok(done),
            Some(wanted) => self.write(task, &wanted, done).await,
        }
    }

    /// That something may not be written is said before all the work.
    fn wanted(&self, data: &Value) -> Result<Option<Wanted>, Trouble> {
        let fields = Fields::of(data).map_err(look::invalid)?;
        let wanted = Wanted::of(&fields, self.operation()).map_err(look::invalid)?;
        if let Some(wanted) = &wanted {
            self.tools.outlets.check(&wanted.destination).map_err(refused)?;
        }
        Ok(wanted)
    }

    async fn write(&self, task: &Task, wanted: &Wanted, done: Done) -> Result<Done, Trouble> {
        task.progress("writing", Some(97), "");
        let outlets = &self.tools.outlets;
        let Wanted { destination, format, compression } = wanted.clone();
        let ending = format!(".{}{}", format.extension(), compression.ending());
        let target = outlets.target(&destination, &task.job, &ending).map_err(refused)?;
        let (operation, most) = (self.operation(), outlets.most());
        // The same for each try at the job.
        let made = rfc3339(Time(task.submitted.0 / 1_000_000 * 1_000_000));
        let Done { data, metrics, .. } = done;
        let (data, bytes) = look::compute(move || {
            let bytes = render::render(operation, &data, (format, compression), &made, most)?;
            Ok((data, bytes))
        })
        .await?;
        let length = bytes.len() as u64;
        let sha256: String =
            Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let still = || async {
            task.is_held().await.map_err(|error| {
                Error::new(
                    Kind::Unreachable,
                    "the store",
                    format!("it does not say whose the job is: {error}"),
                )
            })
        };
        let replaced = target.artefacts.replace(&target.key, bytes.into(), task.fence, still).await;
        match replaced.map_err(|error| failed(&error))? {
            Replaced::Yes => {}
            Replaced::No => {
                let what = "the job is not this worker's any more; nothing was written";
                return Err(Trouble::passing("NOT_HELD", what));
            }
        }
        let metrics = metrics.map(|mut metrics| {
            metrics.disk_write_bytes = metrics.disk_write_bytes.saturating_add(length);
            metrics
        });
        let written = Written {
            location: target.location.clone(),
            format: format.name().to_owned(),
            compression: compression.name().to_owned(),
            bytes: length,
            sha256: format!("sha256:{sha256}"),
        };
        let outputs = Outputs {
            primary: Some(target.location),
            artifacts: Vec::new(),
            written: vec![written],
        };
        Ok(Done { data, outputs, metrics })
    }
}

/// A destination that is none.
fn refused(why: String) -> Trouble {
    Trouble::lasting("DESTINATION_REFUSED", format!("output.destination: {why}"))
}

fn failed(error: &Error) -> Trouble {
    let text = error.to_string();
    match error.kind() {
        Kind::Unreachable => Trouble::passing("DESTINATION_UNREACHABLE", text),
        _ => Trouble { recoverable: true, ..Trouble::lasting("DESTINATION_REFUSED", text) },
    }
}
