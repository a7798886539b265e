//! The scripts that run in Redis: each happens wholly or not at all.

use redis::{Cmd, ToRedisArgs};

/// A script, which is sent whole each time: it is small, and nothing can have forgotten it.
pub(super) struct Script(&'static str);

/// Brings back what is due, takes over what is abandoned, hands out.
pub(super) const RECEIVE: Script = Script(include_str!("receive.lua"));
/// Puts an entry among those that are due later.
pub(super) const GIVE_BACK: Script = Script(include_str!("give_back.lua"));
/// Puts an entry to the dead letters.
pub(super) const BURY: Script = Script(include_str!("bury.lua"));
/// Lists dead letters.
pub(super) const BURIED: Script = Script(include_str!("buried.lua"));
/// Puts a dead letter back into its stream.
pub(super) const REPLAY: Script = Script(include_str!("replay.lua"));
/// Trims a stream to what nobody waits for.
pub(super) const TRIM: Script = Script(include_str!("trim.lua"));
/// Counts what waits.
pub(super) const DEPTH: Script = Script(include_str!("depth.lua"));

impl Script {
    /// The command that runs it on these keys; its arguments are added to that.
    pub(super) fn on<K: ToRedisArgs>(&self, keys: &[K]) -> Cmd {
        let mut command = redis::cmd("EVAL");
        command.arg(self.0).arg(keys.len()).arg(keys);
        command
    }
}
