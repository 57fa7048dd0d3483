#include "client-lib/firewall/brief_log.h"

#include <algorithm>
#include <tuple>

#include "client-lib/channels/document_log.h"
#include "client-lib/channels/names.h"
#include "client-lib/content/parse.h"
#include "crypto/base/status_macros.h"

namespace parley::client {
namespace {

namespace pb = content::v1;

// Up to which number of the joint channel refused releases have been seen.
struct SeenReleases {
  uint64_t number = 0;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.number);
  }
};

std::string ReleasesSeenName(const CaseId& id) { return "briefs-seen/" + id.ToString(); }

bool HandsIn(Role role) { return role == Role::kParty || role == Role::kCounsel; }

bool IsSameDocument(const pb::Document& a, const pb::Document& b) {
  return a.name() == b.name() && a.media_type() == b.media_type() && a.size() == b.size() &&
         a.plaintext_root() == b.plaintext_root() && a.document_class() == b.document_class();
}

// Whether that end counted, by the rules of document_log.cc.
bool TookKeysAway(const ChannelMessage& message, const ParticipantId& author,
                  const pb::DocumentEnd& end, const pb::Document& document) {
  if (document.ended() != end.reason()) return false;
  const bool by_author = message.author.participant_id == author;
  if (end.reason() == pb::DocumentEnd::REASON_WITHDRAWN) return by_author;
  return end.reason() == pb::DocumentEnd::REASON_EXPIRED && document.expires_at() != 0 &&
         (by_author || IsNeutral(message.author.role));
}

}  // namespace

absl::StatusOr<BriefLog> BriefLog::Load(const ReadTransaction& step, const CaseContext& context) {
  BriefLog log;
  PARLEY_ASSIGN_OR_RETURN(const CaseRecord own, context.Records().Case(step));
  log.is_neutral_ = own.IsNeutral();
  log.own_side_ = own.own_side;
  for (const ChannelId& id : own.channels) {
    PARLEY_ASSIGN_OR_RETURN(const ChannelInfo info, context.Channel(id).Info(step));
    if (info.state.kind == ChannelKind::kCaucus) {
      log.caucuses_[info.state.side].push_back(id);
    } else if (info.state.kind == ChannelKind::kJoint &&
               (!log.joint_.has_value() || info.standing == Standing::kActive)) {
      log.joint_ = id;
      log.sides_.clear();
      for (const RosterMember& member : info.state.members) {
        if (HandsIn(member.role) && !member.side.empty()) log.sides_.insert(member.side);
      }
    }
  }
  for (const auto& [side, channels] : log.caucuses_) {
    for (const ChannelId& id : channels) {
      PARLEY_RETURN_IF_ERROR(log.LoadCaucus(step, context, id, side));
    }
  }
  if (log.joint_.has_value()) PARLEY_RETURN_IF_ERROR(log.LoadReleases(step, context));
  return log;
}

const BriefRecord* BriefLog::HeldOf(const std::string& side) const {
  const auto found = std::find_if(briefs_.begin(), briefs_.end(), [&](const BriefRecord& brief) {
    return brief.side == side && brief.IsHeld();
  });
  return found == briefs_.end() ? nullptr : &*found;
}

