//! What tells others how the system does, and what is told by others what to do: metrics, logs,
//! configuration, backup.

use fathom_report::ApplicationKind::Management;

use super::States::{After, Line, Variable};
use super::{Known, known, states, trace};

pub(super) const ALL: &[Known] = &[
    // Metrics.
    known(
        Management,
        "node-exporter",
        &[
            "deb:prometheus-node-exporter",
            "rpm:node_exporter",
            "rpm:node-exporter",
            "rpm:golang-github-prometheus-node-exporter",
            "apk:prometheus-node-exporter",
            "pacman:prometheus-node-exporter",
        ],
        &["prometheus-node-exporter", "node_exporter", "node-exporter"],
    )
    .at(&[trace("/usr/local:bin/node_exporter")]),
    known(
        Management,
        "prometheus",
        &["prometheus", "rpm:golang-github-prometheus-prometheus"],
        &["prometheus"],
    )
    .at(&[trace("/usr/local:bin/prometheus"), trace("/opt/prometheus*:prometheus")]),
    known(
        Management,
        "grafana",
        &["grafana", "grafana-enterprise"],
        &["grafana-server", "grafana"],
    ),
    known(
        Management,
        "zabbix-agent",
        &["zabbix-agent2", "zabbix-agent"],
        &["zabbix-agent2", "zabbix-agent", "zabbix-agentd"],
    ),
    known(
        Management,
        "zabbix-server",
        &["zabbix-server-mysql", "zabbix-server-pgsql", "zabbix-server"],
        &["zabbix-server"],
    ),
    known(
        Management,
        "nagios-nrpe",
        &["deb:nagios-nrpe-server", "rpm:nrpe"],
        &["nagios-nrpe-server", "nrpe"],
    ),
    known(Management, "nagios", &["deb:nagios4-core", "rpm:nagios"], &["nagios4", "nagios"])
        .at(&[trace("/usr/local/nagios:bin/nagios")]),
    known(Management, "icinga2", &["deb:icinga2-bin", "icinga2"], &["icinga2"]),
    known(
        Management,
        "checkmk-agent",
        &["check-mk-agent"],
        &["check-mk-agent.socket", "cmk-agent-ctl-daemon"],
    ),
    known(Management, "munin-node", &["munin-node"], &["munin-node"]),
    known(Management, "monit", &["monit"], &["monit"]),
    known(Management, "netdata", &["netdata"], &["netdata"])
        .at(&[trace("/opt/netdata:usr/sbin/netdata")]),
    known(Management, "telegraf", &["telegraf"], &["telegraf"]),
    known(Management, "collectd", &["deb:collectd-core", "collectd"], &["collectd"]),
    known(
        Management,
        "snmpd",
        &["deb:snmpd", "rpm:net-snmp", "apk:net-snmp", "pacman:net-snmp"],
        &["snmpd"],
    ),
    known(Management, "sysstat", &["sysstat"], &["sysstat", "sysstat-collect.timer"]),
    known(Management, "datadog-agent", &["datadog-agent"], &["datadog-agent"])
        .at(&[trace("/opt/datadog-agent:bin/agent/agent")]),
    known(
        Management,
        "newrelic",
        &["newrelic-infra", "newrelic-sysmond"],
        &["newrelic-infra", "newrelic-sysmond"],
    ),
    known(Management, "dynatrace-oneagent", &[], &["oneagent"])
        .at(&[trace("/opt/dynatrace/oneagent")]),
    known(
        Management,
        "appdynamics",
        &["appdynamics-machine-agent"],
        &["appdynamics-machine-agent"],
    )
    .at(&[trace("/opt/appdynamics")]),
    known(
        Management,
        "instana-agent",
        &["instana-agent-dynamic", "instana-agent-static", "instana-agent"],
        &["instana-agent"],
    )
    .at(&[trace("/opt/instana/agent")]),
    known(Management, "scom", &["scx"], &["omid", "scxd"])
        .at(&[trace("/opt/microsoft/scx:bin/scxadmin")]),
    known(
        Management,
        "azure-monitor-agent",
        &["azuremonitoragent", "omsagent"],
        &["azuremonitoragent", "omsagent"],
    ),
    known(
        Management,
        "amazon-cloudwatch-agent",
        &["amazon-cloudwatch-agent", "awslogs"],
        &["amazon-cloudwatch-agent", "awslogsd"],
    )
    .at(&[states(
        "/opt/aws/amazon-cloudwatch-agent:bin/CWAGENT_VERSION",
        Line("bin/CWAGENT_VERSION"),
    )]),
    known(
        Management,
        "google-ops-agent",
        &["google-cloud-ops-agent", "stackdriver-agent"],
        &["google-cloud-ops-agent", "stackdriver-agent"],
    ),
    known(
        Management,
        "opentelemetry-collector",
        &["otelcol", "otelcol-contrib"],
        &["otelcol", "otelcol-contrib"],
    ),
    known(
        Management,
        "grafana-agent",
        &["alloy", "grafana-agent", "promtail"],
        &["alloy", "grafana-agent", "promtail"],
    ),
    // Logs.
    known(Management, "rsyslog", &["rsyslog"], &["rsyslog"]),
    known(
        Management,
        "syslog-ng",
        &["deb:syslog-ng-core", "syslog-ng"],
        &["syslog-ng", "syslog-ng@"],
    ),
    known(
        Management,
        "splunk-forwarder",
        &["splunkforwarder"],
        &["SplunkForwarder", "splunk-forwarder"],
    )
    .at(&[states(
        "/opt/splunkforwarder:etc/splunk.version",
        Variable("etc/splunk.version", "VERSION"),
    )]),
    known(Management, "filebeat", &["filebeat"], &["filebeat"]),
    known(Management, "metricbeat", &["metricbeat"], &["metricbeat"]),
    known(Management, "auditbeat", &["auditbeat"], &["auditbeat"]),
    known(Management, "elastic-agent", &["elastic-agent"], &["elastic-agent"])
        .at(&[trace("/opt/Elastic/Agent:elastic-agent")]),
    known(Management, "logstash", &["logstash"], &["logstash"]),
    known(Management, "kibana", &["kibana"], &["kibana"]),
    known(
        Management,
        "graylog",
        &["graylog-server", "graylog-sidecar"],
        &["graylog-server", "graylog-sidecar"],
    ),
    known(Management, "fluentd", &["fluent-package", "td-agent"], &["fluentd", "td-agent"]),
    known(
        Management,
        "fluent-bit",
        &["fluent-bit", "td-agent-bit"],
        &["fluent-bit", "td-agent-bit"],
    )
    .at(&[trace("/opt/fluent-bit:bin/fluent-bit")]),
    known(Management, "vector", &["vector"], &["vector"]),
    // Configuration.
    known(
        Management,
        "puppet-agent",
        &["puppet-agent", "deb:puppet", "rpm:puppet", "openvox-agent"],
        &["puppet"],
    )
    .at(&[states("/opt/puppetlabs/puppet:VERSION", Line("VERSION"))]),
    known(Management, "puppetserver", &["puppetserver", "openvox-server"], &["puppetserver"]),
    known(Management, "chef", &["chef", "cinc"], &["chef-client", "cinc-client"])
        .at(&[states("/opt/chef:version-manifest.txt", After("version-manifest.txt", "chef "))]),
    known(Management, "salt-minion", &["salt-minion"], &["salt-minion"]),
    known(Management, "salt-master", &["salt-master"], &["salt-master"]),
    known(
        Management,
        "cfengine",
        &["cfengine-nova", "cfengine-community", "cfengine3"],
        &["cfengine3"],
    ),
    known(Management, "ansible", &["ansible", "deb:ansible-core", "rpm:ansible-core"], &[])
        .at(&[trace("/etc/ansible/facts.d")]),
    known(Management, "foreman", &["foreman"], &["foreman"]),
    known(Management, "subscription-manager", &["subscription-manager"], &["rhsmcertd"]),
    known(Management, "insights-client", &["insights-client"], &["insights-client.timer"]),
    known(Management, "suse-manager-client", &["venv-salt-minion"], &["venv-salt-minion"]),
    known(Management, "landscape-client", &["landscape-client"], &["landscape-client"]),
    known(
        Management,
        "ubuntu-pro",
        &["deb:ubuntu-pro-client", "deb:ubuntu-advantage-tools"],
        &["ubuntu-advantage"],
    ),
    known(Management, "bigfix", &["BESAgent", "deb:besagent"], &["besclient"])
        .at(&[trace("/opt/BESClient:bin/BESClient")]),
    // Backup.
    known(
        Management,
        "veeam",
        &["veeam", "veeam-nosnap", "veeamdeployment"],
        &["veeamservice", "veeamdeployment"],
    )
    .at(&[trace("/opt/veeam")]),
    known(Management, "networker", &["lgtoclnt"], &["networker"]),
    known(
        Management,
        "avamar",
        &["AvamarClient", "rpm:AvamarClient-SLES", "deb:avamarclient"],
        &["avagent"],
    )
    .at(&[trace("/usr/local/avamar:bin/avagent.bin")]),
    known(Management, "commvault", &[], &["commvault"])
        .at(&[trace("/opt/commvault:Base/cvd"), trace("/etc/CommVaultRegistry")]),
    known(Management, "netbackup", &["VRTSnbclt", "VRTSnbpck"], &["netbackup"])
        .at(&[trace("/usr/openv/netbackup:bin/version")]),
    known(Management, "spectrum-protect", &["TIVsm-BA", "deb:tivsm-ba"], &["dsmcad"])
        .at(&[trace("/opt/tivoli/tsm/client/ba:bin/dsmc")]),
    known(
        Management,
        "bacula",
        &["deb:bacula-fd", "rpm:bacula-client", "bacula-director", "bacula-sd"],
        &["bacula-fd", "bacula-dir", "bacula-director", "bacula-sd"],
    ),
    known(
        Management,
        "bareos",
        &["bareos-filedaemon", "bareos-director", "bareos-storage"],
        &["bareos-filedaemon", "bareos-fd", "bareos-director", "bareos-dir"],
    ),
    known(Management, "rubrik", &["rubrik-agent"], &["rubrikagents"])
        .at(&[trace("/usr/bin/rubrik:agent/backup_agent_main")]),
    known(Management, "cohesity", &["cohesity-agent"], &["cohesity-agent"]),
    known(Management, "acronis", &["acronis_mms"], &["acronis_mms"])
        .at(&[trace("/usr/lib/Acronis")]),
    known(Management, "restic", &["restic"], &[]),
    known(
        Management,
        "borg",
        &["deb:borgbackup", "rpm:borgbackup", "apk:borgbackup", "pacman:borg"],
        &[],
    ),
    known(Management, "backuppc", &["backuppc", "rpm:BackupPC"], &["backuppc"]),
];
