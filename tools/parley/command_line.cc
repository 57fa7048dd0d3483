#include "tools/parley/command_line.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>

#include "parley/procedure.h"
#include "parley/version.h"
#include "tools/help/help_text.h"
#include "tools/parley/duration.h"

namespace parley::cli {
namespace {

constexpr const char* kAbout =
    "Parley: confidential messages and documents for mediations.\n\n"
    "Everything that you write or share is encrypted on this machine and can be read only by those "
    "who take part in the channel you name. The mediator holds a private channel (a caucus) with "
    "each side, and a joint channel with all.\n";

constexpr const char* kFooter =
    "Exit status: 0 done; 1 refused or failed, with one line that says why; 2 wrong usage.\n"
    "What a command makes (a case, an invitation, a message) stands alone on the last line.\n"
    "Details of a command: parley COMMAND --help";

// Below each command's own help.
constexpr const char* kGeneralOptions =
    "Also: --profile, --passphrase-file, --json, --offline (parley --help)";

constexpr const char* kCaseHelp = "The case: its title, or the beginning of its id";
constexpr const char* kChannelHelp =
    "The channel: joint, neutrals, caucus:SIDE (\"caucus\" where there is only one)";
constexpr const char* kParticipantHelp =
    "The participant: their name or its first word, or the beginning of their id";

std::optional<std::string> ReadRole(const std::string& text) {
  if (ParseRole(text)) return std::nullopt;
  return "\"" + text +
         "\" is no role: mediator, co-mediator, party, counsel, expert, observer, interpreter or "
         "support-person";
}

std::optional<std::string> ReadDuration(const std::string& text) {
  if (ParseDuration(text)) return std::nullopt;
  return "\"" + text + "\" is no span of time: write 90s, 30m, 12h, 14d or 2w";
}

std::optional<std::string> ReadPosition(const std::string& text) {
  const bool digits =
      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (digits && !text.empty() && text.size() < 20) return std::nullopt;
  return "\"" + text + "\" is no position: positions are whole numbers";
}

std::optional<std::string> ReadSeconds(const std::string& text) {
  constexpr double kMost = 86400;
  double seconds = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc() && end == text.data() + text.size() && seconds >= 0 &&
      seconds <= kMost) {
    return std::nullopt;
  }
  return "\"" + text + "\" is no number of seconds: write 0 to 86400";
}

std::optional<std::string> ReadAct(const std::string& text) {
  if (ParseCaseAct(text)) return std::nullopt;
  return "\"" + text + "\" is no act: parley case act --help shows which there are";
}

std::optional<std::string> ReadOutput(const std::string& text) {
  if (text != "-") return std::nullopt;
  return "a document isn't written to standard output: name a file (one called - is ./-)";
}

// CLI11 wants an empty text for what is right.
auto Check(std::optional<std::string> (*read)(const std::string&)) {
  return [read](const std::string& text) { return read(text).value_or(""); };
}

// Holds what the options are read into, until the command is complete.
class CommandLine {
 public:
  CommandLine() : app_(kAbout, "parley") {
    help::UseOurHelp(app_);
    app_.fallthrough();  // the general options may also stand behind the command
    app_.require_subcommand(1);
    app_.set_version_flag("--version", std::string("parley ") + LibraryVersion());
    app_.footer(kFooter);
    AddGeneralOptions();
    AddProfileCommands();
    AddCaseCommands();
    AddParticipantCommands();
    AddChannelCommands();
    AddDocumentCommands();
    AddDisclosureCommands();
    AddSyncCommands();
    AddProcedureCommands();
  }

  ParsedLine Parse(std::vector<std::string> arguments) {
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
    try {
      app_.parse(std::move(arguments));
    } catch (const CLI::ParseError& error) {
      return Ended(error);
    }
    const bool needs_profile = !std::holds_alternative<TemplateListArguments>(command_) &&
                               !std::holds_alternative<TemplateShowArguments>(command_);
    if (settings_.profile.empty() && needs_profile) {
      return Finished{2, "", "which profile? Give --profile FOLDER, or set PARLEY_PROFILE"};
    }
    return Invocation{std::move(settings_), std::move(command_)};
  }

 private:
  ParsedLine Ended(const CLI::ParseError& error) {
    std::ostringstream output;
    std::ostringstream complaint;
    if (app_.exit(error, output, complaint) == 0) return Finished{0, output.str(), ""};
    return Finished{2, "", help::Complaint(app_, error)};
  }