absl::Status BriefLog::LoadCaucus(const ReadTransaction& step, const CaseContext& context,
                                  const ChannelId& id, const std::string& side) {
  PARLEY_ASSIGN_OR_RETURN(std::vector<HandedIn> handed_in, ListHandedIn(step, id));
  std::map<std::pair<ParticipantId, MessageId>, size_t> places;
  std::optional<size_t> latest;
  const size_t before = briefs_.size();
  for (HandedIn& one : handed_in) {
    ChannelMessage& message = one.message;
    pb::Content content;
    if (!HandsIn(message.author.role) || message.author.side != side ||
        !ParseFromPeer(content, message.content.Reveal())) {
      continue;
    }
    BriefRecord brief;
    if (one.retracted != 0) {
      brief.retracted = true;
      brief.ended = one.retracted;
      content.mutable_document()->set_brief(pb::BRIEF_KIND_EXCHANGED);
      content.mutable_document()->set_ended(pb::DocumentEnd::REASON_WITHDRAWN);
    }
    if (content.document().brief() == pb::BRIEF_KIND_UNSPECIFIED) continue;
    brief.channel = id;
    brief.side = side;
    brief.index = message.index;
    brief.place = PlaceOf(message);
    brief.id = message.id;
    brief.document = std::move(*content.mutable_document());
    brief.kind = brief.document.brief() == pb::BRIEF_KIND_EXCHANGED ? BriefKind::kExchanged
                                                                    : BriefKind::kMediatorOnly;
    brief.sides.assign(brief.document.brief_sides().begin(), brief.document.brief_sides().end());
    places.emplace(std::pair(message.author.participant_id, message.id), briefs_.size());
    if (brief.kind == BriefKind::kExchanged) {
      if (latest.has_value()) briefs_[*latest].replaced = brief.index;
      latest = briefs_.size();
    }
    brief.message = std::move(message);
    briefs_.push_back(std::move(brief));
  }
  MessageQuery query;
  query.kinds = {ContentKind::kDocumentEnd, ContentKind::kBriefUse};
  const Channel channel = context.Channel(id);
  PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelMessage> records, channel.Messages(step, query));
  for (const ChannelMessage& message : records) {
    pb::Content content;
    if (!ParseFromPeer(content, message.content.Reveal())) continue;
    const bool is_end = content.has_document_end();
    const auto author = IdFrom<ParticipantId>(is_end ? content.document_end().author_id()
                                                     : content.brief_use().author_id());
    const auto brief_id = IdFrom<MessageId>(is_end ? content.document_end().message_id()
                                                   : content.brief_use().brief_id());
    if (!author.has_value() || !brief_id.has_value()) continue;
    const auto found = places.find({*author, *brief_id});
    if (is_end) {
      if (found == places.end()) continue;
      BriefRecord& brief = briefs_[found->second];
      const bool is_later = message.index > brief.index &&
                            (brief.ended == 0 || message.index < brief.ended) &&
                            brief.place == PlaceFrom(content.document_end().place());
      if (is_later && TookKeysAway(message, *author, content.document_end(), brief.document)) {
        brief.ended = message.index;
      }
      continue;
    }
    const auto release = IdFrom<MessageId>(content.brief_use().release_id());
    if (!IsNeutral(message.author.role) || !release.has_value()) continue;
    const LogPlace place = PlaceFrom(content.brief_use().place());
    if (found != places.end()) {
      BriefRecord& brief = briefs_[found->second];
      if (brief.place != place) continue;
      brief.marks.push_back({message.author.participant_id, *release, message.index});
      continue;
    }
    PARLEY_ASSIGN_OR_RETURN(const bool has_read,
                            channel.HasRead(step, place.incarnation, place.position));
    PARLEY_ASSIGN_OR_RETURN(const std::optional<ChannelMessage> marked,
                            channel.Find(step, *author, *brief_id));
    const bool was_destroyed =
        marked.has_value() && marked->kind == ContentKind::kDestroyed && PlaceOf(*marked) == place;
    if ((!has_read || was_destroyed) && place < PlaceOf(message)) {
      unknown_marks_.emplace_back(*release, *author, *brief_id);
    }
  }
  // Of a brief that was withdrawn before the next one came, nothing was replaced: both are said.
  for (size_t i = before; i < briefs_.size(); ++i) {
    BriefRecord& brief = briefs_[i];
    if (brief.ended != 0 && brief.replaced > brief.ended) brief.replaced = 0;
  }
  return absl::OkStatus();
}

absl::Status BriefLog::LoadReleases(const ReadTransaction& step, const CaseContext& context) {
  MessageQuery query;
  query.kinds = {ContentKind::kBriefRelease};
  PARLEY_ASSIGN_OR_RETURN(std::vector<ChannelMessage> messages,
                          context.Channel(*joint_).Messages(step, query));
  for (ChannelMessage& message : messages) {
    pb::Content content;
    if (!ParseFromPeer(content, message.content.Reveal()) || !content.has_brief_release()) continue;
    ReleaseRecord release;
    release.said = std::move(*content.mutable_brief_release());
    release.message = std::move(message);
    PARLEY_RETURN_IF_ERROR(LoadConfided(step, release));
    Judge(release);
    releases_.push_back(std::move(release));
  }
  return absl::OkStatus();
}

