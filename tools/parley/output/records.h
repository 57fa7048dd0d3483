// How cases, participants, channels, messages and documents are printed: as JSON, and for people.
#ifndef PARLEY_TOOLS_PARLEY_OUTPUT_RECORDS_H_
#define PARLEY_TOOLS_PARLEY_OUTPUT_RECORDS_H_

#include <string>
#include <vector>

#include "parley/types.h"
#include "tools/parley/output/json.h"

namespace parley::cli {

// The field `name` with the person's name, and `name`_id with their id: in one case there can be
// two of one name.
JsonObject Who(const std::string& name, const Person& person);

JsonObject ToJson(const Case& info);
JsonObject ToJson(const Participant& participant);
JsonObject ToJson(const Person& person);
JsonObject ToJson(const Channel& channel);
JsonObject ToJson(const Alarm& alarm);
// What has become of a message.
enum class Delivery { kSent, kWaiting, kNeverSent };
// `position, channel, author, role, side, kind, text, time, message, delivery`, and for documents
// `document, name, size, media_type`.
JsonObject ToJson(const Message& message, const std::string& channel_name,
                  Delivery delivery = Delivery::kSent);
JsonObject ToJson(const Document& document, const std::string& channel_name);
JsonObject ToJson(const Authorisation& authorisation);
std::vector<JsonObject> ToJson(const std::vector<Person>& people);

// Several lines, each with its end. All that others wrote is made harmless.
std::string ToText(const Message& message);
// ", version 2, financial, withdrawn": what else is to be said of a document; empty for nothing.
std::string FactsText(const Document& document);
std::string ToText(const Authorisation& authorisation);
// `own_state`: of the profile's owner in the case; it tells why a channel is closed. `with_id`:
// show the beginning of its id, where its name doesn't tell it from another.
std::string ToText(const Channel& channel, ParticipantState own_state, bool with_id = false);
std::string ToText(const std::vector<Participant>& participants);
// "read by"; of a closed channel "was read, until you left, by": its readers are those that this
// profile knew of in the end.
std::string ReadByText(ChannelStatus status, ParticipantState own_state);

}  // namespace parley::cli

#endif  // PARLEY_TOOLS_PARLEY_OUTPUT_RECORDS_H_