  void AddGeneralOptions() {
    app_.add_option("--profile", settings_.profile,
                    "The folder that holds your keys, cases and messages on this machine (or set "
                    "PARLEY_PROFILE)")
        ->type_name("FOLDER")
        ->envname("PARLEY_PROFILE");
    app_.add_option("--passphrase-file", settings_.passphrase_file,
                    "Read the profile's passphrase from the first line of this file; without it, "
                    "a locked profile asks on the terminal")
        ->type_name("FILE");
    app_.add_flag("--json", settings_.json, "Print one JSON object a line, for scripts");
    app_.add_flag("--offline", settings_.offline,
                  "Show what is stored on this machine without asking the relay for news first");
  }

  static void Explain(CLI::App* command, const char* text) {
    command->footer(help::Wrapped(text) + "\n\n" + kGeneralOptions);
  }

  template <typename Arguments>
  CLI::App* Add(CLI::App& parent, const std::string& name, const std::string& about,
                Arguments& arguments, const char* group) {
    CLI::App* const command = parent.add_subcommand(name, about);
    command->group(group);
    command->footer(kGeneralOptions);
    command->final_callback([this, &arguments] { command_ = arguments; });
    return command;
  }

  static void Positional(CLI::App* command, const char* name, std::string& target,
                         const char* about) {
    command->add_option(name, target, about)->required()->type_name("");
  }

  void AddProfileCommands() {
    CLI::App* init =
        Add(app_, "init", "Make a profile for yourself on this machine", init_, "Your profile");
    init->add_option("--name", init_.name, "Your name, as the others will see it")
        ->required()
        ->type_name("NAME");
    Explain(init,
            "With --passphrase-file, or when a passphrase is typed on the terminal, the profile is "
            "locked with it.");
    Add(app_, "whoami", "Show whose profile this is, and in which cases", who_am_i_,
        "Your profile");
    AddPassphraseCommands();
    CLI::App* warnings = Add(app_, "warnings", "Show what is wrong and wants your attention",
                             warnings_, "Your profile");
    warnings->add_option("CASE", warnings_.case_text, kCaseHelp)->type_name("");
    warnings->add_flag("--seen", warnings_.seen,
                       "Don't show those about invitations again; other warnings end when their "
                       "cause does");
  }

  void AddPassphraseCommands() {
    CLI::App* passphrase =
        app_.add_subcommand("passphrase", "Set, change or remove your profile's passphrase");
    passphrase->group("Your profile");
    passphrase->require_subcommand(1);
    passphrase->footer(kGeneralOptions);
    CLI::App* change = Add(*passphrase, "change", "Set a passphrase, or another one",
                           passphrase_change_, "Your profile");
    change
        ->add_option("--new-passphrase-file", passphrase_change_.new_passphrase_file,
                     "Read the new passphrase from the first line of this file; without it, it is "
                     "asked for on the terminal")
        ->type_name("FILE");
    Explain(change,
            "The one from before is needed as for every command. Programs that have the profile "
            "open go on. Copies of the folder that were made before still open with the old one.");
    CLI::App* remove = Add(*passphrase, "remove", "Go on without a passphrase", passphrase_remove_,
                           "Your profile");
    remove->add_flag("-y,--yes", passphrase_remove_.yes, "Don't ask");
    Explain(remove, "Whoever can read the profile's folder can then read your cases.");
  }

  void AddCaseCommands() {
    CLI::App* join =
        Add(app_, "join", "Join a case with the invitation that you were given", join_, "Cases");
    Positional(join, "INVITATION", join_.invitation,
               "The text that begins with parley-invite1: (or - to read it from standard input)");
    case_ = app_.add_subcommand("case", "Open cases; invite, approve and remove participants");
    case_->group("Cases");
    case_->require_subcommand(1);
    case_->footer(kGeneralOptions);

    CLI::App* create =
        Add(*case_, "create", "Open a case: you become its mediator", create_, "Cases");
    Positional(create, "TITLE", create_.title, "What the case is called");
    create
        ->add_option("--relay", create_.relay,
                     "The connection string from the relay's operator (or - to read it from "
                     "standard input)")
        ->required()
        ->type_name("CONNECTION");
    create->add_flag("--procedure", create_.procedure,
                     "Let nothing be said before everybody has signed the agreement to mediate");
    Explain(create, "Prints the new case's id on the last line.");
    CLI::App* relay =
        Add(*case_, "relay", "Give a case the connection string that was renewed", relay_, "Cases");
    Positional(relay, "CASE", relay_.case_text, kCaseHelp);
    Positional(relay, "CONNECTION", relay_.relay,
               "The new connection string from the relay's operator (or - to read it from standard "
               "input)");
    Explain(relay,
            "After somebody who knew the case's connection string was removed, the operator of the "
            "same relay makes another (parley-relay sponsor renew). One mediator or co-mediator "
            "gives it to the case; the others get it with their next sync.");
    Add(*case_, "list", "Show your cases", list_, "Cases");
    CLI::App* leave = Add(*case_, "leave", "Leave a case for good", leave_, "Cases");
    Positional(leave, "CASE", leave_.case_text, kCaseHelp);
    leave->add_flag("-y,--yes", leave_.yes, "Don't ask");
    AddInvite();
  }

