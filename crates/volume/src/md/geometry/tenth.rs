//! RAID 10: every chunk several times, on different members. *Near* copies lie beside each other in
//! the same stripe; *far* ones in another part of the members, or in the next stripe (*offset*),
//! each moved on by some members.

use fathom_block::{Error, Result};

use super::{Place, Shape, chunk, contradiction};

#[derive(Debug)]
pub(in super::super) struct Tenth {
    chunk: u64,
    devices: u64,
    near: u64,
    far: u64,
    /// Far copies lie in the next stripe.
    offset: bool,
    /// Far copies stay within groups of so many members.
    group: u64,
    /// How far apart far copies lie on the members.
    stride: u64,
    length: u64,
    used: u64,
}

impl Tenth {
    pub(super) fn new(shape: &Shape) -> Result<Self> {
        let chunk = chunk(shape)?;
        let (layout, devices) = (shape.layout, u64::from(shape.devices));
        let (near, far) = (u64::from(layout & 0xFF), u64::from(layout >> 8 & 0xFF));
        if near == 0 || far == 0 || near * far > devices {
            let why = format!("layout {layout:#x} on {devices} devices");
            return Err(contradiction(shape, &why));
        }
        let offset = layout & 0x1_0000 != 0;
        if offset && !devices.is_multiple_of(near) {
            // The kernel puts a near copy that goes around the end over an offset copy of another
            // chunk, so that only the first copy is sure.
            let why = format!("copies overlap in the layout {layout:#x} on {devices} devices");
            return Err(Error::unsupported("md array of level raid10", why));
        }
        let group = match layout >> 17 {
            0 => devices,
            1 => devices / far,
            2 => far * near,
            _ => {
                let why = format!("the layout {layout:#x} is not known");
                return Err(Error::unsupported("md array of level raid10", why));
            }
        };
        let too_large = || contradiction(shape, "it is larger than any disk");
        // All in chunks: of the array, then of every member.
        let chunks = shape.size / chunk / far;
        let chunks = chunks.checked_mul(devices).ok_or_else(too_large)? / near;
        let on_each = chunks.checked_mul(near * far).ok_or_else(too_large)?.div_ceil(devices);
        let stride = if offset { 1 } else { on_each / far };
        let length = (on_each / far).checked_mul(devices).ok_or_else(too_large)? / near;
        let bytes = |chunks: u64| chunks.checked_mul(chunk).ok_or_else(too_large);
        Ok(Self {
            chunk,
            devices,
            near,
            far,
            offset,
            group,
            stride: bytes(stride)?,
            length: bytes(length)?,
            used: bytes(on_each)?,
        })
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    pub(super) fn used(&self) -> u64 {
        self.used
    }

    pub(super) fn copies(&self) -> usize {
        (self.near * self.far) as usize
    }

    pub(super) fn run(&self, at: u64) -> u64 {
        self.chunk - at % self.chunk
    }

    /// The copies of a chunk come in the order in which the kernel counts them: each near copy,
    /// followed by its far ones.
    pub(super) fn place(&self, at: u64, copy: usize) -> Place {
        let (near, far) = (copy as u64 / self.far, copy as u64 % self.far);
        let index = at / self.chunk * self.near + near;
        let (mut stripe, mut device) = (index / self.devices, index % self.devices);
        if self.offset {
            stripe *= self.far;
        }
        for _ in 0..far {
            device = self.next(device);
        }
        let at = stripe * self.chunk + at % self.chunk + far * self.stride;
        Place { slot: device as usize, at }
    }

    /// The member of the next far copy of what lies on `device`. Where the members do not come out
    /// even in groups, the last group has the rest too.
    fn next(&self, device: u64) -> u64 {
        let rest = self.devices % self.group;
        let last = (self.devices / self.group - 1) * self.group;
        let next = device + self.near;
        if rest != 0 && next > last {
            last + (next - last) % (self.group + rest)
        } else {
            next % self.group + device / self.group * self.group
        }
    }

    /// Whether every chunk has a copy on a member that is there. Which members share a chunk
    /// repeats after as many chunks as there are members.
    pub(super) fn is_complete(&self, has: impl Fn(usize) -> bool) -> bool {
        let chunks = self.devices.min(self.length / self.chunk);
        (0..chunks).all(|chunk| {
            (0..self.copies()).any(|copy| has(self.place(chunk * self.chunk, copy).slot))
        })
    }
}
