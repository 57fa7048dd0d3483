#include "client-lib/api/offer_view.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "client-lib/api/status_conversion.h"
#include "client-lib/api/views.h"
#include "client-lib/cases/naming.h"
#include "client-lib/cases/procedure_gate.h"
#include "client-lib/content/folded_text.h"
#include "client-lib/content/parse.h"
#include "crypto/base/status_macros.h"

namespace parley::client {
namespace {

namespace pb = content::v1;

std::string VersionText(const OfferBook::Version& version) {
  return "version " + std::to_string(version.made.read.terms.version());
}

// Whether the version's state rests on a record that this device doesn't believe.
bool IsDoubted(const OfferBook::Version& version) {
  return version.in_doubt && version.state != OfferState::kOpen;
}

std::string NameOrNone(const std::optional<Actor>& actor) {
  return actor.has_value() ? actor->name : std::string();
}

class OffersView {
 public:
  // `roster`: of the joint channel, which has everybody who takes part; empty where this device
  // isn't in it.
  OffersView(const CaseRecord& record, std::set<ParticipantId> compared,
             const Disclosures& disclosures, std::vector<RosterMember> roster)
      : record_(record),
        compared_(std::move(compared)),
        disclosures_(disclosures),
        roster_(std::move(roster)) {}

  void Show(const ChannelOffers& channel, OfferList& list) const {
    const ChannelRef ref{record_.id, channel.channel};
    for (const OfferBook::Thread& thread : channel.book.threads()) {
      Offer& offer = list.offers.emplace_back();
      offer.id = crypto::ToHex(thread.id);
      offer.channel = ref;
      offer.channel_name = channel.name;
      offer.side = thread.side;
      offer.carried = thread.current().made.carried_by.has_value();
      for (const OfferBook::Version& version : thread.versions) {
        offer.versions.push_back(Show(channel, version));
      }
      ShowAnswered(channel.book, thread, offer);
      for (const VersionHash& counter : thread.counters) {
        offer.counters.push_back(crypto::ToHex(counter));
      }
      ShowLeaves(channel, thread, offer);
    }
    for (const PassedOverOffer& one : channel.passed_over) {
      list.refused.push_back({ref, channel.name, one.number,
                              Show({one.by.participant_id, one.by.name, one.by.role, one.by.side}),
                              one.text});
    }
  }

  Person Show(const Actor& actor) const {
    Person person;
    person.id = actor.id;
    person.name = actor.name;
    person.role = actor.role;
    person.side = actor.side;
    person.self = actor.id == record_.own_id;
    person.compared = person.self || compared_.contains(actor.id);
    return person;
  }

 private:
  OfferParty PartyOf(const pb::OfferTerms::Party& party) const {
    OfferParty shown{IdFrom<ParticipantId>(party.participant_id()).value_or(ParticipantId()),
                     party.name(), party.side(), !roster_.empty()};
    for (const RosterMember& member : roster_) {
      if (member.participant_id != shown.id) continue;
      shown.name = member.name;
      shown.unknown = member.role != Role::kParty || member.side != party.side();
    }
    return shown;
  }

  // The author is no party who has to be named: they have offered it.
  void ShowUnnamed(const OfferBook::Version& version, OfferVersion& shown) const {
    for (const RosterMember& member : roster_) {
      const auto is_theirs = [&](const OfferParty& party) { return party.side == member.side; };
      const auto is_them = [&](const OfferParty& party) {
        return party.id == member.participant_id;
      };
      const std::vector<OfferParty>& named = shown.parties;
      const bool counts = member.role == Role::kParty &&
                          member.participant_id != version.made.author.id &&
                          (member.side == version.made.author.side ||
                           std::any_of(named.begin(), named.end(), is_theirs));
      if (counts && std::none_of(named.begin(), named.end(), is_them)) {
        shown.unnamed.push_back({member.participant_id, member.name, member.side, false});
      }
    }
  }

  // Whether everybody who has accepted the copy here has had that carried, as far as is known.
  bool IsTold(const ChannelOffers& channel, const OfferBook::Version& version) const {
    const auto& all = disclosures_.authorisations();
    return std::all_of(
        version.answers.begin(), version.answers.end(), [&](const OfferBook::Answer& answer) {
          return std::any_of(all.begin(), all.end(), [&](const AuthorisationRecord& one) {
            return one.channel == channel.channel && one.offer.has_value() &&
                   one.author.participant_id == answer.by.id && one.item == answer.record &&
                   one.state == AuthorisationState::kUsed;
          });
        });
  }