  void AddInvite() {
    CLI::App* invite = Add(*case_, "invite", "Invite somebody to a case", invite_, "Participants");
    Positional(invite, "CASE", invite_.case_text, kCaseHelp);
    invite->add_option("--name", invite_.name, "Their name, as all will see it")
        ->required()
        ->type_name("NAME");
    invite
        ->add_option("--role", role_,
                     "co-mediator, party, counsel, expert, observer, interpreter or support-person")
        ->required()
        ->type_name("ROLE")
        ->check(Check(ReadRole));
    invite->add_option("--side", invite_.side, "Whose side they are on, as \"Harbor\"")
        ->type_name("SIDE");
    invite
        ->add_option("--valid-for", valid_for_,
                     "How long the invitation can be used, as 12h or 14d (default: 14d)")
        ->type_name("TIME")
        ->check(Check(ReadDuration));
    invite->add_flag("--qr", invite_.qr, "Also draw it as a QR code");
    invite->final_callback([this] {
      invite_.role = ParseRole(role_).value_or(Role::kUnknown);
      if (!valid_for_.empty()) invite_.valid_for_seconds = ParseDuration(valid_for_).value_or(0);
      command_ = invite_;
    });
    Explain(
        invite,
        "Prints the invitation on the last line. It works for one person, once. Whoever has it can "
        "join in their place: hand it over by a way that you trust, and compare safety numbers by "
        "voice afterwards.");
  }

  void AddParticipantCommands() {
    CLI::App* participants =
        Add(*case_, "participants",
            "Show who takes part: roles, sides, who waits for approval, safety numbers",
            participants_, "Participants");
    Positional(participants, "CASE", participants_.case_text, kCaseHelp);
    CLI::App* approve = Add(*case_, "approve", "Let somebody in who has joined and waits", approve_,
                            "Participants");
    Positional(approve, "CASE", approve_.case_text, kCaseHelp);
    Positional(approve, "NAME", approve_.participant, kParticipantHelp);
    CLI::App* compare =
        Add(*case_, "compare", "Note that you have compared safety numbers with somebody", compare_,
            "Participants");
    Positional(compare, "CASE", compare_.case_text, kCaseHelp);
    Positional(compare, "NAME", compare_.participant, kParticipantHelp);
    compare
        ->add_option("NUMBER", compare_.number,
                     "The number that they read to you: it is compared with yours here")
        ->type_name("");
    CLI::App* remove =
        Add(*case_, "remove", "Put somebody out of a case, or withdraw their invitation", remove_,
            "Participants");
    Positional(remove, "CASE", remove_.case_text, kCaseHelp);
    Positional(remove, "NAME", remove_.participant, kParticipantHelp);
    remove->add_flag("-y,--yes", remove_.yes, "Don't ask");
    CLI::App* admit = Add(*case_, "admit",
                          "Let an expert, observer, interpreter or support person into a channel",
                          admit_, "Participants");
    Positional(admit, "CASE", admit_.case_text, kCaseHelp);
    Positional(admit, "CHANNEL", admit_.channel, kChannelHelp);
    Positional(admit, "NAME", admit_.participant, kParticipantHelp);
  }

