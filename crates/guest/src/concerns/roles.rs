//! What it is to others: a host of containers, a database, part of a cluster or of a domain.

use fathom_report::{ApplicationKind, Family};

use super::Subject;
use super::answer::{Answer, Search, known};
use super::software::{applications, installed, started};

const ENGINES: [&str; 10] = [
    "docker.io",
    "docker-ce",
    "docker-engine",
    "docker",
    "moby-engine",
    "podman",
    "containerd",
    "containerd.io",
    "cri-o",
    "lxd*",
];

pub(super) fn containers(subject: &Subject<'_>) -> Answer {
    let containers = &subject.system.containers.containers;
    installed(subject, &ENGINES)
        .of(containers, |container| {
            let name = container.name.as_ref().unwrap_or(&container.id);
            Ok(Some((format!("container {name}"), vec![container.evidence.clone()])))
        })
        .answer(
            "it runs containers",
            "Their volumes and addresses come along; see that registries are reached from the new place",
        )
}

pub(super) fn kubernetes(subject: &Subject<'_>) -> Answer {
    let names = [
        "kubelet",
        "k3s",
        "k3s-agent",
        "rke2-server",
        "rke2-agent",
        "k0scontroller",
        "k0sworker",
        "microk8s*",
        "snap.microk8s*",
        "atomic-openshift-node",
    ];
    let search = installed(subject, &["kubelet", "kubeadm", "k3s*", "rke2*", "microk8s", "k0s"]);
    started(search, subject, &names).answer(
        "it is a node of Kubernetes",
        "Do not move a node: drain it and make a new one. A control plane is moved by the backup of etcd",
    )
}

pub(super) fn databases(subject: &Subject<'_>) -> Answer {
    applications(Search::new(), subject, |application| {
        if application.kind != ApplicationKind::Database {
            return Ok(false);
        }
        let is = known(&application.started).map_err(|why| format!("{}: {why}", application.name))?;
        Ok(is == Some(&true))
    })
    .answer(
        "databases start with it",
        "Stop them, or take their own backup, before the last copy: a copy of a running one is that of \
         a machine that lost its power",
    )
}

pub(super) fn cluster(subject: &Subject<'_>) -> Answer {
    let names = [
        "pacemaker*",
        "corosync",
        "cman",
        "rgmanager",
        "keepalived",
        "heartbeat",
        "ClusSvc",
        "o2cb",
        "ocfs2",
        "sbd",
        "vcs",
        "had",
        "drbd",
        "ohasd",
        "oracle-ohasd",
    ];
    started(Search::new(), subject, &names).answer(
        "it is part of a cluster",
        "Take it out of the cluster first: two machines with one identity, or disks that another node \
         does not know, bring all of it down",
    )
}

pub(super) fn controller(subject: &Subject<'_>) -> Answer {
    let names = ["NTDS", "samba-ad-dc", "ipa"];
    started(Search::new(), subject, &names).answer(
        "it is the directory of a domain",
        "Rather make a second controller at the new place and let it take over than move one; never run \
         two copies",
    )
}

pub(super) fn member(subject: &Subject<'_>) -> Answer {
    // Windows starts Netlogon by itself only as a member of a domain.
    let names: &[&str] = match subject.system.identity.family {
        Family::Windows => &["Netlogon"],
        _ => &["sssd", "winbind", "winbindd", "nslcd", "vasd", "centrifydc", "adclient"],
    };
    started(Search::new(), subject, names).answer(
        "accounts come from a domain",
        "The new place has to reach its controllers; keep a local account that can log in",
    )
}
