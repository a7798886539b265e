//! An entry of a boot loader's menu, while it is being found.

use fathom_report::{BootEntry, Kernel, Listing};

use super::ground::{Ground, Located};

/// What an entry starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) loader: &'static str,
    pub(super) title: Option<String>,
    pub(super) image: Option<Located>,
    pub(super) initramfs: Vec<Located>,
    pub(super) arguments: Option<String>,
}

impl Entry {
    /// As the report tells it. The release is that of the installed kernel that it starts.
    pub(super) fn told(&self, ground: &Ground<'_>, kernels: &Listing<Kernel>) -> BootEntry {
        let image = self.image.as_ref().map(|image| image.shown(ground));
        BootEntry {
            loader: self.loader.to_owned(),
            title: self.title.clone(),
            version: self.kernel(ground, kernels).map(|kernel| kernel.version.clone()),
            image,
            initramfs: self.initramfs.iter().map(|one| one.shown(ground)).collect(),
            arguments: self.arguments.clone(),
        }
    }

    /// The installed kernel that it starts.
    pub(super) fn kernel<'k>(
        &self,
        ground: &Ground<'_>,
        kernels: &'k Listing<Kernel>,
    ) -> Option<&'k Kernel> {
        let image = match self.image.as_ref()? {
            Located::Elsewhere(_) => return None,
            image => image.shown(ground),
        };
        let exact = kernels.items.iter().find(|kernel| kernel.image.as_deref() == Some(&image));
        exact.or_else(|| {
            // It was listed by another of its names.
            let node = |path: &str| {
                let found = ground.files.found(path, super::HIDES).there()?;
                Some((std::ptr::from_ref(&*found.filesystem).addr(), found.node))
            };
            let ours = node(&image)?;
            let images = kernels.items.iter();
            let mut images = images.filter_map(|kernel| Some((kernel, kernel.image.as_deref()?)));
            images.find(|(_, path)| node(path) == Some(ours)).map(|(kernel, _)| kernel)
        })
    }
}
