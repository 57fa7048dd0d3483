#include "client-lib/cases/side_pairing.h"

#include <algorithm>

#include "client-lib/cases/key_stock.h"
#include "client-lib/content/parse.h"
#include "client-lib/content/wipe.h"
#include "client-lib/pairing/device.h"
#include "crypto/primitives/signature.h"
#include "parley/content/v1/content.pb.h"

namespace parley::client {
namespace {

using content::v1::Content;
using content::v1::DeviceCard;
using content::v1::InboxMessage;
using content::v1::IntroductionHello;

// Answers to the latest introductions are taken.
constexpr size_t kMostIntroductions = 64;
constexpr size_t kSecretSize = 32;

// Whether the roster shows this card's device as that member's.
bool IsDeviceOf(const RosterMember& member, const DeviceCard& card) {
  return card.participant_id() == ToField(member.participant_id) &&
         std::any_of(member.devices.begin(), member.devices.end(), [&](const RosterDevice& device) {
           return card.device_id() == ToField(device.device_id) &&
                  card.identity_key() == crypto::ToString(device.identity_key);
         });
}

class SidePairing {
 public:
  SidePairing(Transaction& step, const CaseContext& context) : step_(step), context_(context) {}

  absl::StatusOr<std::set<ChannelId>> Run() {
    PARLEY_RETURN_IF_ERROR(view_.Load(step_, context_));
    if (!view_.HasSide() || view_.caucus == nullptr) return std::set<ChannelId>();
    PARLEY_ASSIGN_OR_RETURN(team_, LoadTeam(step_, context_));
    if (team_.caucus != view_.caucus->id) {
      team_.caucus = view_.caucus->id;
      team_.cursor = 0;
    }
    const bool noted = NoteFirstDevices(view_, team_);
    for (const ParticipantId& id : view_.replaced) {
      PARLEY_RETURN_IF_ERROR(Warn("the caucus shows " +
                                  Describe(*view_.caucus->info.state.FindMember(id)) +
                                  " with another device than before: it may be somebody else in "
                                  "their place, and isn't let into your team; ask them"));
    }
    MessageQuery query;
    query.after = team_.cursor;
    query.kinds = {ContentKind::kSideIntroduction, ContentKind::kSideHello};
    PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelMessage> messages,
                            context_.Channel(view_.caucus->id).Messages(step_, query));
    bool all_done = true;
    for (const ChannelMessage& message : messages) {
      PARLEY_ASSIGN_OR_RETURN(all_done, TakeMessage(message));
      if (!all_done) break;
      team_.cursor = message.number;
    }
    // What else is said there is looked at once, too.
    const uint64_t before = query.after;
    if (all_done) team_.cursor = std::max(team_.cursor, view_.caucus->info.number);
    if (noted || team_.cursor != before) PARLEY_RETURN_IF_ERROR(PutTeam(step_, context_, team_));
    return std::move(touched_);
  }

 private:
  // Whether it was dealt with; otherwise it is tried again.
  absl::StatusOr<bool> TakeMessage(const ChannelMessage& message) {
    const RosterMember* author = view_.OnOwnSide(message.author.participant_id);
    Content content;
    if (message.own || author == nullptr || !ParseFromPeer(content, message.content.Reveal())) {
      return true;
    }
    PARLEY_ASSIGN_OR_RETURN(OwnDevice device, context_.Pairings().Device(step_));
    // An append key may be needed. More come with the inbox's next generation.
    if (FreeSlots(device) < 2) {
      if (device.slots.size() + kInboxSlots > kMaxAppendKeys) return true;
      PlanInboxClosing(device, {}, kInboxSlots);
      PARLEY_RETURN_IF_ERROR(context_.Pairings().PutDevice(step_, device));
      return false;
    }
    const absl::Status taken =
        content.has_side_introduction()
            ? AnswerIntroduction(*author, content.side_introduction(), std::move(device))
            : TakeHello(*author, content.side_hello(), std::move(device));
    // What is bad is another client's; nothing of it was stored.
    if (IsBadInboxMessage(taken)) return true;
    PARLEY_RETURN_IF_ERROR(taken);
    return true;
  }

  // Whether the card shows an id or a key of somebody else's.
  absl::StatusOr<bool> RepeatsAnother(const DeviceCard& card, const OwnDevice& device) const {
    std::vector<Bytes> cards = {device.card};
    PARLEY_ASSIGN_OR_RETURN(const std::vector<Pairing> pairings,
                            context_.Pairings().pairings.All(step_));
    for (const Pairing& pairing : pairings) cards.push_back(pairing.peer_card);
    for (const Bytes& bytes : cards) {
      PARLEY_ASSIGN_OR_RETURN(const DeviceCard other, ParseCard(bytes));
      if (other.participant_id() == card.participant_id()) continue;
      if (other.device_id() == card.device_id() || other.identity_key() == card.identity_key() ||
          other.inbox_id() == card.inbox_id() || other.inbox_kem_key() == card.inbox_kem_key()) {
        return true;
      }
    }
    return false;
  }

