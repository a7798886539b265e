//! What serves pages, and what runs the programs of an enterprise.

use fathom_report::ApplicationKind::{ApplicationServer, WebServer};

use super::States::{After, Variable};
use super::{Known, known, named, states, trace};

const TOMCAT: super::States = After("RELEASE-NOTES", "Apache Tomcat Version ");
const EAP: super::States = After("version.txt", " Version ");
const WILDFLY: super::States = After(
    "modules/system/layers/base/org/jboss/as/product/main/dir/META-INF/MANIFEST.MF",
    "JBoss-Product-Release-Version: ",
);
const OLD_WILDFLY: super::States = After(
    "modules/system/layers/base/org/jboss/as/product/wildfly-full/dir/META-INF/MANIFEST.MF",
    "JBoss-Product-Release-Version: ",
);
const WEBLOGIC: super::States =
    After("inventory/registry.xml", "component name=\"WebLogic Server\" version=\"");

pub(super) const SERVERS: &[Known] = &[
    known(
        WebServer,
        "nginx",
        &[
            "deb:nginx-core",
            "deb:nginx-full",
            "deb:nginx-extras",
            "deb:nginx-light",
            "rpm:nginx-core",
            "nginx",
            "nginx-plus",
            "pacman:nginx-mainline",
            "portage:www-servers/nginx",
        ],
        &["nginx"],
    )
    .at(&[trace("/usr/local/nginx:sbin/nginx"), trace("/opt/nginx*:sbin/nginx")]),
    known(WebServer, "openresty", &["openresty"], &["openresty"])
        .at(&[trace("/usr/local/openresty:nginx/sbin/nginx")]),
    known(
        WebServer,
        "apache",
        &[
            "deb:apache2",
            "rpm:httpd",
            "rpm:httpd-core",
            "rpm:apache2",
            "apk:apache2",
            "pacman:apache",
            "portage:www-servers/apache",
        ],
        &["apache2", "httpd"],
    )
    .at(&[trace("/usr/local/apache2:bin/httpd"), trace("/opt/httpd*:bin/httpd")]),
    known(WebServer, "caddy", &["caddy"], &["caddy"]).at(&[trace("/usr/local:bin/caddy")]),
    known(WebServer, "haproxy", &["haproxy"], &["haproxy"]).at(&[trace("/usr/local:sbin/haproxy")]),
    known(WebServer, "lighttpd", &["lighttpd"], &["lighttpd"]),
    known(WebServer, "varnish", &["varnish"], &["varnish"]),
    known(WebServer, "squid", &["squid", "deb:squid-openssl", "deb:squid3"], &["squid", "squid3"]),
    known(WebServer, "traefik", &["traefik"], &["traefik"]).at(&[trace("/usr/local:bin/traefik")]),
    known(WebServer, "envoy", &["envoy", "getenvoy-envoy"], &["envoy"])
        .at(&[trace("/usr/local:bin/envoy")]),
    known(WebServer, "kong", &["kong", "kong-enterprise-edition"], &["kong"]),
    known(WebServer, "trafficserver", &["trafficserver"], &["trafficserver"]),
];

