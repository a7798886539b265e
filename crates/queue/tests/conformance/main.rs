//! What every transport has to do, against the real thing. One list of cases; a transport is a line.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod cases;
mod particular;
mod peer;

use peer::Peer;

macro_rules! suite {
    ($($peer:ident $of:expr;)*) => { $(
        mod $peer {
            suite!(@cases $of;
                one_of_two_consumers_receives
                what_was_published_before_anybody_listened_is_received
                higher_priorities_come_first
                pools_are_apart
                what_is_acknowledged_never_comes_back
                what_a_dropped_consumer_held_comes_back
                what_is_given_back_comes_when_it_is_due
                dead_letters_are_listed_and_replayed
                foreign_messages_arrive_byte_for_byte
                odd_bodies_arrive_or_are_buried
                ten_thousand_by_four_consumers
                waiting_ends_when_something_is_published
                waiting_ends_in_time
                what_waits_is_counted
                nonsense_settings_are_invalid
                another_address_takes_over
                who_may_not_is_told_so
                who_is_not_there_is_told_so
                certificates_are_verified
                a_restart_loses_nothing
                a_server_that_hangs_ends_in_an_error
            );
        }
    )* };
    (@cases $of:expr; $($case:ident)*) => { $(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            crate::cases::$case($of).await;
        }
    )* };
}

suite! {
    folder crate::Peer::Folder;
    amqp crate::Peer::Amqp;
    kafka crate::Peer::Kafka;
    redis crate::Peer::Redis;
}
