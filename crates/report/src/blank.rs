//! Systems of which nothing is known, to begin with.

use crate::{
    Boot, Containers, Fact, Family, Identity, Listing, Network, Report, SCHEMA, Security, Storage,
    System, Users,
};

impl Report {
    /// A report on these systems, of which nothing else is known for this reason.
    pub fn of(systems: Vec<System>, why: &str) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            generator: String::new(),
            disks: Vec::new(),
            systems,
            storage: Storage::default(),
            concerns: Listing::unknown(why),
            undecided: Vec::new(),
            profiles: Vec::new(),
            problems: Vec::new(),
        }
    }
}

impl Identity {
    /// Of the family, and everything else unknown for this reason.
    pub fn unknown(family: Family, why: &str) -> Self {
        Self {
            family,
            distribution: Fact::unknown(why),
            like: Vec::new(),
            name: Fact::unknown(why),
            version: Fact::unknown(why),
            codename: Fact::unknown(why),
            edition: Fact::unknown(why),
            build: Fact::unknown(why),
            architecture: Fact::unknown(why),
            hostname: Fact::unknown(why),
            machine_id: Fact::unknown(why),
            time_zone: Fact::unknown(why),
            locale: Fact::unknown(why),
            installed: Fact::unknown(why),
            installation: None,
            first_boot: Fact::unknown(why),
            end_of_life: Fact::unknown(why),
            cpe: Fact::unknown(why),
        }
    }
}

impl System {
    /// A system on this volume of which nothing is known for this reason.
    pub fn unknown(root: impl Into<String>, family: Family, why: &str) -> Self {
        Self {
            root: root.into(),
            identity: Identity::unknown(family, why),
            boot: Boot {
                kernels: Listing::unknown(why),
                default: Fact::unknown(why),
                firmware: Listing::unknown(why),
                drivers: Listing::unknown(why),
            },
            packages: Listing::unknown(why),
            users: Users {
                accounts: Listing::unknown(why),
                groups: Listing::unknown(why),
                sudo: Listing::unknown(why),
            },
            services: Listing::unknown(why),
            network: Network {
                interfaces: Listing::unknown(why),
                routes: Listing::unknown(why),
                nameservers: Listing::unknown(why),
                search: Listing::unknown(why),
                hosts: Listing::unknown(why),
                firewalls: Listing::unknown(why),
                persistent_names: Listing::unknown(why),
            },
            applications: Listing::unknown(why),
            containers: Containers {
                images: Listing::unknown(why),
                containers: Listing::unknown(why),
            },
            security: Security {
                sshd: Fact::unknown(why),
                mandatory_access: Listing::unknown(why),
                password_policy: Listing::unknown(why),
                kernel_parameters: Listing::unknown(why),
                set_id: Listing::unknown(why),
                world_writable: Listing::unknown(why),
                certificates: Listing::unknown(why),
                audit: Fact::unknown(why),
                updates: Fact::unknown(why),
                secure_boot: Fact::unknown(why),
                settings: Listing::unknown(why),
            },
            mounts: Listing::unknown(why),
            swap: Listing::unknown(why),
            problems: Vec::new(),
        }
    }
}