pub(super) const APPLICATION_SERVERS: &[Known] = &[
    known(
        ApplicationServer,
        "tomcat",
        &["deb:tomcat#", "rpm:tomcat", "rpm:tomcat#", "pacman:tomcat#", "apk:tomcat"],
        &["tomcat#", "tomcat"],
    )
    .at(&[
        states("/opt/*tomcat*:RELEASE-NOTES", TOMCAT),
        states("/opt/tomcat/*tomcat*:RELEASE-NOTES", TOMCAT),
        states("/usr/local/*tomcat*:RELEASE-NOTES", TOMCAT),
        states("/srv/*tomcat*:RELEASE-NOTES", TOMCAT),
        states("/usr/share/*tomcat*:RELEASE-NOTES", TOMCAT),
    ]),
    known(ApplicationServer, "jetty", &["deb:jetty#", "rpm:jetty"], &["jetty#", "jetty"])
        .at(&[named("/opt/jetty-*-#:start.jar")]),
    known(ApplicationServer, "jboss-eap", &["rpm:eap#-wildfly"], &["jboss-eap", "eap#-standalone"])
        .at(&[
            states("/opt/jboss-eap*:version.txt", EAP),
            states("/usr/local/jboss-eap*:version.txt", EAP),
            states("/srv/jboss-eap*:version.txt", EAP),
        ]),
    known(ApplicationServer, "wildfly", &["wildfly"], &["wildfly"]).at(&[
        states("/opt/wildfly*:bin/standalone.sh", WILDFLY),
        states("/opt/wildfly*:bin/standalone.sh", OLD_WILDFLY),
        states("/usr/local/wildfly*:bin/standalone.sh", WILDFLY),
        states("/srv/wildfly*:bin/standalone.sh", WILDFLY),
    ]),
    known(ApplicationServer, "glassfish", &[], &["glassfish"])
        .at(&[trace("/opt/glassfish*:glassfish/bin/asadmin")]),
    known(ApplicationServer, "payara", &[], &["payara"])
        .at(&[trace("/opt/payara*:glassfish/bin/asadmin")]),
    known(ApplicationServer, "weblogic", &[], &[]).at(&[
        states("/u01/oracle:wlserver/server/lib/weblogic.jar", WEBLOGIC),
        states("/u01/app/oracle/*:wlserver/server/lib/weblogic.jar", WEBLOGIC),
        states("/opt/oracle/*:wlserver/server/lib/weblogic.jar", WEBLOGIC),
        states("/opt/weblogic*:wlserver/server/lib/weblogic.jar", WEBLOGIC),
    ]),
    known(ApplicationServer, "websphere", &[], &[]).at(&[states(
        "/opt/IBM/WebSphere/AppServer*:properties/version/WAS.product",
        After("properties/version/WAS.product", "<version>"),
    )]),
    known(ApplicationServer, "websphere-liberty", &[], &[]).at(&[states(
        "/opt/*/wlp:lib/versions/WebSphereApplicationServer.properties",
        After(
            "lib/versions/WebSphereApplicationServer.properties",
            "com.ibm.websphere.productVersion=",
        ),
    )]),
    known(ApplicationServer, "keycloak", &["keycloak"], &["keycloak"]).at(&[
        states("/opt/keycloak*:version.txt", After("version.txt", "Version ")),
        states("/opt/keycloak*:bin/kc.sh", After("version.txt", "Version ")),
    ]),
    known(ApplicationServer, "jenkins", &["jenkins"], &["jenkins"]).keeps("/var/lib/jenkins"),
    known(
        ApplicationServer,
        "gitlab",
        &["gitlab-ee", "gitlab-ce", "deb:gitlab"],
        &["gitlab-runsvdir"],
    )
    .at(&[states("/opt/gitlab:version-manifest.txt", After("version-manifest.txt", "gitlab-ce "))]),
    known(ApplicationServer, "nexus", &["nexus-repository-manager"], &["nexus"]).at(&[
        named("/opt/nexus-*:bin/nexus"),
        trace("/opt/nexus:bin/nexus"),
        trace("/opt/sonatype/nexus*:bin/nexus"),
    ]),
    known(
        ApplicationServer,
        "artifactory",
        &["jfrog-artifactory-pro", "jfrog-artifactory-oss"],
        &["artifactory"],
    ),
    known(ApplicationServer, "sonarqube", &[], &["sonarqube", "sonar"])
        .at(&[named("/opt/sonarqube-#"), trace("/opt/sonarqube:bin")]),
    known(ApplicationServer, "confluence", &[], &["confluence"])
        .at(&[trace("/opt/atlassian/confluence:bin/start-confluence.sh")]),
    known(ApplicationServer, "jira", &[], &["jira"])
        .at(&[trace("/opt/atlassian/jira:bin/start-jira.sh")]),
    known(ApplicationServer, "splunk", &["splunk"], &["Splunkd", "splunk"])
        .at(&[states("/opt/splunk:etc/splunk.version", Variable("etc/splunk.version", "VERSION"))]),
];
