#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic")]

use fathom_report::{Coverage, Problem};

use super::*;
use crate::bolt::tests::{Tree, bucket, database, value};
use crate::memory::tree;

fn read(files: &[(&str, &[u8])]) -> (Containers, Vec<Problem>) {
    let tree = tree(files);
    let files = Files::new(&tree);
    let found = of(&files);
    (found, files.into_problems())
}

const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// A configuration of Docker's, and its digest.
const IMAGE: &[u8] =
    br#"{"architecture":"arm64","created":"2024-01-02T03:04:05Z","config":{"Env":["A=secret"]}}"#;

fn digest(bytes: &[u8]) -> String {
    use sha2::{Digest as _, Sha256};
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn nothing_is_there() {
    let (found, problems) = read(&[("/etc/fstab", b"")]);
    assert!(problems.is_empty());
    assert_eq!(found.images.coverage, Coverage::Complete);
    assert_eq!(found.containers.coverage, Coverage::Complete);
    assert!(found.containers.reason.unwrap().contains("no engine"));
}

#[test]
fn docker_where_its_configuration_says() {
    let id = digest(IMAGE);
    let names = format!(
        r#"{{"Repositories":{{"app":{{"app:1":"sha256:{id}","app@sha256:{ID}":"sha256:{id}"}}}}}}"#
    );
    let config = format!(
        r#"{{"ID":"{ID}","Name":"/db","Created":"2024-01-02T03:04:05.6Z","Path":"sh","Args":["-c","x"],
        "Image":"sha256:{id}","Config":{{"Image":"app:1","Env":["P=secret"]}},
        "State":{{"Running":true,"Paused":true,"StartedAt":"2024-01-02T03:04:06Z"}},
        "MountPoints":{{"/d":{{"Source":"/srv","Destination":"/d","RW":false}}}}}}"#
    );
    let host = br#"{"PortBindings":{"80/tcp":[{"HostIp":"","HostPort":"8080"}],"81/udp":null},
        "RestartPolicy":{"Name":""},"Privileged":true}"#;
    let files = [
        ("/etc/docker/daemon.json", &br#"{"data-root":"/data/docker"}"#[..]),
        ("/data/docker/image/overlay2/repositories.json", names.as_bytes()),
        (&format!("/data/docker/image/overlay2/imagedb/content/sha256/{id}"), IMAGE),
        (&format!("/data/docker/containers/{ID}/config.v2.json"), config.as_bytes()),
        (&format!("/data/docker/containers/{ID}/hostconfig.json"), host),
    ];
    let (found, problems) = read(&files);
    assert!(problems.is_empty(), "{problems:?}");
    let image = &found.images.items[0];
    assert_eq!(
        (&*image.id, &image.names[..]),
        (&*format!("sha256:{id}"), &["app:1".to_owned()][..])
    );
    assert_eq!(image.digests, [format!("app@sha256:{ID}")]);
    assert_eq!(image.architecture.as_deref(), Some("arm64"));
    let container = &found.containers.items[0];
    assert_eq!(container.name.as_deref(), Some("db"));
    assert_eq!(container.state.as_deref(), Some("paused"));
    assert_eq!(container.command, ["sh", "-c", "x"]);
    assert_eq!((container.restart.as_deref(), container.privileged), (Some("no"), Some(true)));
    assert_eq!(container.mounts, ["/srv:/d:ro"]);
    assert_eq!(container.ports, ["0.0.0.0:8080->80/tcp"]);
    assert!(!format!("{found:?}").contains("secret"));
    // Whatever is damaged is told, and the list that it belongs to is not complete.
    for (at, bytes, of_images) in [
        (0, &b"{"[..], true),
        (1, b"[]", true),
        (2, b"{}", true),
        (3, b"{\"ID\":7}", false),
        (4, b"x", false),
    ] {
        let mut files = files;
        files[at].1 = bytes;
        let (found, problems) = read(&files);
        assert!(!problems.is_empty(), "{}", files[at].0);
        let list = if of_images { found.images.coverage } else { found.containers.coverage };
        assert_eq!(list, Coverage::Partial, "{}", files[at].0);
    }
}

#[test]
fn names_that_are_no_digests_lead_nowhere() {
    let names = br#"{"Repositories":{"app":{"app:1":"sha256:../../../../etc/passwd"}}}"#;
    let (found, problems) = read(&[
        ("/var/lib/docker/image/vfs/repositories.json", names),
        ("/var/lib/docker/containers/not-an-id/config.v2.json", b"{"),
    ]);
    assert!(found.images.items.is_empty() && found.containers.items.is_empty());
    assert_eq!(problems.len(), 1);
}