absl::Status BriefLog::LoadConfided(const ReadTransaction& step, const ReleaseRecord& release) {
  const auto& briefs = release.said.briefs();
  // Else it is refused, whatever is in it.
  const bool is_judged = IsNeutral(release.message.author.role) && briefs.size() <= kMostBriefs;
  if (!is_judged) return absl::OkStatus();
  for (const auto& brief : briefs) {
    const std::string& root = brief.document().plaintext_root();
    if (!confided_looked_for_.insert(root).second) continue;
    for (const auto& [side, channels] : caucuses_) {
      for (const ChannelId& id : channels) {
        PARLEY_ASSIGN_OR_RETURN(const bool stands, StandsConfided(step, id, side, root));
        if (stands) confided_[root].insert(side);
      }
    }
  }
  return absl::OkStatus();
}

void BriefLog::Judge(ReleaseRecord& release) {
  const auto& briefs = release.said.briefs();
  if (!IsNeutral(release.message.author.role)) {
    release.fault = Describe(release.message.author) + " is no neutral";
    return;
  }
  std::set<std::string> sides;
  std::set<std::string> ids;
  for (const auto& brief : briefs) {
    sides.insert(brief.side());
    ids.insert(brief.document_id());
  }
  if (briefs.size() < 2 || briefs.size() > kMostBriefs) {
    release.fault = "it isn't of two sides or more";
  } else if (static_cast<int>(sides.size()) != briefs.size() || sides.contains("") ||
             static_cast<int>(ids.size()) != briefs.size()) {
    release.fault = "it has several briefs for one side";
  }
  for (const auto& brief : briefs) {
    if (!release.fault.empty()) return;
    release.fault = FaultOf(release, brief, sides, release.unchecked, release.repeated);
  }
  if (!release.fault.empty()) return;
  for (const auto& brief : briefs) {
    for (BriefRecord& known : briefs_) {
      if (known.id == IdFrom<MessageId>(brief.brief_id()) &&
          known.message.author.participant_id == IdFrom<ParticipantId>(brief.author_id())) {
        known.released = true;
      }
    }
  }
}

std::string BriefLog::FaultOfUnknown(const ReleaseRecord& release,
                                     const pb::BriefRelease::Brief& said, bool& unchecked) const {
  const std::string of = "the brief of " + said.side() + " ";
  if (caucuses_.contains(said.side())) {
    const std::tuple mark(release.message.id,
                          IdFrom<ParticipantId>(said.author_id()).value_or(ParticipantId()),
                          IdFrom<MessageId>(said.brief_id()).value_or(MessageId()));
    if (std::find(unknown_marks_.begin(), unknown_marks_.end(), mark) == unknown_marks_.end()) {
      return of + "is none that was handed in";
    }
    unchecked = true;
  } else if (is_neutral_) {
    if (!sides_.contains(said.side())) return of + "is of a side that isn't in the joint channel";
    unchecked = true;  // its caucus is still to come
  }
  // What a side can't know of another, the neutral attests. But what was confided to its own caucus
  // it knows.
  const auto confided = confided_.find(said.document().plaintext_root());
  if (confided == confided_.end() || confided->second.contains(said.side())) return std::string();
  return of + "is a document of " + *confided->second.begin() + "'s caucus";
}

