// channels, case reopen, send, read.
#include <iostream>

#include "tools/parley/commands/commands.h"
#include "tools/parley/output/records.h"
#include "tools/parley/output/text.h"
#include "tools/parley/standard_input.h"
#include "tools/parley/try.h"

namespace parley::cli {
namespace {

void PrintReadersNote(Session& session, const std::vector<Person>& readers) {
  if (AnyNotCompared(readers)) session.out() << kNotComparedNote << '\n';
}

}  // namespace

Status Run(Session& session, const ChannelsArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const std::vector<Channel> channels, profile->Channels(info.id));
  bool not_compared = false;
  for (const Channel& channel : channels) {
    if (session.json()) {
      session.Print(ToJson(channel));
    } else {
      session.out() << ToText(channel);
      not_compared = not_compared || AnyNotCompared(channel.readers);
    }
  }
  if (not_compared) session.out() << kNotComparedNote << '\n';
  if (channels.empty() && !session.json()) {
    session.out() << "No channels yet"
                  << (info.own_state == ParticipantState::kWaiting ? ": you wait for approval.\n"
                                                                   : ".\n");
  }
  return {};
}

Status Run(Session& session, const CaseReopenArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const Channel channel, session.OpenChannel(info, arguments.channel));
  PARLEY_TRY(profile->Reopen(channel.ref));
  PARLEY_TRY_ASSIGN(const Channel now, profile->GetChannel(channel.ref));
  if (session.json()) {
    session.Print(ToJson(now));
  } else {
    session.out() << Harmless(now.name) << " is open again, read by " << PeopleText(now.readers)
                  << '\n';
    PrintReadersNote(session, now.readers);
  }
  return {};
}

Status Run(Session& session, const SendArguments& arguments) {
  PARLEY_TRY_ASSIGN(const std::string text, ArgumentOrInput(arguments.text, std::cin));
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const Channel channel, session.OpenChannel(info, arguments.channel));
  PARLEY_TRY_ASSIGN(const SentMessage sent, profile->Send(channel.ref, text));
  if (session.json()) {
    JsonObject object;
    object.Text("message", sent.id.ToString())
        .Text("channel", channel.name)
        .Bool("queued", sent.queued)
        .Objects("readers", ToJson(sent.readers));
    if (sent.position) object.Number("position", *sent.position);
    session.Print(object);
    return {};
  }
  if (sent.queued) {
    session.out() << "The relay can't be reached: the message is stored, and a later command sends "
                     "it, once.\n";
  }
  session.out() << Harmless(channel.name) << (sent.queued ? ", will be read by " : ", read by ")
                << PeopleText(sent.readers) << '\n';
  PrintReadersNote(session, sent.readers);
  session.out() << sent.id.ToString() << '\n';
  return {};
}

Status Run(Session& session, const ReadArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const Channel channel, session.OpenChannel(info, arguments.channel));
  PARLEY_TRY_ASSIGN(const std::vector<Message> messages,
                    profile->Read(channel.ref, arguments.after));
  if (session.json()) {
    for (const Message& message : messages) session.Print(ToJson(message, channel.name));
    return {};
  }
  session.out() << ToText(channel);
  PrintReadersNote(session, channel.readers);
  for (const Message& message : messages) session.out() << '\n' << ToText(message);
  PARLEY_TRY_ASSIGN(const std::vector<Message> unsent, profile->Unsent(channel.ref));
  if (!unsent.empty()) session.out() << "\nWaiting to be sent:\n";
  for (const Message& message : unsent) session.out() << ToText(message);
  return {};
}

}  // namespace parley::cli
