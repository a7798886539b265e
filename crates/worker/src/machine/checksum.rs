//! The operation `checksum`: of an image's file, or of what the guest sees of it.

use std::sync::Arc;

use fathom_confine::Canceller;
use fathom_jobs::Operation;
use serde_json::{Value, json};

use super::payload::{Fields, Options, Subject, Wrong};
use super::{Asked, Tools, look};
use crate::handler::{Done, Handler, Running, Task, Trouble};
use crate::image::checksum::Checksum;
use crate::image::{Code, Content, Image, Images, Progress, Sum};

/// What is asked for.
pub(super) struct Request {
    image: Image,
    content: Content,
}

impl Request {
    pub(super) fn of(data: &Value) -> Result<Self, Wrong> {
        let fields = Fields::of(data)?;
        fields.needed("image")?;
        let (_, images) = Subject::images(&fields)?;
        Options::of(&fields)?;
        let unfit = |member: &str, meant: &str, text: &str| {
            let text: String = text.chars().take(64).collect();
            Err(format!("{member}: {meant} is meant, not {text:?}"))
        };
        match fields.text("algorithm")? {
            None | Some("sha256") => {}
            Some(other) => return unfit("algorithm", "sha256", other),
        }
        let content = match fields.text("content")? {
            None | Some("file") => Content::File,
            Some("disk") => Content::Disk,
            Some(other) => return unfit("content", "file or disk", other),
        };
        let image = images.into_iter().next().ok_or("image: it is missing")?;
        Ok(Self { image, content })
    }

    pub(super) fn asked(self) -> Asked {
        vec![("image".to_owned(), vec![self.image])]
    }
}

/// The operation `checksum`.
pub(super) struct Checksums(pub(super) Arc<Tools>);

impl Handler for Checksums {
    fn operation(&self) -> Operation {
        Operation::Checksum
    }

    fn run<'a>(&'a self, task: &'a Task) -> Running<'a> {
        Box::pin(self.checksum(task))
    }
}

impl Checksums {
    async fn checksum(&self, task: &Task) -> Result<Done, Trouble> {
        let Request { mut image, content } = Request::of(&task.data).map_err(look::invalid)?;
        let expected = match content {
            // All of it is read anyway: once is enough.
            Content::File => image.checksum.take(),
            Content::Disk => None,
        };
        image.backing_checksums.retain(|_, _| content == Content::Disk);
        let expected = expected
            .map(|text| Checksum::parse(&text))
            .transpose()
            .map_err(|refusal| Trouble::lasting(refusal.code.as_str(), refusal.message))?;
        let hash = move |images: &Images, progress: &mut dyn FnMut(Progress), end: &Canceller| {
            images.checksum(&image, content, progress, end)
        };
        let sums = look::look(task, &self.0.images, hash).await?;
        match content {
            Content::File => {
                if let (Some(sum), Some(expected)) = (sums.first(), expected) {
                    let fits = sum.checksum == expected.to_string();
                    self.0.images.verifications().note(fits);
                }
                of_file(&sums, expected)
            }
            Content::Disk => of_disks(&sums, task.largest_disk),
        }
        .map(|data| Done { data, ..Done::default() })
    }
}

fn of_file(sums: &[Sum], expected: Option<Checksum>) -> Result<Value, Trouble> {
    let Some(sum) = sums.first() else {
        return Err(Trouble::lasting("INTERNAL_ERROR", "there is no file"));
    };
    let mut data = json!({
        "algorithm": "sha256", "content": "file", "value": sum.checksum, "bytes": sum.length,
    });
    if let Some(expected) = expected {
        let expected = expected.to_string();
        if expected != sum.checksum {
            let what = format!("{}: its checksum is {}, not {expected}", sum.name, sum.checksum);
            let details = json!({ "expected": expected, "found": sum.checksum });
            let code = Code::ChecksumMismatch.as_str();
            return Err(Trouble { details, ..Trouble::lasting(code, what) });
        }
        data["matches"] = json!(true);
    }
    Ok(data)
}

/// An appliance has several disks; each has its own.
fn of_disks(sums: &[Sum], largest: Option<u64>) -> Result<Value, Trouble> {
    if let Some(largest) = largest
        && let Some(sum) = sums.iter().find(|sum| sum.length > largest)
    {
        let (name, length) = (&sum.name, sum.length);
        let what = format!(
            "{name}: the disk has {length} bytes, and no more than {largest} are to be looked at"
        );
        return Err(Trouble::lasting(Code::DiskTooLarge.as_str(), what));
    }
    let mut data = json!({ "algorithm": "sha256", "content": "disk" });
    match sums {
        [sum] => {
            data["value"] = json!(sum.checksum);
            data["bytes"] = json!(sum.length);
        }
        sums => {
            let disk =
                |sum: &Sum| json!({ "name": sum.name, "value": sum.checksum, "bytes": sum.length });
            data["disks"] = sums.iter().map(disk).collect();
        }
    }
    Ok(data)
}