  absl::Status CheckCardOf(const RosterMember& author, const DeviceCard& card,
                           const OwnDevice& device) const {
    if (!IsDeviceOf(author, card)) {
      return absl::InvalidArgumentError("a card of another device than the roster's");
    }
    PARLEY_ASSIGN_OR_RETURN(const bool repeats, RepeatsAnother(card, device));
    if (repeats) return absl::InvalidArgumentError("a card with somebody else's id or key");
    return absl::OkStatus();
  }

  absl::Status AnswerIntroduction(const RosterMember& author,
                                  const content::v1::SideIntroduction& introduction,
                                  OwnDevice device) {
    PARLEY_ASSIGN_OR_RETURN(const std::optional<Pairing> known,
                            SidePairingWith(step_, context_, author.participant_id));
    if (known.has_value()) return CheckKnown(*known, author, introduction);
    const ByteView card_bytes = crypto::ViewOf(introduction.device_card());
    PARLEY_ASSIGN_OR_RETURN(const DeviceCard card, ParseCard(card_bytes));
    PARLEY_RETURN_IF_ERROR(CheckCardOf(author, card, device));
    if (introduction.introduction_secret().size() != kSecretSize) {
      return absl::InvalidArgumentError("an introduction with a secret of the wrong size");
    }
    PARLEY_RETURN_IF_ERROR(BeginAnew(author));
    // Until the pairing has its id, keys are held under the introduction's.
    const Bytes provisional = crypto::ToBytes(introduction.introduction_secret());
    const auto fill = [&](Transaction& step, IntroductionHello& hello) -> absl::Status {
      PARLEY_ASSIGN_OR_RETURN(*hello.mutable_card(), ParseCard(device.card));
      PARLEY_ASSIGN_OR_RETURN(const std::vector<Secret> seeds, TakeSlots(device, 1, provisional));
      hello.set_append_seed(crypto::ToString(seeds[0].Reveal()));
      PARLEY_ASSIGN_OR_RETURN(const std::vector<Bytes> packages,
                              MakeKeyPackages(step, context_, device, provisional, kSideStockSize));
      for (const Bytes& package : packages) hello.add_key_packages(crypto::ToString(package));
      return absl::OkStatus();
    };
    PARLEY_ASSIGN_OR_RETURN(
        const Inbox::ChannelHello made,
        context_.OwnInbox().AnswerInChannel(step_, card_bytes, static_cast<uint8_t>(author.role),
                                            Secret::CopyOf(provisional), fill));
    PassSlots(device, provisional, made.pairing.id);
    PARLEY_RETURN_IF_ERROR(context_.Pairings().PutDevice(step_, device));
    PARLEY_RETURN_IF_ERROR(AssignKeyPackages(step_, context_, provisional, made.pairing.id));
    Content content;
    content::v1::SideHello& hello = *content.mutable_side_hello();
    hello.set_to_participant_id(ToField(author.participant_id));
    hello.set_introduction_secret(introduction.introduction_secret());
    hello.set_sealed(crypto::ToString(made.sealed));
    touched_.insert(view_.caucus->id);
    return context_.Channel(view_.caucus->id).Queue(step_, content).status();
  }

  // Who is paired says the same card ever after; another one is somebody else's doing.
  absl::Status CheckKnown(const Pairing& known, const RosterMember& author,
                          const content::v1::SideIntroduction& introduction) {
    PARLEY_ASSIGN_OR_RETURN(const DeviceCard before, ParseCard(known.peer_card));
    const absl::StatusOr<DeviceCard> now = ParseCard(crypto::ViewOf(introduction.device_card()));
    if (now.ok() && before.device_id() == now->device_id() &&
        before.identity_key() == now->identity_key() && before.inbox_id() == now->inbox_id() &&
        before.inbox_kem_key() == now->inbox_kem_key()) {
      return absl::OkStatus();
    }
    return Warn(Describe(author) +
                " is paired with you, and was introduced in the caucus with another inbox or key; "
                "that was refused: ask them, and compare your safety numbers");
  }

  // Nothing that came in another way under the name of somebody of the side counts beside their own
  // word in the caucus: neither a pairing that a neutral's introduction made, from when no roster
  // showed yet who they are, nor key packages.
  absl::Status BeginAnew(const RosterMember& author) {
    PARLEY_RETURN_IF_ERROR(
        context_.Records().PutStock(step_, author.participant_id, KeyPackageStock()));
    PARLEY_ASSIGN_OR_RETURN(std::vector<Pairing> pairings, context_.Pairings().pairings.All(step_));
    for (Pairing& pairing : pairings) {
      if (pairing.peer != author.participant_id || pairing.ended != 0 ||
          !IsNeutral(static_cast<Role>(pairing.peer_role))) {
        continue;
      }
      pairing.ended = 1;
      PARLEY_RETURN_IF_ERROR(context_.Pairings().PutPairing(step_, pairing));
      PARLEY_RETURN_IF_ERROR(context_.OwnInbox().Forget(step_, pairing));
      PARLEY_RETURN_IF_ERROR(
          Warn("a neutral had introduced somebody as " + Describe(author) +
               ", as if they were a neutral; that pairing was ended, and nothing of it counts"));
    }
    return absl::OkStatus();
  }

