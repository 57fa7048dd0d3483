#include "client-lib/firewall/offer_log.h"

#include <algorithm>
#include <set>

#include "client-lib/cases/case_sync.h"
#include "client-lib/cases/naming.h"
#include "client-lib/cases/procedure_gate.h"
#include "client-lib/cases/procedure_work.h"
#include "client-lib/content/parse.h"
#include "client-lib/content/shown_text.h"
#include "crypto/base/status_macros.h"

namespace parley::client {
namespace {

namespace pb = content::v1;

// Plays one channel's records.
class Player {
 public:
  Player(const ReadTransaction& step, const CaseContext& context,
         const std::optional<LoadedProcedure>& procedure, std::optional<Disclosures>& disclosures)
      : step_(step), context_(context), procedure_(procedure), disclosures_(disclosures) {}

  absl::StatusOr<ChannelOffers> Play(const ChannelId& id) {
    PARLEY_ASSIGN_OR_RETURN(const ChannelInfo info, context_.Channel(id).Info(step_));
    undecided_.clear();
    PARLEY_RETURN_IF_ERROR(NoteDestroyed(id));
    ChannelOffers offers{id,
                         info.state,
                         DescribeChannel(info.state.kind, info.state.side),
                         info.standing == Standing::kActive && !info.leaving,
                         OfferBook(info.state.kind, info.state.side),
                         {}};
    MessageQuery query;
    query.kinds = {ContentKind::kOffer, ContentKind::kOfferAnswer, ContentKind::kOfferEnd,
                   ContentKind::kDisclosure};
    PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelMessage> messages,
                            context_.Channel(id).Messages(step_, query));
    for (const ChannelMessage& message : messages) {
      PARLEY_ASSIGN_OR_RETURN(std::optional<OfferEvent> event, EventOf(id, message));
      if (!event.has_value()) continue;
      bool undecided = event->read.is_newer;
      if (procedure_.has_value() && event->read.fault.empty()) {
        PARLEY_ASSIGN_OR_RETURN(event->read.fault,
                                WhyAgainst(step_, *procedure_, info.state, message, &undecided));
        undecided = undecided && !event->read.fault.empty();
      }
      if (offers.book.IsRepeatedEnd(*event)) continue;
      undecided = undecided || offers.book.IsFromBefore(*event) || IsAboutUndecided(event->read);
      std::string refusal = offers.book.Apply(*event);
      if (refusal.empty()) continue;
      if (undecided) AddUndecided(offers.book, *event);
      if (event->read.is_newer) {
        refusal = "made this with a newer version of Parley; bring yours up to date to see it";
      }
      if (event->carried_by.has_value()) {
        refusal = "carries from " + event->author.name + " what they " + refusal;
      }
      offers.passed_over.push_back({message.author,
                                    message.number,
                                    {message.incarnation, message.position},
                                    std::move(refusal),
                                    undecided});
    }
    return offers;
  }

