// parley-rogue: a member who doesn't keep to the rules, with a real member's profile.
//
//   parley-rogue PROFILE list
//       one line for each channel: name, id, mailbox, generation, position
//   parley-rogue PROFILE act CONNECTION CHANNEL ACT [about=NAME|SIDE]
//   [control=own|random|none|PROFILE]
//                [keys=wrong]
//       appends what rogue_channel.h makes of ACT. control: who signs the closing (by default the
//       profile itself); another PROFILE stands for a neutral who colludes. keys=wrong: the closing
//       names keys that aren't the next epoch's.
//   parley-rogue PROFILE noise CONNECTION CHANNEL [sealed=yes] [content=HEX]
//       an entry of random bytes; sealed, so that only the message inside is senseless; with a
//       content, so that even the message opens, to these bytes
//   parley-rogue PROFILE knock CONNECTION MAILBOX GENERATIONS
//       tries every key of the profile at a mailbox, for both rights
//
// What happened stands in one line on standard output: "appended POSITION", "refused: …",
// "opened N of M". Exit status 0, but 1 when the program itself could not work. The profile is only
// read.
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client-lib/relay/connection_string.h"
#include "client-lib/relay/relay_client.h"
#include "client-lib/store/profile_store.h"
#include "crypto/base/status_macros.h"
#include "tests/hostile/rogue_channel.h"
#include "tests/hostile/rogue_keys.h"

