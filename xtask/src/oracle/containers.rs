//! Images and containers as Podman, containerd and Docker make them and list them.
//!
//! The engines run with folders of their own; no container has to start, which not every machine
//! that tests run on allows. What an engine keeps goes into a small ext4.

use anyhow::{Result, ensure};
use fathom_guest::report::{Container, ContainerImage, Containers, Coverage};

use super::guest::same;
use super::{Case, Work};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("containers/podman", podman),
        Case::new("containers/podman-rootless", rootless),
        Case::new("containers/containerd", containerd),
        Case::new("containers/docker", docker),
    ]
}

/// A value of the environment of every container; it must not get into the report.
const SECRET: &str = "hunter2-is-secret";

/// A root filesystem of one file for images, and the engines as functions. `from` tells an engine in
/// which folder of the system it is to keep its files.
pub(crate) const ENGINES: &str = r#"
mkdir -p root/etc root/var/lib rootfs; echo ID=debian > root/etc/os-release; : > root/etc/fstab
cp /bin/true rootfs/; tar -C rootfs --numeric-owner -cf rootfs.tar .
from=$PWD/root/var/lib/containers/storage
# The path of a socket is short, as is that of what Podman notes while it runs.
sockets=$(mktemp -d /tmp/fathom.XXXXXX)
podman() {
  command podman --root "$from" --runroot "$sockets/run" --tmpdir "$sockets/tmp" --storage-driver vfs \
    --cgroup-manager cgroupfs --events-backend none "$@" 2>>podman.log
}
daemons=
clean() {
  local daemon
  for daemon in $daemons; do kill $daemon 2>/dev/null || true; wait $daemon 2>/dev/null || true; done
  rm -rf "$sockets"
}
trap clean EXIT
answers() { for attempt in {1..600}; do if "$@" >/dev/null 2>&1; then return 0; fi; sleep 0.1; done; "$@"; }
containerd() {
  printf '%s\n' 'version = 2' "root = \"$PWD/root/var/lib/containerd\"" "state = \"$PWD/state\"" \
    'disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]' \
    '[grpc]' "address = \"$sockets/c\"" > containerd.toml
  command containerd -c containerd.toml >containerd.log 2>&1 &
  daemons="$! $daemons"
  answers ctr version
}
ctr() { command ctr -a "$sockets/c" "$@"; }
dockerd() {
  containerd
  command dockerd --storage-driver vfs --iptables=false --ip6tables=false --bridge=none \
    --data-root "$PWD/root/var/lib/docker" --exec-root "$PWD/exec" -p "$sockets/pid" \
    -H "unix://$sockets/d" --containerd "$sockets/c" >docker.log 2>&1 &
  daemons="$! $daemons"
  answers docker version
}
docker() { /usr/bin/docker -H "unix://$sockets/d" "$@"; }
"#;

/// What we read of the files in the folder `root`; nothing may be wrong with them.
fn ours(work: &Work) -> Result<Containers> {
    work.bash(
        "rm -f image; size=$(( $(du -sm root | cut -f1) * 2 + 32 ))
         mke2fs -q -t ext4 -d root image ${size}M 2>&1",
    )?;
    let (found, problems) = fathom_guest::containers(&work.tree("image")?);
    ensure!(problems.is_empty(), "problems: {problems:?}");
    ensure!(found.images.coverage == Coverage::Complete, "{:?}", found.images.reason);
    ensure!(found.containers.coverage == Coverage::Complete, "{:?}", found.containers.reason);
    ensure!(!format!("{found:?}").contains(SECRET), "the environment got into the report");
    // It is there to be found.
    work.bash(&format!("grep -rlqa {SECRET} root"))?;
    Ok(found)
}

/// The two parts of what a script prints.
fn parts(said: &str) -> (&str, &str) {
    said.split_once("==\n").unwrap_or((said, ""))
}

fn or_none(value: &Option<String>) -> &str {
    value.as_deref().unwrap_or("-")
}

fn sorted(values: &[String]) -> String {
    let mut values = values.to_vec();
    values.sort();
    if values.is_empty() { "-".to_owned() } else { values.join(",") }
}