  std::string StandingOf(const ChannelOffers& channel, const OfferBook::Version& version) const {
    if (IsDoubted(version)) {
      return std::string(NameOf(version.state)) + " by a record that this device doesn't believe";
    }
    if (version.state != OfferState::kAccepted || !version.made.carried_by.has_value()) {
      return NameOf(version.state);
    }
    return IsTold(channel, version) ? "accepted here, and carried to where it was made"
                                    : "accepted here; not yet told to where it was made";
  }

  OfferVersion Show(const ChannelOffers& channel, const OfferBook::Version& version) const {
    const pb::OfferTerms& terms = version.made.read.terms;
    OfferVersion shown;
    shown.version = terms.version();
    shown.hash = crypto::ToHex(version.hash);
    shown.record = version.made.read.record;
    shown.position = version.made.number;
    shown.author = Show(version.made.author);
    shown.time = version.made.time;
    shown.state = version.state;
    shown.standing = StandingOf(channel, version);
    shown.doubted = IsDoubted(version);
    shown.carried_by = NameOrNone(version.made.carried_by);
    shown.doubt = version.made.doubt;
    for (const OfferBook::Answer& answer : version.answers) {
      shown.answers.push_back({Show(answer.by), answer.accepted, answer.alternative,
                               answer.doubt.empty() ? answer.note : "", answer.time,
                               NameOrNone(answer.carried_by), answer.doubt});
    }
    for (const auto& party : terms.parties()) shown.parties.push_back(PartyOf(party));
    ShowUnnamed(version, shown);
    if (version.state == OfferState::kOpen) {
      for (const auto& party : WaitsFor(version)) shown.waits_for.push_back(PartyOf(party));
    }
    // What isn't believed isn't shown either.
    if (!shown.doubt.empty()) return shown;
    shown.text = terms.text();
    shown.amount = terms.amount();
    shown.conditions.assign(terms.conditions().begin(), terms.conditions().end());
    shown.alternatives.assign(terms.alternatives().begin(), terms.alternatives().end());
    shown.expires_at = static_cast<int64_t>(terms.expires_at());
    return shown;
  }

  static void ShowAnswered(const OfferBook& book, const OfferBook::Thread& thread, Offer& offer) {
    const pb::OfferTerms& terms = thread.versions.front().made.read.terms;
    const std::optional<VersionHash> answers = VersionHashFrom(terms.answers());
    if (!answers.has_value()) return;
    const OfferBook::Version* const version = book.Find(*answers);
    if (version == nullptr) return;
    offer.answers_offer = crypto::ToHex(book.ThreadOf(*answers)->id);
    offer.answers_version = version->made.read.terms.version();
  }

  void ShowLeaves(const ChannelOffers& channel, const OfferBook::Thread& thread,
                  Offer& offer) const {
    for (const AuthorisationRecord& record : disclosures_.authorisations()) {
      if (record.channel != channel.channel || !record.offer.has_value() ||
          record.state == AuthorisationState::kInvalid) {
        continue;
      }
      const std::optional<ReadOffer> read =
          ReadOfferOf(record_.id, record.author.participant_id, *record.offer);
      if (!read.has_value() || channel.book.ThreadOf(read->hash) != &thread) continue;
      // Where a device came later it takes people's word for what they said: but only of what they
      // could say at all.
      const bool is_answer = read->deed == OfferDeed::kAccept || read->deed == OfferDeed::kDecline;
      if (is_answer ? record.author.role != Role::kParty : record.author.side != thread.side) {
        continue;
      }
      const OfferBook::Version* const version = channel.book.Find(read->hash);
      std::string what = version == nullptr ? "an earlier version" : VersionText(*version);
      if (is_answer) {
        what = (read->deed == OfferDeed::kAccept ? "acceptance of " : "refusal of ") + what +
               " by " + record.author.name;
      } else if (read->deed != OfferDeed::kOffer) {
        what = "end of " + what;
      }
      const RosterMember& author = record.author;
      offer.leaves.push_back({record.id, record.Audience(), std::move(what), record.state,
                              Show({author.participant_id, author.name, author.role, author.side}),
                              read->deed == OfferDeed::kOffer});
    }
  }

