//! What watches over the system.

use fathom_report::ApplicationKind::Security;

use super::States::{After, Variable};
use super::{Known, known, states, trace};

pub(super) const ALL: &[Known] = &[
    known(
        Security,
        "clamav",
        &["deb:clamav-daemon", "rpm:clamd", "clamav", "portage:app-antivirus/clamav"],
        &["clamav-daemon", "clamd@", "clamd", "clamav-daemon.socket"],
    ),
    known(
        Security,
        "fail2ban",
        &["deb:fail2ban", "rpm:fail2ban-server", "rpm:fail2ban", "apk:fail2ban", "pacman:fail2ban"],
        &["fail2ban"],
    ),
    known(Security, "crowdsec", &["crowdsec"], &["crowdsec"]),
    known(Security, "sshguard", &["sshguard"], &["sshguard"]),
    known(Security, "denyhosts", &["denyhosts"], &["denyhosts"]),
    known(Security, "wazuh-agent", &["wazuh-agent"], &["wazuh-agent"])
        .at(&[trace("/var/ossec:bin/wazuh-agentd")]),
    known(Security, "wazuh-manager", &["wazuh-manager"], &["wazuh-manager"]),
    known(
        Security,
        "ossec",
        &["ossec-hids-agent", "ossec-hids-server", "ossec-hids"],
        &["ossec", "ossec-hids"],
    )
    .at(&[states("/var/ossec:bin/ossec-agentd", Variable("etc/ossec-init.conf", "VERSION"))]),
    known(Security, "falco", &["falco"], &["falco", "falco-modern-bpf", "falco-kmod", "falco-bpf"]),
    known(Security, "osquery", &["osquery"], &["osqueryd"]),
    known(Security, "aide", &["aide"], &["dailyaidecheck.timer", "aidecheck.timer"]),
    known(Security, "tripwire", &["tripwire"], &[]),
    known(Security, "samhain", &["samhain"], &["samhain"]),
    known(Security, "rkhunter", &["rkhunter"], &[]),
    known(Security, "chkrootkit", &["chkrootkit"], &["chkrootkit.timer"]),
    known(Security, "lynis", &["lynis"], &["lynis.timer"]),
    known(Security, "snort", &["snort"], &["snort"]),
    known(Security, "suricata", &["suricata"], &["suricata"]),
    known(Security, "zeek", &["zeek", "zeek-core"], &["zeek"]),
    known(
        Security,
        "auditd",
        &["deb:auditd", "rpm:audit", "pacman:audit", "apk:audit"],
        &["auditd"],
    ),
    known(Security, "usbguard", &["usbguard"], &["usbguard"]),
    known(Security, "fapolicyd", &["fapolicyd"], &["fapolicyd"]),
    known(Security, "crowdstrike-falcon", &["falcon-sensor"], &["falcon-sensor"])
        .at(&[trace("/opt/CrowdStrike:falcond"), trace("/opt/CrowdStrike:falconctl")]),
    known(Security, "sentinelone", &["sentinelagent", "rpm:SentinelAgent"], &["sentinelone"])
        .at(&[trace("/opt/sentinelone:bin/sentinelctl")]),
    known(Security, "microsoft-defender", &["mdatp"], &["mdatp"])
        .at(&[trace("/opt/microsoft/mdatp:sbin/wdavdaemon")]),
    known(Security, "trend-micro", &["ds-agent", "ds_agent"], &["ds_agent"])
        .at(&[trace("/opt/ds_agent:ds_agent")]),
    known(Security, "qualys-cloud-agent", &["qualys-cloud-agent"], &["qualys-cloud-agent"])
        .at(&[trace("/usr/local/qualys/cloud-agent:bin/qualys-cloud-agent")]),
    known(Security, "nessus-agent", &["deb:nessusagent", "rpm:NessusAgent"], &["nessusagent"])
        .at(&[trace("/opt/nessus_agent:sbin/nessuscli")]),
    known(Security, "nessus", &["deb:nessus", "rpm:Nessus"], &["nessusd"])
        .at(&[trace("/opt/nessus:sbin/nessusd")]),
    known(Security, "rapid7", &["rapid7-insight-agent"], &["ir_agent"])
        .at(&[trace("/opt/rapid7:ir_agent/ir_agent")]),
    known(Security, "sophos", &["sophos-spl"], &["sophos-spl", "sav-protect"]).at(&[
        states("/opt/sophos-spl:base/VERSION.ini", After("base/VERSION.ini", "PRODUCT_VERSION = ")),
        trace("/opt/sophos-av:bin/savdstatus"),
    ]),
    known(
        Security,
        "trellix",
        &["McAfeeTP", "ISecTP", "MFEcma", "rpm:mcafeetp", "deb:mcafeetp"],
        &["mfetpd", "cma", "ma"],
    )
    .at(&[trace("/opt/McAfee/agent:bin/masvc"), trace("/opt/McAfee/ens/tp:bin/mfetpcli")]),
    known(
        Security,
        "carbon-black",
        &["cb-psc-sensor", "cb-defense", "cbsensor"],
        &["cbagentd", "cbdaemon"],
    )
    .at(&[trace("/opt/carbonblack:psc/bin/cbagentd")]),
    known(Security, "cortex-xdr", &["cortex-agent"], &["traps_pmd"])
        .at(&[trace("/opt/traps:bin/pmd")]),
    known(Security, "cylance", &["rpm:CylancePROTECT", "deb:cylance-protect"], &["cylancesvc"])
        .at(&[trace("/opt/cylance:desktop/cylancesvc")]),
    known(Security, "eset", &["efs", "eea"], &["efs", "eea"])
        .at(&[trace("/opt/eset/efs"), trace("/opt/eset/eea")]),
    known(Security, "bitdefender", &["bitdefender-security-tools"], &["bdsec", "bd"])
        .at(&[trace("/opt/bitdefender-security-tools:bin/bdsecd")]),
    known(Security, "symantec", &["sdcss", "sdcss-caf"], &["sisamdagent", "cafagent"])
        .at(&[trace("/opt/Symantec")]),
    known(Security, "kaspersky", &["kesl"], &["kesl"]).at(&[trace("/opt/kaspersky/kesl")]),
    known(
        Security,
        "withsecure",
        &["f-secure-linuxsecurity", "f-secure-policy-manager-console"],
        &["f-secure-linuxsecurity-fsma"],
    )
    .at(&[trace("/opt/f-secure/linuxsecurity")]),
    known(Security, "tanium", &["taniumclient", "rpm:TaniumClient"], &["taniumclient"])
        .at(&[trace("/opt/Tanium/TaniumClient:TaniumClient")]),
    known(Security, "illumio-ven", &["illumio-ven"], &["illumio-ven"])
        .at(&[trace("/opt/illumio_ven")]),
    known(Security, "guardicore", &["gc-guest-agent"], &["gc-agent"])
        .at(&[trace("/var/lib/guardicore")]),
    known(
        Security,
        "velociraptor",
        &["velociraptor", "velociraptor-client", "velociraptor-server"],
        &["velociraptor_client", "velociraptor_server"],
    ),
    known(Security, "elastic-endpoint", &[], &["ElasticEndpoint"])
        .at(&[trace("/opt/Elastic/Endpoint:elastic-endpoint")]),
];
