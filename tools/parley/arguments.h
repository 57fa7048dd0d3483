// What a command line says, one structure for each command (the forms are in command_line/).
#ifndef PARLEY_TOOLS_PARLEY_ARGUMENTS_H_
#define PARLEY_TOOLS_PARLEY_ARGUMENTS_H_

#include <cstdint>
#include <string>
#include <variant>

#include "parley/procedure.h"
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

struct ChannelsArguments {
  std::string case_text;
};
struct SendArguments {
  std::string case_text;
  std::string channel;
  std::string text;  // or "-" for standard input
};
struct ReadArguments {
  std::string case_text;
  std::string channel;
  uint64_t after = 0;
};

struct ShareArguments {
  std::string case_text;
  std::string channel;
  std::string file;
  std::string name;      // empty: the file's own
  std::string replaces;  // empty: none
};
struct DocumentsArguments {
  std::string case_text;
  std::string channel;
};
struct FetchArguments {
  std::string case_text;
  std::string channel;
  std::string document;
  std::string output;
  bool force = false;
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
  std::string words;       // or "-" for standard input
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
struct TemplateListArguments {};
struct TemplateShowArguments {
  std::string name;
  bool policy = false;  // the policy alone; otherwise the text alone
};

using Command = std::variant<
    InitArguments, WhoAmIArguments, PassphraseChangeArguments, PassphraseRemoveArguments,
    CaseCreateArguments, CaseRelayArguments, CaseListArguments, CaseInviteArguments, JoinArguments,
    CaseParticipantsArguments, CaseApproveArguments, CaseCompareArguments, CaseRemoveArguments,
    CaseLeaveArguments, CaseAdmitArguments, CaseReopenArguments, ChannelsArguments, SendArguments,
    ReadArguments, ShareArguments, DocumentsArguments, FetchArguments, AuthoriseArguments,
    AuthorisationsArguments, RevokeArguments, DiscloseArguments, SyncArguments, WatchArguments,
    WarningsArguments, CaseStatusArguments, CaseActArguments, AgreementProposeArguments,
    AgreementShowArguments, AgreementSignArguments, TemplateListArguments, TemplateShowArguments>;

}  // namespace parley::cli

#endif  // PARLEY_TOOLS_PARLEY_ARGUMENTS_H_
