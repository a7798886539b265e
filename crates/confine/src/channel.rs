//! Messages between a parent and its child.
//!
//! A message travels in packets of a bounded size, which the kernel keeps apart (`SOCK_SEQPACKET`):
//! one that is garbage spoils itself and never the next. Descriptors go with the first packet.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

/// The most bytes of one packet, its mark included.
const PACKET: usize = 64 << 10;

/// The most descriptors of one message.
const DESCRIPTORS: usize = 8;

/// The mark of a packet that others of the same message follow.
const MORE: u8 = 1;
/// The mark of the last packet of a message.
const LAST: u8 = 0;

/// A message.
#[derive(Debug, Default)]
pub struct Message {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The descriptors that came with it.
    pub descriptors: Vec<OwnedFd>,
}

/// One end of the connection between a parent and its child.
#[derive(Debug)]
pub struct Channel {
    socket: OwnedFd,
    /// Until when to wait for the other side. For ever where there is none.
    deadline: Option<Instant>,
    /// Whether descriptors are taken.
    takes: bool,
}

impl Channel {
    /// The child's end: it waits as long as its parent lives, and takes descriptors.
    pub(crate) fn of_child(socket: OwnedFd) -> Self {
        Self { socket, deadline: None, takes: true }
    }

    /// The parent's end: it waits until the deadline, and takes no descriptors.
    pub(crate) fn of_parent(socket: OwnedFd, deadline: Instant) -> Self {
        Self { socket, deadline: Some(deadline), takes: false }
    }

    /// Sets another deadline; says the one before.
    pub(crate) fn wait_until(&mut self, deadline: Option<Instant>) -> Option<Instant> {
        std::mem::replace(&mut self.deadline, deadline)
    }