/// A Podman with one container, in these places.
fn podman(config: &str) -> Vec<u8> {
    let of_container = bucket([("config", value(config)), ("state", value(r#"{"state":6}"#))]);
    database(bucket([("ctr", bucket([(ID, of_container)]))]))
}

#[test]
fn storage_and_its_database() {
    let config = format!(
        r#"{{"id":"{ID}","name":"web","spec":{{"process":{{"args":["a"],"env":["P=secret"]}},
        "mounts":[{{"destination":"/proc","type":"proc","source":"proc"}},
        {{"destination":"/d","type":"bind","source":"/srv","options":["ro"]}}]}},
        "namedVolumes":[{{"volumeName":"v","dest":"/v"}}],
        "newPortMappings":[{{"host_ip":"","container_port":80,"host_port":8080,"range":3,"protocol":"tcp"}}]}}"#
    );
    let other = ID.replace('0', "f");
    let crio = format!(
        r#"[{{"id":"{ID}","names":["web"]}},{{"id":"{other}","names":["k8s"],
        "metadata":"{{\"pod-id\":\"1\",\"image-name\":\"pause\"}}"}}]"#
    );
    let state =
        format!("/var/lib/containers/storage/overlay-containers/{other}/userdata/state.json");
    let database = podman(&config);
    let (found, problems) = read(&[
        ("/var/lib/containers/storage/libpod/bolt_state.db", &database),
        ("/var/lib/containers/storage/overlay-containers/containers.json", crio.as_bytes()),
        (&state, br#"{"status":"running","env":"secret"}"#),
        ("/var/lib/containers/storage/overlay-images/images.json", br#"[{"id":"x"}]"#),
    ]);
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(found.images.items.len(), 1);
    let [web, k8s] = &found.containers.items[..] else { panic!("{:?}", found.containers) };
    assert_eq!((&*web.engine, web.state.as_deref()), ("podman", Some("exited")));
    assert_eq!(web.mounts, ["/srv:/d:ro", "v:/v"]);
    assert_eq!(web.ports, ["0.0.0.0:8080-8082->80-82/tcp"]);
    assert_eq!((&*k8s.engine, k8s.state.as_deref()), ("cri-o", Some("running")));
    assert!(!format!("{found:?}").contains("secret"));
    // Without the database what the storage knows is still there, and it says that something is missing.
    let (found, problems) = read(&[
        ("/var/lib/containers/storage/libpod/bolt_state.db", &database[..3000]),
        ("/var/lib/containers/storage/overlay-containers/containers.json", crio.as_bytes()),
    ]);
    assert!(!problems.is_empty());
    assert_eq!((found.containers.coverage, found.containers.items.len()), (Coverage::Partial, 2));
}

#[test]
fn containerd_and_its_namespaces() {
    let moment = |seconds: i64| {
        let mut bytes = vec![1];
        bytes.extend((seconds + 62_135_596_800).to_be_bytes());
        bytes.extend([0, 0, 0, 5, 255, 255]);
        value(bytes)
    };
    let manifest = format!(r#"{{"config":{{"digest":"sha256:{}"}}}}"#, digest(IMAGE));
    let proof = r#"{"config":{"digest":"sha256:0"}}"#;
    let index = format!(
        r#"{{"manifests":[{{"digest":"sha256:{ID}","platform":{{"os":"linux"}}}},
        {{"digest":"sha256:{}","platform":{{"os":"unknown"}}}},
        {{"digest":"sha256:{}","platform":{{"os":"linux"}}}}]}}"#,
        digest(proof.as_bytes()),
        digest(manifest.as_bytes())
    );
    let target = format!("sha256:{}", digest(index.as_bytes()));
    let image = || bucket([("target", bucket([("digest", value(&target))]))]);
    let document = br#"{"process":{"args":["run"],"env":["A=secret"]}}"#;
    let spec = [&b"\x0a\x02ab\x12"[..], &[document.len() as u8], document].concat();
    let labels = bucket([
        ("io.kubernetes.pod.name", value("p")),
        ("io.kubernetes.pod.namespace", value("n")),
    ]);
    let container = bucket([
        ("createdat", moment(1_700_000_000)),
        ("image", value("app:1")),
        ("labels", labels),
        ("spec", value(spec)),
    ]);
    let id = format!("sha256:{ID}");
    let by_digest = format!("app@{target}");
    let names = vec![("app:1", image()), (&*by_digest, image()), (&*id, image())];
    let names = names.into_iter().map(|(name, tree)| (name.to_owned(), tree)).collect();
    let namespace =
        bucket([("containers", bucket([("c", container)])), ("images", Tree::Bucket(names))]);
    let database =
        database(bucket([("v1", bucket([("k8s.io", namespace), ("version", value("3"))]))]));
    let root = "/var/lib/rancher/k3s/agent/containerd";
    let blob = |bytes: &str| format!("{root}/{CONTENT}/{}", digest(bytes.as_bytes()));
    const CONTENT: &str = "io.containerd.content.v1.content/blobs/sha256";
    let (found, problems) = read(&[
        (&format!("{root}/io.containerd.metadata.v1.bolt/meta.db"), &database),
        (&blob(&index), index.as_bytes()),
        (&blob(&manifest), manifest.as_bytes()),
        (&blob(proof), proof.as_bytes()),
        (&format!("{root}/{CONTENT}/{}", digest(IMAGE)), IMAGE),
    ]);
    assert!(problems.is_empty(), "{problems:?}");
    let [image] = &found.images.items[..] else { panic!("{:?}", found.images) };
    assert_eq!(
        (&image.names[..], &image.digests[..]),
        (&["app:1".to_owned()][..], &[by_digest][..])
    );
    assert_eq!(image.architecture.as_deref(), Some("arm64"));
    let container = &found.containers.items[0];
    assert_eq!(container.name.as_deref(), Some("n/p"));
    assert_eq!(container.scope.as_deref(), Some("k8s.io"));
    assert_eq!(container.created.as_deref(), Some("2023-11-14T22:13:20.000000005Z"));
    assert_eq!(container.command, ["run"]);
    assert!(!format!("{found:?}").contains("secret"));
}

#[test]
fn an_engine_that_is_not_read_may_have_containers() {
    let coverage = |place: &str| {
        let (found, _) = read(&[(place, b"")]);
        (found.images.coverage, found.containers.coverage)
    };
    let (complete, partial) = (Coverage::Complete, Coverage::Partial);
    assert_eq!(coverage("/var/lib/x"), (complete, complete));
    assert_eq!(coverage("/var/lib/lxc/web/config"), (partial, partial));
}
