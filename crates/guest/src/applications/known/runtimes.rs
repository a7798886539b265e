//! What runs programs, and what runs containers.

use fathom_report::ApplicationKind::{Container, Runtime};

use super::States::{After, Macros, Variable};
use super::{Known, known, named, states, trace};

const JAVA: super::States = Variable("release", "JAVA_VERSION");
const PYTHON: super::States = Macros("", &["PY_VERSION"]);
const NODE: super::States = Macros(
    "include/node/node_version.h",
    &["NODE_MAJOR_VERSION", "NODE_MINOR_VERSION", "NODE_PATCH_VERSION"],
);

pub(super) const RUNTIMES: &[Known] = &[
    known(
        Runtime,
        "java",
        &[
            "deb:openjdk-#-jre-headless",
            "deb:openjdk-#-jdk-headless",
            "rpm:java-#-openjdk-headless",
            "rpm:java-#-openjdk",
            "java-#-amazon-corretto-headless",
            "java-#-amazon-corretto-jdk",
            "temurin-#-jre",
            "temurin-#-jdk",
            "zulu#-jre-headless",
            "zulu#-jdk-headless",
            "zulu-#",
            "msopenjdk-#",
            "jdk-#",
            "apk:openjdk#-jre-headless",
            "pacman:jre#-openjdk-headless",
            "pacman:jre-openjdk-headless",
            "pacman:jdk-openjdk",
            "pacman:jdk#-openjdk",
        ],
        &[],
    )
    .at(&[
        states("/usr/lib/jvm/*:release", JAVA),
        states("/usr/lib64/jvm/*:release", JAVA),
        states("/usr/java/*:release", JAVA),
        states("/opt/*jdk*:release", JAVA),
        states("/opt/*jre*:release", JAVA),
        states("/opt/java*:release", JAVA),
        states("/opt/java/*:release", JAVA),
        states("/opt/jvm/*:release", JAVA),
        states("/usr/local/*jdk*:release", JAVA),
        states("/usr/local/java*:release", JAVA),
        states("/usr/local/java/*:release", JAVA),
    ]),
    known(
        Runtime,
        "python",
        &[
            "deb:python3.#",
            "deb:python3.#-minimal",
            "deb:python2.#",
            "deb:python2.#-minimal",
            "rpm:python#",
            "rpm:platform-python",
            "apk:python#",
            "pacman:python",
            "portage:dev-lang/python",
        ],
        &[],
    )
    .at(&[
        states("/usr/local:include/python#/patchlevel.h", PYTHON),
        states("/opt/python*:include/python#/patchlevel.h", PYTHON),
        states("/opt/*conda*:include/python#/patchlevel.h", PYTHON),
    ]),
    known(
        Runtime,
        "node",
        &[
            "deb:nodejs",
            "rpm:nodejs",
            "rpm:nodejs#",
            "apk:nodejs",
            "pacman:nodejs",
            "pacman:nodejs-lts-*",
            "snap:node",
        ],
        &[],
    )
    .at(&[
        states("/usr/local:include/node/node_version.h", NODE),
        states("/opt/node*:include/node/node_version.h", NODE),
        states("/usr/local/node*:include/node/node_version.h", NODE),
        states("/usr/local/lib/nodejs/node-*:include/node/node_version.h", NODE),
        named("/root/.nvm/versions/node/v#"),
        named("/home/*/.nvm/versions/node/v#"),
    ]),
    known(
        Runtime,
        "php",
        &[
            "deb:php#-common",
            "rpm:php-common",
            "rpm:php#-common",
            "rpm:php#",
            "apk:php#",
            "pacman:php",
            "portage:dev-lang/php",
        ],
        &["php#-fpm", "php-fpm#", "php-fpm"],
    )
    .at(&[trace("/usr/local:bin/php"), trace("/opt/php*:bin/php")]),
    known(
        Runtime,
        "dotnet",
        &["dotnet-runtime-#", "apk:dotnet#-runtime", "pacman:dotnet-runtime"],
        &[],
    )
    .at(&[
        named("/usr/share/dotnet/shared/Microsoft.NETCore.App/*"),
        named("/usr/lib/dotnet/shared/Microsoft.NETCore.App/*"),
        named("/usr/lib64/dotnet/shared/Microsoft.NETCore.App/*"),
        named("/usr/local/share/dotnet/shared/Microsoft.NETCore.App/*"),
        named("/opt/dotnet/shared/Microsoft.NETCore.App/*"),
        named("/root/.dotnet/shared/Microsoft.NETCore.App/*"),
        named("/home/*/.dotnet/shared/Microsoft.NETCore.App/*"),
    ]),
    known(
        Runtime,
        "ruby",
        &[
            "deb:ruby#",
            "rpm:ruby",
            "rpm:ruby#",
            "apk:ruby",
            "pacman:ruby",
            "portage:dev-lang/ruby",
            "snap:ruby",
        ],
        &[],
    )
    .at(&[
        trace("/usr/local:bin/ruby"),
        named("/opt/rubies/ruby-#"),
        named("/usr/local/rvm/rubies/ruby-#"),
        named("/root/.rbenv/versions/#"),
        named("/home/*/.rbenv/versions/#"),
    ]),
    known(
        Runtime,
        "go",
        &[
            "deb:golang-#-go",
            "rpm:golang",
            "rpm:go#",
            "apk:go",
            "pacman:go",
            "portage:dev-lang/go",
            "snap:go",
        ],
        &[],
    )
    .at(&[states("/usr/local/go:VERSION", After("VERSION", "go"))]),
    known(
        Runtime,
        "perl",
        &[
            "deb:perl-base",
            "rpm:perl-interpreter",
            "rpm:perl-base",
            "rpm:perl",
            "apk:perl",
            "pacman:perl",
            "portage:dev-lang/perl",
        ],
        &[],
    )
    .at(&[trace("/usr/local:bin/perl"), trace("/opt/perl*:bin/perl")]),
    known(
        Runtime,
        "erlang",
        &["deb:erlang-base", "rpm:erlang-erts", "rpm:erlang", "apk:erlang", "pacman:erlang-core"],
        &[],
    ),
    known(Runtime, "mono", &["deb:mono-runtime", "rpm:mono-core", "apk:mono", "pacman:mono"], &[]),
    known(Runtime, "r", &["deb:r-base-core", "rpm:R-core", "apk:R", "pacman:r"], &[])
        .at(&[named("/opt/R/#")]),
];