  absl::Status Warn(const std::string& line) {
    PARLEY_ASSIGN_OR_RETURN(CaseRecord record, context_.Records().Case(step_));
    record.Refuse(line);
    return context_.Records().PutCase(step_, record);
  }

  // An answer of this device's that the other end hasn't taken gives way to theirs.
  absl::Status GiveWay(const RosterMember& author) {
    PARLEY_ASSIGN_OR_RETURN(std::optional<Pairing> known,
                            SidePairingWith(step_, context_, author.participant_id));
    if (!known.has_value()) return absl::OkStatus();
    if (!known->append_seed.empty() || !(view_.record.own_id < author.participant_id)) {
      return absl::AlreadyExistsError("answered by somebody who is paired already");
    }
    known->ended = 1;
    return context_.Pairings().PutPairing(step_, *known);
  }

  absl::Status TakeHello(const RosterMember& author, const content::v1::SideHello& said,
                         OwnDevice device) {
    const auto own = std::find_if(
        team_.introductions.begin(), team_.introductions.end(), [&](const Secret& secret) {
          return crypto::PublicEquals(secret.Reveal(), crypto::ViewOf(said.introduction_secret()));
        });
    if (said.to_participant_id() != ToField(view_.record.own_id) ||
        own == team_.introductions.end()) {
      return absl::OkStatus();
    }
    IntroductionHello hello;
    const ScopedMessageWipe wipe(hello);
    const auto check = [&](const IntroductionHello& opened) -> absl::Status {
      PARLEY_RETURN_IF_ERROR(CheckCardOf(author, opened.card(), device));
      hello = opened;
      PARLEY_RETURN_IF_ERROR(GiveWay(author));
      return BeginAnew(author);
    };
    PARLEY_ASSIGN_OR_RETURN(const Pairing pairing, context_.OwnInbox().TakeChannelHello(
                                                       step_, static_cast<uint8_t>(author.role),
                                                       *own, crypto::ViewOf(said.sealed()), check));
    PARLEY_RETURN_IF_ERROR(StockKeyPackages(step_, context_, hello.card(), hello.key_packages()));
    PARLEY_ASSIGN_OR_RETURN(const std::vector<Secret> seeds, TakeSlots(device, 1, pairing.id));
    PARLEY_RETURN_IF_ERROR(context_.Pairings().PutDevice(step_, device));
    InboxMessage message;
    message.mutable_append_seeds()->add_append_seeds(crypto::ToString(seeds[0].Reveal()));
    return context_.OwnInbox().Queue(step_, pairing, std::move(message));
  }

  Transaction& step_;
  const CaseContext& context_;
  SideView view_;
  TeamRecord team_;
  std::set<ChannelId> touched_;
};

}  // namespace

absl::StatusOr<std::set<ChannelId>> PairWithinSide(Transaction& step, const CaseContext& context) {
  return SidePairing(step, context).Run();
}

absl::StatusOr<bool> IntroduceToSide(Transaction& step, const CaseContext& context,
                                     const SideView& view, TeamRecord& record,
                                     const std::vector<ParticipantId>& people) {
  if (view.caucus == nullptr) return false;
  bool needed = false;
  for (const ParticipantId& id : people) {
    if (HasId(record.introduced, id) || view.OnOwnSide(id) == nullptr) continue;
    PARLEY_ASSIGN_OR_RETURN(const std::optional<Pairing> known, SidePairingWith(step, context, id));
    needed = needed || !known.has_value();
  }
  if (!needed) return false;
  PARLEY_ASSIGN_OR_RETURN(const OwnDevice device, context.Pairings().Device(step));
  Secret secret = Secret::Random(kSecretSize);
  Content content;
  content::v1::SideIntroduction& introduction = *content.mutable_side_introduction();
  introduction.set_device_card(crypto::ToString(device.card));
  introduction.set_introduction_secret(crypto::ToString(secret.Reveal()));
  PARLEY_RETURN_IF_ERROR(context.Channel(view.caucus->id).Queue(step, content).status());
  if (record.introductions.size() >= kMostIntroductions) {
    record.introductions.erase(record.introductions.begin());
  }
  record.introductions.push_back(std::move(secret));
  record.introduced.clear();
  for (const RosterMember& member : view.caucus->info.state.members) {
    record.introduced.push_back(member.participant_id);
  }
  PARLEY_RETURN_IF_ERROR(PutTeam(step, context, record));
  return true;
}

}  // namespace parley::client
