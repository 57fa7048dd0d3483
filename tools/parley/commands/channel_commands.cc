// channels, case reopen, send, read, retract.
#include <algorithm>
#include <cctype>
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

// Whether a person could take the channel's name for another's.
bool NameIsShared(const Channel& channel, const std::vector<Channel>& channels) {
  const auto alike = [&channel](const Channel& other) {
    return std::equal(
        channel.name.begin(), channel.name.end(), other.name.begin(), other.name.end(),
        [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); });
  };
  return std::count_if(channels.begin(), channels.end(), alike) > 1;
}

// Of those who have let it be known.
std::vector<JsonObject> ReadUpTo(const std::vector<ReadReceipt>& receipts) {
  std::vector<JsonObject> objects;
  for (const ReadReceipt& receipt : receipts) {
    if (receipt.position == 0) continue;
    objects.push_back(JsonObject()
                          .Text("name", receipt.reader.name)
                          .Text("participant", receipt.reader.id.ToString())
                          .Text("side", receipt.reader.side)
                          .Number("position", receipt.position));
  }
  return objects;
}

std::string ReadUpToText(const std::vector<ReadReceipt>& receipts) {
  std::string text;
  for (const ReadReceipt& receipt : receipts) {
    if (receipt.position == 0) continue;
    text += (text.empty() ? "  read up to: " : ", ") + PersonText(receipt.reader) + " " +
            std::to_string(receipt.position);
  }
  return text.empty() ? text : text + "\n";
}

// What is quoted. One of another channel is found, too, so that the refusal says where it is from.
Result<MessageId> FindQuoted(Profile& profile, const Case& info, const Channel& channel,
                             const std::string& text) {
  const Result<MessageId> here = FindMessage(profile, channel, text);
  const bool is_id = text.size() >= 8;
  if (here.ok() || here.status().code() != StatusCode::kNotFound || !is_id) return here;
  PARLEY_TRY_ASSIGN(const std::vector<Channel> channels, profile.Channels(info.id));
  for (const Channel& other : channels) {
    const Result<MessageId> there = FindMessage(profile, other, text);
    if (there.ok()) return there;
  }
  return here;
}

}  // namespace

Result<MessageId> FindMessage(Profile& profile, const Channel& channel, const std::string& text,
                              bool waiting) {
  const bool is_position =
      !text.empty() && text.size() < 8 &&
      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  Page page;
  if (is_position && std::stoul(text) > 0) page = {.after = std::stoul(text) - 1, .first = 1};
  PARLEY_TRY_ASSIGN(std::vector<Message> messages, profile.ReadPage(channel.ref, page));
  if (waiting) {
    PARLEY_TRY_ASSIGN(const std::vector<Message> unsent, profile.Unsent(channel.ref));
    messages.insert(messages.end(), unsent.begin(), unsent.end());
  }
  std::vector<MessageId> fitting;
  std::vector<MessageId> own;
  for (const Message& message : messages) {
    const bool fits = is_position ? std::to_string(message.position) == text
                                  : !text.empty() && message.id.ToString().starts_with(text);
    if (fits) fitting.push_back(message.id);
    if (fits && message.author.self) own.push_back(message.id);
  }
  // What is to be taken back is one's own, whoever else has used its id.
  if (waiting && !own.empty()) fitting = own;
  if (fitting.size() == 1) return fitting.front();
  if (fitting.empty()) {
    return Status(StatusCode::kNotFound,
                  channel.name + " has no message \"" + text +
                      "\"; \"parley read\" shows their positions" +
                      (waiting ? ", and the ids of those that wait to be sent" : ""));
  }
  return Status(StatusCode::kAmbiguous,
                "\"" + text + "\" fits several messages; write more of the id");
}