 private:
  // Records that this device hasn't kept, others may have: what is about them isn't judged.
  absl::Status NoteDestroyed(const ChannelId& id) {
    destroyed_.clear();
    MessageQuery query;
    query.kinds = {ContentKind::kDestroyed};
    query.records_alone = true;
    PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelMessage> messages,
                            context_.Channel(id).Messages(step_, query));
    for (const ChannelMessage& message : messages) {
      destroyed_.insert({message.incarnation, message.position});
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::optional<OfferEvent>> EventOf(const ChannelId& channel,
                                                    const ChannelMessage& message) {
    pb::Content content;
    if (!ParseFromPeer(content, message.content.Reveal())) return std::optional<OfferEvent>();
    const auto time = static_cast<int64_t>(content.claimed_time());
    const JointPosition at{message.incarnation, message.position};
    const Actor author = ActorOf(message.author);
    if (!content.has_disclosure()) {
      std::optional<ReadOffer> read = ReadOfferOf(context_.id, author.id, content);
      if (!read.has_value()) return std::optional<OfferEvent>();
      OfferEvent event{author, std::move(*read), message.number, at, time, false, {}, {}};
      const JointPosition& place = event.read.place;
      if (place.position != 0 && place < at) {
        PARLEY_ASSIGN_OR_RETURN(const bool has_read, context_.Channel(channel).HasRead(
                                                         step_, place.incarnation, place.position));
        event.unread = !has_read || destroyed_.contains(place);
      }
      return std::optional<OfferEvent>(std::move(event));
    }
    const pb::Disclosure& said = content.disclosure();
    if (!said.has_offer()) return std::optional<OfferEvent>();
    const std::optional<ParticipantId> from = IdFrom<ParticipantId>(said.from_participant_id());
    const Actor whose =
        AuthorOfCarried(from.value_or(ParticipantId()), said.from_name(), said.offer());
    std::optional<ReadOffer> read = ReadOfferOf(context_.id, whose.id, said.offer());
    if (!read.has_value()) return std::optional<OfferEvent>();
    if (said.anonymous() || !from.has_value() || !IsGoodName(whose.name) ||
        (!whose.side.empty() && !IsGoodName(whose.side))) {
      read->fault = "it doesn't say whose it is";
    }
    if (!disclosures_.has_value()) {
      PARLEY_ASSIGN_OR_RETURN(disclosures_, Disclosures::Load(step_, context_));
    }
    const ShownRecord shown = disclosures_->Show(channel, message);
    OfferEvent event{whose, std::move(*read), message.number, at, time, false, author, {}};
    event.unread = !destroyed_.empty();  // it doesn't say where what it is about stands
    if (shown.refused) event.doubt = shown.note;
    return std::optional<OfferEvent>(std::move(event));
  }

  // The versions that a record is about, or is.
  static std::vector<VersionHash> SubjectsOf(const ReadOffer& read) {
    std::vector<VersionHash> subjects = {read.hash};
    for (const std::string* field : {&read.terms.first_version(), &read.terms.answers()}) {
      const std::optional<VersionHash> hash = VersionHashFrom(*field);
      if (hash.has_value()) subjects.push_back(*hash);
    }
    return subjects;
  }
  bool IsAboutUndecided(const ReadOffer& read) const {
    const std::vector<VersionHash> subjects = SubjectsOf(read);
    return std::any_of(subjects.begin(), subjects.end(),
                       [&](const VersionHash& one) { return undecided_.contains(one); });
  }
  // What is about something that can't be judged can't be, either. Of other sides' offers nobody
  // can make that so.
  void AddUndecided(const OfferBook& book, const OfferEvent& event) {
    if (event.read.deed != OfferDeed::kOffer) return;
    undecided_.insert(event.read.hash);
    const std::optional<VersionHash> first = VersionHashFrom(event.read.terms.first_version());
    if (!first.has_value()) return;
    const OfferBook::Thread* const thread = book.ThreadOf(*first);
    if (thread == nullptr || thread->side == event.author.side) undecided_.insert(*first);
  }

  const ReadTransaction& step_;
  const CaseContext& context_;
  const std::optional<LoadedProcedure>& procedure_;
  std::optional<Disclosures>& disclosures_;  // loaded when they are first needed
  std::set<VersionHash> undecided_;          // of the channel that is being played
  std::set<JointPosition> destroyed_;        // of that channel
};

// In one round; the next one says the others.
constexpr size_t kMostEnds = 16;

// An open offer whose end this device may say, and has to.
struct DueEnd {
  ChannelId channel;
  VersionHash version{};
  JointPosition place;
};

// Whether an end waits to be sent, which may be that very one. Anything else, as a message that the
// floor holds, may wait for long.
absl::StatusOr<bool> EndWaits(const ReadTransaction& step, const CaseContext& context,
                              const ChannelId& channel) {
  PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelMessage> unsent,
                          context.Channel(channel).Unsent(step));
  return std::any_of(unsent.begin(), unsent.end(), [](const ChannelMessage& message) {
    return message.kind == ContentKind::kOfferEnd;
  });
}

absl::StatusOr<std::vector<DueEnd>> DueEnds(const ReadTransaction& step,
                                            const CaseContext& context) {
  std::vector<DueEnd> due;
  PARLEY_ASSIGN_OR_RETURN(const CaseRecord own, context.Records().Case(step));
  const Actor self{own.own_id, own.own_name, own.own_role, own.own_side};
  PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelOffers> all, LoadOffers(step, context));
  for (const ChannelOffers& offers : all) {
    if (!offers.is_active) continue;
    for (const OfferBook::Thread& thread : offers.book.threads()) {
      const OfferBook::Version& current = thread.current();
      const uint64_t expires_at = current.made.read.terms.expires_at();
      if (expires_at == 0 || expires_at > context.now_seconds()) continue;
      OfferEvent end;
      end.author = self;
      end.read.deed = OfferDeed::kExpire;
      end.read.hash = current.hash;
      end.read.place = current.made.at;
      if (!offers.book.WhyNot(end).empty()) continue;
      PARLEY_ASSIGN_OR_RETURN(const bool waits, EndWaits(step, context, offers.channel));
      if (!waits) due.push_back({offers.channel, current.hash, current.made.at});
      if (due.size() >= kMostEnds) return due;
    }
  }
  return due;
}

// Up to which number of a channel what was passed over has been seen.
struct SeenOffers {
  uint64_t number = 0;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.number);
  }
};