fn image(image: &ContainerImage) -> String {
    let (names, digests) = (sorted(&image.names), sorted(&image.digests));
    let (created, architecture) = (or_none(&image.created), or_none(&image.architecture));
    format!("{} {names} {digests} {created} {architecture}", image.id)
}

fn container(it: &Container) -> String {
    let privileged = it.privileged.map_or("-".to_owned(), |it| it.to_string());
    [
        it.engine.as_str(),
        &it.id,
        or_none(&it.name),
        or_none(&it.image),
        or_none(&it.image_id),
        or_none(&it.created),
        or_none(&it.state),
        &it.command.join("|"),
        or_none(&it.restart),
        &privileged,
        &sorted(&it.mounts),
        &sorted(&it.ports),
    ]
    .join(" ")
}

fn compare(said: &str, found: &Containers) -> Result<()> {
    let (images, containers) = parts(said);
    same(images, &found.images.items.iter().map(image).collect::<Vec<_>>())?;
    same(containers, &found.containers.items.iter().map(container).collect::<Vec<_>>())
}

/// Containers of several kinds, so many that the database has branches and free pages.
const PODMAN: &str = r#"
podman import -c 'CMD ["/true"]' -c 'ENV A=hunter2-is-secret' rootfs.tar localhost/one:1.0 >/dev/null
podman import -c 'ENTRYPOINT ["/true", "of image"]' rootfs.tar localhost/two >/dev/null
podman tag localhost/one:1.0 docker.io/library/more:latest registry.local:5000/team/one:2
podman import rootfs.tar >/dev/null
podman create --name web -p 127.0.0.1:8080:80 -p 53:53/udp -p 9000-9002:9000-9002 -v /srv:/data:ro \
  -v named:/volume --restart always -e SECRET=hunter2-is-secret localhost/one:1.0 /true -x 'a b' >/dev/null
podman create --privileged --network host -v /etc:/host localhost/one:1.0 >/dev/null
podman create --name second --network none --restart on-failure:3 localhost/two argument >/dev/null
for number in {1..25}; do podman create --name gone$number localhost/one:1.0 /true $number >/dev/null; done
for number in {1..25..2}; do podman rm gone$number >/dev/null; done
podman image inspect $(podman images -aq | sort -u) | jq -r '
  def list: if length == 0 then "-" else sort | join(",") end;
  .[] | "\(.Id) \(.RepoTags | list) \(.Digest) \(.Created) \(.Architecture)"' | sort -u
echo ==
# Of a command without arguments, this version says that it is its own argument.
podman container inspect $(podman ps -aq) | jq -r '
  def list: if length == 0 then "-" else sort | join(",") end;
  def how: if .RW then "" else ":ro" end;
  .[] | [ "podman", .Id, .Name, .ImageName, .Image, .Created, .State.Status,
    (if .Args == [.Path] then .Path else [.Path] + .Args | join("|") end),
    (.HostConfig.RestartPolicy.Name | if . == "" then "no" else . end), .HostConfig.Privileged,
    ([.Mounts[] | "\(if .Type == "volume" then .Name else .Source end):\(.Destination)\(how)"] | list),
    ([.HostConfig.PortBindings // {} | to_entries[] | .key as $to | .value[]
      | "\(if .HostIp == "" then "0.0.0.0" else .HostIp end):\(.HostPort)->\($to)"] | list)
  ] | map(tostring) | join(" ")'
"#;

fn podman(work: &Work) -> Result<()> {
    let said = work.bash(&format!("{ENGINES}{PODMAN}"))?;
    let mut found = ours(work)?;
    // Podman shows every port of a range; we give the range.
    for container in &mut found.containers.items {
        let Some(at) = container.ports.iter().position(|port| port.contains(":9000-9002")) else {
            continue;
        };
        let range = container.ports.remove(at);
        ensure!(range == "0.0.0.0:9000-9002->9000-9002/tcp", "{range}");
        container.ports.extend((9000..=9002).map(|port| format!("0.0.0.0:{port}->{port}/tcp")));
    }
    compare(&said, &found)
}

