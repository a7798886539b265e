//! Images in buckets.

use std::fs;

use fathom_artefact::{Artefacts, BucketSettings, Key};
use fathom_secret::Secret;
use serde_json::{Value, json};

use crate::site::{Place, buckets, sample, sum, variable};

/// Puts an object into the bucket of images.
fn upload(name: &str, bytes: Vec<u8>) {
    let key = variable("FATHOM_TEST_S3_KEY", "s3").unwrap();
    let (id, secret) = key.split_once(':').unwrap();
    let settings = BucketSettings {
        endpoint: variable("FATHOM_TEST_S3", "s3"),
        key: Some((id.to_owned(), Secret::new(secret))),
        path_style: true,
        ..BucketSettings::new("images")
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let bucket = Artefacts::in_bucket(&settings, "").unwrap();
        let yes = || async { Ok(true) };
        bucket.replace(&Key::new(name).unwrap(), bytes.into(), 1, yes).await.unwrap();
    });
}

/// A report without what differs by where the image lies.
fn comparable(report: &Value) -> Value {
    let mut report = report.clone();
    report["disks"][0]["name"] = json!("the disk");
    let text = report.to_string();
    assert!(!text.contains("AWS4") && !text.contains("Signature"), "{text}");
    report
}

#[test]
fn an_image_in_a_bucket_is_what_it_is_in_a_file() {
    let Some(buckets) = buckets() else { return };
    let folder = format!("images-{}", std::process::id());
    let name = format!("{folder}/server.qcow2");
    let bytes = fs::read(sample()).unwrap();
    upload(&name, bytes.clone());
    let place = Place::new().set(buckets).set(format!("worker.s3_allowed=s3://images/{folder}/"));
    let path = place.sample();
    let site = place.serve(&[]);
    let inspect = |job: &str, image: Value| {
        site.send(job, "fathom.inspect", json!({ "image": image }));
        let result = site.result(job);
        assert_eq!(result["status"], "completed", "{result}");
        result
    };
    let of_file = inspect("job-of-file", json!({ "path": path }));
    let address = format!("s3://images/{name}");
    let of_bucket = inspect("job-of-bucket", json!({ "path": address }));
    let (file, bucket) = (&of_file["data"]["report"], &of_bucket["data"]["report"]);
    assert_eq!(comparable(bucket), comparable(file));
    assert!(bucket["disks"][0]["name"].as_str().unwrap().contains("server.qcow2"), "{bucket}");
    let read = of_bucket["metrics"]["disk_read_bytes"].as_u64().unwrap();
    assert!(read > 0 && read <= 2 * bytes.len() as u64, "{read}");
    // With a checksum all of it is read, and held to it.
    inspect("job-with-sum", json!({ "path": address, "checksum": sum(&bytes) }));
    site.send(
        "job-wrong-sum",
        "fathom.inspect",
        json!({ "image": { "path": address, "checksum": sum(b"other") } }),
    );
    assert_eq!(site.result("job-wrong-sum")["error"]["code"], "CHECKSUM_MISMATCH");
    site.send(
        "job-no-object",
        "fathom.checksum",
        json!({ "image": { "path": format!("s3://images/{folder}/none") } }),
    );
    let result = site.result("job-no-object");
    assert_eq!(result["error"]["code"], "IMAGE_NOT_FOUND", "{result}");
    for path in ["s3://images/other", "s3://reports/x", "s3://none/x", "s3://images", "s3://"] {
        let job =
            json!({ "operation": "fathom.inspect", "payload": { "image": { "path": path } } });
        let (status, problem) = site.ask("POST", "/api/v1/jobs", Some(&job));
        assert_eq!(status, 400, "{path}: {problem}");
    }
    let (_, workers) = site.ask("GET", "/api/v1/workers", None);
    assert!(workers.to_string().contains("\"s3\""), "{workers}");
}

/// An object that is exchanged while it is read is noticed: bytes of two are never put together.
#[test]
fn an_object_that_is_exchanged_is_noticed() {
    let Some(buckets) = buckets() else { return };
    let name = format!("swapped-{}", std::process::id());
    // Long enough that it is exchanged in between.
    upload(&name, vec![1; 96 << 20]);
    let place = Place::new().set(buckets).set("worker.s3_allowed=s3://images");
    let site = place.serve(&[]);
    let payload = json!({ "image": { "path": format!("s3://images/{name}") } });
    let job = json!({
        "operation": "fathom.checksum", "job_id": "job-swapped", "payload": payload,
        "execution": { "max_attempts": 1 },
    });
    let (status, receipt) = site.ask("POST", "/api/v1/jobs", Some(&job));
    assert_eq!(status, 202, "{receipt}");
    crate::site::until(
        || site.view("job-swapped")["progress"]["phase"] == "hashing",
        || site.view("job-swapped").to_string(),
    );
    upload(&name, vec![2; 96 << 20]);
    let result = site.result("job-swapped");
    assert_eq!(result["status"], "failed", "{result}");
    assert_eq!(result["error"]["code"], "SOURCE_UNREACHABLE", "{result}");
    let message = result["error"]["message"].as_str().unwrap();
    assert!(message.contains("changed on the server"), "{message}");
}