std::string OffersSeenName(const ChannelId& channel) { return "offers-seen/" + channel.ToString(); }

}  // namespace

bool IsOfferKind(ContentKind kind) {
  return kind == ContentKind::kOffer || kind == ContentKind::kOfferAnswer ||
         kind == ContentKind::kOfferEnd;
}

absl::StatusOr<ChannelOffers> LoadOffersOf(const ReadTransaction& step, const CaseContext& context,
                                           const ChannelId& channel) {
  PARLEY_ASSIGN_OR_RETURN(const std::optional<LoadedProcedure> procedure,
                          LoadProcedure(step, context));
  std::optional<Disclosures> disclosures;
  return Player(step, context, procedure, disclosures).Play(channel);
}

absl::StatusOr<std::vector<ChannelOffers>> LoadOffers(const ReadTransaction& step,
                                                      const CaseContext& context) {
  std::vector<ChannelOffers> all;
  PARLEY_ASSIGN_OR_RETURN(const std::optional<LoadedProcedure> procedure,
                          LoadProcedure(step, context));
  std::optional<Disclosures> disclosures;
  Player player(step, context, procedure, disclosures);
  PARLEY_ASSIGN_OR_RETURN(const std::vector<CaseChannel> channels, ChannelsOf(step, context));
  for (const CaseChannel& channel : channels) {
    PARLEY_ASSIGN_OR_RETURN(ChannelOffers offers, player.Play(channel.id));
    const bool shows = !offers.book.threads().empty() || !offers.passed_over.empty();
    if (shows || TakesOffers(offers.state.kind)) all.push_back(std::move(offers));
  }
  return all;
}

absl::Status EndExpiredOffers(const CaseContext& context) {
  {
    PARLEY_ASSIGN_OR_RETURN(const ReadTransaction read, context.store->Read());
    PARLEY_ASSIGN_OR_RETURN(const std::vector<DueEnd> due, DueEnds(read, context));
    if (due.empty()) return absl::OkStatus();
  }
  std::set<ChannelId> channels;
  {
    PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
    PARLEY_ASSIGN_OR_RETURN(const std::vector<DueEnd> due, DueEnds(step, context));
    for (const DueEnd& one : due) {
      pb::Content content;
      content.mutable_offer_end()->set_version_hash(crypto::ToString(one.version));
      content.mutable_offer_end()->set_reason(pb::OfferEnd::REASON_EXPIRED);
      SetPlace(one.place, content);
      PARLEY_RETURN_IF_ERROR(context.Channel(one.channel).Queue(step, content).status());
      channels.insert(one.channel);
    }
    PARLEY_RETURN_IF_ERROR(step.Commit());
  }
  for (const ChannelId& channel : channels) {
    PARLEY_RETURN_IF_ERROR(ExchangeChannel(context, channel).status());
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::pair<ChannelId, std::string>>> RefusedOffers(
    const ReadTransaction& step, const CaseContext& context) {
  std::vector<std::pair<ChannelId, std::string>> lines;
  PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelOffers> all, LoadOffers(step, context));
  for (const ChannelOffers& offers : all) {
    if (offers.passed_over.empty()) continue;
    PARLEY_ASSIGN_OR_RETURN(
        const std::optional<SeenOffers> seen,
        GetRecord<SeenOffers>(step, RecordClass::kContent, OffersSeenName(offers.channel)));
    struct OfAuthor {
      std::string first;
      size_t count = 0;
    };
    std::map<ParticipantId, OfAuthor> by_author;
    for (const PassedOverOffer& one : offers.passed_over) {
      if (one.undecided || (seen.has_value() && one.number <= seen->number)) continue;
      OfAuthor& of = by_author[one.by.participant_id];
      if (of.count++ == 0) of.first = one.by.name + " " + one.text;
    }
    for (const auto& [author, of] : by_author) {
      const std::string more =
          of.count == 1 ? "" : " (and " + std::to_string(of.count - 1) + " more records by them)";
      lines.emplace_back(offers.channel,
                         of.first + "; every client has passed it over in " + offers.name + more);
    }
  }
  return lines;
}

absl::Status SettleRefusedOffers(const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
  PARLEY_ASSIGN_OR_RETURN(const auto refused, RefusedOffers(step, context));
  for (const auto& [channel, text] : refused) {
    PARLEY_ASSIGN_OR_RETURN(const ChannelInfo info, context.Channel(channel).Info(step));
    PARLEY_RETURN_IF_ERROR(
        PutRecord(step, RecordClass::kContent, OffersSeenName(channel), SeenOffers{info.number}));
  }
  return step.Commit();
}

}  // namespace parley::client
