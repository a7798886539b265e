//! What keeps data, and what passes messages.

use fathom_report::ApplicationKind::{Database, Messaging};

use super::States::{After, Line};
use super::{Known, known, named, states, trace};

pub(in crate::applications) const POSTGRESQL: &str = "postgresql";
pub(in crate::applications) const ORACLE: &str = "oracle-database";

pub(super) const ALL: &[Known] = &[
    known(
        Database,
        POSTGRESQL,
        &[
            "deb:postgresql-#",
            "rpm:postgresql-server",
            "rpm:postgresql#-server",
            "apk:postgresql#",
            "pacman:postgresql",
            "portage:dev-db/postgresql",
        ],
        &["postgresql", "postgresql-#", "postgresql@"],
    )
    .at(&[trace("/usr/local/pgsql:bin/postgres"), named("/opt/postgresql-#:bin/postgres")]),
    known(
        Database,
        "mysql",
        &[
            "mysql-community-server",
            "mysql-commercial-server",
            "deb:mysql-server-#",
            "deb:mysql-server-core-#",
            "rpm:mysql-server",
            "rpm:mysql#-server",
            "pacman:mysql",
            "portage:dev-db/mysql",
        ],
        &["mysql", "mysqld"],
    )
    .at(&[trace("/usr/local/mysql:bin/mysqld"), named("/opt/mysql-#-*:bin/mysqld")])
    .keeps("/var/lib/mysql"),
    known(
        Database,
        "percona-server",
        &["percona-server-server", "deb:percona-server-server-#", "rpm:percona-server-server-#"],
        &["mysql", "mysqld"],
    )
    .keeps("/var/lib/mysql"),
    known(
        Database,
        "mariadb",
        &[
            "mariadb-server",
            "deb:mariadb-server-#",
            "rpm:MariaDB-server",
            "rpm:mariadb#-server",
            "apk:mariadb",
            "pacman:mariadb",
            "portage:dev-db/mariadb",
        ],
        &["mariadb", "mysql", "mysqld"],
    )
    .at(&[trace("/usr/sbin/mariadbd"), trace("/usr/local/mariadb:bin/mariadbd")])
    .keeps("/var/lib/mysql"),
    known(
        Database,
        "mongodb",
        &[
            "mongodb-org-server",
            "mongodb-enterprise-server",
            "deb:mongodb-server",
            "deb:mongodb-server-core",
            "rpm:mongodb-server",
            "apk:mongodb",
            "pacman:mongodb-bin",
        ],
        &["mongod", "mongodb"],
    )
    .at(&[trace("/opt/mongodb*:bin/mongod"), trace("/usr/local/mongodb*:bin/mongod")]),
    known(
        Database,
        "redis",
        &["deb:redis-server", "rpm:redis", "apk:redis", "pacman:redis", "snap:redis"],
        &["redis-server", "redis", "redis-server@", "redis@"],
    )
    .at(&[trace("/usr/local:bin/redis-server")])
    .keeps("/var/lib/redis"),
    known(
        Database,
        "valkey",
        &["deb:valkey-server", "rpm:valkey", "apk:valkey", "pacman:valkey"],
        &["valkey-server", "valkey", "valkey@"],
    )
    .at(&[trace("/usr/local:bin/valkey-server")]),
    known(Database, "keydb", &["keydb-server", "rpm:keydb"], &["keydb-server", "keydb"]),
    known(
        Database,
        ORACLE,
        &["rpm:oracle-database-xe-#c", "rpm:oracle-database-ee-#c"],
        &["oracle-xe-#c"],
    ),
    known(Database, "sql-server", &["mssql-server"], &["mssql-server"])
        .at(&[trace("/opt/mssql:bin/sqlservr")])
        .keeps("/var/opt/mssql"),
    known(Database, "db2", &[], &["db2fmcd"])
        .at(&[named("/opt/ibm/db2/V#"), named("/opt/IBM/db2/V#")]),
    known(Database, "cassandra", &["cassandra", "dse-full"], &["cassandra", "dse"])
        .at(&[named("/opt/apache-cassandra-#"), named("/usr/local/apache-cassandra-#")])
        .keeps("/var/lib/cassandra"),
    known(Database, "scylla", &["scylla-server"], &["scylla-server"]),
    known(Database, "elasticsearch", &["elasticsearch"], &["elasticsearch"])
        .at(&[named("/opt/elasticsearch-#"), named("/usr/local/elasticsearch-#")])
        .keeps("/var/lib/elasticsearch"),
    known(Database, "opensearch", &["opensearch"], &["opensearch"])
        .at(&[named("/opt/opensearch-#"), named("/usr/local/opensearch-#")])
        .keeps("/var/lib/opensearch"),
    known(Database, "solr", &["deb:solr-tomcat", "deb:solr-jetty"], &["solr"])
        .at(&[named("/opt/solr-#"), named("/srv/solr-#")]),
    known(
        Database,
        "influxdb",
        &["influxdb2", "influxdb", "influxdb3-core"],
        &["influxdb", "influxd"],
    )
    .keeps("/var/lib/influxdb"),
    known(Database, "couchdb", &["couchdb"], &["couchdb"]).at(&[trace("/opt/couchdb:bin/couchdb")]),
    known(
        Database,
        "couchbase",
        &["couchbase-server", "couchbase-server-community"],
        &["couchbase-server"],
    )
    .at(&[states("/opt/couchbase:VERSION.txt", Line("VERSION.txt"))]),
    known(Database, "neo4j", &["neo4j", "neo4j-enterprise"], &["neo4j"])
        .at(&[named("/opt/neo4j-*-#")]),
    known(Database, "clickhouse", &["clickhouse-server"], &["clickhouse-server"])
        .keeps("/var/lib/clickhouse"),
    known(Database, "cockroachdb", &["cockroach"], &["cockroach", "cockroachdb"])
        .at(&[trace("/usr/local:bin/cockroach")]),
    known(
        Database,
        "firebird",
        &["deb:firebird#-server", "deb:firebird#-server-core", "rpm:firebird"],
        &["firebird#", "firebird", "firebird-superserver"],
    )
    .at(&[trace("/opt/firebird:bin/firebird")]),
    known(
        Database,
        "etcd",
        &["deb:etcd-server", "rpm:etcd", "apk:etcd", "pacman:etcd", "snap:etcd"],
        &["etcd"],
    )
    .at(&[trace("/usr/local:bin/etcd")])
    .keeps("/var/lib/etcd"),
    known(Database, "memcached", &["memcached"], &["memcached"]),
    known(Database, "sap", &[], &["sapinit", "sapinit2"])
        .at(&[trace("/usr/sap:sapservices"), trace("/usr/sap:hostctrl/exe/saphostexec")]),
    known(Messaging, "rabbitmq", &["rabbitmq-server"], &["rabbitmq-server", "rabbitmq"])
        .at(&[named("/opt/rabbitmq_server-#"), named("/usr/local/rabbitmq_server-#")])
        .keeps("/var/lib/rabbitmq"),
    known(
        Messaging,
        "kafka",
        &["confluent-kafka", "confluent-server", "pacman:kafka"],
        &["kafka", "confluent-kafka"],
    )
    .at(&[
        named("/opt/*kafka*:libs/kafka_#-#.jar"),
        named("/usr/local/*kafka*:libs/kafka_#-#.jar"),
        named("/srv/*kafka*:libs/kafka_#-#.jar"),
    ]),
    known(
        Messaging,
        "zookeeper",
        &["deb:zookeeperd", "deb:zookeeper", "rpm:zookeeper", "confluent-zookeeper"],
        &["zookeeper", "confluent-zookeeper"],
    )
    .at(&[
        named("/opt/*zookeeper*:lib/zookeeper-#.jar"),
        named("/usr/local/*zookeeper*:lib/zookeeper-#.jar"),
    ]),
    known(Messaging, "activemq", &["activemq"], &["activemq"]).at(&[
        named("/opt/apache-activemq-#:bin/activemq"),
        named("/opt/*activemq*:activemq-all-#.jar"),
        named("/usr/local/apache-activemq-#:bin/activemq"),
    ]),
    known(Messaging, "artemis", &[], &["artemis"])
        .at(&[named("/opt/apache-artemis-#:bin/artemis")]),
    known(Messaging, "mosquitto", &["mosquitto", "snap:mosquitto"], &["mosquitto"]),
    known(Messaging, "nats", &["nats-server", "snap:nats"], &["nats-server", "nats"])
        .at(&[trace("/usr/local:bin/nats-server")]),
    known(Messaging, "emqx", &["emqx", "emqx-enterprise"], &["emqx"]),
    known(Messaging, "redpanda", &["redpanda"], &["redpanda"]),
    known(Messaging, "ibm-mq", &["rpm:MQSeriesServer", "deb:ibmmq-server"], &[])
        .at(&[states("/opt/mqm:bin/strmqm", After("mqinst.ini", "InstallationVersion="))]),
];
