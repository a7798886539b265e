//! Whether the folders of images are there.

use std::fs;

use fathom_config::Config;

use super::Findings;

pub(super) fn check(config: &Config, findings: &mut Findings) {
    let about = "worker.image_roots";
    let worker = &config.worker;
    if worker.image_roots.is_empty() && worker.https_allowed.is_empty() {
        let what = "none, and worker.https_allowed names no host: jobs can read no image";
        return findings.warning(about, what, "name the folders that images lie in");
    }
    for root in &worker.image_roots {
        let shown = root.display();
        match fs::read_dir(root) {
            Ok(_) => findings.ok(about, shown.to_string()),
            Err(error) => {
                let remedy = "mount it, and let the user that fathom runs as list it";
                findings.wrong(about, format!("{shown} cannot be listed: {error}"), remedy);
            }
        }
    }
}
