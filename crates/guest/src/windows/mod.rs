//! What Windows says of itself, in its registry above all.

use fathom_report::{Containers, Fact, Listing, Network, Security, System, Users};

use crate::device::Places;
use crate::identity;
use crate::inspect::{Options, Sections};

/// Everything that is known of a system of Windows.
pub(crate) fn system(
    root: String,
    sections: &mut Sections<'_>,
    _places: &Places<'_>,
    _options: &Options,
) -> System {
    let why = "this version does not look for it";
    System {
        root,
        identity: sections.collect(identity::identify),
        boot: fathom_report::Boot {
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
        containers: Containers { images: Listing::unknown(why), containers: Listing::unknown(why) },
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
