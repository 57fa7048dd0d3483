// case participants, approve, compare, remove, admit.
#include <algorithm>

#include "tools/parley/commands/commands.h"
#include "tools/parley/output/records.h"
#include "tools/parley/output/text.h"
#include "tools/parley/try.h"

namespace parley::cli {
namespace {

struct Found {
  Profile* profile = nullptr;
  Case info;
  Participant participant;
};

Result<Found> Find(Session& session, const std::string& case_text, const std::string& name) {
  Found found;
  PARLEY_TRY_ASSIGN(found.info, session.OpenCase(case_text));
  PARLEY_TRY_ASSIGN(found.profile, session.profile());
  PARLEY_TRY_ASSIGN(found.participant, found.profile->FindParticipant(found.info.id, name));
  return found;
}

std::string Describe(const Participant& participant) {
  return Harmless(participant.name) + " (" + RoleText(participant.role, participant.side) + ")";
}

// The channels that a participant can read, as this profile sees them.
Result<std::vector<std::string>> ChannelsOf(const Found& found) {
  PARLEY_TRY_ASSIGN(const std::vector<Channel> channels, found.profile->Channels(found.info.id));
  std::vector<std::string> names;
  for (const Channel& channel : channels) {
    if (std::any_of(channel.readers.begin(), channel.readers.end(),
                    [&](const Person& person) { return person.id == found.participant.id; })) {
      names.push_back(channel.name);
    }
  }
  return names;
}

// What is still due of a decision about them, one line each.
Status PrintDue(Session& session, const Found& found) {
  PARLEY_TRY_ASSIGN(const std::vector<Alarm> alarms, found.profile->Alarms(found.info.id));
  for (const Alarm& alarm : alarms) {
    if (alarm.kind != AlarmKind::kJobWaiting || alarm.participant != found.participant.id) continue;
    session.out() << "Still due: " << Harmless(alarm.text) << '\n';
  }
  return {};
}

std::string DigitsOf(const std::string& text) {
  std::string digits;
  std::copy_if(text.begin(), text.end(), std::back_inserter(digits),
               [](char c) { return c >= '0' && c <= '9'; });
  return digits;
}

constexpr size_t kGroupDigits = 5;  // as safety numbers are shown

// Why what was typed isn't the number. One that differs in a group or two was misheard or mistyped:
// that of anybody who stands between has hardly a group in common with the right one.
Status NotTheNumber(const std::string& typed, const Participant& participant) {
  const std::string right = DigitsOf(participant.safety_number);
  if (typed.size() != right.size()) {
    return Status(StatusCode::kInvalidArgument,
                  "that number has " + std::to_string(typed.size()) +
                      (typed.size() == 1 ? " digit" : " digits") + ", and a safety number " +
                      std::to_string(right.size()) + ": have it read again");
  }
  std::string wrong;
  size_t count = 0;
  for (size_t at = 0; at < right.size(); at += kGroupDigits) {
    if (typed.compare(at, kGroupDigits, right, at, kGroupDigits) == 0) continue;
    wrong += (count++ == 0 ? "" : " and ") + std::to_string(at / kGroupDigits + 1);
  }
  const std::string name = Harmless(participant.name);
  if (count <= 2) {
    return Status(StatusCode::kUnauthenticated,
                  "group " + wrong + (count == 1 ? " differs" : " differ") +
                      " from the safety number of " + name +
                      " here, and the others don't: have it read again. If it differs again, don't "
                      "go on with this participant");
  }
  return Status(StatusCode::kUnauthenticated,
                "this is not the safety number of " + name + " here (" + participant.safety_number +
                    "): somebody may stand between you; don't go on with this participant");
}

// Prints the participant as they are now.
Status PrintParticipant(Session& session, const Found& found) {
  PARLEY_TRY_ASSIGN(const Participant now,
                    found.profile->FindParticipant(found.info.id, found.participant.id.ToString()));
  session.Print(ToJson(now));
  return {};
}

}  // namespace

Status Run(Session& session, const CaseParticipantsArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info,
                    session.OpenCase(arguments.case_text, Session::Purpose::kShow));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const std::vector<Participant> participants, profile->Participants(info.id));
  if (!session.json()) {
    session.out() << ToText(participants);
    return {};
  }
  for (const Participant& participant : participants) session.Print(ToJson(participant));
  return {};
}

