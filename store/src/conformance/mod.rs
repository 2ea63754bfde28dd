//! What every store must do, as tests that any backend can run against itself.
//!
//! A backend runs all of it by one line in its tests, each case as a test of its own:
//!
//! ```ignore
//! store::conformance_tests!(open_my_store());
//! ```
//!
//! where `open_my_store()` is a future that gives what dereferences to a store, a box or a guard that removes it again; or
//! nothing, where the server that it needs is left out.
//! Each case uses streams of its own, so a store may be shared by
//! all of them, and by runs before. Cases take random turns from a seed that their failures print; `TIDEGATE_SEED=n` runs
//! that seed alone, `TIDEGATE_SEEDS=n` so many.
//!
//! To add a case: write it in the file of its trait, and name it in `conformance_cases!`.

mod fixture;
mod leases_model;
mod model;

pub mod catalog;
pub mod dead_letters;
pub mod entries;
pub mod ids;
pub mod journal;
pub mod leases;
pub mod merging;
pub mod messages;
pub mod topics;
pub mod workers;

/// What a case comes to: it panics where the store does wrong, and fails with the store's own error.
pub type Outcome = Result<(), crate::StoreError>;

/// Runs all cases, one after the other.
///
/// # Errors
/// The store's first error.
pub async fn run_all<S: crate::Store + crate::Entries>(store: &S) -> Outcome {
    crate::conformance_cases!(conformance_calls!(store));
    Ok(())
}

/// Makes a test of each case. The expression is a future that gives what dereferences to a store, or nothing.
#[macro_export]
macro_rules! conformance_tests {
    ($make:expr) => {
        $crate::conformance_cases!(conformance_functions!($make));
    };
}

/// The list of cases, handed to another macro of this crate.
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_cases {
    ($then:ident!($with:expr)) => {
        $crate::$then! {
            $with;
            messages::what_is_written_comes_back_byte_for_byte,
            messages::pages_agree_with_a_model,
            messages::rows_written_again_change_nothing,
            messages::a_page_ends_by_bytes_but_gives_a_row,
            messages::writers_at_once_lose_nothing,
            topics::lists_agree_with_a_model,
            topics::a_list_is_read_in_pieces,
            merging::merged_topics_agree_with_a_model,
            merging::a_merge_loads_little_more_than_it_gives,
            merging::a_merge_keeps_to_its_bytes,
            journal::a_reader_gets_every_row_once_and_waits,
            journal::batches_cut_anew_still_cover,
            journal::what_was_never_there_is_a_gap_up_to_the_checkpoint,
            journal::a_row_appended_again_changes_nothing,
            journal::empty_rows_are_rows,
            journal::sequences_wider_than_64_bits_keep_their_order,
            ids::the_earlier_claim_wins_within_the_window,
            ids::claims_of_one_batch_count,
            ids::many_claims_are_decided_together,
            ids::a_late_claim_of_an_earlier_record_wins,
            ids::claims_agree_with_a_model,
            leases::a_zombie_can_not_write_a_checkpoint,
            leases::checkpoints_never_go_back,
            leases::claims_at_once_get_different_epochs,
            workers::partitions_are_registered_once_and_after_their_parents,
            workers::of_claims_at_once_one_is_made,
            workers::whoever_saw_an_old_epoch_claims_nothing,
            workers::a_zombie_renews_and_gives_up_nothing,
            workers::a_heartbeat_moves_by_renewals_alone,
            workers::what_is_given_up_waits_for_the_next,
            workers::an_end_names_its_children_and_stays,
            workers::who_asks_for_a_partition_is_known_until_the_next_claim,
            workers::only_what_has_ended_is_forgotten,
            workers::leases_agree_with_a_model,
            catalog::streams_are_compared_and_set,
            catalog::shapes_are_compared_and_set,
            catalog::of_writers_at_once_one_wins,
            entries::entries_are_compared_and_set,
            entries::an_entry_that_was_removed_begins_again,
            entries::kinds_are_lists_of_their_own,
            entries::of_changes_at_once_one_is_made,
            entries::every_change_is_seen_by_whoever_follows,
            dead_letters::letters_are_listed_by_position,
            dead_letters::a_letter_kept_again_changes_nothing,
            dead_letters::a_letter_that_was_removed_stays_so,
            dead_letters::of_decisions_at_once_one_is_made,
            dead_letters::what_is_discarded_is_gone,
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! conformance_calls {
    ($store:expr; $($module:ident :: $case:ident,)+) => {
        $($crate::conformance::$module::$case($store).await?;)+
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! conformance_functions {
    ($make:expr; $($module:ident :: $case:ident,)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let Some(store) = $make.await else { return };
                let outcome = $crate::conformance::$module::$case(&*store).await;
                assert!(outcome.is_ok(), "{outcome:?}");
            }
        )+
    };
}
