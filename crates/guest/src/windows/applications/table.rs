//! Applications and what they are recognised by.

use fathom_report::ApplicationKind;

use ApplicationKind::{
    ApplicationServer, Container, Database, GuestAgent, Management, Messaging, Security, Server,
    WebServer,
};

/// An application that is recognised by a service of it, or by a program that is installed.
pub(super) struct Known {
    pub(super) name: &'static str,
    pub(super) kind: ApplicationKind,
    /// Names of services, in small letters. One that ends in `*` stands for all that begin so.
    pub(super) services: &'static [&'static str],
    /// How names of programs begin, in small letters.
    pub(super) programs: &'static [&'static str],
}

const fn known(
    name: &'static str,
    kind: ApplicationKind,
    services: &'static [&'static str],
    programs: &'static [&'static str],
) -> Known {
    Known { name, kind, services, programs }
}

pub(super) const KNOWN: &[Known] = &[
    known("iis", WebServer, &["w3svc"], &[]),
    known("apache", WebServer, &["apache2.4", "apache2.2", "apache2*"], &["apache http server"]),
    known("nginx", WebServer, &["nginx"], &["nginx"]),
    known("tomcat", ApplicationServer, &["tomcat*"], &["apache tomcat"]),
    known("sql-server", Database, &["mssqlserver", "mssql$*"], &[]),
    known("postgresql", Database, &["postgresql*"], &["postgresql "]),
    known("mysql", Database, &["mysql*"], &["mysql server"]),
    known("mariadb", Database, &["mariadb*"], &["mariadb"]),
    known("mongodb", Database, &["mongodb"], &["mongodb "]),
    known("oracle-database", Database, &["oracleservice*"], &[]),
    known("redis", Database, &["redis"], &["redis"]),
    known("elasticsearch", Database, &["elasticsearch*"], &["elasticsearch"]),
    known("firebird", Database, &["firebirdserver*"], &["firebird "]),
    known("rabbitmq", Messaging, &["rabbitmq"], &["rabbitmq server"]),
    known("msmq", Messaging, &["msmq"], &[]),
    known("active-directory", Server, &["ntds"], &[]),
    known("dns-server", Server, &["dns"], &[]),
    known("dhcp-server", Server, &["dhcpserver"], &[]),
    known("certificate-authority", Server, &["certsvc"], &[]),
    known("federation-services", Server, &["adfssrv"], &[]),
    known(
        "exchange",
        Server,
        &["msexchangeis", "msexchangeadtopology"],
        &["microsoft exchange server"],
    ),
    known("smtp-server", Server, &["smtpsvc"], &[]),
    known("ftp-server", Server, &["ftpsvc"], &[]),
    known("openssh-server", Server, &["sshd"], &[]),
    known("nfs-server", Server, &["nfsservice"], &[]),
    known("wsus", Server, &["wsusservice"], &[]),
    known("hyper-v", Server, &["vmms"], &[]),
    known("remote-desktop-licensing", Server, &["termservlicensing"], &[]),
    known("failover-cluster", Server, &["clussvc"], &[]),
    known("sharepoint", ApplicationServer, &["sptimerv4"], &["microsoft sharepoint server"]),
    known("docker", Container, &["docker", "com.docker.service"], &["docker desktop"]),
    known("kubernetes-kubelet", Container, &["kubelet"], &[]),
    known("vmware-tools", GuestAgent, &["vmtools"], &["vmware tools"]),
    known("qemu-guest-agent", GuestAgent, &["qemu-ga"], &["qemu guest agent"]),
    known("spice-agent", GuestAgent, &["vdservice", "spice-agent"], &["spice guest tools"]),
    known(
        "virtio-guest-tools",
        GuestAgent,
        &[],
        &["virtio-win-guest-tools", "virtio-win-driver-installer"],
    ),
    known(
        "virtualbox-guest-additions",
        GuestAgent,
        &["vboxservice"],
        &["oracle vm virtualbox guest additions", "oracle virtualbox guest additions"],
    ),
    known(
        "xen-guest-agent",
        GuestAgent,
        &["xensvc", "xenagent", "xen_guest_agent"],
        &["citrix vm tools", "xenserver vm tools"],
    ),
    known("hyper-v-heartbeat", GuestAgent, &["vmicheartbeat"], &[]),
    known("nutanix-guest-tools", GuestAgent, &["nutanix guest agent"], &["nutanix guest tools"]),
    known(
        "azure-guest-agent",
        GuestAgent,
        &["windowsazureguestagent", "rdagent"],
        &["windows azure vm agent"],
    ),
    known("amazon-ssm-agent", GuestAgent, &["amazonssmagent"], &["amazon ssm agent"]),
    known(
        "ec2-launch",
        GuestAgent,
        &["amazon ec2launch", "ec2config"],
        &["amazon ec2launch", "ec2configservice"],
    ),
    known("google-guest-agent", GuestAgent, &["gceagent"], &["google compute engine"]),
    known("cloudbase-init", GuestAgent, &["cloudbase-init"], &["cloudbase-init"]),
    known("defender", Security, &["windefend"], &[]),
    known("defender-for-endpoint", Security, &["sense"], &[]),
    known("crowdstrike-falcon", Security, &["csfalconservice"], &["crowdstrike "]),
    known("sentinelone", Security, &["sentinelagent"], &["sentinel agent"]),
    known(
        "sophos",
        Security,
        &["sophos endpoint defense service", "savservice"],
        &["sophos endpoint agent"],
    ),
    known("trellix", Security, &["masvc", "mcshield"], &["mcafee agent", "trellix agent"]),
    known(
        "symantec-endpoint-protection",
        Security,
        &["sepmasterservice"],
        &["symantec endpoint protection"],
    ),
    known("eset", Security, &["ekrn"], &["eset "]),
    known("kaspersky", Security, &["avp*"], &["kaspersky endpoint security"]),
    known("trend-micro", Security, &["ntrtscan", "ds_agent"], &["trend micro "]),
    known("bitdefender", Security, &["epsecurityservice"], &["bitdefender endpoint security"]),
    known("carbon-black", Security, &["cbdefense"], &["carbon black "]),
    known("configuration-manager", Management, &["ccmexec"], &["configuration manager client"]),
    known("operations-manager", Management, &["healthservice"], &["microsoft monitoring agent"]),
    known("azure-monitor-agent", Management, &["azuremonitoragent"], &[]),
    known("zabbix-agent", Management, &["zabbix agent*"], &["zabbix agent"]),
    known("datadog-agent", Management, &["datadogagent"], &["datadog agent"]),
    known("splunk-forwarder", Management, &["splunkforwarder"], &["universalforwarder"]),
    known(
        "veeam-agent",
        Management,
        &["veeamendpointbackupsvc"],
        &["veeam agent for microsoft windows"],
    ),
    known("commvault", Management, &["gxcvd*"], &["commvault"]),
    known("puppet-agent", Management, &["puppet"], &["puppet agent"]),
    known("salt-minion", Management, &["salt-minion"], &["salt minion"]),
    known("prometheus-exporter", Management, &["windows_exporter"], &["windows_exporter"]),
];
