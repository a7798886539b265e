//! RAID 1: everything on every member.

use super::Shape;

#[derive(Debug)]
pub(in super::super) struct Mirror {
    length: u64,
    devices: u32,
}

impl Mirror {
    pub(super) fn new(shape: &Shape) -> Self {
        Self { length: shape.size, devices: shape.devices }
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    pub(super) fn copies(&self) -> usize {
        self.devices as usize
    }
}
