// What each command does. One function for each structure of arguments.h; each prints its result on
// session.out(): what it made stands alone on the last line.
#ifndef PARLEY_TOOLS_PARLEY_COMMANDS_COMMANDS_H_
#define PARLEY_TOOLS_PARLEY_COMMANDS_COMMANDS_H_

#include "parley/status.h"
#include "tools/parley/arguments.h"
#include "tools/parley/session.h"

namespace parley::cli {

// profile_commands.cc
Status Run(Session& session, const InitArguments& arguments);
Status Run(Session& session, const WhoAmIArguments& arguments);
Status Run(Session& session, const PassphraseChangeArguments& arguments);
Status Run(Session& session, const PassphraseRemoveArguments& arguments);
Status Run(Session& session, const WarningsArguments& arguments);

// case_commands.cc
Status Run(Session& session, const CaseCreateArguments& arguments);
Status Run(Session& session, const CaseRelayArguments& arguments);
Status Run(Session& session, const CaseListArguments& arguments);
Status Run(Session& session, const CaseInviteArguments& arguments);
Status Run(Session& session, const JoinArguments& arguments);
Status Run(Session& session, const CaseLeaveArguments& arguments);

// participant_commands.cc
Status Run(Session& session, const CaseParticipantsArguments& arguments);
Status Run(Session& session, const CaseApproveArguments& arguments);
Status Run(Session& session, const CaseCompareArguments& arguments);
Status Run(Session& session, const CaseRemoveArguments& arguments);
Status Run(Session& session, const CaseAdmitArguments& arguments);

// channel_commands.cc
Status Run(Session& session, const ChannelsArguments& arguments);
Status Run(Session& session, const CaseReopenArguments& arguments);
Status Run(Session& session, const SendArguments& arguments);
Status Run(Session& session, const ReadArguments& arguments);
Status Run(Session& session, const RetractArguments& arguments);

// further_channel_commands.cc
Status Run(Session& session, const ChannelCreateArguments& arguments);
Status Run(Session& session, const ChannelDismissArguments& arguments);
Status Run(Session& session, const ChannelLeaveArguments& arguments);
Status Run(Session& session, const ChannelStewardArguments& arguments);

// document_commands.cc
Status Run(Session& session, const ShareArguments& arguments);
Status Run(Session& session, const DocumentsArguments& arguments);
Status Run(Session& session, const FetchArguments& arguments);
Status Run(Session& session, const WithdrawArguments& arguments);

// transfer_commands.cc
Status Run(Session& session, const TransfersArguments& arguments);
Status Run(Session& session, const TransferChangeArguments& arguments);

// brief_commands.cc
Status Run(Session& session, const BriefSubmitArguments& arguments);
Status Run(Session& session, const BriefListArguments& arguments);
Status Run(Session& session, const BriefReleaseArguments& arguments);

// document_contents_commands.cc
Status Run(Session& session, const DiffArguments& arguments);
Status Run(Session& session, const PreviewArguments& arguments);

// disclosure_commands.cc
Status Run(Session& session, const AuthoriseArguments& arguments);
Status Run(Session& session, const AuthorisationsArguments& arguments);
Status Run(Session& session, const RevokeArguments& arguments);
Status Run(Session& session, const DiscloseArguments& arguments);

// procedure_commands.cc
Status Run(Session& session, const CaseStatusArguments& arguments);
Status Run(Session& session, const CaseActArguments& arguments);
Status Run(Session& session, const CaseRetentionArguments& arguments);
Status Run(Session& session, const CaseDestroyArguments& arguments);
Status Run(Session& session, const AgreementProposeArguments& arguments);
Status Run(Session& session, const AgreementShowArguments& arguments);
Status Run(Session& session, const AgreementSignArguments& arguments);
Status Run(Session& session, const TemplateListArguments& arguments);
Status Run(Session& session, const TemplateShowArguments& arguments);

// record_commands.cc
Status Run(Session& session, const SearchArguments& arguments);
Status Run(Session& session, const CaseTimelineArguments& arguments);

// offer_commands.cc
Status Run(Session& session, const OfferMakeArguments& arguments);
Status Run(Session& session, const OfferAnswerArguments& arguments);
Status Run(Session& session, const OfferWithdrawArguments& arguments);
Status Run(Session& session, const OffersArguments& arguments);

// option_commands.cc
Status Run(Session& session, const OptionsMakeArguments& arguments);
Status Run(Session& session, const OptionsEvaluateArguments& arguments);
Status Run(Session& session, const OptionsListArguments& arguments);

// session_commands.cc
Status Run(Session& session, const SessionTextSetArguments& arguments);
Status Run(Session& session, const SessionTextShowArguments& arguments);
Status Run(Session& session, const SessionTextAnswerArguments& arguments);

// floor_commands.cc
Status Run(Session& session, const FloorShowArguments& arguments);
Status Run(Session& session, const FloorGiveArguments& arguments);
Status Run(Session& session, const FloorAskArguments& arguments);
Status Run(Session& session, const BalanceArguments& arguments);

// issue_commands.cc
Status Run(Session& session, const IssuesShowArguments& arguments);
Status Run(Session& session, const IssueAddArguments& arguments);
Status Run(Session& session, const IssueChangeArguments& arguments);
Status Run(Session& session, const IssuesRankArguments& arguments);
Status Run(Session& session, const IssuesRankingsArguments& arguments);

// meeting_commands.cc
Status Run(Session& session, const MeetingProposeArguments& arguments);
Status Run(Session& session, const MeetingChangeArguments& arguments);
Status Run(Session& session, const MeetingCancelArguments& arguments);
Status Run(Session& session, const MeetingAnswerArguments& arguments);
Status Run(Session& session, const MeetingExportArguments& arguments);
Status Run(Session& session, const MeetingsArguments& arguments);

// reminder_commands.cc
Status Run(Session& session, const ReminderSetArguments& arguments);
Status Run(Session& session, const ReminderDoneArguments& arguments);
Status Run(Session& session, const ReminderCancelArguments& arguments);
Status Run(Session& session, const RemindersArguments& arguments);

// todo_commands.cc
Status Run(Session& session, const TodoArguments& arguments);

// receipt_commands.cc
Status Run(Session& session, const ReceiptsArguments& arguments);
Status Run(Session& session, const SendReceiptsArguments& arguments);

// sync_commands.cc
Status Run(Session& session, const SyncArguments& arguments);
Status Run(Session& session, const WatchArguments& arguments);

// "- answer the agenda … in joint; by 2026-12-04 17:00 your time  [3f21c0de]". todo_commands.cc.
std::string ToText(const TodoItem& item);
JsonObject ToJson(const TodoItem& item);

// A message by its position or the beginning of its id; `waiting`: also one of those that wait to
// be sent. channel_commands.cc. Errors: kNotFound; kAmbiguous.
Result<MessageId> FindMessage(Profile& profile, const Channel& channel, const std::string& text,
                              bool waiting = false);

}  // namespace parley::cli

#endif  // PARLEY_TOOLS_PARLEY_COMMANDS_COMMANDS_H_
