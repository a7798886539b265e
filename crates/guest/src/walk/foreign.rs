//! Files that belong to other systems than the one that is looked at.

/// How the path of such a directory ends, and whose files lie in it.
const FOREIGN: &[(&str, &str)] = &[
    ("/docker/overlay2", CONTAINERS),
    ("/docker/aufs", CONTAINERS),
    ("/docker/btrfs/subvolumes", CONTAINERS),
    ("/docker/fuse-overlayfs", CONTAINERS),
    ("/docker/rootfs", CONTAINERS),
    ("/docker/vfs/dir", CONTAINERS),
    ("/docker/zfs/graph", CONTAINERS),
    ("/containers/storage/overlay", CONTAINERS),
    ("/containers/storage/btrfs", CONTAINERS),
    ("/containers/storage/vfs", CONTAINERS),
    ("/containerd/io.containerd.snapshotter.v1.btrfs", CONTAINERS),
    ("/containerd/io.containerd.snapshotter.v1.native", CONTAINERS),
    ("/containerd/io.containerd.snapshotter.v1.overlayfs", CONTAINERS),
    ("/var/lib/lxc", CONTAINERS),
    ("/var/lib/lxd/containers", CONTAINERS),
    ("/var/lib/lxd/storage-pools", CONTAINERS),
    ("/var/lib/incus/storage-pools", CONTAINERS),
    ("/var/lib/machines", CONTAINERS),
    // Everything that is deployed is linked to in there a second time, by its checksum.
    ("/ostree/repo", "the repository that systems are deployed from"),
];

const CONTAINERS: &str = "containers";

/// Whose files lie in the directory, if they are not this system's.
pub(super) fn owner(path: &[u8]) -> Option<&'static str> {
    let found = FOREIGN.iter().find(|(end, _)| path.ends_with(end.as_bytes()));
    found.map(|(_, whose)| *whose)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners() {
        assert_eq!(owner(b"/var/lib/docker/overlay2"), Some(CONTAINERS));
        let rootless = b"/home/joe/.local/share/containers/storage/overlay";
        assert_eq!(owner(rootless), Some(CONTAINERS));
        assert!(owner(b"/ostree/repo").is_some());
        for path in ["/", "/var/lib/docker", "/var/lib/docker/overlay22", "/srv/overlay2"] {
            assert_eq!(owner(path.as_bytes()), None, "{path}");
        }
    }
}
