//! What Windows says of itself, in its registry above all.
//!
//! Every section reads the registry through [`Registry`], which opens each hive once, with its logs
//! replayed, and notes against the section what could not be read. What a key means is said beside
//! the section that it belongs to.

mod applications;
mod boot;
mod identity;
mod moment;
mod mounts;
mod network;
mod packages;
mod paths;
mod pe;
mod registry;
mod security;
mod services;
mod sid;
#[cfg(test)]
mod tests;
mod users;

use fathom_report::{Containers, Listing, System};

use crate::device::Places;
use crate::inspect::{Deep, Options, Sections};
use crate::languages;

use self::registry::{Hives, Registry};

const KERNEL: &str = "/Windows/System32/ntoskrnl.exe";

/// Everything that is known of a system of Windows.
pub(crate) fn system(
    root: String,
    sections: &mut Sections<'_>,
    places: &Places<'_>,
    options: &Options,
) -> System {
    let hives = Hives::default();
    let (identity, kernel) = sections.collect(|files| {
        let kernel = pe::image(files, KERNEL, identity::HIDES);
        (identity::of(&Registry::new(files, &hives, identity::HIDES), &kernel), kernel)
    });
    let hardware = identity.architecture.value().map(|it| it.0.clone());
    let boot = sections.collect(|files| {
        boot::of(&Registry::new(files, &hives, boot::HIDES), &kernel, places, &root)
    });
    let mut packages = sections.collect(|files| {
        packages::all(&Registry::new(files, &hives, packages::HIDES), hardware.as_deref())
    });
    if options.deep {
        // Where languages keep packages by habit is another matter on Windows.
        let deep = sections.collect(Deep::walk);
        packages.join(sections.collect(|files| {
            files.listing(|| languages::all(files, deep.languages, deep.walked.as_ref()))
        }));
    }
    let services =
        sections.collect(|files| services::all(&Registry::new(files, &hives, services::HIDES)));
    let (mounts, swap) = sections.collect(|files| {
        let registry = Registry::new(files, &hives, mounts::HIDES);
        let letters = registry.listing(|| mounts::letters(&registry, places));
        (letters, registry.listing(|| mounts::swap(&registry)))
    });
    let applications = sections.collect(|files| {
        let registry = Registry::new(files, &hives, applications::HIDES);
        registry.listing(|| applications::all(&registry, &packages, &services))
    });
    let why = "this version does not look for containers on Windows";
    let mut system = System {
        identity,
        boot,
        users: sections.collect(|files| users::all(&Registry::new(files, &hives, users::HIDES))),
        network: sections
            .collect(|files| network::of(&Registry::new(files, &hives, network::HIDES))),
        containers: Containers { images: Listing::unknown(why), containers: Listing::unknown(why) },
        security: sections
            .collect(|files| security::of(&Registry::new(files, &hives, security::HIDES))),
        packages,
        services,
        applications,
        mounts,
        swap,
        root,
        problems: Vec::new(),
    };
    crate::secrets::mask(&mut system);
    system
}