  void AddChannelCommands() {
    CLI::App* channels = Add(app_, "channels", "Show the channels, and who can read each",
                             channels_, "Messages and documents");
    Positional(channels, "CASE", channels_.case_text, kCaseHelp);
    CLI::App* reopen = Add(*case_, "reopen", "Open a halted channel anew, with the same members",
                           reopen_, "Cases");
    Positional(reopen, "CASE", reopen_.case_text, kCaseHelp);
    Positional(reopen, "CHANNEL", reopen_.channel, kChannelHelp);
    CLI::App* send =
        Add(app_, "send", "Send a message; says who will read it", send_, "Messages and documents");
    Positional(send, "CASE", send_.case_text, kCaseHelp);
    Positional(send, "CHANNEL", send_.channel, kChannelHelp);
    Positional(send, "TEXT", send_.text, "The message; - reads it from standard input");
    Explain(
        send,
        "Prints who can read it, and the message's id on the last line. Without a connection the "
        "message is stored, and the next command that reaches the relay sends it. Before a TEXT "
        "that begins with \"-\", put --.");
    CLI::App* read =
        Add(app_, "read", "Show a channel's messages", read_, "Messages and documents");
    Positional(read, "CASE", read_.case_text, kCaseHelp);
    Positional(read, "CHANNEL", read_.channel, kChannelHelp);
    read->add_option("--after", read_.after, "Only those after this position")
        ->type_name("N")
        ->check(Check(ReadPosition));
  }

  void AddDocumentCommands() {
    CLI::App* share = Add(app_, "share", "Share a document; says who will read it", share_,
                          "Messages and documents");
    Positional(share, "CASE", share_.case_text, kCaseHelp);
    Positional(share, "CHANNEL", share_.channel, kChannelHelp);
    Positional(share, "FILE", share_.file, "The file, of any size and kind");
    share->add_option("--name", share_.name, "Another name for the others to see")
        ->type_name("NAME");
    share->add_option("--replaces", share_.replaces, "The document that this is a new version of")
        ->type_name("DOCUMENT");
    Explain(
        share,
        "Prints who can read it, and the document's id on the last line. After an interruption the "
        "same command goes on where it was. Unlike a message, a document isn't kept for later: "
        "without a connection nothing is shared, and you run the same command again.");
    CLI::App* documents =
        Add(app_, "documents", "Show a channel's documents", documents_, "Messages and documents");
    Positional(documents, "CASE", documents_.case_text, kCaseHelp);
    Positional(documents, "CHANNEL", documents_.channel, kChannelHelp);
    CLI::App* fetch =
        Add(app_, "fetch", "Save a document to a file", fetch_, "Messages and documents");
    Positional(fetch, "CASE", fetch_.case_text, kCaseHelp);
    Positional(fetch, "CHANNEL", fetch_.channel, kChannelHelp);
    Positional(fetch, "DOCUMENT", fetch_.document,
               "The document: its name, or the beginning of its id");
    fetch->add_option("-o,--output", fetch_.output, "Where to save it")
        ->required()
        ->type_name("FILE")
        ->check(Check(ReadOutput));
    fetch->add_flag("--force", fetch_.force, "Replace FILE if it exists");
    Explain(
        fetch,
        "The file appears when it is complete and verified, or not at all. After an interruption "
        "the same command goes on where it was.");
  }

  void AddDisclosureCommands() {
    constexpr const char* kGroup = "Telling others with leave";
    constexpr const char* kAuthorisationHelp =
        "The authorisation: the beginning of its id (parley authorisations)";
    CLI::App* authorise =
        Add(app_, "authorise", "Let the neutrals tell others what you said", authorise_, kGroup);
    Positional(authorise, "CASE", authorise_.case_text, kCaseHelp);
    Positional(authorise, "CAUCUS", authorise_.channel, kChannelHelp);
    Positional(authorise, "ITEM", authorise_.item,
               "Your message or document there: its position, or the beginning of its id");
    authorise->add_option("--to", authorise_.to, "Who may be told: joint, or caucus:SIDE")
        ->required()
        ->type_name("AUDIENCE");
    authorise
        ->add_option("--words", authorise_.words,
                     "Only these words of the message, exactly; without it, all of it")
        ->type_name("WORDS");
    authorise->add_flag("--anonymous", authorise_.anonymous,
                        "Without saying from whom: only \"from a confidential caucus\"");
    authorise
        ->add_option("--until", until_,
                     "For how long, as 12h or 14d; without it, until you revoke it")
        ->type_name("TIME")
        ->check(Check(ReadDuration));
    authorise->final_callback([this] {
      if (!until_.empty()) authorise_.valid_for_seconds = ParseDuration(until_).value_or(0);
      command_ = authorise_;
    });
    Explain(
        authorise,
        "What is said in a caucus stays there, unless its author lets it be told. A neutral can "
        "then tell it once, in exactly these words; or share the document once, unchanged. You "
        "see when that has been done; until then you can take it back with \"parley revoke\". "
        "Prints the authorisation's id on the last line.");
    CLI::App* list =
        Add(app_, "authorisations", "Show what may be told to whom", authorisations_, kGroup);
    Positional(list, "CASE", authorisations_.case_text, kCaseHelp);
    CLI::App* revoke =
        Add(app_, "revoke", "Take back an authorisation that wasn't used yet", revoke_, kGroup);
    Positional(revoke, "CASE", revoke_.case_text, kCaseHelp);
    Positional(revoke, "AUTHORISATION", revoke_.authorisation, kAuthorisationHelp);
    CLI::App* disclose = Add(
        app_, "disclose", "As a neutral, tell what you were authorised to tell", disclose_, kGroup);
    Positional(disclose, "CASE", disclose_.case_text, kCaseHelp);
    Positional(disclose, "AUTHORISATION", disclose_.authorisation, kAuthorisationHelp);
    Explain(disclose,
            "Sends exactly the authorised words, or the document, to the authorised audience, with "
            "your name as who attests them, and notes the use where leave was given. Only once. "
            "All neutrals' programs check it, and show a disclosure that wasn't authorised so as "
            "refused, with a warning.");
  }