pub(super) const CONTAINERS: &[Known] = &[
    known(
        Container,
        "docker",
        &[
            "docker-ce",
            "docker-ee",
            "deb:docker.io",
            "rpm:docker",
            "rpm:moby-engine",
            "deb:moby-engine",
            "apk:docker-engine",
            "pacman:docker",
            "portage:app-containers/docker",
            "snap:docker",
        ],
        &["docker", "docker.socket", "snap.docker.dockerd"],
    )
    .at(&[trace("/usr/local:bin/dockerd")])
    .keeps("/var/lib/docker"),
    known(
        Container,
        "podman",
        &["podman", "portage:app-containers/podman"],
        &["podman", "podman.socket"],
    ),
    known(
        Container,
        "containerd",
        &[
            "containerd.io",
            "deb:containerd",
            "rpm:containerd",
            "apk:containerd",
            "pacman:containerd",
        ],
        &["containerd"],
    )
    .at(&[trace("/usr/local:bin/containerd")])
    .keeps("/var/lib/containerd"),
    known(Container, "cri-o", &["cri-o", "deb:cri-o-#", "rpm:cri-o#"], &["crio", "cri-o"]),
    known(
        Container,
        "kubelet",
        &["kubelet", "rpm:kubernetes#-kubelet", "rpm:kubernetes-node", "snap:kubelet"],
        &["kubelet"],
    )
    .at(&[trace("/usr/local:bin/kubelet"), trace("/opt/bin:kubelet")])
    .keeps("/var/lib/kubelet"),
    known(
        Container,
        "kubeadm",
        &["kubeadm", "rpm:kubernetes#-kubeadm", "rpm:kubernetes-kubeadm"],
        &[],
    )
    .at(&[trace("/usr/local:bin/kubeadm"), trace("/opt/bin:kubeadm")]),
    known(Container, "k3s", &["rpm:k3s"], &["k3s", "k3s-agent"])
        .at(&[trace("/usr/local:bin/k3s")])
        .keeps("/var/lib/rancher/k3s"),
    known(
        Container,
        "rke2",
        &["rpm:rke2-server", "rpm:rke2-agent"],
        &["rke2-server", "rke2-agent"],
    )
    .at(&[trace("/usr/local:bin/rke2"), trace("/opt/rke2:bin/rke2")])
    .keeps("/var/lib/rancher/rke2"),
    known(Container, "microk8s", &["snap:microk8s"], &["snap.microk8s.daemon-kubelite"]),
    known(Container, "k0s", &[], &["k0scontroller", "k0sworker"])
        .at(&[trace("/usr/local:bin/k0s")])
        .keeps("/var/lib/k0s"),
    known(
        Container,
        "openshift",
        &[
            "rpm:openshift-kubelet",
            "rpm:openshift-hyperkube",
            "rpm:atomic-openshift-node",
            "rpm:origin-node",
        ],
        &["kubelet", "atomic-openshift-node", "origin-node"],
    )
    .at(&[trace("/etc/machine-config-daemon:currentconfig")]),
    known(Container, "nomad", &["nomad"], &["nomad"]).at(&[trace("/usr/local:bin/nomad")]),
    known(Container, "lxc", &["lxc"], &["lxc"]),
    known(
        Container,
        "lxd",
        &["deb:lxd", "pacman:lxd", "snap:lxd"],
        &["lxd", "snap.lxd.daemon", "snap.lxd.daemon.unix.socket"],
    ),
    known(Container, "incus", &["incus"], &["incus", "incus.socket"]),
];
