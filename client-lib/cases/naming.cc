#include "client-lib/cases/naming.h"

#include <algorithm>

#include "client-lib/channels/caucus_rule.h"
#include "client-lib/content/shown_text.h"
#include "parley/content/v1/content.pb.h"

namespace parley::client {
namespace {

using content::v1::CaseChannels;

// Far more than a case has. One neutral's names fill only their own part.
constexpr size_t kMostNamedByOne = 64;
constexpr size_t kMostNamed = 512;

template <typename T>
bool Has(const std::vector<T>& values, const T& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

// A kind that is named: the neutrals' own channel is where names are said.
bool IsNamedKind(ChannelKind kind) {
  return kind == ChannelKind::kJoint || kind == ChannelKind::kCaucus ||
         kind == ChannelKind::kCounsel || kind == ChannelKind::kGroup;
}

std::optional<NamedChannel> NamedFromWire(const CaseChannels::Named& named) {
  const std::optional<ChannelId> id = IdFrom<ChannelId>(named.channel_id());
  const auto kind = static_cast<ChannelKind>(named.kind());
  if (!id.has_value() || !IsNamedKind(kind)) return std::nullopt;
  const bool has_side = kind == ChannelKind::kCaucus || kind == ChannelKind::kGroup;
  if (has_side != !named.side().empty() || (has_side && !IsGoodName(named.side()))) {
    return std::nullopt;
  }
  return NamedChannel{*id, static_cast<uint8_t>(kind), named.side(), {}};
}

void SetWire(const NamedChannel& name, CaseChannels::Named& wire) {
  wire.set_channel_id(ToField(name.channel_id));
  wire.set_kind(static_cast<content::v1::ChannelKind>(name.kind));
  wire.set_side(name.side);
}

NamedChannel* FindName(std::vector<NamedChannel>& names, const ChannelId& id) {
  const auto found = std::find_if(names.begin(), names.end(), [&id](const NamedChannel& name) {
    return name.channel_id == id;
  });
  return found == names.end() ? nullptr : &*found;
}

bool IsOver(Standing standing) {
  return standing == Standing::kRemoved || standing == Standing::kLeft;
}

std::vector<ParticipantId> NeutralsIn(const ChannelState& state) {
  std::vector<ParticipantId> neutrals;
  for (const RosterMember& member : state.members) {
    if (IsNeutral(member.role)) neutrals.push_back(member.participant_id);
  }
  return neutrals;
}

std::string NamesOf(const ChannelState& state, const std::vector<ParticipantId>& ids) {
  std::string names;
  for (const ParticipantId& id : ids) {
    if (!names.empty()) names += ", ";
    names += state.FindMember(id)->name;
  }
  return names;
}

}  // namespace

absl::StatusOr<std::vector<CaseChannel>> ChannelsOf(const ReadTransaction& step,
                                                    const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(CaseRecord record, context.Records().Case(step));
  std::vector<CaseChannel> channels;
  for (const ChannelId& id : record.channels) {
    PARLEY_ASSIGN_OR_RETURN(ChannelInfo info, context.Channel(id).Info(step));
    channels.push_back({id, std::move(info)});
  }
  return channels;
}

ChannelChoice::ChannelChoice(const CaseRecord& record, const std::vector<PersonRecord>& people,
                             const std::vector<CaseChannel>& channels)
    : neutral_(record.IsNeutral()),
      briefed_(record.inviter.is_zero() || record.briefed != 0),
      named_(record.named) {
  for (const CaseChannel& channel : channels) {
    const ChannelState& state = channel.info.state;
    here_.push_back({channel.id, state.kind, state.side,
                     IsOver(channel.info.standing) || Has(record.given_up, channel.id)});
  }
  if (neutral_) neutrals_.insert(record.own_id);
  for (const PersonRecord& person : people) {
    if (person.IsNeutral() && person.TakesPart()) neutrals_.insert(person.id);
  }
}

absl::StatusOr<ChannelChoice> ChannelChoice::Load(const ReadTransaction& step,
                                                  const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(CaseRecord record, context.Records().Case(step));
  PARLEY_ASSIGN_OR_RETURN(std::vector<PersonRecord> people, context.Records().People(step));
  PARLEY_ASSIGN_OR_RETURN(std::vector<CaseChannel> channels, ChannelsOf(step, context));
  return ChannelChoice(record, people, channels);
}

const ChannelChoice::Known* ChannelChoice::FirstHere(ChannelKind kind,
                                                     const std::string& side) const {
  const auto found = std::find_if(here_.begin(), here_.end(), [&](const Known& known) {
    return known.kind == kind && known.side == side && !known.over;
  });
  return found == here_.end() ? nullptr : &*found;
}

bool ChannelChoice::IsNeutralNow(const ParticipantId& id) const { return neutrals_.contains(id); }

std::optional<ChannelId> ChannelChoice::Of(ChannelKind kind, const std::string& side) const {
  if (neutral_ && IsNamedKind(kind)) {
    for (const NamedChannel& name : named_) {
      if (static_cast<ChannelKind>(name.kind) != kind || name.side != side) continue;
      if (std::any_of(name.authors.begin(), name.authors.end(),
                      [this](const ParticipantId& author) { return IsNeutralNow(author); })) {
        return name.channel_id;
      }
    }
    return std::nullopt;
  }
  const Known* first = FirstHere(kind, side);
  return first == nullptr ? std::nullopt : std::optional<ChannelId>(first->id);
}

bool ChannelChoice::Counts(const CaseChannel& channel) const {
  return Of(channel.info.state.kind, channel.info.state.side) == channel.id;
}

std::set<ChannelId> ChannelChoice::All() const {
  std::set<ChannelId> all;
  for (const Known& known : here_) {
    if (Of(known.kind, known.side) == known.id) all.insert(known.id);
  }
  return all;
}

std::vector<NamedChannel> ChannelChoice::Names() const {
  std::vector<NamedChannel> names;
  std::copy_if(named_.begin(), named_.end(), std::back_inserter(names),
               [this](const NamedChannel& name) {
                 return Of(static_cast<ChannelKind>(name.kind), name.side) == name.channel_id;
               });
  return names;
}

const NamedChannel* ChannelChoice::NameOf(const ChannelId& id) const {
  const auto found = std::find_if(named_.begin(), named_.end(), [&id](const NamedChannel& name) {
    return name.channel_id == id;
  });
  return found == named_.end() ? nullptr : &*found;
}

Coming JudgeComing(const ChannelChoice& choice, bool own_is_neutral, const ChannelState& state) {
  const std::optional<ChannelId> counts = choice.Of(state.kind, state.side);
  if (!own_is_neutral || !IsNamedKind(state.kind)) {
    return counts.has_value() ? Coming::kAnotherCounts : Coming::kMayCome;
  }
  if (!choice.Briefed() || !counts.has_value()) return Coming::kNotYet;
  return *counts == state.channel_id ? Coming::kMayCome : Coming::kAnotherCounts;
}

namespace {

// What the inviter says first goes before what others have said to this device alone, perhaps.
void TakeBriefing(CaseRecord& record, const CaseChannels& names) {
  std::vector<NamedChannel> all;
  for (const CaseChannels::Named& wire : names.channels()) {
    std::optional<NamedChannel> name = NamedFromWire(wire);
    if (!name.has_value() || all.size() >= kMostNamed || FindName(all, name->channel_id)) continue;
    for (const std::string& author : wire.named_by()) {
      const auto id = IdFrom<ParticipantId>(author);
      if (id.has_value() && !Has(name->authors, *id)) name->authors.push_back(*id);
    }
    all.push_back(*std::move(name));
  }
  for (NamedChannel& heard : record.named) {
    NamedChannel* known = FindName(all, heard.channel_id);
    if (known == nullptr) {
      if (all.size() < kMostNamed) all.push_back(std::move(heard));
      continue;
    }
    for (const ParticipantId& author : heard.authors) {
      if (!Has(known->authors, author)) known->authors.push_back(author);
    }
  }
  record.named = std::move(all);
  record.briefed = 1;
}

void TakeWithdrawal(CaseRecord& record, const ChannelId& id, const ParticipantId& author) {
  NamedChannel* known = FindName(record.named, id);
  if (known == nullptr) return;
  std::erase(known->authors, author);
  if (known->authors.empty()) {
    std::erase_if(record.named, [&id](const NamedChannel& name) { return name.channel_id == id; });
  }
}

void TakeName(CaseRecord& record, NamedChannel name, const ParticipantId& author) {
  const auto by_author = [&author](const NamedChannel& other) {
    return Has(other.authors, author);
  };
  if (std::count_if(record.named.begin(), record.named.end(), by_author) >=
      static_cast<ptrdiff_t>(kMostNamedByOne)) {
    return;
  }
  NamedChannel* known = FindName(record.named, name.channel_id);
  if (known == nullptr) {
    if (record.named.size() >= kMostNamed) return;
    name.authors = {author};
    record.named.push_back(std::move(name));
  } else if (known->kind == name.kind && known->side == name.side && !by_author(*known)) {
    known->authors.push_back(author);
  }
}

}  // namespace

void TakeNames(CaseRecord& record, const CaseChannels& names, const ParticipantId& author) {
  if (names.complete()) {
    if (author == record.inviter && record.briefed == 0) TakeBriefing(record, names);
    return;
  }
  for (const CaseChannels::Named& wire : names.channels()) {
    std::optional<NamedChannel> name = NamedFromWire(wire);
    if (!name.has_value()) continue;
    const ChannelId id = name->channel_id;
    if (author == record.own_id) {
      std::erase_if(record.naming, [&id](const NamedChannel& own) { return own.channel_id == id; });
    }
    if (wire.withdrawn()) {
      TakeWithdrawal(record, id, author);
    } else {
      TakeName(record, *std::move(name), author);
    }
  }
}

absl::Status PostNames(Transaction& step, const CaseContext& context, const ChannelId& neutrals,
                       CaseRecord& record, const std::vector<NamedChannel>& names, bool withdrawn) {
  content::v1::Content content;
  for (const NamedChannel& name : names) {
    CaseChannels::Named& one = *content.mutable_case_channels()->add_channels();
    SetWire(name, one);
    one.set_withdrawn(withdrawn);
    if (!NameWaits(record, name.channel_id)) record.naming.push_back(name);
  }
  return context.Channel(neutrals).Queue(step, content).status();
}

absl::Status PostAllNames(Transaction& step, const CaseContext& context, const ChannelId& neutrals,
                          const ChannelChoice& choice) {
  content::v1::Content content;
  CaseChannels& all = *content.mutable_case_channels();
  all.set_complete(true);
  for (const NamedChannel& name : choice.Names()) {
    CaseChannels::Named& one = *all.add_channels();
    SetWire(name, one);
    for (const ParticipantId& author : name.authors) one.add_named_by(ToField(author));
  }
  return context.Channel(neutrals).Queue(step, content).status();
}

bool NameWaits(const CaseRecord& record, const ChannelId& id) {
  return std::any_of(record.naming.begin(), record.naming.end(),
                     [&id](const NamedChannel& name) { return name.channel_id == id; });
}

absl::StatusOr<bool> GiveUpLostChannels(Transaction& step, const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(CaseRecord record, context.Records().Case(step));
  PARLEY_ASSIGN_OR_RETURN(std::vector<CaseChannel> channels, ChannelsOf(step, context));
  const ChannelChoice choice(record, {}, channels);
  const std::optional<ChannelId> joint_id = choice.Of(ChannelKind::kJoint);
  const auto joint = std::find_if(channels.begin(), channels.end(), [&](const CaseChannel& one) {
    return one.id == joint_id && one.info.standing == Standing::kActive;
  });
  if (joint == channels.end()) return false;
  const std::vector<ParticipantId> present = NeutralsIn(joint->info.state);
  const size_t met_before = record.neutrals_met.size();
  for (const ParticipantId& neutral : present) {
    if (!Has(record.neutrals_met, neutral)) record.neutrals_met.push_back(neutral);
  }
  const bool met = record.neutrals_met.size() != met_before;
  bool gave_up = false;
  for (const CaseChannel& channel : channels) {
    const ChannelState& state = channel.info.state;
    if (channel.id == joint->id || state.kind == ChannelKind::kTeam ||
        channel.info.standing != Standing::kActive) {
      continue;
    }
    const std::vector<ParticipantId> committers = NeutralsIn(state);
    const bool lost =
        std::all_of(committers.begin(), committers.end(), [&](const ParticipantId& neutral) {
          return Has(record.neutrals_met, neutral) && !Has(present, neutral);
        });
    if (!lost) continue;
    PARLEY_RETURN_IF_ERROR(
        context.Channel(channel.id)
            .Halt(step, NamesOf(state, committers) +
                            ", who alone could let people into it or put them out, is no neutral "
                            "of the case "
                            "any more; ask the mediator to open the channel again"));
    record.given_up.push_back(channel.id);
    gave_up = true;
  }
  if (met || gave_up) PARLEY_RETURN_IF_ERROR(context.Records().PutCase(step, record));
  return met || gave_up;
}

}  // namespace parley::client