Status Run(Session& session, const ChannelsArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info,
                    session.OpenCase(arguments.case_text, Session::Purpose::kShow));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const std::vector<Channel> channels, profile->Channels(info.id));
  bool not_compared = false;
  for (const Channel& channel : channels) {
    PARLEY_TRY_ASSIGN(const std::vector<ReadReceipt> receipts, profile->Receipts(channel.ref));
    if (session.json()) {
      JsonObject object = ToJson(channel);
      object.Objects("read_up_to", ReadUpTo(receipts));
      session.Print(object);
    } else {
      session.out() << ToText(channel, info.own_state, NameIsShared(channel, channels))
                    << ReadUpToText(receipts);
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
  SendOptions options;
  if (!arguments.quote.empty()) {
    PARLEY_TRY_ASSIGN(options.quote, FindQuoted(*profile, info, channel, arguments.quote));
  }
  options.reserved = arguments.reserved;
  options.override_reason = arguments.override_reason;
  PARLEY_TRY_ASSIGN(const SentMessage sent, profile->Send(channel.ref, text, options));
  session.DropNote(sent.queued_because);
  if (session.json()) {
    JsonObject object;
    object.Text("message", sent.id.ToString())
        .Text("channel", channel.name)
        .Bool("queued", sent.queued)
        .Text("queued_because", sent.queued_because)
        .Bool("held", sent.held)
        .Objects("readers", ToJson(sent.readers));
    if (sent.position) object.Number("position", *sent.position);
    session.Print(object);
    return {};
  }
  if (sent.held) {
    session.out() << "Held: " << Harmless(sent.queued_because)
                  << " (with the next command that reaches the relay).\n";
  } else if (sent.queued) {
    session.out() << "Not sent yet: " << Harmless(sent.queued_because)
                  << ". The message is stored, and a later command sends it, once.\n";
  }
  session.out() << Harmless(channel.name) << (sent.queued ? ", will be read by " : ", read by ")
                << PeopleText(sent.readers) << '\n';
  PrintReadersNote(session, sent.readers);
  if (!channel.caution.empty()) session.out() << '(' << Harmless(channel.caution) << ")\n";
  session.out() << sent.id.ToString() << '\n';
  return {};
}

namespace {

// How many messages are in memory at once.
constexpr size_t kPageSize = 1000;

// The first and the latest position of what has been shown.
struct Shown {
  uint64_t first = 0;  // 0 for nothing
  uint64_t others = 0;
  uint64_t own = 0;  // 0 for none
};

void Print(Session& session, const Channel& channel, const std::vector<Message>& messages,
           Shown& shown) {
  for (const Message& message : messages) {
    if (shown.first == 0) shown.first = message.position;
    (message.author.self ? shown.own : shown.others) = message.position;
    if (session.json()) {
      session.Print(ToJson(message, channel.name));
    } else {
      session.out() << '\n' << ToText(message);
    }
  }
}

// Those that were asked for, a page at a time.
Result<Shown> PrintMessages(Session& session, const Profile& profile, const Channel& channel,
                            const ReadArguments& arguments) {
  Shown shown;
  if (arguments.last > 0) {
    PARLEY_TRY_ASSIGN(
        const std::vector<Message> latest,
        profile.ReadPage(channel.ref, {.after = arguments.after, .last = arguments.last}));
    Print(session, channel, latest, shown);
    return shown;
  }
  Page page = {.after = arguments.after, .first = kPageSize};
  for (;;) {
    PARLEY_TRY_ASSIGN(const std::vector<Message> messages, profile.ReadPage(channel.ref, page));
    Print(session, channel, messages, shown);
    if (messages.size() < page.first) return shown;
    page.after = messages.back().position;
  }
}

// The others learn of what has been shown, unless something before it wasn't.
Status NoteRead(Profile& profile, const Channel& channel, const Shown& shown) {
  if (shown.others == 0 || channel.status != ChannelStatus::kActive) return {};
  return profile.NoteRead(channel.ref, shown.others, shown.first);
}

// Who says to have read the owner's latest message; empty for nobody.
std::string ReceiptsText(const std::vector<ReadReceipt>& receipts, uint64_t latest) {
  std::string people;
  for (const ReadReceipt& receipt : receipts) {
    if (latest == 0 || receipt.position < latest) continue;
    people += (people.empty() ? "" : ", ") + PersonText(receipt.reader);
  }
  return people.empty() ? "" : "Your latest message has been read by " + people + "\n";
}

}  // namespace

Status Run(Session& session, const ReadArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info,
                    session.OpenCase(arguments.case_text, Session::Purpose::kShow));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const Channel channel, session.OpenChannel(info, arguments.channel));
  if (!session.json()) {
    session.out() << ToText(channel, info.own_state);
    PrintReadersNote(session, channel.readers);
  }
  PARLEY_TRY_ASSIGN(const Shown shown, PrintMessages(session, *profile, channel, arguments));
  PARLEY_TRY_ASSIGN(const std::vector<Message> unsent, profile->Unsent(channel.ref));
  PARLEY_TRY_ASSIGN(const std::vector<Message> never_sent, profile->NeverSent(channel.ref));
  if (session.json()) {
    for (const Message& message : unsent) {
      session.Print(ToJson(message, channel.name, Delivery::kWaiting));
    }
    for (const Message& message : never_sent) {
      session.Print(ToJson(message, channel.name, Delivery::kNeverSent));
    }
    return NoteRead(*profile, channel, shown);
  }
  if (!unsent.empty()) {
    session.out() << "\nWaiting to be sent (until then \"parley retract\" takes it back, by its "
                     "id):\n";
  }
  for (const Message& message : unsent) {
    session.out() << ToText(message) << "      id " << message.id.ToString().substr(0, 8) << '\n';
    if (!message.note.empty()) session.out() << "  (" << Harmless(message.note) << ")\n";
  }
  if (!never_sent.empty()) session.out() << "\nNever sent:\n";
  for (const Message& message : never_sent) {
    session.out() << ToText(message) << "  (" << Harmless(message.note) << ")\n";
  }
  PARLEY_TRY_ASSIGN(const std::vector<ReadReceipt> receipts, profile->Receipts(channel.ref));
  const std::string read_by = ReceiptsText(receipts, shown.own);
  if (!read_by.empty()) session.out() << '\n' << read_by;
  return NoteRead(*profile, channel, shown);
}