  const CaseRecord& record_;
  const std::set<ParticipantId> compared_;
  const Disclosures& disclosures_;
  const std::vector<RosterMember> roster_;
};

}  // namespace

absl::StatusOr<OfferList> ViewOffers(const ReadTransaction& step, const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(const CaseRecord record, context.Records().Case(step));
  PARLEY_ASSIGN_OR_RETURN(std::set<ParticipantId> compared, ComparedPeers(step, context));
  PARLEY_ASSIGN_OR_RETURN(const Disclosures disclosures, Disclosures::Load(step, context));
  PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelOffers> all, LoadOffers(step, context));
  PARLEY_ASSIGN_OR_RETURN(const std::vector<CaseChannel> channels, ChannelsOf(step, context));
  std::vector<RosterMember> roster;
  for (const CaseChannel& channel : channels) {
    if (channel.info.state.kind == ChannelKind::kJoint) roster = channel.info.state.members;
  }
  const OffersView view(record, std::move(compared), disclosures, std::move(roster));
  OfferList list;
  for (const ChannelOffers& channel : all) view.Show(channel, list);
  return list;
}

absl::StatusOr<Offer> PickOffer(std::vector<Offer> offers, std::string_view text) {
  const std::string beginning = Folded(text);
  std::erase_if(offers, [&](const Offer& offer) {
    return beginning.empty() || !offer.id.starts_with(beginning);
  });
  if (offers.empty()) {
    return absl::NotFoundError("there is no offer \"" + std::string(text) +
                               "\"; \"parley offers\" shows those that there are");
  }
  const bool is_one = std::all_of(offers.begin(), offers.end(), [&](const Offer& offer) {
    return offer.id == offers.front().id;
  });
  const bool made_here =
      std::any_of(offers.begin(), offers.end(), [](const Offer& offer) { return !offer.carried; });
  if (is_one && made_here) {
    std::erase_if(offers, [](const Offer& offer) { return offer.carried; });
  }
  if (offers.size() > 1) {
    return AmbiguousError("\"" + std::string(text) +
                          "\" fits several offers; write more of the id");
  }
  return std::move(offers.front());
}

// ---- Option sheets ----

namespace {

bool MayEvaluate(const ChannelState& channel, const RosterMember& author) {
  return (channel.kind == ChannelKind::kCaucus || channel.kind == ChannelKind::kTeam) &&
         !author.side.empty() && author.side == channel.side;
}

// An evaluation that fits its sheet; nothing for any other.
std::optional<OptionEvaluation> ShowEvaluation(const pb::OptionEvaluation& said,
                                               const OptionSheet& sheet) {
  OptionEvaluation shown;
  std::set<uint32_t> seen;
  for (const auto& rating : said.ratings()) {
    if (rating.option() == 0 || rating.option() > sheet.options.size() || rating.points() > 10 ||
        !seen.insert(rating.option()).second) {
      return std::nullopt;
    }
    shown.ratings.push_back({rating.option(), rating.points(), rating.note()});
  }
  shown.note = said.note();
  return shown;
}

}  // namespace

