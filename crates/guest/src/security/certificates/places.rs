//! Where certificates lie, and which are only those that every system of a distribution has.

/// The folders, and how many levels of them are looked at.
pub(super) const PLACES: [(&str, usize); 45] = [
    ("/etc/ssl", 1),
    ("/etc/ssl/certs", 1),
    ("/etc/pki/tls", 1),
    ("/etc/pki/tls/certs", 1),
    ("/etc/pki/nginx", 2),
    ("/etc/pki/libvirt", 2),
    ("/etc/pki/ca-trust/source/anchors", 1),
    ("/etc/pki/trust/anchors", 1),
    ("/usr/local/share/ca-certificates", 2),
    ("/etc/ca-certificates/trust-source/anchors", 1),
    ("/etc/letsencrypt/live", 2),
    ("/etc/nginx", 2),
    ("/etc/apache2", 2),
    ("/etc/httpd", 2),
    ("/etc/haproxy", 2),
    ("/etc/caddy", 2),
    ("/etc/traefik", 2),
    ("/etc/tomcat", 1),
    ("/etc/postgresql", 3),
    ("/var/lib/postgresql", 3),
    ("/var/lib/pgsql/data", 1),
    ("/etc/mysql", 2),
    ("/var/lib/mysql", 1),
    ("/etc/mongod", 1),
    ("/etc/redis", 1),
    ("/etc/kubernetes/pki", 2),
    ("/etc/kubernetes/ssl", 2),
    ("/var/lib/kubelet/pki", 1),
    ("/var/lib/rancher/k3s/server/tls", 2),
    ("/etc/etcd", 2),
    ("/etc/docker", 3),
    ("/etc/containers/certs.d", 2),
    ("/etc/ipa", 2),
    ("/etc/ldap", 2),
    ("/etc/openldap", 2),
    ("/etc/postfix", 2),
    ("/etc/dovecot", 2),
    ("/etc/exim4", 1),
    ("/etc/openvpn", 3),
    ("/etc/cockpit/ws-certs.d", 1),
    ("/etc/gitlab", 2),
    ("/etc/rabbitmq", 2),
    ("/etc/elasticsearch", 2),
    ("/etc/ssh", 1),
    ("/opt", 2),
];

/// Collections of authorities as distributions name them.
pub(super) fn is_bundle(name: &str) -> bool {
    [
        "ca-bundle.crt",
        "ca-bundle.trust.crt",
        "ca-bundle.pem",
        "ca-certificates.crt",
        "tls-ca-bundle.pem",
        "email-ca-bundle.pem",
        "objsign-ca-bundle.pem",
        "cacert.pem",
        "cert.pem.dpkg-old",
        "roots.pem",
    ]
    .contains(&name)
}

/// Whether it lies where the authorities of the distribution do, or its examples.
pub(super) fn is_shipped(path: &str) -> bool {
    [
        "/usr/share/ca-certificates/",
        "/usr/share/pki/",
        "/usr/share/ca-certs/",
        "/etc/pki/ca-trust/extracted/",
        "/etc/ca-certificates/extracted/",
        "/var/lib/ca-certificates/",
        "/etc/ssl/certs/java/",
        "/usr/share/doc/",
    ]
    .iter()
    .any(|folder| path.starts_with(folder) || format!("{path}/") == *folder)
}

/// Whether a link is followed: those of the folders of authorities lead to what is shipped, or are
/// other names of what lies beside them.
pub(super) fn is_worth_following(path: &str) -> bool {
    !["/etc/ssl/", "/etc/pki/tls/"].iter().any(|folder| path.starts_with(folder))
}
