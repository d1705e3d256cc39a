//! What the ledger, the feed and the directory promise, held against both databases: one list of tests, each run on a SQLite file and on a
//! real PostgreSQL server. The engines' own faults are in `faults`. Floor: edge.

mod auditing;
mod directory;
mod faults;
mod fixture;
mod guarding;
mod guessing;
mod operating;
mod own_account;
mod postgres;
mod rekeying;
mod restoring;
mod revoking;
mod sending;
mod signing_in;
mod telling;
mod tickets;
mod tokens;

/// Each test on each database.
macro_rules! contract {
    ($($subject:ident::$test:ident,)*) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$subject::$test(&super::fixture::Store::sqlite().await).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$subject::$test(&super::fixture::Store::postgres().await).await;
            })*
        }
    };
}

contract! {
    guessing::a_hundred_parallel_guesses_on_two_nodes_are_granted_five_times,
    guessing::an_account_is_granted_ten_guesses_an_hour_over_all_logins,
    guessing::parallel_guesses_over_many_logins_are_granted_ten_times,
    guessing::fifty_wrong_guesses_in_a_row_lock_the_codes_until_an_operator_unlocks,
    guessing::two_hundred_wrong_guesses_in_thirty_days_lock_the_codes_though_sign_ins_come_between,
    guessing::a_guess_is_stale_once_the_account_has_moved_on,
    guessing::passwords_cost_a_doubling_wait_and_close_at_a_hundred_for_names_that_exist_and_that_do_not,
    guessing::parallel_password_guesses_are_granted_up_to_the_first_wait,
    guessing::an_accepted_password_forgets_failures_and_replaces_only_the_hash_that_was_looked_at,
    signing_in::a_hundred_parallel_openings_of_one_login_open_one_session,
    signing_in::twenty_parallel_enrolments_keep_one_number,
    signing_in::one_number_enrolled_by_ten_accounts_at_once_stays_within_its_limit,
    signing_in::a_number_counts_under_older_keys_and_on_disabled_accounts,
    signing_in::a_session_does_not_open_once_the_account_has_moved_on,
    signing_in::enrolment_closes_with_its_window_and_with_the_first_number,
    signing_in::a_session_comes_back_by_its_login,
    signing_in::the_password_alone_opens_nothing_once_two_factor_is_active,
    signing_in::the_password_alone_does_not_clear_code_failures,
    signing_in::a_session_that_is_replaced_ends,
    signing_in::a_one_time_password_opens_nothing_until_another_one_is_chosen,
    signing_in::what_cannot_be_written_down_does_not_happen,
    guarding::newcomers_are_stopped_at_each_cap_and_known_people_are_not,
    guarding::while_only_observing_newcomers_are_sent_to_and_reported,
    guarding::a_cap_that_fills_up_is_told_once_an_hour,
    guarding::a_prefix_whose_codes_nobody_enters_is_closed_until_it_is_unblocked,
    guarding::a_closed_prefix_opens_by_itself,
    sending::forty_parallel_sends_stay_within_the_accounts_limit,
    sending::forty_parallel_sends_over_two_accounts_stay_within_the_numbers_limit,
    sending::forty_parallel_sends_stay_within_the_total,
    sending::a_login_has_its_own_sends,
    sending::what_did_not_go_out_is_given_back,
    sending::a_code_is_credited_to_the_provider_that_sent_it_last,
    sending::a_code_left_lying_counts_after_a_while_and_only_the_latest_count,
    sending::a_window_of_sends_opens_again,
    operating::an_operators_role_is_the_one_in_the_transaction,
    operating::one_operator_gives_a_password_or_a_number_also_at_once,
    operating::parallel_actions_of_one_operator_stay_within_the_hour,
    revoking::numbers_have_no_gaps_and_follow_the_commits,
    revoking::the_feed_forgets_after_a_day,
    revoking::activation_is_recorded_once,
    revoking::ending_everything_moves_every_account,
    revoking::a_session_ends_once,
    own_account::a_session_is_ended_by_its_own_account_only,
    own_account::all_others_end_and_the_one_that_asks_goes_on,
    own_account::a_changed_password_ends_all_but_the_session_that_changed_it,
    own_account::twenty_changes_of_a_password_at_once_are_one,
    own_account::a_right_code_that_opens_no_session_counts_once,
    own_account::a_replaced_number_ends_all_but_the_session_that_replaced_it,
    own_account::twenty_replacements_of_a_number_at_once_are_one,
    auditing::what_operators_do_is_chained_and_signing_in_is_not,
    auditing::rows_changed_added_exchanged_and_taken_away_by_hand_are_named,
    auditing::parallel_records_of_two_nodes_are_one_chain,
    auditing::retention_takes_the_oldest_and_the_chain_goes_on,
    auditing::retention_takes_no_evidence_away,
    auditing::a_chain_outlives_the_data_key_it_began_with,
    auditing::the_trail_is_read_page_by_page_and_by_what_is_asked_for,
    directory::an_import_is_all_or_nothing,
    directory::imports_that_wait_for_each_other_are_both_done,
    directory::ten_thousand_accounts_are_imported_in_seconds,
    directory::every_change_does_what_it_says_and_no_more,
    directory::a_change_ends_what_it_says_it_ends,
    directory::a_first_number_ends_no_session,
    directory::a_reset_keeps_the_number_and_forgets_failures,
    directory::what_was_so_already_is_not_written_down,
    directory::a_removed_account_leaves_its_trail,
    directory::accounts_are_listed_by_name_and_counted,
    directory::sign_ins_are_counted_from_the_trail,
    directory::tidying_takes_what_is_over_and_leaves_what_counts,
    directory::data_keys_in_use_are_known_and_a_missing_one_is_named,
    directory::nothing_opens_where_it_was_not_written,
    directory::a_newer_schema_is_refused,
    directory::nodes_may_start_at_once,
    rekeying::all_moves_to_the_first_key_and_the_old_one_can_go,
    rekeying::a_move_that_was_cut_off_goes_on,
    rekeying::what_others_write_meanwhile_stays,
    restoring::every_security_change_moves_the_head,
    restoring::an_older_copy_is_ended_once_by_whichever_node_comes_first,
    restoring::a_copy_put_back_on_purpose_ends_everything,
    tickets::a_ticket_is_compared_as_often_as_it_may_be_tried_under_parallel_tries,
    tickets::a_ticket_is_used_up_with_the_one_number_that_is_kept,
    tickets::a_ticket_is_worth_nothing_outside_its_window_or_once_there_is_a_number,
    tickets::a_ticket_is_told_under_the_key_it_was_made_with,
    tokens::a_token_is_recognised_until_it_expires_or_is_revoked,
    tokens::a_name_is_one_tokens_at_a_time_also_at_once,
    tokens::a_token_acts_with_its_role_as_it_is_in_the_transaction,
    tokens::parallel_actions_of_one_token_stay_within_the_hour,
    tokens::a_token_of_an_older_copy_is_none_any_more,
    telling::each_change_is_told_where_the_account_could_be_reached_before_it,
    telling::people_are_told_of_what_they_do_themselves,
    telling::of_many_nodes_one_tells,
    telling::a_notice_of_a_node_that_died_comes_up_again_and_the_dead_one_settles_nothing,
    telling::notices_leave_room_for_codes,
    telling::what_did_not_go_out_as_a_notice_is_given_back,
    telling::a_notice_that_cannot_be_read_keeps_nobody_from_theirs,
}