/// The same storage in the home of a person, and another place that the configuration names.
fn rootless(work: &Work) -> Result<()> {
    let script = r#"
podman import rootfs.tar localhost/mine >/dev/null
podman create --name mine -e A=hunter2-is-secret localhost/mine /true >/dev/null
printf 'joe:x:1000:1000::/people/joe:/bin/sh\n' > root/etc/passwd
mkdir -p root/people/joe/.config/containers root/etc/containers root/elsewhere
printf '[storage]\nrunroot = "/run"\ngraphroot = "$HOME/my storage"\n' > root/people/joe/.config/containers/storage.conf
mv "$from" 'root/people/joe/my storage'
from=$PWD/root/elsewhere/storage
printf '[storage]\n  driver = "vfs"\n  graphroot = "/elsewhere/storage" # moved\n' > root/etc/containers/storage.conf
podman import rootfs.tar localhost/ours >/dev/null
podman images --format '{{.Repository}}'
"#;
    let said = work.bash(&format!("{ENGINES}{script}"))?;
    let found = ours(work)?;
    same(&said, &["localhost/ours".to_owned()])?;
    let images: Vec<_> = found.images.items.iter().map(|it| (&it.scope, &it.names[..])).collect();
    ensure!(images.len() == 2, "{images:?}");
    ensure!(images[0].0.is_none() && images[0].1 == ["localhost/ours:latest"], "{images:?}");
    let joe = Some("joe".to_owned());
    ensure!(*images[1].0 == joe && images[1].1 == ["localhost/mine:latest"], "{images:?}");
    let [mine] = &found.containers.items[..] else {
        anyhow::bail!("{:?}", found.containers.items);
    };
    ensure!(mine.scope == joe && mine.name.as_deref() == Some("mine"), "{mine:?}");
    Ok(())
}

/// So many names that the database has branches, in two namespaces.
const CONTAINERD: &str = r#"
podman import -c 'CMD ["/true"]' rootfs.tar localhost/one:1.0 >/dev/null
podman save --format oci-archive -o one.tar localhost/one:1.0 >/dev/null
podman import -c 'CMD ["/true", "two"]' rootfs.tar localhost/two:2.0 >/dev/null
podman save --format oci-archive -o two.tar localhost/two:2.0 >/dev/null
config=$(podman image inspect localhost/one:1.0 localhost/two:2.0 | jq -r '.[] | "\(.RepoTags[0]) \(.Created) \(.Architecture)"')
rm -rf root/var/lib/containers; containerd
ctr images import one.tar >/dev/null; ctr images import two.tar >/dev/null
ctr -n k8s.io images import two.tar >/dev/null
ctr images tag localhost/two:2.0 $(for number in {1..300}; do echo localhost/with-a-rather-long-name/number:$number; done) >/dev/null
digest=$(ctr images ls | awk '$1 == "localhost/one:1.0" { print $3 }')
ctr images tag localhost/one:1.0 localhost/one@$digest >/dev/null
ctr containers create --env SECRET=hunter2-is-secret --label a=b --mount type=bind,src=/srv,dst=/data,options=rbind:ro localhost/one:1.0 c1 /true -x 'a b'
ctr -n k8s.io containers create --label io.kubernetes.pod.name=pod --label io.kubernetes.pod.namespace=ns \
  --label io.kubernetes.container.name=main localhost/two:2.0 c2
for number in {1..20}; do ctr containers create --label nerdctl/name=n$number localhost/two:2.0 many$number /true $number; done
for number in {1..20..3}; do ctr containers rm many$number; done
for namespace in default k8s.io; do
  ctr -n $namespace images ls | awk -v n=$namespace 'NR > 1 { print n, $1, $3 }'
done
echo ==
for namespace in default k8s.io; do
  for id in $(ctr -n $namespace containers ls -q); do
    ctr -n $namespace containers info $id | jq -r --arg n $namespace '
      .Labels as $l | [ $n, .ID, ($l["nerdctl/name"] // (if $l["io.kubernetes.pod.name"] then
        [$l["io.kubernetes.pod.namespace"], $l["io.kubernetes.pod.name"], $l["io.kubernetes.container.name"]] | join("/")
        else "-" end)), .Image, .CreatedAt, (.Spec.process.args | join("|")),
        ([.Spec.mounts[] | select(.type == "bind") | "\(.source):\(.destination)\(if .options | index("ro") then ":ro" else "" end)"]
          | if length == 0 then "-" else join(",") end) ] | join(" ")'
  done