Status Run(Session& session, const CaseApproveArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Found found, Find(session, arguments.case_text, arguments.participant));
  PARLEY_TRY(found.profile->Approve(found.info.id, found.participant.id));
  if (session.json()) return PrintParticipant(session, found);
  PARLEY_TRY_ASSIGN(const std::vector<std::string> channels, ChannelsOf(found));
  session.out() << Describe(found.participant) << " takes part now, in:";
  for (size_t i = 0; i < channels.size(); ++i) {
    session.out() << (i > 0 ? ", " : " ") << Harmless(channels[i]);
  }
  session.out() << (channels.empty() ? " no channel yet\n" : "\n");
  PARLEY_TRY(PrintDue(session, found));
  if (!found.participant.compared) {
    session.out() << "Compare the safety number by voice: " << found.participant.safety_number
                  << '\n';
  }
  return {};
}

Status Run(Session& session, const CaseCompareArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Found found, Find(session, arguments.case_text, arguments.participant));
  const std::string& number = found.participant.safety_number;
  if (!arguments.number.empty() && !number.empty() &&
      DigitsOf(arguments.number) != DigitsOf(number)) {
    return NotTheNumber(DigitsOf(arguments.number), found.participant);
  }
  // Who has read no number to the other end hasn't compared anything.
  if (arguments.number.empty() && !number.empty()) {
    if (session.json()) return PrintParticipant(session, found);
    const std::string name = Harmless(found.participant.name);
    session.out() << "The safety number of " << Describe(found.participant) << " here is\n  "
                  << number << "\nNothing was noted yet. Have " << name
                  << " read you theirs, by telephone or face to face, and run it again with what "
                     "they read:\n  parley case compare "
                  << found.info.id.ToString().substr(0, 8) << ' '
                  << found.participant.id.ToString().substr(0, 8) << " \"NUMBER\"\n";
    return {};
  }
  PARLEY_TRY(found.profile->MarkCompared(found.info.id, found.participant.id));
  if (session.json()) return PrintParticipant(session, found);
  session.out() << Describe(found.participant) << " is marked as compared: " << number << '\n';
  return {};
}

Status Run(Session& session, const CaseRemoveArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Found found, Find(session, arguments.case_text, arguments.participant));
  if (!arguments.yes && !Confirm("Remove " + Describe(found.participant) + " from the case?")) {
    return Status(StatusCode::kCancelled, "nobody was removed");
  }
  PARLEY_TRY(found.profile->Remove(found.info.id, found.participant.id));
  if (session.json()) return PrintParticipant(session, found);
  if (found.participant.state == ParticipantState::kInvited) {
    session.out() << "The invitation for " << Describe(found.participant) << " is withdrawn.\n";
  } else if (found.participant.state == ParticipantState::kExpired) {
    session.out() << "The invitation for " << Describe(found.participant)
                  << ", which had expired unused, is off the list.\n";
  } else {
    session.out() << Describe(found.participant)
                  << " is out of the case and can read nothing that is said from now on.\n";
  }
  return {};
}

Status Run(Session& session, const CaseAdmitArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Found found, Find(session, arguments.case_text, arguments.participant));
  PARLEY_TRY_ASSIGN(const Channel channel, session.OpenChannel(found.info, arguments.channel));
  PARLEY_TRY(found.profile->Admit(channel.ref, found.participant.id));
  if (session.json()) return PrintParticipant(session, found);
  PARLEY_TRY_ASSIGN(const Channel now, found.profile->GetChannel(channel.ref));
  const bool in = std::any_of(now.readers.begin(), now.readers.end(), [&](const Person& person) {
    return person.id == found.participant.id;
  });
  if (in) {
    session.out() << Describe(found.participant) << " can read and write in "
                  << Harmless(channel.name) << " from now on.\n";
  }
  return PrintDue(session, found);
}

}  // namespace parley::cli
