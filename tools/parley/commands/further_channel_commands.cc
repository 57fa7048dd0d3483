// channel create, channel dismiss, channel leave, channel steward.
#include <algorithm>
#include <cctype>

#include "tools/parley/commands/commands.h"
#include "tools/parley/output/records.h"
#include "tools/parley/output/text.h"
#include "tools/parley/terminal.h"
#include "tools/parley/try.h"

namespace parley::cli {
namespace {

Result<std::vector<ParticipantId>> FindAll(Profile& profile, const Case& info,
                                           const std::vector<std::string>& names) {
  std::vector<ParticipantId> ids;
  for (const std::string& name : names) {
    PARLEY_TRY_ASSIGN(const Participant participant, profile.FindParticipant(info.id, name));
    ids.push_back(participant.id);
  }
  return ids;
}

// What is to be opened; a group unless it is one of the others.
Result<ChannelRequest> RequestOf(const std::string& what) {
  std::string word = what;
  std::transform(word.begin(), word.end(), word.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  ChannelRequest request;
  if (word == "team") {
    request.kind = ChannelKind::kTeam;
  } else if (word == "counsel") {
    request.kind = ChannelKind::kCounsel;
  } else if (word == "joint" || word == "neutrals" || word == "caucus" ||
             word.starts_with("caucus:") || word.starts_with("team:")) {
    return Status(StatusCode::kInvalidArgument,
                  word.starts_with("team:") ? "a team is your own side's: write \"team\""
                                            : "the case opens its " + word + " channel by itself");
  } else {
    constexpr std::string_view kPrefix = "group:";
    request.kind = ChannelKind::kGroup;
    request.name = word.starts_with(kPrefix) ? what.substr(kPrefix.size()) : what;
  }
  return request;
}

// What is still to be done about the channel.
Status PrintDue(Session& session, Profile& profile, const Channel& channel) {
  PARLEY_TRY_ASSIGN(const std::vector<Alarm> alarms, profile.Alarms(channel.ref.case_id));
  for (const Alarm& alarm : alarms) {
    if (alarm.kind == AlarmKind::kJobWaiting && alarm.channel == channel.ref) {
      session.out() << Harmless(alarm.text) << ".\n";
    }
  }
  return {};
}

Status PrintChannel(Session& session, Profile& profile, const ChannelRef& ref) {
  PARLEY_TRY_ASSIGN(const Channel channel, profile.GetChannel(ref));
  if (session.json()) {
    session.Print(ToJson(channel));
    return {};
  }
  session.out() << Harmless(channel.name) << ", read by " << PeopleText(channel.readers) << '\n';
  if (channel.kind == ChannelKind::kTeam) {
    session.out() << "Stewards: " << PeopleText(channel.stewards) << '\n';
  }
  if (AnyNotCompared(channel.readers)) session.out() << kNotComparedNote << '\n';
  return PrintDue(session, profile, channel);
}

}  // namespace

Status Run(Session& session, const ChannelCreateArguments& arguments) {
  PARLEY_TRY_ASSIGN(ChannelRequest request, RequestOf(arguments.what));
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(request.members, FindAll(*profile, info, arguments.with));
  PARLEY_TRY_ASSIGN(request.stewards, FindAll(*profile, info, arguments.stewards));
  PARLEY_TRY_ASSIGN(const Channel channel, profile->CreateChannel(info.id, request));
  PARLEY_TRY(PrintChannel(session, *profile, channel.ref));
  if (!session.json()) session.out() << Harmless(channel.name) << '\n';
  return {};
}

Status Run(Session& session, const ChannelDismissArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const Channel channel, session.OpenChannel(info, arguments.channel));
  PARLEY_TRY_ASSIGN(const Participant participant,
                    profile->FindParticipant(info.id, arguments.participant));
  if (!arguments.yes &&
      !Confirm("Put " + Harmless(participant.name) + " out of " + Harmless(channel.name) + "?")) {
    return Status(StatusCode::kCancelled, "nobody was put out");
  }
  PARLEY_TRY(profile->Dismiss(channel.ref, participant.id));
  return PrintChannel(session, *profile, channel.ref);
}

Status Run(Session& session, const ChannelLeaveArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const Channel channel, session.OpenChannel(info, arguments.channel));
  if (!arguments.yes && !Confirm("Leave " + Harmless(channel.name) + "?")) {
    return Status(StatusCode::kCancelled, "you are still in it");
  }
  PARLEY_TRY(profile->LeaveTeam(channel.ref));
  if (session.json()) {
    session.Print(JsonObject().Text("channel", channel.name).Bool("left", true));
  } else {
    session.out() << "You have left " << Harmless(channel.name)
                  << (channel.readers.size() == 1
                          ? "; nobody else was in it, so it is over.\n"
                          : "; a steward's program puts you out when it next reaches the relay.\n");
  }
  return {};
}

Status Run(Session& session, const ChannelStewardArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const Channel channel, session.OpenChannel(info, arguments.channel));
  PARLEY_TRY_ASSIGN(const Participant participant,
                    profile->FindParticipant(info.id, arguments.participant));
  PARLEY_TRY(profile->NameSteward(channel.ref, participant.id));
  return PrintChannel(session, *profile, channel.ref);
}

}  // namespace parley::cli
