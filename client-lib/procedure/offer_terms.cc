#include "client-lib/procedure/offer_terms.h"

#include <algorithm>
#include <set>
#include <utility>

#include "client-lib/channels/channel_ids.h"
#include "client-lib/content/folded_text.h"
#include "client-lib/content/parse.h"
#include "client-lib/content/shown_text.h"
#include "client-lib/content/utf8.h"
#include "crypto/base/codec.h"
#include "crypto/primitives/hash.h"

namespace parley::client {
namespace {

namespace pb = content::v1;

constexpr std::string_view kOfferLabel = "parley offer v1";
constexpr std::string_view kSheetLabel = "parley option sheet v1";
constexpr size_t kMostAmount = 200;
constexpr int kFewestOptions = 2;
constexpr int kMostOptions = 32;
constexpr int kMostNames = 3;
// Seconds. More can't be a date.
constexpr uint64_t kLatestExpiry = uint64_t{1} << 62;

// Of the label, whose record it is, and its texts.
template <typename Texts>
VersionHash HashOf(std::string_view label, const CaseId& id, const ParticipantId& author,
                   const MessageId& record, const Texts& texts) {
  crypto::Writer writer;
  writer.WriteOpaque(crypto::ViewOf(label));
  writer.WriteRaw(id.bytes());
  writer.WriteRaw(author.bytes());
  writer.WriteRaw(record.bytes());
  for (const std::string_view text : texts) writer.WriteOpaque(crypto::ViewOf(text));
  const crypto::Bytes hash = crypto::Hash(crypto::HashAlgorithm::kSha256, std::move(writer).Take());
  VersionHash result{};
  std::copy(hash.begin(), hash.end(), result.begin());
  return result;
}

absl::Status CheckText(const std::string& text, size_t most, const std::string& what) {
  if (IsBlank(text)) return absl::InvalidArgumentError(what + " is blank");
  if (text.size() > most) {
    return absl::InvalidArgumentError(what + " has " + std::to_string(text.size()) +
                                      " bytes; at most " + std::to_string(most) +
                                      " can be sent: share a document with it");
  }
  if (!IsWellFormedUtf8(text)) return absl::InvalidArgumentError(what + " is not UTF-8");
  return absl::OkStatus();
}

// `what`: "condition"; `one`: "a condition".
template <typename Texts>
absl::Status CheckTexts(const Texts& texts, int most, const std::string& what,
                        const std::string& one) {
  if (texts.size() > most) {
    return absl::InvalidArgumentError("there are " + std::to_string(texts.size()) + " " + what +
                                      "s; at most " + std::to_string(most) + " can be sent");
  }
  for (const std::string& text : texts) {
    const absl::Status checked = CheckText(text, kMostOfferPart, one);
    if (!checked.ok()) return checked;
  }
  return absl::OkStatus();
}

bool IsHashOrNothing(const std::string& field) {
  return field.empty() || VersionHashFrom(field).has_value();
}

std::string FaultOfParties(const pb::OfferTerms& terms, const ParticipantId& author) {
  if (terms.parties().empty() || terms.parties_size() > kMostOfferParties) {
    return "it is put to nobody";
  }
  std::set<ParticipantId> seen;
  for (const pb::OfferTerms::Party& party : terms.parties()) {
    const std::optional<ParticipantId> id = IdFrom<ParticipantId>(party.participant_id());
    if (!id.has_value() || !IsGoodName(party.name()) || !IsGoodName(party.side())) {
      return "it is put to somebody without a proper name, side or id";
    }
    if (*id == author || !seen.insert(*id).second) return "it is put to somebody twice";
  }
  return {};
}

std::string FaultOfTerms(const pb::Offer& offer, const ParticipantId& author, pb::OfferTerms& terms,
                         bool& is_newer) {
  if (!ParseFromPeer(terms, crypto::ViewOf(offer.terms()))) return "it can't be read";
  // A newer version may say more in it, which this one can't show; and nobody shall accept what
  // they weren't shown.
  pb::OfferTerms known = terms;
  known.DiscardUnknownFields();
  if (known.SerializeAsString() != offer.terms()) {
    is_newer = terms.SerializeAsString() == offer.terms();
    terms = std::move(known);
    return "it says more than this version of Parley can show; bring it up to date";
  }
  const absl::Status checked = CheckTerms(terms);
  if (!checked.ok()) return std::string(checked.message());
  if (!IsHashOrNothing(terms.first_version()) || !IsHashOrNothing(terms.answers()) ||
      terms.version() == 0 || (terms.version() == 1) != terms.first_version().empty() ||
      (terms.version() > 1 && !terms.answers().empty())) {
    return "it doesn't say which version it is of which offer";
  }
  if (terms.expires_at() >= kLatestExpiry) return "it gives no time that could ever come";
  return FaultOfParties(terms, author);
}

std::string FaultOfNote(const std::string& note) {
  return note.size() > kMostOfferPart ? "its note is too long" : "";
}

JointPosition PlaceFrom(const pb::LogPlace& field) {
  return {field.incarnation(), field.position()};
}

void SetHash(const std::string& field, ReadOffer& read) {
  const std::optional<VersionHash> hash = VersionHashFrom(field);
  if (hash.has_value()) {
    read.hash = *hash;
  } else if (read.fault.empty()) {
    read.fault = "it doesn't say which offer it is about";
  }
}

ReadOffer Read(const CaseId& id, const ParticipantId& author, const MessageId& record,
               const pb::Offer& offer) {
  ReadOffer read;
  read.deed = OfferDeed::kOffer;
  read.record = record;
  read.hash = HashOfOffer(id, author, record, offer.terms());
  read.fault = FaultOfTerms(offer, author, read.terms, read.is_newer);
  read.place = PlaceFrom(read.terms.version() > 1 ? offer.before_place() : offer.answered_place());
  return read;
}

ReadOffer Read(const MessageId& record, const pb::OfferAnswer& answer) {
  ReadOffer read;
  read.record = record;
  read.deed =
      answer.answer() == pb::OfferAnswer::ANSWER_ACCEPT ? OfferDeed::kAccept : OfferDeed::kDecline;
  read.alternative = answer.alternative();
  read.note = answer.note();
  read.fault = FaultOfNote(read.note);
  if (answer.answer() != pb::OfferAnswer::ANSWER_ACCEPT &&
      (answer.answer() != pb::OfferAnswer::ANSWER_DECLINE || read.alternative != 0)) {
    read.fault = "it neither accepts nor declines";
  }
  read.place = PlaceFrom(answer.version_place());
  SetHash(answer.version_hash(), read);
  return read;
}

ReadOffer Read(const MessageId& record, const pb::OfferEnd& end) {
  ReadOffer read;
  read.record = record;
  read.deed =
      end.reason() == pb::OfferEnd::REASON_EXPIRED ? OfferDeed::kExpire : OfferDeed::kWithdraw;
  read.note = end.note();
  read.fault = FaultOfNote(read.note);
  if (end.reason() != pb::OfferEnd::REASON_EXPIRED &&
      end.reason() != pb::OfferEnd::REASON_WITHDRAWN) {
    read.fault = "it doesn't say why";
  }
  read.place = PlaceFrom(end.version_place());
  SetHash(end.version_hash(), read);
  return read;
}

// Between quotation marks that can't be closed from within.
std::string Quoted(const std::string& words) {
  std::string text;
  for (size_t at = 0; at < words.size();) {
    // “ and ” in UTF-8.
    const bool is_mark =
        words.compare(at, 3, "\xe2\x80\x9c") == 0 || words.compare(at, 3, "\xe2\x80\x9d") == 0;
    text += is_mark ? '"' : words[at];
    at += is_mark ? 3 : 1;
  }
  return "“" + text + "”";
}

std::string WithNote(std::string text, const std::string& note) {
  return note.empty() ? std::move(text) : std::move(text) + ": " + Quoted(note);
}

}  // namespace

VersionHash HashOfOffer(const CaseId& id, const ParticipantId& author, const MessageId& record,
                        std::string_view terms) {
  return HashOf(kOfferLabel, id, author, record, std::vector<std::string_view>{terms});
}

VersionHash HashOfSheet(const CaseId& id, const ParticipantId& author, const MessageId& record,
                        const pb::OptionSheet& sheet) {
  std::vector<std::string_view> texts{sheet.title()};
  texts.insert(texts.end(), sheet.options().begin(), sheet.options().end());
  return HashOf(kSheetLabel, id, author, record, texts);
}

std::optional<VersionHash> VersionHashFrom(const std::string& field) {
  VersionHash hash{};
  if (field.size() != hash.size()) return std::nullopt;
  std::copy(field.begin(), field.end(), hash.begin());
  return hash;
}

absl::Status CheckTerms(const pb::OfferTerms& terms) {
  absl::Status checked = CheckText(terms.text(), kMostOfferText, "the offer's text");
  if (!checked.ok()) return checked;
  if (!terms.amount().empty()) {
    checked = CheckText(terms.amount(), kMostAmount, "the amount");
    if (!checked.ok()) return checked;
  }
  checked = CheckTexts(terms.conditions(), kMostConditions, "condition", "a condition");
  if (!checked.ok()) return checked;
  return CheckTexts(terms.alternatives(), kMostAlternatives, "alternative", "an alternative");
}

absl::Status CheckSheet(const pb::OptionSheet& sheet) {
  absl::Status checked = CheckText(sheet.title(), kMostOfferPart, "the title");
  if (!checked.ok()) return checked;
  if (sheet.options_size() < kFewestOptions) {
    return absl::InvalidArgumentError("a sheet has two options at least");
  }
  return CheckTexts(sheet.options(), kMostOptions, "option", "an option");
}

std::optional<ReadOffer> ReadOfferOf(const CaseId& id, const ParticipantId& author,
                                     const pb::Content& content) {
  const std::optional<MessageId> record = IdFrom<MessageId>(content.message_id());
  if (!record.has_value()) return std::nullopt;
  if (content.has_offer()) return Read(id, author, *record, content.offer());
  if (content.has_offer_answer()) return Read(*record, content.offer_answer());
  if (content.has_offer_end()) return Read(*record, content.offer_end());
  return std::nullopt;
}

std::optional<ReadOffer> ReadOfferOf(const CaseId& id, const ParticipantId& author,
                                     const pb::CarriedOffer& carried) {
  const std::optional<MessageId> record = IdFrom<MessageId>(carried.message_id());
  if (!record.has_value()) return std::nullopt;
  if (carried.has_offer()) return Read(id, author, *record, carried.offer());
  if (carried.has_answer()) return Read(*record, carried.answer());
  if (carried.has_end()) return Read(*record, carried.end());
  return std::nullopt;
}

void SetPlace(const JointPosition& place, pb::Content& content) {
  pb::LogPlace field;
  field.set_incarnation(place.incarnation);
  field.set_position(place.position);
  if (content.has_offer_answer()) {
    *content.mutable_offer_answer()->mutable_version_place() = field;
  } else if (content.has_offer_end()) {
    *content.mutable_offer_end()->mutable_version_place() = field;
  } else if (content.has_offer()) {
    pb::OfferTerms terms;
    const bool is_later =
        ParseFromPeer(terms, crypto::ViewOf(content.offer().terms())) && terms.version() > 1;
    *(is_later ? content.mutable_offer()->mutable_before_place()
               : content.mutable_offer()->mutable_answered_place()) = field;
  }
}

std::optional<pb::CarriedOffer> CarriedOf(const Actor& author, const pb::Content& content) {
  pb::CarriedOffer carried;
  if (content.has_offer()) {
    carried.mutable_offer()->set_terms(content.offer().terms());
  } else if (content.has_offer_answer()) {
    *carried.mutable_answer() = content.offer_answer();
    carried.mutable_answer()->clear_version_place();
    carried.mutable_answer()->DiscardUnknownFields();
  } else if (content.has_offer_end()) {
    *carried.mutable_end() = content.offer_end();
    carried.mutable_end()->clear_version_place();
    carried.mutable_end()->DiscardUnknownFields();
  } else {
    return std::nullopt;
  }
  carried.set_message_id(content.message_id());
  carried.set_author_role(static_cast<pb::Role>(author.role));
  carried.set_author_side(author.side);
  return carried;
}

Actor AuthorOfCarried(const ParticipantId& id, const std::string& name,
                      const pb::CarriedOffer& carried) {
  const int role = static_cast<int>(carried.author_role());
  const bool fits = role > 0 && role <= static_cast<int>(Role::kSupportPerson);
  return {id, name, fits ? static_cast<Role>(role) : Role::kUnknown, carried.author_side()};
}

std::vector<std::string> TextsOf(const pb::OfferTerms& terms) {
  std::vector<std::string> texts;
  if (!terms.text().empty()) texts.push_back(terms.text());
  if (!terms.amount().empty()) texts.push_back(terms.amount());
  texts.insert(texts.end(), terms.conditions().begin(), terms.conditions().end());
  texts.insert(texts.end(), terms.alternatives().begin(), terms.alternatives().end());
  return texts;
}

std::vector<std::string> TextsOf(const pb::CarriedOffer& carried) {
  pb::OfferTerms terms;
  if (carried.has_offer()) {
    if (!ParseFromPeer(terms, crypto::ViewOf(carried.offer().terms()))) return {};
    return TextsOf(terms);
  }
  const std::string& note = carried.has_answer() ? carried.answer().note() : carried.end().note();
  return note.empty() ? std::vector<std::string>() : std::vector<std::string>{note};
}

std::string DescribeTerms(const pb::OfferTerms& terms) {
  std::string text = terms.answers().empty() ? "offers" : "makes a counter-offer";
  if (terms.version() > 1) text += " anew (version " + std::to_string(terms.version()) + ")";
  if (!terms.amount().empty()) text += " " + Quoted(terms.amount());
  text += ": " + Quoted(terms.text());
  for (const std::string& one : terms.conditions()) text += "; on condition: " + Quoted(one);
  for (const std::string& other : terms.alternatives()) text += "; or instead: " + Quoted(other);
  return text;
}

std::string NamesOfParties(const pb::OfferTerms& terms) {
  std::string names;
  for (int i = 0; i < terms.parties_size() && i < kMostNames; ++i) {
    names += (i == 0 ? "" : ", ") + terms.parties(i).name();
  }
  const int more = terms.parties_size() - kMostNames;
  return more > 0 ? names + " and " + std::to_string(more) + " more" : names;
}

std::string DescribeCarried(const pb::CarriedOffer& carried) {
  if (carried.has_offer()) {
    pb::OfferTerms terms;
    if (!ParseFromPeer(terms, crypto::ViewOf(carried.offer().terms()))) return "makes an offer";
    return DescribeTerms(terms);
  }
  if (carried.has_answer()) {
    const bool accepts = carried.answer().answer() == pb::OfferAnswer::ANSWER_ACCEPT;
    return WithNote(accepts ? "accepts an offer" : "declines an offer", carried.answer().note());
  }
  const bool expired = carried.end().reason() == pb::OfferEnd::REASON_EXPIRED;
  return WithNote(expired ? "says that an offer's time is over" : "withdraws an offer",
                  carried.end().note());
}

}  // namespace parley::client
