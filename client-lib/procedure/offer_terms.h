// Records of offers as they are read: what they say, whether they are well formed, and the hash
// that names one version of one offer in every channel.
//
// Threading: plain values and free functions.
#ifndef PARLEY_CLIENT_LIB_PROCEDURE_OFFER_TERMS_H_
#define PARLEY_CLIENT_LIB_PROCEDURE_OFFER_TERMS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "client-lib/procedure/procedure_log.h"
#include "crypto/base/bytes.h"
#include "parley/content/v1/content.pb.h"
#include "parley/ids.h"

namespace parley::client {

// docs/protocol.md section 10.
using VersionHash = crypto::ByteArray<32>;

// Limits in bytes, and in numbers.
inline constexpr size_t kMostOfferText = 16 * 1024;
inline constexpr size_t kMostOfferPart = 4 * 1024;  // a condition, an alternative, a note
inline constexpr int kMostConditions = 32;
inline constexpr int kMostAlternatives = 16;
inline constexpr int kMostOfferParties = 256;

VersionHash HashOfOffer(const CaseId& id, const ParticipantId& author, const MessageId& record,
                        std::string_view terms);
// The same of an option sheet.
VersionHash HashOfSheet(const CaseId& id, const ParticipantId& author, const MessageId& record,
                        const content::v1::OptionSheet& sheet);
// Nothing for another length.
std::optional<VersionHash> VersionHashFrom(const std::string& field);

// What is wrong with terms, whoever makes them, for the person who writes them. Errors:
// InvalidArgument.
absl::Status CheckTerms(const content::v1::OfferTerms& terms);
// The same of a sheet.
absl::Status CheckSheet(const content::v1::OptionSheet& sheet);

enum class OfferDeed : uint8_t { kOffer, kAccept, kDecline, kWithdraw, kExpire };

// One record about an offer.
struct ReadOffer {
  OfferDeed deed = OfferDeed::kOffer;
  MessageId record;
  VersionHash hash{};  // of an offer its own, of others that of the version that they are about
  content::v1::OfferTerms terms;  // of an offer
  uint32_t alternative = 0;       // of an acceptance
  std::string note;
  // Where what it is about stands in this channel's log: the version, of a new version the one
  // before, of a counter-offer the one that it answers. Nothing in what was carried.
  JointPosition place;
  std::string fault;  // why it is no good, whatever the channel shows; empty for nothing
  // Whether the fault is only that a newer version of Parley said more in it.
  bool is_newer = false;
};

// Nothing for what is no record about an offer.
std::optional<ReadOffer> ReadOfferOf(const CaseId& id, const ParticipantId& author,
                                     const content::v1::Content& content);
std::optional<ReadOffer> ReadOfferOf(const CaseId& id, const ParticipantId& author,
                                     const content::v1::CarriedOffer& carried);

// Says in the record where in its channel what it is about stands.
void SetPlace(const JointPosition& place, content::v1::Content& content);

// An own record as it would be carried; nothing for another content. It tells nothing of the
// channel where it was made.
std::optional<content::v1::CarriedOffer> CarriedOf(const Actor& author,
                                                   const content::v1::Content& content);
// Whose it is: the author of a carried record, by the id and name that its Disclosure gives.
Actor AuthorOfCarried(const ParticipantId& id, const std::string& name,
                      const content::v1::CarriedOffer& carried);

// The texts of it that people wrote, each by itself, for the firewall.
std::vector<std::string> TextsOf(const content::v1::OfferTerms& terms);
std::vector<std::string> TextsOf(const content::v1::CarriedOffer& carried);

// The names of those whom it is put to, of whom the first few: "Ben, Nora, Ida and 3 more".
std::string NamesOfParties(const content::v1::OfferTerms& terms);

// "offers anew (version 2) “950 thousand”: “…”", "accepts an offer: “…”": the author's words stand
// between quotation marks like these, and have none of their own.
std::string DescribeTerms(const content::v1::OfferTerms& terms);
std::string DescribeCarried(const content::v1::CarriedOffer& carried);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_PROCEDURE_OFFER_TERMS_H_
