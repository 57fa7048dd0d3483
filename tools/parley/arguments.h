// What a command line says, one structure for each command (the forms are in command_line/).
#ifndef PARLEY_TOOLS_PARLEY_ARGUMENTS_H_
#define PARLEY_TOOLS_PARLEY_ARGUMENTS_H_

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "parley/calendar.h"
#include "parley/procedure.h"
#include "parley/session.h"
#include "parley/types.h"

namespace parley::cli {

// Options that every command takes.
struct Settings {
  std::string profile;          // the profile's folder
  std::string passphrase_file;  // empty: ask on the terminal when the profile is locked
  bool json = false;            // one JSON object a line
  bool offline = false;         // don't talk to the relay before showing what is stored
};

struct InitArguments {
  std::string name;
};
struct WhoAmIArguments {};
struct PassphraseChangeArguments {
  std::string new_passphrase_file;  // empty: ask on the terminal
};
struct PassphraseRemoveArguments {
  bool yes = false;
};

struct CaseCreateArguments {
  std::string title;
  std::string relay;  // a connection string, or "-" for standard input
  bool procedure = false;
};
struct CaseRelayArguments {
  std::string case_text;
  std::string relay;  // a connection string, or "-" for standard input
};
struct CaseListArguments {};
struct CaseInviteArguments {
  std::string case_text;
  std::string name;
  Role role = Role::kUnknown;
  std::string side;
  int64_t valid_for_seconds = 14 * 24 * 60 * 60;
  bool qr = false;
};
struct JoinArguments {
  std::string invitation;  // or "-" for standard input
};
struct CaseParticipantsArguments {
  std::string case_text;
};
struct CaseApproveArguments {
  std::string case_text;
  std::string participant;
};
struct CaseCompareArguments {
  std::string case_text;
  std::string participant;
  std::string number;  // what the other one reads out; empty: not given
};
struct CaseRemoveArguments {
  std::string case_text;
  std::string participant;
  bool yes = false;
};
struct CaseLeaveArguments {
  std::string case_text;
  bool yes = false;
};
struct CaseAdmitArguments {
  std::string case_text;
  std::string channel;
  std::string participant;
};
struct CaseReopenArguments {
  std::string case_text;
  std::string channel;
};

struct ChannelCreateArguments {
  std::string case_text;
  std::string what;  // "team", "counsel", or what a group is to be called
  std::vector<std::string> with;
  std::vector<std::string> stewards;
};
struct ChannelDismissArguments {
  std::string case_text;
  std::string channel;
  std::string participant;
  bool yes = false;
};
struct ChannelLeaveArguments {
  std::string case_text;
  std::string channel;
  bool yes = false;
};
struct ChannelStewardArguments {
  std::string case_text;
  std::string channel;
  std::string participant;
};

struct ChannelsArguments {
  std::string case_text;
};
struct SendArguments {
  std::string case_text;
  std::string channel;
  std::string text;   // or "-" for standard input
  std::string quote;  // a position, or the beginning of a message's id; empty: none
  bool reserved = false;
  std::string override_reason;
};
struct ReadArguments {
  std::string case_text;
  std::string channel;
  uint64_t after = 0;
  uint64_t last = 0;  // 0: all
};

struct ShareArguments {
  std::string case_text;
  std::string channel;
  std::vector<std::string> files;  // files and folders
  std::string name;                // empty: the file's own
  std::string version_of;          // empty: none
  std::string note;
  std::string document_class;     // empty: as the earlier version's, or general
  int64_t valid_for_seconds = 0;  // 0: until withdrawn
  bool keep_metadata = false;
};
struct DiffArguments {
  std::string case_text;
  std::string channel;
  std::string document;
  std::string other;  // empty: the one that `document` replaces
};
struct PreviewArguments {
  std::string case_text;
  std::string channel;
  std::string document;
  std::string output;
  bool force = false;
};
struct DocumentsArguments {
  std::string case_text;
  std::string channel;
  bool versions = false;
  uint64_t last = 0;  // 0: all
};
struct FetchArguments {
  std::string case_text;
  std::string channel;
  std::string document;
  std::string output;
  bool force = false;
  uint32_t version = 0;  // 0: the document that is named
};
struct WithdrawArguments {
  std::string case_text;
  std::string channel;
  std::string document;
  std::optional<uint32_t> version;  // else all, or the one whose id it is
};
struct TransfersArguments {};
enum class TransferChange { kPause, kResume, kCancel };
struct TransferChangeArguments {
  std::string transfer;  // the beginning of its id; empty: all
  TransferChange change = TransferChange::kPause;
};
struct BriefSubmitArguments {
  std::string case_text;
  std::string file;
  bool exchanged = false;
  bool mediator_only = false;
  bool keep_metadata = false;
  std::string name;
  std::string note;
  std::string document_class;
};
struct BriefListArguments {
  std::string case_text;
};
struct BriefReleaseArguments {
  std::string case_text;
};

struct AuthoriseArguments {
  std::string case_text;
  std::string channel;
  std::string item;   // a position, or the beginning of a message's id
  std::string to;     // the audience: a channel's name
  std::string words;  // empty: the whole message
  bool anonymous = false;
  int64_t valid_for_seconds = 0;  // 0: until it is taken back
};
struct AuthorisationsArguments {
  std::string case_text;
};
struct RevokeArguments {
  std::string case_text;
  std::string authorisation;
};
struct DiscloseArguments {
  std::string case_text;
  std::string authorisation;
};

struct SearchArguments {
  std::string text;
  std::string case_text;  // empty: all cases
  std::string channel;    // of that case; empty: all
  int limit = 20;
};
struct CaseTimelineArguments {
  std::string case_text;
  bool verify = false;
};

struct SyncArguments {
  double wait_seconds = 0;
};
struct WatchArguments {
  std::string case_text;
};
struct WarningsArguments {
  std::string case_text;  // empty: all cases
  bool seen = false;      // those about invitations need not be shown again
};

struct CaseStatusArguments {
  std::string case_text;
};
struct CaseActArguments {
  std::string case_text;
  CaseAct act = CaseAct::kUnknown;
  std::string disclosure;  // of waive and object: the beginning of its id; empty: the only one
  std::string settlement;  // of start-signing and confirm-settlement: a document or an offer
  std::string words;       // or "-" for standard input
};
struct CaseRetentionArguments {
  std::string case_text;
  std::string hold;  // why nothing is to be destroyed; empty: nothing is changed
  bool release = false;
};
struct CaseDestroyArguments {
  std::string case_text;
  bool yes = false;
};
struct AgreementProposeArguments {
  std::string case_text;
  std::string template_name;  // or the two files, or what they replace of it
  std::string text_file;
  std::string policy_file;
};
struct AgreementShowArguments {
  std::string case_text;
};
struct AgreementSignArguments {
  std::string case_text;
  std::string hash;  // its beginning; empty: the one that is proposed
  bool yes = false;
};
struct SessionTextSetArguments {
  std::string case_text;
  SessionTextKind kind = SessionTextKind::kAgenda;
  std::string text;     // or "-" for standard input
  uint32_t number = 0;  // of a summary that gets a new version; 0: none
};
struct SessionTextShowArguments {
  std::string case_text;
  SessionTextKind kind = SessionTextKind::kAgenda;
  bool all = false;  // earlier versions, too
};
struct SessionTextAnswerArguments {
  std::string case_text;
  SessionTextKind kind = SessionTextKind::kAgenda;
  uint32_t number = 0;   // of a summary; 0: the only one
  uint32_t version = 0;  // what was read; 0: there is only one
  bool confirmed = true;
  std::string words;
};
struct FloorShowArguments {
  std::string case_text;
};
struct FloorGiveArguments {
  std::string case_text;
  std::string to;  // a name, "side:SIDE", "all", "neutrals"
};
struct FloorAskArguments {
  std::string case_text;
  bool lower = false;
};
struct IssuesShowArguments {
  std::string case_text;
};
struct IssueAddArguments {
  std::string case_text;
  std::string text;
};
enum class IssueChange { kAdmit, kReword, kDrop };
struct IssueChangeArguments {
  std::string case_text;
  std::string issue;  // the beginning of its id
  IssueChange change = IssueChange::kAdmit;
  std::string text;  // of kReword
};
struct IssuesRankArguments {
  std::string case_text;
  std::vector<std::string> issues;
};
struct IssuesRankingsArguments {
  std::string case_text;
};
struct BalanceArguments {
  std::string case_text;
};
struct RetractArguments {
  std::string case_text;
  std::string channel;
  std::string message;  // a position, or the beginning of its id
};
struct TemplateListArguments {};
struct TemplateShowArguments {
  std::string name;
  bool policy = false;  // the policy alone; otherwise the text alone
};

// About offers. `offer`: the beginning of its id.
struct OfferMakeArguments {
  std::string case_text;
  std::string channel;
  std::string text;  // or "-" for standard input
  std::string amount;
  std::vector<std::string> conditions;
  std::vector<std::string> alternatives;
  std::vector<std::string> to;
  int64_t valid_for_seconds = 0;  // 0: until withdrawn
  std::string counter;
  std::string replaces;
};
struct OfferAnswerArguments {
  std::string case_text;
  std::string offer;
  bool accept = false;
  uint32_t version = 0;
  uint32_t alternative = 0;
  std::string note;
};
struct OfferWithdrawArguments {
  std::string case_text;
  std::string offer;
  uint32_t version = 0;
  std::string note;
};
struct OffersArguments {
  std::string case_text;
};
struct OptionsMakeArguments {
  std::string case_text;
  std::string channel;
  std::string title;
  std::vector<std::string> options;
};
struct OptionsEvaluateArguments {
  std::string case_text;
  std::string sheet;                 // the beginning of its id
  std::string channel;               // empty: the caucus
  std::vector<std::string> ratings;  // "1=7", "2=3 too slow"
  std::string note;
};
struct OptionsListArguments {
  std::string case_text;
};

struct MeetingProposeArguments {
  std::string case_text;
  std::string channel;
  CalendarRequest request;
};
struct MeetingChangeArguments {
  std::string case_text;
  std::string meeting;
  CalendarChange change;
};
struct MeetingCancelArguments {
  std::string case_text;
  std::string meeting;
};
struct MeetingAnswerArguments {
  std::string case_text;
  std::string meeting;
  CalendarReply reply = CalendarReply::kNone;
};
struct MeetingExportArguments {
  std::string case_text;
  std::string meeting;
  std::string output;
  bool with_details = false;
  bool force = false;
};
struct MeetingsArguments {
  std::string case_text;
  bool all = false;  // those that are over or cancelled, too
};
struct ReminderSetArguments {
  std::string case_text;
  std::string channel;
  CalendarRequest request;
};
struct ReminderDoneArguments {
  std::string case_text;
  std::string reminder;
};
struct ReminderCancelArguments {
  std::string case_text;
  std::string reminder;
};
struct RemindersArguments {
  std::string case_text;
  bool all = false;
};
struct ReceiptsArguments {
  std::string case_text;
  std::string channel;
};
struct SendReceiptsArguments {
  std::string setting;  // "on", "off"; empty: show
};
struct TodoArguments {
  std::string case_text;
};

using Command = std::variant<
    InitArguments, WhoAmIArguments, PassphraseChangeArguments, PassphraseRemoveArguments,
    CaseCreateArguments, CaseRelayArguments, CaseListArguments, CaseInviteArguments, JoinArguments,
    CaseParticipantsArguments, CaseApproveArguments, CaseCompareArguments, CaseRemoveArguments,
    CaseLeaveArguments, CaseAdmitArguments, CaseReopenArguments, ChannelsArguments, SendArguments,
    ReadArguments, ShareArguments, DocumentsArguments, FetchArguments, WithdrawArguments,
    TransfersArguments, TransferChangeArguments, BriefSubmitArguments, BriefListArguments,
    BriefReleaseArguments, AuthoriseArguments, AuthorisationsArguments, RevokeArguments,
    DiffArguments, PreviewArguments, DiscloseArguments, SearchArguments, CaseTimelineArguments,
    SyncArguments, WatchArguments, WarningsArguments, CaseStatusArguments, CaseActArguments,
    CaseRetentionArguments, CaseDestroyArguments, AgreementProposeArguments, AgreementShowArguments,
    AgreementSignArguments, TemplateListArguments, TemplateShowArguments, OfferMakeArguments,
    OfferAnswerArguments, OfferWithdrawArguments, OffersArguments, OptionsMakeArguments,
    OptionsEvaluateArguments, OptionsListArguments, SessionTextSetArguments,
    SessionTextShowArguments, SessionTextAnswerArguments, FloorShowArguments, FloorGiveArguments,
    FloorAskArguments, IssuesShowArguments, IssueAddArguments, IssueChangeArguments,
    IssuesRankArguments, IssuesRankingsArguments, BalanceArguments, RetractArguments,
    MeetingProposeArguments, MeetingChangeArguments, MeetingCancelArguments, MeetingAnswerArguments,
    MeetingExportArguments, MeetingsArguments, ReminderSetArguments, ReminderDoneArguments,
    ReminderCancelArguments, RemindersArguments, ReceiptsArguments, SendReceiptsArguments,
    TodoArguments, ChannelCreateArguments, ChannelDismissArguments, ChannelLeaveArguments,
    ChannelStewardArguments>;

}  // namespace parley::cli

#endif  // PARLEY_TOOLS_PARLEY_ARGUMENTS_H_
