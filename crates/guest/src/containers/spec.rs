//! What a container runs and sees, in the words of the runtime specification: engines keep such a
//! document for each. <https://github.com/opencontainers/runtime-spec>

use serde::Deserialize;

#[derive(Default, Deserialize)]
pub(super) struct Spec {
    #[serde(default)]
    process: Option<Process>,
    #[serde(default)]
    mounts: Option<Vec<Mount>>,
}

#[derive(Deserialize)]
struct Process {
    #[serde(default)]
    args: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Mount {
    #[serde(default)]
    destination: String,
    #[serde(default)]
    source: String,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    options: Option<Vec<String>>,
}

impl Spec {
    /// What it runs.
    pub(super) fn command(&mut self) -> Vec<String> {
        self.process.as_mut().and_then(|process| process.args.take()).unwrap_or_default()
    }

    /// The folders of the host that it sees.
    pub(super) fn mounts(&self) -> Vec<String> {
        let mounts = self.mounts.iter().flatten();
        mounts
            .filter(|mount| {
                let binds = ["bind", "rbind"];
                let options = mount.options.iter().flatten();
                mount.kind == "bind" || options.clone().any(|it| binds.contains(&it.as_str()))
            })
            .map(|mount| {
                let read_only = mount.options.iter().flatten().any(|option| option == "ro");
                shared(&mount.source, &mount.destination, !read_only)
            })
            .collect()
    }
}

/// A folder of the host and where the container sees it.
pub(super) fn shared(source: &str, destination: &str, writable: bool) -> String {
    let how = if writable { "" } else { ":ro" };
    format!("{source}:{destination}{how}")
}

/// A port of the host and where it leads. A host that is not named is every one.
pub(super) fn port(host: &str, from: &str, to: &str, protocol: &str) -> String {
    let host = match host {
        "" => "0.0.0.0".to_owned(),
        host if host.contains(':') => format!("[{host}]"),
        host => host.to_owned(),
    };
    // A port that is not named is chosen at every start.
    let from = if from.is_empty() { "*" } else { from };
    let protocol = if protocol.is_empty() { "tcp" } else { protocol };
    format!("{host}:{from}->{to}/{protocol}")
}