  void AddSyncCommands() {
    CLI::App* sync =
        Add(app_, "sync", "Get what is new and send what waits, in all cases", sync_, "Keeping up");
    sync->add_option("--wait", sync_.wait_seconds,
                     "When nothing is new, wait up to so many seconds for something")
        ->type_name("SECONDS")
        ->check(Check(ReadSeconds));
    Explain(sync, "Every other command does this by itself for the case that it names.");
    CLI::App* watch = Add(app_, "watch", "Stay connected and show what happens, until Ctrl-C",
                          watch_, "Keeping up");
    Positional(watch, "CASE", watch_.case_text, kCaseHelp);
  }

  // One that names a case and does an act of the table.
  CLI::App* AddAct(const char* name, CaseAct act, const char* about, const char* words) {
    CLI::App* command = Add(*case_, name, about, act_, "Procedure");
    Positional(command, "CASE", act_.case_text, kCaseHelp);
    if (act == CaseAct::kWaive || act == CaseAct::kObject) {
      command
          ->add_option("--disclosure", act_.disclosure,
                       "Which disclosure, by the beginning of its id (parley case status); needed "
                       "where several wait for your side's answer")
          ->type_name("ID");
    }
    if (words != nullptr) command->add_option("WORDS", act_.words, words)->type_name("");
    command->final_callback([this, act] {
      act_.act = act;
      command_ = act_;
    });
    return command;
  }

  void AddProcedureCommands() {
    CLI::App* status =
        Add(*case_, "status", "Show how far the case has come, what is missing and from whom",
            status_, "Procedure");
    Positional(status, "CASE", status_.case_text, kCaseHelp);
    constexpr const char* kWords = "What to say with it, for all to read; - reads standard input";
    Explain(AddAct("request", CaseAct::kRequest, "Ask for mediation, for your side", kWords),
            "A party or their counsel does it, once the mediator has let them in. The other sides "
            "accept or decline.");
    AddAct("accept", CaseAct::kAccept, "Accept the request, for your side", kWords);
    Explain(AddAct("decline", CaseAct::kDecline, "Decline the request, for your side", kWords),
            "No reason is needed. The case ends.");
    Explain(AddAct("disclose-conflict", CaseAct::kDiscloseConflict,
                   "Tell what could make your neutrality doubtful", kWords),
            "The mediator or a co-mediator does it; each side then waives or objects. From the "
            "agreement on it suspends the case until all sides have waived.");
    AddAct("waive", CaseAct::kWaive, "Have no objection to what a neutral disclosed", kWords);
    Explain(
        AddAct("object", CaseAct::kObject, "Object to a neutral for what they disclosed", kWords),
        "The case goes on when your side waives after all, or that neutral leaves.");
    AddOtherActs(kWords);
    AddAgreementCommands();
  }

