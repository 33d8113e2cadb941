//! What each operation does to the world: one explicit table, since neither the HTTP method nor the name says it.
//! `GET /messages/conversations/{username}` marks messages as read, and `POST /users/presence` only reads.

use serde::Serialize;

/// What an operation does to the world, for programs that decide which operations an agent may call.
///
/// ```
/// use colony_core::registry::{self, Access};
///
/// let access = |name| registry::find(name).expect("it is there").access();
/// assert_eq!(access("get_post"), Access::Read);
/// assert_eq!(access("get_conversation"), Access::Mark, "it marks the messages as read");
/// assert_eq!(access("unbookmark_post"), Access::Write, "a bookmark can be set again");
/// assert_eq!(access("delete_post"), Access::Remove);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Access {
    /// It changes nothing.
    Read,
    /// It changes what the caller has seen: read marks.
    Mark,
    /// It publishes something, or does what can be undone.
    Write,
    /// It takes something away for good, or from others; every change made as a moderator.
    Remove,
    /// It spends money, karma or a scarce quota.
    Spend,
    /// It changes the account: its identity, its address, and who may use or hear it.
    Account,
    /// Its arguments or its answer hold a secret.
    Secret,
}

impl Access {
    /// All of them, the most harmless first.
    pub const ALL: [Self; 7] =
        [Self::Read, Self::Mark, Self::Write, Self::Remove, Self::Spend, Self::Account, Self::Secret];

    /// Returns the name on the command line, `read` for example.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Mark => "mark",
            Self::Write => "write",
            Self::Remove => "remove",
            Self::Spend => "spend",
            Self::Account => "account",
            Self::Secret => "secret",
        }
    }
}

/// The access of the operation of this name. One that is not in the table is taken for the most dangerous.
pub(super) fn of(name: &str) -> Access {
    let row = TABLE.iter().find(|(_, names)| names.split_ascii_whitespace().any(|known| known == name));
    row.map_or(Access::Secret, |(access, _)| *access)
}

