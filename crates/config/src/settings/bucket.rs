//! Buckets of servers that speak S3.

use std::path::PathBuf;

use fathom_secret::Secret;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::secret_source::SecretSource;

/// A bucket, which other settings name as s3://NAME/….
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bucket {
    /// What it is called.
    pub name: String,
    /// The server. Default: that of Amazon for the region.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// The region that it is in.
    #[serde(default = "region")]
    pub region: String,
    /// The name of the key that opens it. Default: AWS_ACCESS_KEY_ID of the environment.
    #[serde(default)]
    pub access_key: Option<String>,
    /// The key. Default: AWS_SECRET_ACCESS_KEY of the environment.
    #[serde(default)]
    #[schemars(with = "Option<SecretSource>")]
    pub secret_key: Option<Secret>,
    /// Whether its name stands in the path of addresses, or before that of the server. Default: in the
    /// path where an endpoint is set.
    #[serde(default)]
    pub path_style: Option<bool>,
    /// Whether the server knows If-None-Match and If-Match for what is written. Without them, of two who
    /// write the same at once the last one wins.
    #[serde(default = "conditional_writes")]
    pub conditional_writes: bool,
    /// The certificates that are trusted, in PEM. Default: those of this host.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
}

fn region() -> String {
    "us-east-1".to_owned()
}

fn conditional_writes() -> bool {
    true
}