absl::StatusOr<std::vector<OptionSheet>> ViewOptionSheets(const ReadTransaction& step,
                                                          const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(const CaseRecord record, context.Records().Case(step));
  PARLEY_ASSIGN_OR_RETURN(std::set<ParticipantId> compared, ComparedPeers(step, context));
  const Disclosures none;
  const OffersView people(record, std::move(compared), none, {});
  PARLEY_ASSIGN_OR_RETURN(const std::optional<LoadedProcedure> procedure,
                          LoadProcedure(step, context));
  const auto against = [&](const CaseChannel& channel,
                           const ChannelMessage& message) -> absl::StatusOr<std::string> {
    if (!procedure.has_value()) return std::string();
    return WhyAgainst(step, *procedure, channel.info.state, message);
  };
  const auto person = [&](const RosterMember& member) {
    return people.Show({member.participant_id, member.name, member.role, member.side});
  };
  std::vector<OptionSheet> sheets;
  std::map<std::string, std::vector<size_t>> by_id;  // the same may stand in several channels
  PARLEY_ASSIGN_OR_RETURN(const std::vector<CaseChannel> channels, ChannelsOf(step, context));
  MessageQuery query;
  query.kinds = {ContentKind::kOptionSheet};
  for (const CaseChannel& channel : channels) {
    PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelMessage> messages,
                            context.Channel(channel.id).Messages(step, query));
    for (const ChannelMessage& message : messages) {
      pb::Content content;
      if (!ParseFromPeer(content, message.content.Reveal()) ||
          !CheckSheet(content.option_sheet()).ok()) {
        continue;
      }
      OptionSheet& sheet = sheets.emplace_back();
      sheet.id = crypto::ToHex(HashOfSheet(context.id, message.author.participant_id, message.id,
                                           content.option_sheet()));
      sheet.channel = {context.id, channel.id};
      sheet.channel_name = DescribeChannel(channel.info.state.kind, channel.info.state.side);
      sheet.position = message.number;
      sheet.author = person(message.author);
      sheet.time = static_cast<int64_t>(message.claimed_time);
      sheet.title = content.option_sheet().title();
      sheet.options.assign(content.option_sheet().options().begin(),
                           content.option_sheet().options().end());
      PARLEY_ASSIGN_OR_RETURN(sheet.against, against(channel, message));
      by_id[sheet.id].push_back(sheets.size() - 1);
    }
  }
  query.kinds = {ContentKind::kOptionEvaluation};
  for (const CaseChannel& channel : channels) {
    PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelMessage> messages,
                            context.Channel(channel.id).Messages(step, query));
    for (const ChannelMessage& message : messages) {
      pb::Content content;
      if (!MayEvaluate(channel.info.state, message.author) ||
          !ParseFromPeer(content, message.content.Reveal())) {
        continue;
      }
      const std::optional<VersionHash> hash =
          VersionHashFrom(content.option_evaluation().sheet_hash());
      if (!hash.has_value()) continue;
      const auto found = by_id.find(crypto::ToHex(*hash));
      if (found == by_id.end()) continue;
      for (const size_t at : found->second) {
        OptionSheet& sheet = sheets[at];
        std::optional<OptionEvaluation> shown = ShowEvaluation(content.option_evaluation(), sheet);
        if (!shown.has_value()) continue;
        PARLEY_ASSIGN_OR_RETURN(shown->against, against(channel, message));
        shown->channel_name = DescribeChannel(channel.info.state.kind, channel.info.state.side);
        shown->by = person(message.author);
        shown->time = static_cast<int64_t>(message.claimed_time);
        std::erase_if(sheet.evaluations, [&](const OptionEvaluation& earlier) {
          return earlier.by.id == shown->by.id;
        });
        sheet.evaluations.push_back(std::move(*shown));
      }
    }
  }
  return sheets;
}

// ---- Records among the messages ----

std::string DescribeRecord(const pb::Content& content, ChannelKind kind) {
  const std::optional<pb::CarriedOffer> record = CarriedOf({}, content);
  if (record.has_value()) return DescribeCarried(*record);
  if (content.has_option_sheet()) {
    const pb::OptionSheet& sheet = content.option_sheet();
    std::string text = "puts options up: " + sheet.title();
    for (int i = 0; i < sheet.options_size(); ++i) {
      text += "; " + std::to_string(i + 1) + ": " + sheet.options(i);
    }
    return text;
  }
  const char* const readers = kind == ChannelKind::kCaucus ? ", for this side and the neutrals"
                              : kind == ChannelKind::kTeam ? ", for this side alone"
                                                           : "";
  std::string text = "evaluates options" + std::string(readers) + ":";
  for (const auto& rating : content.option_evaluation().ratings()) {
    text += " " + std::to_string(rating.option()) + ": " + std::to_string(rating.points()) + "/10" +
            (rating.note().empty() ? "" : " (" + rating.note() + ")") + ";";
  }
  return text + " " + content.option_evaluation().note();
}

void ShowOfferRecord(const ChannelOffers& offers, const ChannelMessage& message, Message& view) {
  pb::Content content;
  if (!ParseFromPeer(content, message.content.Reveal())) return;
  for (const PassedOverOffer& one : offers.passed_over) {
    if (one.number == message.number)
      view.note = (one.undecided ? "" : "passed over by every client: ") + one.text;
  }
  const std::optional<ReadOffer> read =
      ReadOfferOf(view.channel.case_id, message.author.participant_id, content);
  if (!read.has_value()) return;
  const OfferBook::Version* const version = offers.book.Find(read->hash);
  if (version == nullptr) return;
  const std::string id = crypto::ToHex(offers.book.ThreadOf(read->hash)->id).substr(0, 8);
  view.text += " (offer " + id + ", " + VersionText(*version) + ")";
}

}  // namespace parley::client
