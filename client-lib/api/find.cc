#include "client-lib/api/find.h"

#include <algorithm>
#include <functional>
#include <string>

#include "client-lib/api/status_conversion.h"
#include "client-lib/content/folded_text.h"

namespace parley::client {
namespace {

bool IsIdPrefix(std::string_view text, const std::string& id) {
  const std::string beginning = Folded(text);
  return !beginning.empty() && id.starts_with(beginning);
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

constexpr char kByIds[] = "use the beginning of an id";

// The first test that anything passes decides. `show` is how a candidate is listed; `ambiguity`,
// given those that fit, says what to write instead, and lists them.
template <typename T>
absl::StatusOr<T> Pick(const std::vector<T>& values, std::string_view what, std::string_view text,
                       const std::vector<std::function<bool(const T&)>>& tests,
                       const std::function<std::string(const T&)>& show,
                       const std::function<std::string(const std::vector<T>&)>& ambiguity) {
  for (const auto& test : tests) {
    std::vector<T> fitting;
    std::copy_if(values.begin(), values.end(), std::back_inserter(fitting), test);
    if (fitting.size() == 1) return std::move(fitting.front());
    if (fitting.size() > 1) {
      return AmbiguousError("\"" + std::string(text) + "\" fits several; " + ambiguity(fitting));
    }
  }
  return absl::NotFoundError(
      "there is no " + std::string(what) + " \"" + std::string(text) + "\" here" +
      (values.empty() ? std::string() : "; there is " + ListOf<T>(values, show)));
}

// Where a candidate is listed with its id.
template <typename T>
std::function<std::string(const std::vector<T>&)> ByIds(
    const std::function<std::string(const T&)>& show) {
  return [show](const std::vector<T>& fitting) {
    return std::string(kByIds) + ": " + ListOf<T>(fitting, show);
  };
}

// Names tell channels apart, so ids are shown only where a person takes several names for one.
std::string WhichChannel(const std::vector<parley::Channel>& fitting) {
  const auto looks_like_another = [&](const parley::Channel& channel) {
    return std::count_if(fitting.begin(), fitting.end(), [&](const parley::Channel& other) {
             return Folded(other.name) == Folded(channel.name);
           }) > 1;
  };
  if (std::any_of(fitting.begin(), fitting.end(), looks_like_another)) {
    return std::string("write the name exactly, or the beginning of its id: ") +
           ListOf<parley::Channel>(fitting, [](const parley::Channel& channel) {
             return channel.name + " (" + channel.ref.channel_id.ToString().substr(0, 8) + ")";
           });
  }
  const bool caucuses = std::all_of(
      fitting.begin(), fitting.end(),
      [](const parley::Channel& channel) { return channel.kind == ChannelKind::kCaucus; });
  return std::string(caucuses ? "write caucus:SIDE: " : "write one of: ") +
         ListOf<parley::Channel>(fitting, [](const parley::Channel& c) { return c.name; });
}

}  // namespace

absl::StatusOr<Case> PickCase(const std::vector<Case>& cases, std::string_view text) {
  const std::string wanted = Folded(text);
  const std::function<std::string(const Case&)> show = [](const Case& c) {
    return "\"" + c.title + "\" (" + c.id.ToString().substr(0, 8) + ")";
  };
  return Pick<Case>(cases, "case", text,
                    {[&](const Case& c) { return c.title == text; },
                     [&](const Case& c) { return Folded(c.title) == wanted; },
                     [&](const Case& c) { return IsIdPrefix(text, c.id.ToString()); }},
                    show, ByIds(show));
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
  const std::function<std::string(const Participant&)> show = [](const Participant& p) {
    return p.name + " (" + RoleName(p.role) + (p.side.empty() ? "" : ", " + p.side) + ", " +
           ParticipantStateName(p.state) + ", " + p.id.ToString().substr(0, 8) + ")";
  };
  return Pick<Participant>(
      participants, "participant", text,
      {[&](const Participant& p) { return present(p) && named(p); },
       [&](const Participant& p) { return present(p) && first_named(p); },
       [&](const Participant& p) { return IsIdPrefix(text, p.id.ToString()); }, named, first_named},
      show, ByIds(show));
}

absl::StatusOr<parley::Channel> PickChannel(const std::vector<parley::Channel>& channels,
                                            std::string_view text) {
  const std::string wanted = Folded(text);
  // Of several of one name the first is the one that counts; the others are had by their ids.
  std::vector<parley::Channel> distinct;
  for (const parley::Channel& channel : channels) {
    const auto same =
        std::find_if(distinct.begin(), distinct.end(), [&](const parley::Channel& other) {
          return other.name == channel.name && !IsIdPrefix(text, channel.ref.channel_id.ToString());
        });
    if (same == distinct.end()) distinct.push_back(channel);
  }
  // A group's name is no side: "team" must never lead into a group of that name.
  const auto has_side = [](const parley::Channel& c) {
    return !c.side.empty() && c.kind != ChannelKind::kGroup;
  };
  return Pick<parley::Channel>(
      distinct, "channel", text,
      {[&](const parley::Channel& c) { return c.name == text; },
       [&](const parley::Channel& c) { return Folded(c.name) == wanted; },
       [&](const parley::Channel& c) { return ChannelKindName(c.kind) == wanted; },
       [&](const parley::Channel& c) { return has_side(c) && c.side == text; },
       [&](const parley::Channel& c) { return has_side(c) && Folded(c.side) == wanted; },
       [&](const parley::Channel& c) { return IsIdPrefix(text, c.ref.channel_id.ToString()); }},
      [](const parley::Channel& c) { return c.name; }, WhichChannel);
}

absl::StatusOr<Document> PickDocument(const std::vector<Document>& documents,
                                      std::string_view text) {
  // Later ones of an author take the place of earlier ones, and a colleague's later version that of
  // the version before; another's document of the same name doesn't.
  const auto is_same = [](const Document& later, const Document& earlier) {
    // Ids are their authors' own: another side can give its document the id of one of these.
    const bool one_side = !later.author.side.empty() && later.author.side == earlier.author.side;
    return later.author.id == earlier.author.id || (one_side && !earlier.version.first.is_zero() &&
                                                    later.version.first == earlier.version.first);
  };
  std::vector<Document> latest;
  for (auto document = documents.rbegin(); document != documents.rend(); ++document) {
    const bool replaced = std::any_of(latest.begin(), latest.end(), [&](const Document& later) {
      return later.name == document->name && is_same(later, *document);
    });
    if (!replaced) latest.push_back(*document);
  }
  const std::function<std::string(const Document&)> show = [](const Document& d) {
    return "\"" + d.name + "\" by " + d.author.name + " (" +
           d.ref.message_id.ToString().substr(0, 8) + ")";
  };
  const auto named = [&](const Document& d) { return d.name == text; };
  if (std::any_of(latest.begin(), latest.end(), named)) {
    return Pick<Document>(latest, "document", text, {named}, show, ByIds(show));
  }
  return Pick<Document>(documents, "document", text, {[&](const Document& d) {
                          return IsIdPrefix(text, d.ref.message_id.ToString());
                        }},
                        show, ByIds(show));
}

}  // namespace parley::client