done
echo ==
echo "$config"
"#;

fn containerd(work: &Work) -> Result<()> {
    let said = work.bash(&format!("{ENGINES}{CONTAINERD}"))?;
    let found = ours(work)?;
    let (images, rest) = parts(&said);
    let (containers, configurations) = parts(rest);
    let lines = found.images.items.iter().flat_map(|image| {
        let names = image.names.iter().chain(&image.digests);
        names.map(|name| format!("{} {name} {}", or_none(&image.scope), image.id))
    });
    same(images, &lines.collect::<Vec<_>>())?;
    let lines = found.containers.items.iter().map(|it| {
        [
            or_none(&it.scope),
            &it.id,
            or_none(&it.name),
            or_none(&it.image),
            or_none(&it.created),
            &it.command.join("|"),
            &sorted(&it.mounts),
        ]
        .join(" ")
    });
    same(containers, &lines.collect::<Vec<_>>())?;
    for line in configurations.lines() {
        let name = line.split(' ').next().unwrap_or_default().to_owned();
        let image = found.images.items.iter().find(|image| image.names.contains(&name));
        let ours = image
            .map(|it| format!("{name} {} {}", or_none(&it.created), or_none(&it.architecture)));
        ensure!(ours.as_deref() == Some(line), "{line} is {ours:?}");
    }
    Ok(())
}

const DOCKER: &str = r#"
dockerd
docker import -c 'CMD ["/true"]' -c 'ENV A=hunter2-is-secret' rootfs.tar one:1.0 >/dev/null
docker import -c 'ENTRYPOINT ["/true", "of image"]' rootfs.tar two >/dev/null
docker import rootfs.tar >/dev/null
docker tag one:1.0 localhost:5000/team/one:2
docker create --name web -p 127.0.0.1:8080:80 -p 53:53/udp -p '[::1]:81:81' -p 82 -v /srv:/data:ro -v named:/volume \
  --restart on-failure:3 -e SECRET=hunter2-is-secret --network none one:1.0 /true -x 'a b' >/dev/null
docker create --privileged --network host -v /etc:/host one:1.0 >/dev/null
docker create --name second --network none --restart unless-stopped two argument >/dev/null
docker create --name third --network none --restart always two >/dev/null
docker create --name started --network none one:1.0 >/dev/null
# Whether it can be started or not, its state is that of its engine.
docker start started >/dev/null 2>&1 || true
sleep 1
docker image inspect $(docker images -aq | sort -u) | jq -r '
  def list: if length == 0 then "-" else sort | join(",") end;
  .[] | "\(.Id) \(.RepoTags | list) \(.RepoDigests | list) \(.Created) \(.Architecture)"'
echo ==
docker container inspect $(docker ps -aq) | jq -r '
  def list: if length == 0 then "-" else sort | join(",") end;
  def host: if . == "" then "0.0.0.0" elif contains(":") then "[\(.)]" else . end;
  def how: if .RW then "" else ":ro" end;
  .[] | [ "docker", .Id, .Name[1:], .Config.Image, .Image, .Created, .State.Status, ([.Path] + .Args | join("|")),
    .HostConfig.RestartPolicy.Name, .HostConfig.Privileged,
    ([.Mounts[] | "\(.Source):\(.Destination)\(how)"] | list),
    ([.HostConfig.PortBindings // {} | to_entries[] | .key as $to | .value[]
      | "\(.HostIp | host):\(if .HostPort == "" or .HostPort == "0" then "*" else .HostPort end)->\($to)"] | list)
  ] | map(tostring) | join(" ")'
"#;

fn docker(work: &Work) -> Result<()> {
    let said = work.bash(&format!("{ENGINES}{DOCKER}"))?;
    compare(&said, &ours(work)?)
}
