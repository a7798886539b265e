//! What of a machine is kept besides the result of the job.

use std::sync::Arc;

use fathom_advisory::Day;
use fathom_fleet::Judge;
use fathom_report::Report;
use fathom_report::finding::Findings;
use fathom_store::{ErrorKind, Kept, Verdict, Whose};
use serde_json::{Value, json};

use super::payload::{Fields, Wrong};
use super::{GENERATOR, Tools, advisories, look, today};
use crate::handler::{Task, Trouble};
use crate::image::Image;

/// How a machine is told from others: by the name that the job gives it, or by where its first disk lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Machine {
    key: String,
    name: String,
}

/// The longest name that a job can give a machine.
const LONGEST: usize = 200;

impl Machine {
    /// `machine`, or what the images say.
    pub(super) fn of(fields: &Fields<'_>, images: &[Image]) -> Result<Self, Wrong> {
        match fields.text("machine")? {
            Some(name) => {
                let fits = (1..=LONGEST).contains(&name.len()) && !name.contains(char::is_control);
                match fits && name.trim() == name {
                    true => Ok(Self { key: format!("machine:{name}"), name: name.to_owned() }),
                    false => Err(format!(
                        "{}: a name of 1 to {LONGEST} characters is meant, without any that is not printed",
                        fields.name("machine")
                    )),
                }
            }
            None => Ok(Self::at(images.first().map_or("", |image| &image.source))),
        }
    }

    fn at(source: &str) -> Self {
        let place = public(source);
        let file = place.rsplit('/').next().unwrap_or(&place);
        let stem = match file.rsplit_once('.') {
            Some((stem, _)) if !stem.is_empty() => stem,
            _ => file,
        };
        let name = if stem.is_empty() { place.clone() } else { stem.to_owned() };
        Self { key: format!("image:{place}"), name }
    }
}

/// A place without what only some may know: who signs an address, and with which signature.
fn public(source: &str) -> String {
    let Some((scheme, rest)) = source.split_once("://") else { return source.to_owned() };
    let place = rest.split(['?', '#']).next().unwrap_or(rest);
    let place = match place.split_once('/') {
        Some((host, path)) => format!("{}/{path}", host.rsplit('@').next().unwrap_or(host)),
        None => place.rsplit('@').next().unwrap_or(place).to_owned(),
    };
    format!("{scheme}://{place}")
}

impl Tools {
    /// What is known of flaws, and what was decided about them in the namespace of a job.
    pub(super) async fn judge(&self, namespace: &str) -> Result<Judge, Trouble> {
        let database = self.database().await?;
        let exceptions = match &self.store {
            Some(store) => store.approved_exceptions(namespace).await.map_err(away)?,
            None => Vec::new(),
        };
        Ok(Judge::new(database, &exceptions, Day::of(&today().to_string()), GENERATOR))
    }

    /// Keeps what was found of a machine, where that is wanted; gives what is to be told of it.
    pub(super) async fn keep(
        &self,
        task: &Task,
        machine: Machine,
        report: Arc<Report>,
        verdict: Option<Verdict>,
    ) -> Result<Option<Value>, Trouble> {
        let Some(store) = &self.store else { return Ok(None) };
        task.progress("keeping", Some(98), "");
        let whose = Whose {
            namespace: task.namespace.clone(),
            key: machine.key,
            alias: None,
            name: machine.name,
        };
        let job = Some((task.job.clone(), task.fence));
        let look = look::compute(move || {
            fathom_fleet::look(whose, job, &report, verdict)
                .map_err(|error| Trouble::lasting("INTERNAL_ERROR", error.to_string()))
        });
        let look = look.await?;
        match store.keep_looks(std::slice::from_ref(&look)).await.map_err(away)?.pop() {
            Some(Kept::Of { id, inspection }) => {
                Ok(Some(json!({ "id": id, "inspection": inspection, "name": look.machine.name })))
            }
            Some(Kept::Late) | None => {
                Err(Trouble::lasting("LOST", "somebody else has the job by now; nothing was kept"))
            }
        }
    }
}

/// What is wrong with the machine of a report, and what is kept of that.
pub(super) fn judged(judge: &Judge, report: &Report) -> Result<(Findings, Verdict), Trouble> {
    let findings = judge.findings(report).map_err(advisories::failed)?;
    let verdict = judge
        .verdict(&findings)
        .map_err(|error| Trouble::lasting("INTERNAL_ERROR", error.to_string()))?;
    Ok((findings, verdict))
}

fn away(error: fathom_store::Error) -> Trouble {
    let text = format!("what was found cannot be kept: {error}");
    match error.kind() {
        ErrorKind::Busy | ErrorKind::Unreachable => Trouble::passing("STORE_UNAVAILABLE", text),
        _ => Trouble::lasting("NOT_KEPT", text),
    }
}

#[cfg(test)]
mod tests {
    use super::Machine;

    #[test]
    fn a_machine_is_called_by_where_it_lies() {
        for (source, key, name) in [
            ("/vms/web-01.qcow2", "image:/vms/web-01.qcow2", "web-01"),
            ("vms/a.b.vmdk", "image:vms/a.b.vmdk", "a.b"),
            ("/vms/.hidden", "image:/vms/.hidden", ".hidden"),
            ("/vms/", "image:/vms/", "/vms/"),
            ("https://h/x/a.raw?X-Sig=1#f", "image:https://h/x/a.raw", "a"),
            ("https://me:hush@h:8/a.raw", "image:https://h:8/a.raw", "a"),
            ("https://me:hush@h", "image:https://h", "h"),
        ] {
            let machine = Machine::at(source);
            assert_eq!((machine.key.as_str(), machine.name.as_str()), (key, name), "{source}");
        }
    }
}
