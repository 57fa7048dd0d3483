#include "tools/parley/output/records.h"

#include <algorithm>

#include "tools/parley/output/text.h"

namespace parley::cli {
namespace {

JsonObject& AddAuthor(JsonObject& object, const Person& author) {
  return object.Text("author", author.name)
      .Text("role", RoleName(author.role))
      .Text("side", author.side)
      .Text("author_id", author.id.ToString())
      .Bool("self", author.self)
      .Bool("compared", author.compared);
}

JsonObject& AddDocument(JsonObject& object, const Document& document) {
  object.Text("document", document.ref.message_id.ToString())
      .Text("name", document.name)
      .Number("size", document.size)
      .Text("media_type", document.media_type);
  if (document.replaces) object.Text("replaces", document.replaces->ToString());
  object.Text("class", DocumentClassName(document.document_class))
      .Text("state", DocumentStateName(document.state))
      .Number("version", document.version.number)
      .Number("versions", document.version.latest)
      .Text("first_version", document.version.first.ToString());
  if (!document.note.empty()) object.Text("document_note", document.note);
  if (!document.version.note.empty()) object.Text("version_note", document.version.note);
  if (document.expires_at != 0) object.Text("expires", IsoTime(document.expires_at));
  if (document.brief != BriefKind::kNone) object.Text("brief", BriefKindName(document.brief));
  if (document.carried_by) object.All(Who("carried_by", *document.carried_by));
  if (document.preview_size != 0) object.Number("preview_bytes", document.preview_size);
  return object;
}

const char* AlarmName(AlarmKind kind) {
  switch (kind) {
    case AlarmKind::kInvitationUsedTwice:
      return "invitation used twice";
    case AlarmKind::kFork:
      return "fork";
    case AlarmKind::kHalted:
      return "halted";
    case AlarmKind::kPassedOver:
      return "passed over";
    case AlarmKind::kNotCompared:
      return "not compared";
    case AlarmKind::kStaleCheckpoint:
      return "stale checkpoint";
    case AlarmKind::kRestored:
      return "restored";
    case AlarmKind::kJobWaiting:
      return "job waiting";
    case AlarmKind::kRefused:
      return "refused";
    case AlarmKind::kReopened:
      return "reopened";
    case AlarmKind::kUnconfirmed:
      return "unconfirmed";
    case AlarmKind::kNeverSent:
      return "never sent";
  }
  return "unknown";
}

const char* DeliveryName(Delivery delivery) {
  switch (delivery) {
    case Delivery::kWaiting:
      return "waiting";
    case Delivery::kNeverSent:
      return "never sent";
    case Delivery::kSent:
      break;
  }
  return "sent";
}

constexpr const char* kIndent = "      ";

std::string ContentText(const Message& message) {
  if (message.document) {
    return kIndent + ("document \"" + Harmless(message.document->name) + "\", " +
                      SizeText(message.document->size) + ", id " +
                      message.document->ref.message_id.ToString().substr(0, 8) +
                      FactsText(*message.document) +
                      (message.document->note.empty()
                           ? ""
                           : "\n" + HarmlessLines(message.document->note, kIndent)));
  }
  return HarmlessLines(message.text, kIndent);
}

std::string BodyText(const Message& message) {
  if (message.kind == MessageKind::kDocument || message.kind == MessageKind::kText) {
    return ContentText(message);
  }
  if (message.kind == MessageKind::kRetracted) return kIndent + std::string("[retracted]");
  if (message.kind == MessageKind::kDestroyed) {
    return kIndent + std::string("[destroyed, as the agreement to mediate has it]");
  }
  if (message.kind == MessageKind::kNotice) {
    return HarmlessLines("[" + message.text + "]", kIndent) +
           (message.refused ? "\n" + (kIndent + ("[doesn't count: " + Harmless(message.note) + "]"))
                            : "");
  }
  if (message.kind == MessageKind::kOffer) {
    const std::string note = message.note.empty()
                                 ? ""
                                 : std::string("\n") + kIndent + "[" + Harmless(message.note) + "]";
    return HarmlessLines("[" + message.text + "]", kIndent) + note;
  }
  if (message.kind == MessageKind::kDisclosure) {
    const std::string note = kIndent + ("[" + Harmless(message.note) + "]");
    return message.refused ? note : note + "\n" + ContentText(message);
  }
  return kIndent + std::string(
                       "[made by a newer version of Parley: bring this one up to date to "
                       "read it]");
}

std::string StateText(const Participant& participant) {
  if (participant.self) return "you";
  std::string out = ParticipantStateName(participant.state);
  if (participant.state == ParticipantState::kInvited) {
    out += " until " + LocalTime(participant.invitation_expires_at);
  }
  return out;
}

std::string SafetyText(const Participant& participant) {
  if (participant.safety_number.empty()) return "";
  return participant.safety_number + (participant.compared ? "  (compared)" : "  (not compared)");
}

}  // namespace

std::string ReadByText(ChannelStatus status, ParticipantState own_state) {
  if (status != ChannelStatus::kClosed) return "read by";
  return own_state == ParticipantState::kLeft ? "was read, until you left, by"
                                              : "was read, until you were removed, by";
}

JsonObject Who(const std::string& name, const Person& person) {
  return JsonObject().Text(name, person.name).Text(name + "_id", person.id.ToString());
}

JsonObject ToJson(const Case& info) {
  return JsonObject()
      .Text("case", info.id.ToString())
      .Text("title", info.title)
      .Text("name", info.own_name)
      .Text("role", RoleName(info.own_role))
      .Text("side", info.own_side)
      .Text("state", ParticipantStateName(info.own_state))
      .Text("participant", info.own_id.ToString())
      .Text("relay", info.relay_address)
      .Text("invited_by", info.invited_by)
      .Text("safety_number", info.inviter_safety_number)
      .Text("time", IsoTime(info.created_at));
}

JsonObject ToJson(const Participant& participant) {
  JsonObject object;
  object.Text("participant", participant.id.ToString())
      .Text("name", participant.name)
      .Text("role", RoleName(participant.role))
      .Text("side", participant.side)
      .Text("state", ParticipantStateName(participant.state))
      .Bool("self", participant.self)
      .Text("safety_number", participant.safety_number)
      .Bool("compared", participant.compared)
      .Texts("alarms", participant.alarms)
      .Texts("settled_alarms", participant.settled_alarms);
  if (participant.invitation_expires_at != 0) {
    object.Text("invitation_expires", IsoTime(participant.invitation_expires_at));
  }
  return object;
}

JsonObject ToJson(const Person& person) {
  return JsonObject()
      .Text("participant", person.id.ToString())
      .Text("name", person.name)
      .Text("role", RoleName(person.role))
      .Text("side", person.side)
      .Bool("self", person.self)
      .Bool("compared", person.compared);
}

std::vector<JsonObject> ToJson(const std::vector<Person>& people) {
  std::vector<JsonObject> objects;
  objects.reserve(people.size());
  for (const Person& person : people) objects.push_back(ToJson(person));
  return objects;
}

JsonObject ToJson(const Channel& channel) {
  JsonObject object;
  object.Text("channel", channel.name)
      .Text("id", channel.ref.channel_id.ToString())
      .Text("kind", ChannelKindName(channel.kind))
      .Text("side", channel.side)
      .Text("status", ChannelStatusName(channel.status))
      .Number("head", channel.head)
      .Number("passed_over", channel.passed_over)
      .Number("unsent", channel.unsent)
      .Text("caution", channel.caution)
      .Objects("readers", ToJson(channel.readers));
  if (channel.kind == ChannelKind::kTeam) object.Objects("stewards", ToJson(channel.stewards));
  if (channel.status == ChannelStatus::kHalted) object.Text("reason", channel.halted_reason);
  return object;
}

JsonObject ToJson(const Alarm& alarm) {
  JsonObject object;
  object.Text("warning", AlarmName(alarm.kind))
      .Text("text", alarm.text)
      .Text("case", alarm.case_id.ToString());
  if (alarm.channel) object.Text("channel_id", alarm.channel->channel_id.ToString());
  if (alarm.participant) object.Text("participant", alarm.participant->ToString());
  return object;
}

namespace {

JsonObject ToJson(const QuotedMessage& quote) {
  JsonObject object;
  object.Text("message", quote.id.ToString()).Bool("found", quote.found);
  if (!quote.found) return object;
  AddAuthor(object, quote.author)
      .Number("position", quote.position)
      .Bool("retracted", quote.retracted)
      .Text("text", quote.text);
  return object;
}

std::string QuoteText(const QuotedMessage& quote) {
  if (!quote.found) return "      > [quotes a message that this channel doesn't have here]\n";
  const std::string start =
      "      > " + Harmless(quote.author.name) + " (" + std::to_string(quote.position) + "): ";
  return start + (quote.retracted ? "[retracted]" : Harmless(quote.text)) + "\n";
}

}  // namespace

JsonObject ToJson(const Message& message, const std::string& channel_name, Delivery delivery) {
  JsonObject object;
  object.Number("position", message.position).Text("channel", channel_name);
  AddAuthor(object, message.author)
      .Text("kind", MessageKindName(message.kind))
      .Text("text", message.text)
      .Text("time", IsoTime(message.time))
      .Text("message", message.id.ToString())
      .Text("delivery", DeliveryName(delivery));
  if (message.document) AddDocument(object, *message.document);
  const bool judged = message.kind == MessageKind::kDisclosure ||
                      (message.kind == MessageKind::kNotice && message.refused);
  const bool noted = message.kind == MessageKind::kOffer || delivery != Delivery::kSent;
  if (judged || (noted && !message.note.empty())) object.Text("note", message.note);
  if (judged) object.Bool("refused", message.refused);
  if (!message.without_floor.empty()) object.Text("without_floor", message.without_floor);
  if (message.quote) object.Objects("quote", {ToJson(*message.quote)});
  if (message.reserved) object.Bool("reserved", true);
  if (!message.against_procedure.empty()) {
    object.Text("against_procedure", message.against_procedure);
  }
  return object;
}

JsonObject ToJson(const Authorisation& authorisation) {
  JsonObject object;
  object.Text("authorisation", authorisation.id.ToString())
      .Text("channel", authorisation.channel_name)
      .Number("position", authorisation.position);
  AddAuthor(object, authorisation.author)
      .Text("item", authorisation.item.ToString())
      .Text("words", authorisation.words)
      .Text("document", authorisation.document_name)
      .Text("offer", authorisation.offer)
      .Text("audience", authorisation.audience)
      .Bool("anonymous", authorisation.anonymous)
      .Text("state", AuthorisationStateName(authorisation.state))
      .Text("used_by", authorisation.used_by);
  if (authorisation.expires_at != 0) object.Text("expires", IsoTime(authorisation.expires_at));
  return object;
}

std::string ToText(const Authorisation& authorisation) {
  std::string out =
      authorisation.id.ToString().substr(0, 8) + "  " + AuthorisationStateName(authorisation.state);
  if (!authorisation.used_by.empty()) out += " by " + Harmless(authorisation.used_by);
  out += ": " + PersonText(authorisation.author) + " (" + Harmless(authorisation.channel_name) +
         ") lets " + Harmless(authorisation.audience) + " be told" +
         (authorisation.anonymous ? ", without saying from whom" : "");
  if (authorisation.expires_at != 0) out += ", until " + LocalTime(authorisation.expires_at);
  constexpr const char* kWide = "          ";
  if (!authorisation.offer.empty()) {
    return out + "\n" +
           HarmlessLines(authorisation.author.name + " " + authorisation.offer, kWide) + "\n";
  }
  if (authorisation.words.empty()) {
    return out + "\n" + kWide + "the document \"" + Harmless(authorisation.document_name) + "\", " +
           SizeText(authorisation.document_size) + "\n";
  }
  return out + "\n" + HarmlessLines(authorisation.words, kWide) + "\n";
}

JsonObject ToJson(const Document& document, const std::string& channel_name) {
  JsonObject object;
  AddDocument(object, document)
      .Number("position", document.position)
      .Text("channel", channel_name)
      .Text("time", IsoTime(document.time));
  AddAuthor(object, document.author);
  return object;
}

std::string FactsText(const Document& document) {
  std::string facts;
  if (document.version.latest > 1 || document.version.number > 1) {
    facts += ", version " + std::to_string(document.version.number);
  }
  if (document.document_class != DocumentClass::kGeneral) {
    facts += std::string(", ") + DocumentClassName(document.document_class);
  }
  if (document.brief != BriefKind::kNone) {
    facts += std::string(", brief (") + BriefKindName(document.brief) + ")";
  }
  if (document.state != DocumentState::kAvailable) {
    facts += std::string(", ") + DocumentStateName(document.state);
  } else if (document.expires_at != 0) {
    facts += ", until " + LocalTime(document.expires_at);
  }
  return facts;
}

std::string ToText(const Message& message) {
  std::string position = message.position == 0 ? "-" : std::to_string(message.position);
  position.insert(0, 4 - std::min<size_t>(4, position.size()), ' ');
  std::string mark;
  for (const std::string* text : {&message.against_procedure, &message.without_floor}) {
    if (!text->empty()) mark += "      [" + Harmless(*text) + "]\n";
  }
  if (message.reserved) mark += "      [reserved: not to be carried on without leave]\n";
  if (message.quote) mark += QuoteText(*message.quote);
  return position + "  " + PersonText(message.author) + ", " + LocalTime(message.time) + "\n" +
         mark + BodyText(message) + "\n";
}

std::string ToText(const Channel& channel, ParticipantState own_state, bool with_id) {
  std::string out = Harmless(channel.name);
  if (with_id) out += "  (" + channel.ref.channel_id.ToString().substr(0, 8) + ")";
  if (channel.status != ChannelStatus::kActive) {
    out += std::string("  [") + ChannelStatusName(channel.status) + "]";
  }
  out +=
      "\n    " + ReadByText(channel.status, own_state) + " " + PeopleText(channel.readers) + "\n";
  if (channel.kind == ChannelKind::kTeam && channel.status == ChannelStatus::kActive) {
    out += "    stewards: " + PeopleText(channel.stewards) + "\n";
  }
  if (channel.status == ChannelStatus::kHalted) {
    out += "    halted: " + Harmless(channel.halted_reason) + "\n";
  }
  if (!channel.caution.empty()) out += "    " + Harmless(channel.caution) + "\n";
  if (channel.unsent > 0) {
    out += "    " + std::to_string(channel.unsent) +
           (channel.unsent == 1 ? " of your messages waits to be sent\n"
                                : " of your messages wait to be sent\n");
  }
  if (channel.passed_over > 0) {
    out += "    " + std::to_string(channel.passed_over) +
           (channel.passed_over == 1
                ? " entry could not be opened or verified and was passed over\n"
                : " entries could not be opened or verified and were passed over\n");
  }
  return out;
}

std::string ToText(const std::vector<Participant>& participants) {
  size_t name_columns = 0;
  size_t role_columns = 0;
  size_t state_columns = 0;
  for (const Participant& participant : participants) {
    name_columns = std::max(name_columns, Columns(Harmless(participant.name)));
    role_columns = std::max(role_columns, Columns(RoleText(participant.role, participant.side)));
    state_columns = std::max(state_columns, Columns(StateText(participant)));
  }
  std::string out;
  for (const Participant& participant : participants) {
    std::string line = Padded(Harmless(participant.name), name_columns) +
                       Padded(RoleText(participant.role, participant.side), role_columns) +
                       Padded(StateText(participant), state_columns) + SafetyText(participant);
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
    for (const std::string& alarm : participant.alarms) out += "    ! " + Harmless(alarm) + "\n";
    for (const std::string& alarm : participant.settled_alarms) {
      out += "    settled: " + Harmless(alarm) + "\n";
    }
  }
  return out;
}

}  // namespace parley::cli
