//! Damaged databases of bbolt, as Podman and containerd write them.

use anyhow::Result;

use super::{Target, exercise};
use crate::oracle::{Work, containers::ENGINES};

pub(super) fn targets() -> Vec<Target> {
    vec![
        Target { name: "bolt", seeds, fix, exercise: exercise::bolt, refused: &[] },
        Target {
            name: "docker",
            seeds: documents,
            fix: |_, _| {},
            exercise: exercise::docker,
            // The names are read without what they lead to.
            refused: &["of which there is no configuration"],
        },
    ]
}

/// The page of the machines that tests run on.
const PAGE: usize = 4096;

/// A database with branches, free pages and pages that run over.
const MAKE: &str = r#"
podman import -c 'CMD ["/true"]' rootfs.tar localhost/one >/dev/null
for number in {1..4}; do podman create --name c$number -v /srv:/srv localhost/one >/dev/null; done
podman rm c2 >/dev/null
cp "$from/libpod/bolt_state.db" podman
podman save --format oci-archive -o one.tar localhost/one >/dev/null
containerd
ctr images import one.tar >/dev/null
ctr images tag localhost/one:latest $(for number in {1..60}; do echo localhost/with-a-rather-long-name/number:$number; done) >/dev/null
for number in {1..3}; do ctr containers create localhost/one:latest c$number; done
ctr containers rm c2
"#;

fn seeds(work: &Work) -> Result<Vec<Vec<u8>>> {
    work.bash(&format!("{ENGINES}{MAKE}"))?;
    let containerd = "root/var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db";
    ["podman", containerd].iter().map(|path| Ok(std::fs::read(work.path(path))?)).collect()
}

/// The documents of Docker, and the lists of Podman.
const DOCUMENTS: &str = r#"
podman import -c 'CMD ["/true"]' rootfs.tar localhost/one >/dev/null
podman create --name one localhost/one >/dev/null
cp "$from"/vfs-images/images.json "$from"/vfs-containers/containers.json .
dockerd
docker import -c 'CMD ["/true"]' rootfs.tar one >/dev/null
docker create --name web -p 80:80 -v /srv:/srv:ro --restart always --network none one >/dev/null
cp root/var/lib/docker/containers/*/{config.v2,hostconfig}.json .
"#;

fn documents(work: &Work) -> Result<Vec<Vec<u8>>> {
    work.bash(&format!("{ENGINES}{DOCUMENTS}"))?;
    let names = ["images", "containers", "config.v2", "hostconfig"];
    names.iter().map(|name| Ok(std::fs::read(work.path(&format!("{name}.json")))?)).collect()
}

/// Makes the checksum of a meta page right.
fn fix(image: &mut [u8], at: usize) {
    let start = at / PAGE * PAGE;
    if start > PAGE {
        return;
    }
    let Some(meta) = image.get_mut(start + 16..start + 80) else { return };
    let (summed, sum) = meta.split_at_mut(56);
    let fnv = summed.iter().fold(0xCBF2_9CE4_8422_2325_u64, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3)
    });
    sum.copy_from_slice(&fnv.to_le_bytes());
}