namespace {

// Takes a message back that waits to be sent, before anything is sent. Nothing where none does.
std::optional<MessageId> TakeBackWaiting(Profile& profile, const RetractArguments& arguments) {
  const Result<Case> info = profile.FindCase(arguments.case_text);
  if (!info.ok()) return std::nullopt;
  const Result<Channel> channel = profile.FindChannel(info->id, arguments.channel);
  if (!channel.ok()) return std::nullopt;
  const Result<MessageId> id = FindMessage(profile, *channel, arguments.message, true);
  if (!id.ok() || !profile.Unsend(channel->ref, *id).ok()) return std::nullopt;
  return *id;
}

}  // namespace

Status Run(Session& session, const RetractArguments& arguments) {
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  const std::optional<MessageId> waiting = TakeBackWaiting(*profile, arguments);
  const bool waited = waiting.has_value();
  MessageId id = waiting.value_or(MessageId());
  SentMessage sent;
  if (!waited) {
    PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
    PARLEY_TRY_ASSIGN(const Channel channel, session.OpenChannel(info, arguments.channel));
    PARLEY_TRY_ASSIGN(id, FindMessage(*profile, channel, arguments.message, true));
    PARLEY_TRY_ASSIGN(sent, profile->Retract(channel.ref, id));
  }
  if (session.json()) {
    session.Print(JsonObject()
                      .Text("message", id.ToString())
                      .Bool("was_sent", !waited)
                      .Bool("queued", sent.queued)
                      .Text("queued_because", sent.queued_because));
  } else if (sent.queued) {
    session.out() << "Not taken back yet: that waits here and goes out at a later sync ("
                  << Harmless(sent.queued_because) << "). Until then the others can read it.\n"
                  << id.ToString() << '\n';
  } else if (waited) {
    session.out() << "It had not been sent, and is gone.\n" << id.ToString() << '\n';
  } else {
    session.out() << "Taken back: the others' programs drop it and show that it was retracted. Who "
                     "has read or copied it has it all the same.\n"
                  << id.ToString() << '\n';
  }
  return {};
}

}  // namespace parley::cli
