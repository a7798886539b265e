//! What every place for documents has to do, against the real thing. One list of cases; a place is a
//! line.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod bench;
mod bucket;
mod cases;
mod folder;

macro_rules! suite {
    ($($place:ident $of:expr;)*) => { $(
        mod $place {
            suite!(@cases $of;
                what_is_put_is_there_until_it_is_taken_away
                the_same_again_is_as_good_as_made
                another_content_is_refused_and_changes_nothing
                what_is_not_there_is_told
                no_more_is_read_than_was_asked_for
                lists_are_in_order_and_by_whole_parts
                of_many_who_make_the_same_one_does
                who_may_not_replaces_nothing
                who_lost_the_right_does_not_win
                documents_of_some_size
            );
        }
    )* };
    (@cases $of:expr; $($case:ident)*) => { $(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            if let Some(bench) = $of {
                crate::cases::$case(&bench).await;
            }
        }
    )* };
}

suite! {
    in_a_folder crate::bench::Bench::folder();
    in_a_bucket crate::bench::Bench::bucket("http").await;
    over_tls crate::bench::Bench::bucket("https").await;
}