namespace parley::hostile {
namespace {

using Options = std::map<std::string, std::string>;
using crypto::Bytes;
using crypto::Secret;
using crypto::SignatureKey;

std::string OptionOr(const Options& options, const std::string& name,
                     const std::string& otherwise) {
  const auto found = options.find(name);
  return found == options.end() ? otherwise : found->second;
}

absl::StatusOr<std::unique_ptr<client::RelayClient>> Connect(const std::string& connection) {
  PARLEY_ASSIGN_OR_RETURN(const client::ConnectionString parsed,
                          client::ParseConnectionString(connection));
  return client::RelayClient::Connect(parsed.relay);
}

client::AppendId RandomAppendId() {
  client::AppendId id{};
  const Secret random = Secret::Random(id.size());
  std::copy(random.Reveal().begin(), random.Reveal().end(), id.begin());
  return id;
}

absl::StatusOr<SignatureKey> ControlKey(client::ProfileStore& own, const RogueChannel& channel,
                                        const std::string& from) {
  if (from == "own") return LoadControlKey(own, channel.state);
  if (from == "random" || from == "none") return SignatureKey::Generate();
  PARLEY_ASSIGN_OR_RETURN(const std::unique_ptr<client::ProfileStore> other,
                          client::ProfileStore::Open(from));
  return LoadControlKey(*other, channel.state);
}

absl::Status Report(const absl::StatusOr<client::AppendOutcome>& outcome) {
  if (!outcome.ok()) {
    std::cout << "refused: " << outcome.status().ToString() << '\n';
  } else if (const auto* appended = std::get_if<client::Appended>(&*outcome)) {
    std::cout << "appended " << appended->position << '\n';
  } else {
    std::cout << "refused: stale\n";
  }
  return absl::OkStatus();
}

absl::Status Act(client::ProfileStore& store, const std::string& connection,
                 const std::string& channel_name, const std::string& act, const Options& options) {
  PARLEY_ASSIGN_OR_RETURN(RogueChannel channel, LoadChannel(store, channel_name));
  PARLEY_ASSIGN_OR_RETURN(RogueEntry entry,
                          MakeRogueEntry(channel, act, OptionOr(options, "about", "")));
  const client::ObjectId& mailbox = channel.state.mailbox_id;
  const Bytes payload =
      client::SealEntry(channel.keys.entry_key, mailbox, channel.generation, entry.message);
  std::optional<client::Closing> closing;
  if (entry.next_group.has_value()) {
    const std::string from = OptionOr(options, "control", "own");
    PARLEY_ASSIGN_OR_RETURN(const SignatureKey control, ControlKey(store, channel, from));
    PARLEY_ASSIGN_OR_RETURN(const client::EpochKeys next,
                            client::DeriveEpochKeys(*entry.next_group, mailbox));
    PARLEY_ASSIGN_OR_RETURN(client::GenerationKeys keys,
                            client::PublicKeysOf(next, entry.next_state->control_key));
    if (OptionOr(options, "keys", "") == "wrong") {
      keys.append_keys[0] = SignatureKey::Generate().public_key();
    }
    closing = client::SignClosing(control, mailbox, channel.generation, payload, keys);
    if (from == "none") closing->control_signature = {};
  }
  PARLEY_ASSIGN_OR_RETURN(const SignatureKey append_key,
                          SignatureKey::FromSeed(channel.keys.append_seed.Reveal()));
  PARLEY_ASSIGN_OR_RETURN(const std::unique_ptr<client::RelayClient> relay, Connect(connection));
  return Report(
      relay->Append(mailbox, channel.generation, append_key, RandomAppendId(), payload, closing));
}

absl::Status Noise(client::ProfileStore& store, const std::string& connection,
                   const std::string& channel_name, const Options& options) {
  PARLEY_ASSIGN_OR_RETURN(RogueChannel channel, LoadChannel(store, channel_name));
  const Secret random = Secret::Random(300);
  Bytes payload(random.Reveal().begin(), random.Reveal().end());
  const std::string content = OptionOr(options, "content", "");
  if (!content.empty()) {
    PARLEY_ASSIGN_OR_RETURN(const Bytes bytes, crypto::FromHex(content));
    PARLEY_ASSIGN_OR_RETURN(payload, channel.group.Protect(bytes));
  }
  if (OptionOr(options, "sealed", "") == "yes" || !content.empty()) {
    payload = client::SealEntry(channel.keys.entry_key, channel.state.mailbox_id,
                                channel.generation, payload);
  }
  PARLEY_ASSIGN_OR_RETURN(const SignatureKey append_key,
                          SignatureKey::FromSeed(channel.keys.append_seed.Reveal()));
  PARLEY_ASSIGN_OR_RETURN(const std::unique_ptr<client::RelayClient> relay, Connect(connection));
  return Report(relay->Append(channel.state.mailbox_id, channel.generation, append_key,
                              RandomAppendId(), payload));
}

absl::Status Knock(client::ProfileStore& store, const std::string& connection,
                   const std::string& mailbox_hex, uint64_t generations) {
  PARLEY_ASSIGN_OR_RETURN(const Bytes raw, crypto::FromHex(mailbox_hex));
  client::ObjectId mailbox{};
  if (raw.size() != mailbox.size()) return absl::InvalidArgumentError("no mailbox id");
  std::copy(raw.begin(), raw.end(), mailbox.begin());
  PARLEY_ASSIGN_OR_RETURN(const std::vector<SignatureKey> keys, AllSigningKeys(store));
  PARLEY_ASSIGN_OR_RETURN(const std::unique_ptr<client::RelayClient> relay, Connect(connection));
  uint64_t opened = 0;
  uint64_t tried = 0;
  for (const SignatureKey& key : keys) {
    for (uint64_t generation = 1; generation <= generations; ++generation) {
      // Reading and asking for the current generation each open a session first.
      const absl::Status read = relay->Read(mailbox, generation, key, 1).status();
      const absl::Status append = relay->CurrentGeneration(mailbox, generation, key).status();
      tried += 2;
      for (const absl::Status& status : {read, append}) {
        // Past the session, an answer may still be none that a client expects: entry 1 isn't of
        // this generation.
        if (status.ok() || absl::IsDataLoss(status) || absl::IsOutOfRange(status)) {
          ++opened;
        } else if (!absl::IsNotFound(status) && !absl::IsUnauthenticated(status) &&
                   !absl::IsPermissionDenied(status)) {
          return status;  // anything but a refusal would prove nothing
        }
      }
    }
  }
  std::cout << "opened " << opened << " of " << tried << '\n';
  return absl::OkStatus();
}

absl::Status List(client::ProfileStore& store) {
  PARLEY_ASSIGN_OR_RETURN(const std::vector<RogueChannel> channels, LoadChannels(store));
  for (const RogueChannel& channel : channels) {
    std::cout << channel.name << ' ' << channel.state.channel_id.ToString() << ' '
              << crypto::ToHex(channel.state.mailbox_id) << ' ' << channel.generation << ' '
              << channel.position << '\n';
  }
  return absl::OkStatus();
}

absl::Status Run(const std::vector<std::string>& words, const Options& options) {
  if (words.size() < 2) return absl::InvalidArgumentError("see the top of rogue_main.cc");
  PARLEY_ASSIGN_OR_RETURN(const std::unique_ptr<client::ProfileStore> store,
                          client::ProfileStore::Open(words[0]));
  if (words[1] == "list") return List(*store);
  if (words[1] == "act" && words.size() == 5) {
    return Act(*store, words[2], words[3], words[4], options);
  }
  if (words[1] == "noise" && words.size() == 4) return Noise(*store, words[2], words[3], options);
  if (words[1] == "knock" && words.size() == 5) {
    return Knock(*store, words[2], words[3], std::stoull(words[4]));
  }
  return absl::InvalidArgumentError("see the top of rogue_main.cc");
}

}  // namespace
}  // namespace parley::hostile

int main(int argc, char** argv) {
  std::vector<std::string> words;
  std::map<std::string, std::string> options;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const size_t sign = word.find('=');
    // Connection strings are base64url without padding: no "=" in them.
    if (sign == std::string::npos) {
      words.push_back(word);
    } else {
      options[word.substr(0, sign)] = word.substr(sign + 1);
    }
  }
  const absl::Status status = parley::hostile::Run(words, options);
  if (status.ok()) return 0;
  std::cerr << "parley-rogue: " << status.ToString() << '\n';
  return 1;
}