  void AddOtherActs(const char* words) {
    CLI::App* act = Add(*case_, "act", "Do another act of the procedure", act_, "Procedure");
    Positional(act, "CASE", act_.case_text, kCaseHelp);
    act->add_option("ACT", act_name_, "The act's name, below")
        ->required()
        ->type_name("")
        ->check(Check(ReadAct));
    act->add_option("WORDS", act_.words, words)->type_name("");
    act->final_callback([this] {
      act_.act = ParseCaseAct(act_name_).value_or(CaseAct::kUnknown);
      command_ = act_;
    });
    act->footer("Acts, who may do them, when:\n" + help::Wrapped(CaseActsHelp().c_str()) + "\n" +
                kGeneralOptions);
  }

  void AddAgreementCommands() {
    CLI::App* agreement =
        case_->add_subcommand("agreement", "Propose, show or sign the agreement to mediate");
    agreement->group("Procedure");
    agreement->require_subcommand(1);
    agreement->footer(kGeneralOptions);
    CLI::App* propose = Add(*agreement, "propose", "Put an agreement forward, or an amended one",
                            propose_, "Procedure");
    Positional(propose, "CASE", propose_.case_text, kCaseHelp);
    propose->add_option("--template", propose_.template_name, "Begin from this template")
        ->type_name("NAME");
    propose->add_option("--text", propose_.text_file, "The agreement's text, a file in UTF-8")
        ->type_name("FILE");
    propose->add_option("--policy", propose_.policy_file, "The confidentiality policy, a file")
        ->type_name("FILE");
    propose->footer(PolicyHelp() + "\n" + kGeneralOptions);
    CLI::App* show = Add(*agreement, "show", "Show the agreement, and who has signed it",
                         agreement_show_, "Procedure");
    Positional(show, "CASE", agreement_show_.case_text, kCaseHelp);
    CLI::App* sign = Add(*agreement, "sign", "Sign the agreement that is proposed", agreement_sign_,
                         "Procedure");
    Positional(sign, "CASE", agreement_sign_.case_text, kCaseHelp);
    sign->add_option("HASH", agreement_sign_.hash,
                     "The beginning of the hash of what you have read (parley case agreement show)")
        ->type_name("");
    sign->add_flag("-y,--yes", agreement_sign_.yes, "Don't ask");
    Explain(sign,
            "Your signature can be shown to others outside the case, as one on paper can. What is "
            "said in the mediation carries none.");

    CLI::App* templates =
        app_.add_subcommand("template", "Show agreements and policies to begin from");
    templates->group("Cases");
    templates->require_subcommand(1);
    templates->footer(kGeneralOptions);
    Add(*templates, "list", "Show which there are", template_list_, "Cases");
    CLI::App* show_template =
        Add(*templates, "show", "Print one, to be edited in a file", template_show_, "Cases");
    Positional(show_template, "NAME", template_show_.name, "The template");
    show_template->add_flag("--policy", template_show_.policy,
                            "Print its confidentiality policy instead of its text");
  }

  CLI::App app_;
  CLI::App* case_ = nullptr;
  Settings settings_;
  Command command_;
  std::string role_;
  std::string valid_for_;

  InitArguments init_;
  WhoAmIArguments who_am_i_;
  PassphraseChangeArguments passphrase_change_;
  PassphraseRemoveArguments passphrase_remove_;
  WarningsArguments warnings_;
  CaseCreateArguments create_;
  CaseRelayArguments relay_;
  CaseListArguments list_;
  CaseInviteArguments invite_;
  JoinArguments join_;
  CaseLeaveArguments leave_;
  CaseParticipantsArguments participants_;
  CaseApproveArguments approve_;
  CaseCompareArguments compare_;
  CaseRemoveArguments remove_;
  CaseAdmitArguments admit_;
  CaseReopenArguments reopen_;
  ChannelsArguments channels_;
  SendArguments send_;
  ReadArguments read_;
  ShareArguments share_;
  DocumentsArguments documents_;
  FetchArguments fetch_;
  AuthoriseArguments authorise_;
  std::string until_;
  AuthorisationsArguments authorisations_;
  RevokeArguments revoke_;
  DiscloseArguments disclose_;
  SyncArguments sync_;
  WatchArguments watch_;
  CaseStatusArguments status_;
  CaseActArguments act_;
  std::string act_name_;
  AgreementProposeArguments propose_;
  AgreementShowArguments agreement_show_;
  AgreementSignArguments agreement_sign_;
  TemplateListArguments template_list_;
  TemplateShowArguments template_show_;
};

}  // namespace

ParsedLine ParseCommandLine(const std::vector<std::string>& arguments) {
  return CommandLine().Parse(arguments);
}

}  // namespace parley::cli