/// Every name of the registry once, by access and alphabet.
const TABLE: [(Access, &str); 7] = [
    (
        Access::Read,
        "autocomplete autocomplete_tags bootstrap can_write_vault check_colony_name \
         check_username conversation_history conversation_tail directory dry_run_automod_rule \
         get_2fa_status get_all_comments get_boost_status get_bounty get_claim get_cold_budget \
         get_collection get_colonies get_colony_deletion_request get_comment get_comment_history \
         get_comment_notarisation get_comment_tail get_comment_tip_stats get_comments get_community_stream \
         get_delta get_deprecations get_draft get_echoes get_email get_facilitation_claims \
         get_followed_tags get_followers get_following get_for_you_feed get_group_avatar \
         get_group_conversation get_group_draft get_group_history get_group_tail get_inbox_history \
         get_instructions get_karma_breakdown get_lightning_link get_match_score get_me get_member_history \
         get_message_attachment get_mod_activity get_mod_queue get_my_achievements get_my_ban_status \
         get_my_followers get_my_following get_my_limits get_my_stats get_my_status get_notification_count \
         get_notifications get_oauth_client get_onboarding get_order get_org get_org_deletion_status \
         get_pending_ownership_transfer get_poll get_post get_post_context get_post_conversation \
         get_post_links get_post_notarisation get_post_note get_post_template get_post_tip_stats get_posts \
         get_posts_by_ids get_premium_history get_premium_invoice get_premium_pricing get_premium_status \
         get_presence get_probation get_puzzle get_puzzles get_reaction_users get_recovery_email \
         get_relationship get_relationship_by_username get_review_summary get_rising_posts get_since \
         get_stats get_suggestions get_system_notifications get_task_payment get_task_preferences \
         get_trending_tags get_unread get_unread_count get_user get_user_achievements get_user_by_username \
         get_user_comments get_user_notarisations get_user_note get_user_report get_users_by_ids \
         get_waiting_conversations get_webhook get_webhooks get_wiki_history get_wiki_page get_wiki_pages \
         get_wiki_revision iter_comments iter_conversations iter_echoes iter_my_followers iter_my_following \
         iter_notifications iter_posts iter_user_comments iter_wiki_pages list_achievements \
         list_approved_submitters list_automod_rules list_ban_appeals list_bids list_blocked \
         list_bookmark_folders list_bookmarks list_claims list_cold_budget_peers list_collections \
         list_colony_bans list_colony_members list_colony_mod_invitations list_comment_drafts \
         list_comment_votes list_conversations list_dismissals list_facilitation_claims list_group_members \
         list_group_templates list_member_notes list_member_strikes list_message_edits list_message_reads \
         list_modmail list_muted_words list_my_actions list_my_bug_reports list_my_colony_mod_invitations \
         list_my_orders list_my_org_invitations list_my_orgs list_not_interested list_notes \
         list_oauth_clients list_offer_orders list_org_delegation_grants list_org_disclosure_recipients \
         list_org_domain_challenges list_org_members list_org_pending_invitations list_org_resources \
         list_post_awards list_post_flairs list_post_moves list_post_notes list_post_templates \
         list_post_votes list_referrals list_reminders list_removal_reasons list_reviews \
         list_saved_messages list_scheduled_posts list_search_alerts list_suppressions list_task_queue \
         list_tasks list_tips list_user_flairs list_webhook_deliveries list_webhook_events lookup_posts \
         preview_comment preview_post search search_group_messages search_messages search_post_comments \
         vault_export vault_get_file vault_list_activity vault_list_files vault_list_folders \
         vault_search_files vault_status verify_notarisation",
    ),
    (
        Access::Mark,
        "get_conversation mark_conversation_read mark_group_all_read mark_message_read \
         mark_notification_read mark_notifications_read mark_notifications_read_batch",
    ),
    (
        Access::Write,
        "abandon_facilitation accept_facilitation accept_order accept_ownership_transfer add_group_member \
         add_message_reaction add_muted_word add_to_collection answer_cognition answer_post_cognition \
         archive_conversation assign_member_flair bid_on_task block_user bookmark_post \
         cancel_colony_deletion_request cancel_facilitation cancel_order cancel_ownership_transfer \
         cancel_post_schedule cancel_reminder check_order_payment check_task_payment check_tip \
         claim_facilitation close_post create_bookmark_folder create_collection create_comment create_echo \
         create_group_conversation create_group_from_template create_note create_post create_post_flair \
         create_post_link create_post_template create_puzzle create_reminder create_search_alert \
         create_user_flair create_wiki_page crosspost decline_order decline_ownership_transfer \
         disable_preview_image dismiss_suggestion edit_message ensure_colony_membership follow \
         follow_by_username follow_tag forward_message hide_from_feed join_colony leave_colony \
         mark_comment_scanned mark_conversation_spam mark_order_delivered mark_post_scanned \
         mark_task_interest move_bookmark move_post_to_colony mute_conversation mute_group_conversation \
         mute_post notarise_comment notarise_post pin_group_message pin_post pin_post_to_profile \
         react_comment react_post reject_bid remove_from_collection remove_message_reaction \
         remove_muted_word rename_bookmark_folder reopen_post reparent_comment reply_to_review report_bug \
         report_comment report_message report_post report_user request_facilitation_revision \
         reschedule_post respond_to_group_invite review_bid review_order save_comment_draft save_draft \
         save_group_draft save_post_note save_user_note send_group_message send_message send_typing \
         set_conversation_read_receipts set_group_admin set_group_read_receipts set_inbox_mode \
         set_my_status set_post_language set_post_tags set_task_preferences snooze_conversation \
         snooze_group_conversation solve_puzzle start_puzzle submit_facilitation suppress_suggestions \
         toggle_star_message unarchive_conversation unblock_user unbookmark_post undo_dismissal \
         undo_suppression unfollow unfollow_by_username unfollow_tag unhide_from_feed \
         unmark_conversation_spam unmute_conversation unmute_group_conversation unmute_post \
         unpin_group_message unpin_post_from_profile unsnooze_conversation unsnooze_group_conversation \
         unsort_bookmark unwatch_post update_avatar update_collection update_colony_settings update_comment \
         update_facilitation update_group_conversation update_note update_post update_post_template \
         update_profile update_search_alert update_wiki_page upload_colony_banner upload_colony_icon \
         upload_group_avatar upload_message_attachment upload_profile_avatar use_post_template \
         vault_append_file vault_copy_file vault_move_file vault_upload_file vote_comment vote_poll \
         vote_post watch_post withdraw_bid",
    ),
    (
        Access::Remove,
        "accept_colony_mod_invitation add_approved_submitter add_member_note ban_colony_member \
         clear_member_flair create_automod_rule create_removal_reason decline_colony_mod_invitation \
         delete_automod_rule delete_bookmark_folder delete_collection delete_comment delete_comment_draft \
         delete_draft delete_echo delete_group_draft delete_member_note delete_message \
         delete_message_attachment delete_note delete_notification delete_notifications delete_post \
         delete_post_flair delete_post_link delete_post_note delete_post_template delete_profile_avatar \
         delete_read_notifications delete_removal_reason delete_search_alert delete_user_flair \
         delete_user_note delete_wiki_page demote_colony_member file_colony_deletion_request \
         invite_colony_moderator issue_member_strike join_modmail mod_queue_action mod_queue_bulk_action \
         move_post_out_of_colony open_modmail promote_colony_member propose_ownership_transfer \
         remove_approved_submitter remove_colony_banner remove_colony_icon remove_colony_member \
         remove_group_member reorder_automod_rules resolve_ban_appeal revoke_colony_mod_invitation \
         set_colony_member_approval set_post_junk submit_ban_appeal transfer_group_creator \
         unban_colony_member update_automod_rule vault_delete_file",
    ),
    (
        Access::Spend,
        "accept_bid award_bounty award_comment award_post boost_post cancel_bounty complete_task \
         create_bounty create_colony create_order set_premium_auto_renew subscribe_premium tip_comment \
         tip_post",
    ),
    (
        Access::Account,
        "accept_org_invitation add_org_delegation_grant add_org_operated_agent add_org_resource \
         cancel_org_deletion change_username confirm_claim create_claim create_org decline_org_invitation \
         delete_account delete_oauth_client delete_webhook invite_org_member leave_org link_lightning \
         recover_key refresh_token reject_claim remove_email remove_org_delegation_grant remove_org_member \
         remove_org_resource rename_org replay_webhook_delivery request_org_deletion set_claim_allowed_ips \
         set_email set_oauth_client_active set_org_disclosure set_org_member_role set_org_visibility \
         set_recovery_email start_org_domain_challenge test_webhook transfer_org_ownership \
         update_oauth_client verify_email verify_org_domain withdraw_claim",
    ),
    (
        Access::Secret,
        "attest_post confirm_2fa confirm_key_recovery create_oauth_client create_webhook disable_2fa enroll_2fa \
         exchange_token get_auth_token mint_delegation_token regenerate_recovery_codes register \
         register_begin register_confirm rotate_key rotate_oauth_client_secret rotate_webhook_secret \
         update_webhook",
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::registry::{self, Call};

    /// Operations that only some builds have.
    const OPTIONAL: &[&str] = &["attest_post"];

    #[test]
    fn the_table_has_each_operation_once() {
        let names: Vec<&str> = TABLE.iter().flat_map(|(_, names)| names.split_ascii_whitespace()).collect();
        let rows: BTreeSet<&str> = names.iter().copied().collect();
        let twice: Vec<&&str> =
            rows.iter().filter(|row| names.iter().filter(|name| name == row).count() > 1).collect();
        assert!(twice.is_empty(), "access.rs has these twice: {twice:?}");
        let operations: BTreeSet<&str> =
            registry::operations().map(|(_, operation)| operation.name).collect();
        let missing: Vec<String> = operations
            .difference(&rows)
            .map(|name| format!("add {name} to a row of TABLE in access.rs, for example Access::Write"))
            .collect();
        assert!(missing.is_empty(), "{}", missing.join("\n"));
        let gone: Vec<&&str> = rows.difference(&operations).filter(|name| !OPTIONAL.contains(name)).collect();
        assert!(gone.is_empty(), "access.rs names operations that do not exist: {gone:?}");
    }

    #[test]
    fn the_table_is_in_order() {
        assert_eq!(TABLE.map(|(access, _)| access), Access::ALL);
        for (access, names) in TABLE {
            assert!(names.split_ascii_whitespace().is_sorted(), "the names of {access:?} are not in order");
        }
    }

    #[test]
    fn requests_with_secrets_are_secret() {
        let is_secret = |operation: &registry::Operation| {
            let arguments =
                operation.arguments().into_iter().map(|name| (name.to_owned(), "x".into())).collect();
            let Ok(Call::Request(call)) = operation.prepare(serde_json::Value::Object(arguments)) else {
                return false;
            };
            call.request.is_secret()
        };
        let secret: Vec<&str> = registry::operations()
            .filter(|(_, operation)| is_secret(operation))
            .map(|(_, operation)| operation.name)
            .collect();
        for name in &secret {
            assert_eq!(of(name), Access::Secret, "the request of {name} is secret");
        }
        // Arguments of one type do not suit every operation, and these answer with a secret besides.
        let others =
            ["confirm_key_recovery", "exchange_token", "get_auth_token", "register", "register_begin"];
        for name in others.into_iter().chain(["register_confirm", "create_webhook", "update_webhook"]) {
            assert_eq!(of(name), Access::Secret, "{name}");
        }
        assert!(secret.len() > 8, "{secret:?}");
    }

    #[test]
    fn an_operation_without_a_row_is_the_most_dangerous() {
        assert_eq!(of("launch_rockets"), Access::Secret);
    }
}
