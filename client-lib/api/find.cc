#include "client-lib/api/find.h"

#include <algorithm>
#include <functional>
#include <string>

#include "client-lib/api/status_conversion.h"

namespace parley::client {
namespace {

constexpr size_t kLeastPrefix = 4;  // of an id: shorter ones fit by chance

// ASCII letters alike; others as they are.
std::string Folded(std::string_view text) {
  std::string folded(text);
  for (char& c : folded) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return folded;
}

bool IsIdPrefix(std::string_view text, const std::string& id) {
  return text.size() >= kLeastPrefix && id.starts_with(Folded(text));
}

std::string FirstWord(const std::string& name) { return name.substr(0, name.find(' ')); }

template <typename T>
std::string ListOf(const std::vector<T>& values, const std::function<std::string(const T&)>& show) {
  std::string list;
  for (const T& value : values) {
    if (!list.empty()) list += ", ";
    list += show(value);
  }
  return list;
}

// The first test that anything passes decides. `show` is how a candidate is listed.
template <typename T>
absl::StatusOr<T> Pick(const std::vector<T>& values, std::string_view what, std::string_view text,
                       const std::vector<std::function<bool(const T&)>>& tests,
                       const std::function<std::string(const T&)>& show) {
  for (const auto& test : tests) {
    std::vector<T> fitting;
    std::copy_if(values.begin(), values.end(), std::back_inserter(fitting), test);
    if (fitting.size() == 1) return std::move(fitting.front());
    if (fitting.size() > 1) {
      return AmbiguousError("\"" + std::string(text) + "\" fits several: " +
                            ListOf<T>(fitting, show) + "; use the beginning of an id");
    }
  }
  return absl::NotFoundError(
      "there is no " + std::string(what) + " \"" + std::string(text) + "\" here" +
      (values.empty() ? std::string() : "; there is " + ListOf<T>(values, show)));
}

}  // namespace

absl::StatusOr<Case> PickCase(const std::vector<Case>& cases, std::string_view text) {
  const std::string wanted = Folded(text);
  return Pick<Case>(
      cases, "case", text,
      {[&](const Case& c) { return Folded(c.title) == wanted; },
       [&](const Case& c) { return IsIdPrefix(text, c.id.ToString()); }},
      [](const Case& c) { return "\"" + c.title + "\" (" + c.id.ToString().substr(0, 8) + ")"; });
}

absl::StatusOr<Participant> PickParticipant(const std::vector<Participant>& participants,
                                            std::string_view text) {
  const std::string wanted = Folded(text);
  const auto present = [](const Participant& p) {
    return p.state == ParticipantState::kApproved || p.state == ParticipantState::kWaiting ||
           p.state == ParticipantState::kInvited;
  };
  const auto named = [wanted](const Participant& p) { return Folded(p.name) == wanted; };
  const auto first_named = [wanted](const Participant& p) {
    return Folded(FirstWord(p.name)) == wanted;
  };
  return Pick<Participant>(
      participants, "participant", text,
      {[&](const Participant& p) { return present(p) && named(p); },
       [&](const Participant& p) { return present(p) && first_named(p); },
       [&](const Participant& p) { return IsIdPrefix(text, p.id.ToString()); }, named, first_named},
      [](const Participant& p) {
        return p.name + " (" + RoleName(p.role) + (p.side.empty() ? "" : ", " + p.side) + ", " +
               ParticipantStateName(p.state) + ", " + p.id.ToString().substr(0, 8) + ")";
      });
}

absl::StatusOr<parley::Channel> PickChannel(const std::vector<parley::Channel>& channels,
                                            std::string_view text) {
  const std::string wanted = Folded(text);
  // Two caucuses of one side can come of two neutrals who open them at once: all take the same one.
  std::vector<parley::Channel> distinct;
  for (const parley::Channel& channel : channels) {
    const auto same =
        std::find_if(distinct.begin(), distinct.end(), [&](const parley::Channel& other) {
          return other.name == channel.name && !IsIdPrefix(text, channel.ref.channel_id.ToString());
        });
    if (same == distinct.end()) distinct.push_back(channel);
  }
  return Pick<parley::Channel>(
      distinct, "channel", text,
      {[&](const parley::Channel& c) { return Folded(c.name) == wanted; },
       [&](const parley::Channel& c) { return ChannelKindName(c.kind) == wanted; },
       [&](const parley::Channel& c) { return !c.side.empty() && Folded(c.side) == wanted; },
       [&](const parley::Channel& c) { return IsIdPrefix(text, c.ref.channel_id.ToString()); }},
      [](const parley::Channel& c) { return c.name; });
}

absl::StatusOr<Document> PickDocument(const std::vector<Document>& documents,
                                      std::string_view text) {
  for (auto document = documents.rbegin(); document != documents.rend(); ++document) {
    if (document->name == text) return *document;
  }
  return Pick<Document>(
      documents, "document", text,
      {[&](const Document& d) { return IsIdPrefix(text, d.ref.message_id.ToString()); }},
      [](const Document& d) {
        return "\"" + d.name + "\" (" + d.ref.message_id.ToString().substr(0, 8) + ")";
      });
}

}  // namespace parley::client