std::string BriefLog::FaultOf(const ReleaseRecord& release, const pb::BriefRelease::Brief& said,
                              const std::set<std::string>& sides, bool& unchecked,
                              bool& repeated) const {
  const auto id = IdFrom<MessageId>(said.brief_id());
  const auto author = IdFrom<ParticipantId>(said.author_id());
  if (!id.has_value() || !author.has_value() ||
      !IdFrom<MessageId>(said.document_id()).has_value() ||
      said.document().ended() != pb::DocumentEnd::REASON_UNSPECIFIED) {
    return std::string("it doesn't say whose briefs they are");
  }
  const std::string added = AddedTo(said.document());
  if (!added.empty()) return "it has " + added + ", which wasn't handed in with a brief";
  // Before the side is looked at, which a modified program may say as it likes.
  const auto found = std::find_if(briefs_.begin(), briefs_.end(), [&](const BriefRecord& brief) {
    return brief.id == *id && brief.message.author.participant_id == *author;
  });
  if (found == briefs_.end()) return FaultOfUnknown(release, said, unchecked);
  const std::string of = "the brief of " + found->side + " ";
  if (found->side != said.side()) return of + "is given another side than its own";
  const RosterMember& by = found->message.author;
  if (found->kind != BriefKind::kExchanged) return of + "is for the neutrals only";
  if (!found->retracted && !IsSameDocument(found->document, said.document())) {
    return of + "is another document";
  }
  if (by.name != said.author_name() || static_cast<pb::Role>(by.role) != said.author_role()) {
    return of + "is given another author than its own";
  }
  for (const std::string& side : found->sides) {
    if (!sides.contains(side)) {
      return of + "may be released only when " + side + " has handed one in, too";
    }
  }
  repeated = repeated || found->released;
  unchecked = unchecked || found->retracted;
  const bool marked =
      std::any_of(found->marks.begin(), found->marks.end(), [&](const BriefMark& mark) {
        return mark.by == release.message.author.participant_id &&
               mark.release == release.message.id && found->StoodAt(mark.index);
      });
  if (marked) return std::string();
  if (found->ended != 0) return of + "was withdrawn before";
  if (found->replaced != 0) return of + "was replaced before";
  return of + "was not marked for this release";
}

absl::StatusOr<std::vector<std::pair<ChannelId, std::string>>> RefusedReleases(
    const ReadTransaction& step, const CaseContext& context) {
  std::vector<std::pair<ChannelId, std::string>> lines;
  PARLEY_ASSIGN_OR_RETURN(const CaseRecord own, context.Records().Case(step));
  // Nothing else is read where there is no release.
  bool any = false;
  for (const ChannelId& id : own.channels) {
    MessageQuery query;
    query.limit = 1;
    query.kinds = {ContentKind::kBriefRelease};
    PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelMessage> some,
                            context.Channel(id).Messages(step, query));
    any = any || !some.empty();
  }
  if (!any) return lines;
  PARLEY_ASSIGN_OR_RETURN(
      const std::optional<SeenReleases> seen,
      GetRecord<SeenReleases>(step, RecordClass::kContent, ReleasesSeenName(context.id)));
  PARLEY_ASSIGN_OR_RETURN(const BriefLog log, BriefLog::Load(step, context));
  struct OfAuthor {
    std::string first;
    size_t count = 0;
  };
  std::map<ParticipantId, OfAuthor> by_author;
  for (const ReleaseRecord& release : log.releases()) {
    if (release.fault.empty() || !IsNeutral(release.message.author.role)) continue;
    if (seen.has_value() && release.message.number <= seen->number) continue;
    OfAuthor& of = by_author[release.message.author.participant_id];
    if (of.count++ == 0) {
      of.first = "a release of briefs by " + Describe(release.message.author) +
                 " that wasn't allowed: " + release.fault;
    }
  }
  for (const auto& [author, of] : by_author) {
    lines.emplace_back(*log.joint(),
                       of.count == 1
                           ? of.first
                           : of.first + "; and " + std::to_string(of.count - 1) + " more by them");
  }
  return lines;
}

absl::Status SettleRefusedReleases(const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
  PARLEY_ASSIGN_OR_RETURN(const auto refused, RefusedReleases(step, context));
  for (const auto& [channel, text] : refused) {
    PARLEY_ASSIGN_OR_RETURN(const ChannelInfo info, context.Channel(channel).Info(step));
    PARLEY_RETURN_IF_ERROR(PutRecord(step, RecordClass::kContent, ReleasesSeenName(context.id),
                                     SeenReleases{info.number}));
  }
  return step.Commit();
}

}  // namespace parley::client