    pub(crate) fn socket(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Sends a message. [`io::ErrorKind::TimedOut`] says that the deadline came first, and
    /// [`io::ErrorKind::BrokenPipe`] that the other side is gone.
    pub fn send(&self, bytes: &[u8], descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
        if descriptors.len() > DESCRIPTORS {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("a message takes at most {DESCRIPTORS} descriptors"),
            ));
        }
        let mut rest = bytes;
        let mut with = descriptors;
        loop {
            let (now, later) = rest.split_at(rest.len().min(PACKET - 1));
            let mark = if later.is_empty() { LAST } else { MORE };
            self.send_packet(mark, now, with)?;
            if later.is_empty() {
                return Ok(());
            }
            (rest, with) = (later, &[]);
        }
    }

    fn send_packet(&self, mark: u8, bytes: &[u8], with: &[BorrowedFd<'_>]) -> io::Result<()> {
        let mark = [mark];
        let parts = [IoSlice::new(&mark), IoSlice::new(bytes)];
        loop {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
            let mut control = SendAncillaryBuffer::new(&mut space);
            if !with.is_empty() && !control.push(SendAncillaryMessage::ScmRights(with)) {
                return Err(io::ErrorKind::InvalidInput.into());
            }
            let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
            match sendmsg(&self.socket, &parts, &mut control, flags) {
                // A packet is sent as a whole or not at all.
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN | Errno::NOBUFS) => self.wait(PollFlags::OUT)?,
                Err(Errno::PIPE | Errno::CONNRESET) => {
                    return Err(io::ErrorKind::BrokenPipe.into());
                }
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    /// Receives a message of at most `ceiling` bytes; none if the other side is gone.
    /// [`io::ErrorKind::TimedOut`] says that the deadline came first, [`io::ErrorKind::InvalidData`]
    /// that the other side does not keep to the rules.
    pub fn receive(&self, ceiling: usize) -> io::Result<Option<Message>> {
        let mut message = Message::default();
        let mut buffer = vec![0; PACKET];
        let mut is_first = true;
        loop {
            let Some(length) = self.receive_packet(&mut buffer, &mut message.descriptors)? else {
                return match is_first {
                    true => Ok(None),
                    false => Err(invalid("a message without an end")),
                };
            };
            let Some((mark, bytes)) = buffer[..length].split_first() else { return Ok(None) };
            if message.bytes.len() + bytes.len() > ceiling {
                return Err(invalid("a message that is longer than it may be"));
            }
            if !is_first && bytes.is_empty() {
                return Err(invalid("a message in empty parts"));
            }
            message.bytes.extend_from_slice(bytes);
            match *mark {
                LAST => return Ok(Some(message)),
                MORE => is_first = false,
                _ => return Err(invalid("a packet of no known kind")),
            }
        }
    }

    fn receive_packet(
        &self,
        buffer: &mut [u8],
        descriptors: &mut Vec<OwnedFd>,
    ) -> io::Result<Option<usize>> {
        loop {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
            let mut control = match self.takes {
                true => RecvAncillaryBuffer::new(&mut space),
                // The kernel throws away what there is no room for, and says so.
                false => RecvAncillaryBuffer::default(),
            };
            let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
            let mut parts = [IoSliceMut::new(buffer)];
            match recvmsg(&self.socket, &mut parts, &mut control, flags) {
                Ok(received) => {
                    for part in control.drain() {
                        if let RecvAncillaryMessage::ScmRights(came) = part {
                            descriptors.extend(came);
                        }
                    }
                    if received.flags.contains(ReturnFlags::CTRUNC) {
                        return Err(invalid("descriptors that nobody asked for"));
                    }
                    if received.flags.contains(ReturnFlags::TRUNC) {
                        return Err(invalid("a packet that is longer than it may be"));
                    }
                    return Ok((received.bytes > 0).then_some(received.bytes));
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => self.wait(PollFlags::IN)?,
                Err(Errno::CONNRESET) => return Ok(None),
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    /// Waits until the socket is ready, or the deadline has come.
    fn wait(&self, ready: PollFlags) -> io::Result<()> {
        let left = match self.deadline {
            None => None,
            Some(deadline) => match deadline.checked_duration_since(Instant::now()) {
                Some(left) if !left.is_zero() => Some(left.min(Duration::from_secs(3600))),
                _ => return Err(io::ErrorKind::TimedOut.into()),
            },
        };
        let left = left.and_then(|left| left.try_into().ok());
        match poll(&mut [PollFd::new(&self.socket, ready)], left.as_ref()) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

    use super::*;

    fn pair() -> (Channel, Channel) {
        let (one, other) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
                .unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        (Channel::of_parent(one, deadline), Channel::of_child(other))
    }

    #[test]
    fn messages_of_every_length_arrive_whole() {
        for length in [0, 1, PACKET - 2, PACKET - 1, PACKET, 3 * PACKET, 1 << 20] {
            let (parent, child) = pair();
            let bytes: Vec<u8> = (0..length).map(|at| (at / 3) as u8).collect();
            std::thread::scope(|scope| {
                scope.spawn(|| child.send(&bytes, &[]).unwrap());
                let message = parent.receive(length).unwrap().unwrap();
                assert!(message.bytes == bytes, "{length}");
            });
            drop(child);
            assert!(parent.receive(1).unwrap().is_none());
        }
    }

    #[test]
    fn a_child_is_handed_descriptors_and_hands_none() {
        use std::io::Write as _;
        use std::os::unix::fs::FileExt as _;
        let (parent, child) = pair();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"bytes").unwrap();
        parent.send(b"here", &[file.as_fd(), file.as_fd()]).unwrap();
        let message = child.receive(100).unwrap().unwrap();
        assert_eq!(message.descriptors.len(), 2);
        let mut bytes = [0; 5];
        let came = message.descriptors.into_iter().next().unwrap();
        std::fs::File::from(came).read_exact_at(&mut bytes, 0).unwrap();
        assert_eq!(&bytes, b"bytes");
        child.send(b"there", &[file.as_fd()]).unwrap();
        assert_eq!(parent.receive(100).unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert!(parent.send(b"", &[file.as_fd(); DESCRIPTORS + 1]).is_err());
    }

    #[test]
    fn what_breaks_the_rules_is_told_apart() {
        let check = |packets: &[&[u8]], expected: &str| {
            let (parent, child) = pair();
            for packet in packets {
                rustix::net::send(child.socket(), packet, SendFlags::empty()).unwrap();
            }
            drop(child);
            let error = parent.receive(10).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
            assert!(error.to_string().contains(expected), "{error}");
        };
        check(&[b"\x07abc"], "no known kind");
        check(&[b"\x01abc"], "without an end");
        check(&[b"\x01abc", b"\x01"], "empty parts");
        check(&[b"\x01abcdef", b"\x00abcdef"], "longer than it may be");
        check(&[&vec![0; PACKET + 1]], "longer than it may be");
    }

    #[test]
    fn whoever_does_not_answer_is_not_waited_for() {
        let (mut parent, child) = pair();
        parent.wait_until(Some(Instant::now() + Duration::from_millis(30)));
        assert_eq!(parent.receive(1).unwrap_err().kind(), io::ErrorKind::TimedOut);
        let much = vec![0; 16 << 20];
        assert_eq!(parent.send(&much, &[]).unwrap_err().kind(), io::ErrorKind::TimedOut);
        drop(child);
        assert_eq!(parent.send(&much, &[]).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
