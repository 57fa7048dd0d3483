#include "client-lib/procedure/agreement.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "client-lib/content/folded_text.h"
#include "client-lib/content/utf8.h"
#include "crypto/base/codec.h"
#include "crypto/primitives/hash.h"

namespace parley::client {
namespace {

constexpr std::string_view kDocumentLabel = "parley agreement to mediate v1";
constexpr std::string_view kSettlementLabel = "parley settlement v1";
constexpr std::string_view kSignatureLabel = "parley record signature v1: agreement to mediate";

crypto::Bytes SignedBytes(const CaseId& id, const DocumentHash& document) {
  crypto::Writer writer;
  writer.WriteOpaque(crypto::ViewOf(kSignatureLabel));
  writer.WriteRaw(id.bytes());
  writer.WriteRaw(document);
  return std::move(writer).Take();
}

struct CaucusName {
  CaucusRule rule;
  std::string_view name;
};
constexpr std::array kCaucusNames = {
    CaucusName{CaucusRule::kClosed, "closed"},
    CaucusName{CaucusRule::kOpen, "open"},
    CaucusName{CaucusRule::kMustShareFacts, "must-share-facts"},
};

struct PeriodUnit {
  std::string_view name;
  uint64_t seconds;
};
constexpr uint64_t kDaySeconds = 24 * 60 * 60;
constexpr std::array kPeriodUnits = {
    PeriodUnit{"day", kDaySeconds},        PeriodUnit{"days", kDaySeconds},
    PeriodUnit{"week", 7 * kDaySeconds},   PeriodUnit{"weeks", 7 * kDaySeconds},
    PeriodUnit{"month", 31 * kDaySeconds}, PeriodUnit{"months", 31 * kDaySeconds},
    PeriodUnit{"year", 366 * kDaySeconds}, PeriodUnit{"years", 366 * kDaySeconds},
};
constexpr uint64_t kMostUnits = 10'000;

// How roles are called in a policy.
struct ReaderWord {
  std::string_view word;
  std::vector<Role> roles;
};
const std::vector<ReaderWord>& ReaderWords() {
  using enum Role;
  static const std::vector<ReaderWord> words = {
      {"every participant",
       {kMediator, kCoMediator, kParty, kCounsel, kExpert, kObserver, kInterpreter,
        kSupportPerson}},
      {"the neutrals", {kMediator, kCoMediator}},
      {"the mediator", {kMediator}},
      {"co-mediators", {kCoMediator}},
      {"that side", {kParty, kCounsel, kExpert, kObserver, kInterpreter, kSupportPerson}},
      {"parties", {kParty}},
      {"counsel", {kCounsel}},
      {"experts", {kExpert}},
      {"observers", {kObserver}},
      {"interpreters", {kInterpreter}},
      {"support persons", {kSupportPerson}},
  };
  return words;
}

struct ChannelWord {
  std::string_view word;
  ChannelKind kind;
};
constexpr std::array kChannelWords = {
    ChannelWord{"joint", ChannelKind::kJoint},       ChannelWord{"caucus", ChannelKind::kCaucus},
    ChannelWord{"neutrals", ChannelKind::kNeutrals}, ChannelWord{"counsel", ChannelKind::kCounsel},
    ChannelWord{"team", ChannelKind::kTeam},
};

// The words of a list "a, b and c".
std::vector<std::string_view> ListedWords(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    const size_t conjunction = text.find(" and ");
    const size_t end = std::min(comma, conjunction);
    words.push_back(Trimmed(text.substr(0, end)));
    if (end == std::string_view::npos) break;
    text = text.substr(end + (end == comma ? 1 : std::string_view(" and ").size()));
  }
  return words;
}

// What is wrong with it; empty for nothing.
std::string ReadAccess(std::string_view what, std::string_view who, Access& access) {
  const auto channel = std::find_if(kChannelWords.begin(), kChannelWords.end(),
                                    [&](const ChannelWord& one) { return one.word == what; });
  if (channel == kChannelWords.end()) {
    return "says who reads \"" + std::string(what) +
           "\"; it may say that of joint, caucus, neutrals, counsel and team";
  }
  access.what = channel->kind;
  access.who = who;
  std::string known;
  for (const ReaderWord& one : ReaderWords()) {
    known += (known.empty() ? "" : ", ") + std::string(one.word);
  }
  for (const std::string_view word : ListedWords(who)) {
    const auto reader =
        std::find_if(ReaderWords().begin(), ReaderWords().end(), [&](const ReaderWord& one) {
          // "the mediator and co-mediators"
          return one.word == word || (one.word.starts_with("the ") && one.word.substr(4) == word);
        });
    if (reader == ReaderWords().end()) {
      return "doesn't name readers that a program knows: it may list " + known;
    }
    access.roles.insert(reader->roles.begin(), reader->roles.end());
  }
  return {};
}

absl::Status LineError(size_t number, const std::string& what) {
  return absl::InvalidArgumentError("line " + std::to_string(number) + " of the policy " + what);
}

absl::Status TakeRetention(const std::string& name, const std::string& value, size_t number,
                           ConfidentialityPolicy& policy) {
  const absl::StatusOr<KeepPeriod> period = ParseKeepPeriod(value);
  if (!period.ok()) return LineError(number, std::string(period.status().message()));
  if (name.size() > kMostClassBytes || policy.retention.size() >= kMostClasses) {
    return LineError(number, "names a class too many, or one with too long a name");
  }
  policy.retention.push_back({name, value, *period});
  return absl::OkStatus();
}

// One line, which isn't blank and no comment.
absl::Status TakeLine(std::string_view line, size_t number, bool& caucus_said,
                      ConfidentialityPolicy& policy) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return LineError(number, "has no \":\"");
  const std::string_view head = Trimmed(line.substr(0, colon));
  const std::string value(Trimmed(line.substr(colon + 1)));
  const size_t space = head.find(' ');
  const std::string_view key = head.substr(0, space);
  const std::string name(space == std::string_view::npos ? std::string_view()
                                                         : Trimmed(head.substr(space + 1)));
  if (value.empty()) return LineError(number, "says nothing after the \":\"");
  if (key == "caucus" && name.empty()) {
    const auto found =
        std::find_if(kCaucusNames.begin(), kCaucusNames.end(),
                     [&](const CaucusName& candidate) { return candidate.name == value; });
    if (found == kCaucusNames.end()) {
      return LineError(number, "must be \"caucus: closed\", \"open\" or \"must-share-facts\"");
    }
    if (caucus_said) return LineError(number, "says a second time what caucuses are");
    caucus_said = true;
    policy.caucus = found->rule;
    return absl::OkStatus();
  }
  if (key == "exception" && name.empty()) {
    policy.exceptions.push_back(value);
    return absl::OkStatus();
  }
  if (key == "keep" && !name.empty()) {
    for (const Retention& retention : policy.retention) {
      if (retention.record_class == name) {
        return LineError(number, "says a second time how long \"" + name + "\" is kept");
      }
    }
    return TakeRetention(name, value, number, policy);
  }
  if (key == "access" && !name.empty()) {
    Access access;
    const std::string fault = ReadAccess(name, value, access);
    if (!fault.empty()) return LineError(number, fault);
    policy.access.push_back(std::move(access));
    return absl::OkStatus();
  }
  if (key == "destroy" && name.empty()) {
    if (value != "when due" && value != "by hand") {
      return LineError(number, "must be \"destroy: by hand\" or \"destroy: when due\"");
    }
    policy.destroys_when_due = value == "when due";
    return absl::OkStatus();
  }
  return LineError(number,
                   "begins with none of \"caucus:\", \"exception:\", \"keep CLASS:\", \"destroy:\" "
                   "and \"access WHAT:\"");
}

constexpr const char* kText = R"(AGREEMENT TO MEDIATE

1. The parties named in this case, their counsel and the neutrals agree to try to settle their
   dispute by mediation: [what the dispute is about].
2. Taking part is voluntary. Every party may end it at any time, without giving a reason.
3. The mediator and co-mediators are neutral. They decide nothing, and give no legal advice. They
   disclose whatever could make their neutrality doubtful, also later; each side may object.
4. What is said, written or shown in the mediation is confidential. Nobody offers it as evidence or
   calls the neutrals as witnesses. The policy beside this text says what is confidential in
   caucus, the exceptions, who may read what, and how long records are kept.
5. A settlement binds only when it is in writing and signed by every party.
6. Fees: [who pays what].
7. Law and place: [which law applies, and where].
)";

// What follows the caucus rule in each of the policies.
constexpr const char* kCommonPolicy =
    R"(exception: imminent danger to a person's life or health
exception: what the law orders to be disclosed
exception: enforcing a signed settlement
keep notes: 7 days
keep messages: 30 days
keep agreement: 7 years
keep settlement: 7 years
destroy: by hand
access joint: every participant
access caucus: the neutrals and that side
access neutrals: the mediator and co-mediators
)";

constexpr const char* kClosedPolicy =
    R"(# What is said in caucus stays there unless its author releases it.
caucus: closed
)";

constexpr const char* kOpenPolicy =
    R"(# The neutrals may carry on what is said in caucus unless its author reserves it.
caucus: open
)";

constexpr const char* kFactsPolicy =
    R"(# Facts that are told in caucus must be shared with the other side; the rest stays there.
caucus: must-share-facts
)";

}  // namespace

DocumentHash AgreementHash(const CaseId& id, std::string_view text, std::string_view policy) {
  crypto::Writer writer;
  writer.WriteOpaque(crypto::ViewOf(kDocumentLabel));
  writer.WriteRaw(id.bytes());
  writer.WriteOpaque(crypto::ViewOf(text));
  writer.WriteOpaque(crypto::ViewOf(policy));
  const crypto::Bytes digest = crypto::Hash(crypto::HashAlgorithm::kSha256, writer.view());
  DocumentHash hash{};
  std::copy_n(digest.begin(), hash.size(), hash.begin());
  return hash;
}

namespace {

DocumentHash SettlementHash(const CaseId& id, std::string_view what, crypto::ByteView item,
                            uint64_t size) {
  crypto::Writer writer;
  writer.WriteOpaque(crypto::ViewOf(kSettlementLabel));
  writer.WriteRaw(id.bytes());
  writer.WriteOpaque(crypto::ViewOf(what));
  writer.WriteOpaque(item);
  writer.WriteUint64(size);
  const crypto::Bytes digest = crypto::Hash(crypto::HashAlgorithm::kSha256, writer.view());
  DocumentHash hash{};
  std::copy_n(digest.begin(), hash.size(), hash.begin());
  return hash;
}

}  // namespace

DocumentHash SettlementHashOfDocument(const CaseId& id, crypto::ByteView plaintext_root,
                                      uint64_t size) {
  return SettlementHash(id, "document", plaintext_root, size);
}

DocumentHash SettlementHashOfOffer(const CaseId& id, crypto::ByteView version_hash) {
  return SettlementHash(id, "offer", version_hash, 0);
}

crypto::Bytes SignAgreement(const crypto::SignatureKey& record_key, const CaseId& id,
                            const DocumentHash& document) {
  return record_key.Sign(SignedBytes(id, document));
}

bool VerifyAgreement(crypto::ByteView record_key, const CaseId& id, const DocumentHash& document,
                     crypto::ByteView signature) {
  return crypto::VerifySignature(record_key, SignedBytes(id, document), signature).ok();
}

absl::StatusOr<KeepPeriod> ParseKeepPeriod(std::string_view text) {
  text = Trimmed(text);
  if (text == "forever") return KeepPeriod{KeepPeriod::From::kNever, 0};
  if (text == "until closed") return KeepPeriod{KeepPeriod::From::kClose, 0};
  const absl::Status bad = absl::InvalidArgumentError(
      "doesn't say how long in a form that a program can read: write \"7 days\" (or weeks, months, "
      "years), \"until closed\" or \"forever\"");
  uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || count > kMostUnits) return bad;
  const std::string_view unit = Trimmed(text.substr(static_cast<size_t>(end - text.data())));
  const auto found = std::find_if(kPeriodUnits.begin(), kPeriodUnits.end(),
                                  [&](const PeriodUnit& one) { return one.name == unit; });
  if (found == kPeriodUnits.end()) return bad;
  return KeepPeriod{KeepPeriod::From::kEnd, count * found->seconds};
}

bool ConfidentialityPolicy::MayRead(Role role, ChannelKind kind) const {
  return std::all_of(access.begin(), access.end(), [&](const Access& one) {
    return one.what != kind || one.roles.contains(role);
  });
}

absl::StatusOr<ConfidentialityPolicy> ParsePolicy(std::string_view text) {
  if (text.size() > kMostPolicyBytes || !IsWellFormedUtf8(text)) {
    return absl::InvalidArgumentError("the policy is no text in UTF-8 of at most 16 KiB");
  }
  ConfidentialityPolicy policy;
  bool caucus_said = false;
  size_t number = 0;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = Trimmed(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    ++number;
    if (IsBlank(line) || line.front() == '#') continue;
    PARLEY_RETURN_IF_ERROR(TakeLine(line, number, caucus_said, policy));
  }
  if (!caucus_said) {
    return absl::InvalidArgumentError(
        "the policy doesn't say what holds in caucus: it needs a line \"caucus: closed\", "
        "\"caucus: open\" or \"caucus: must-share-facts\"");
  }
  if (policy.retention.empty()) {
    return absl::InvalidArgumentError(
        "the policy doesn't say how long anything is kept: it needs a line as \"keep notes: 7 "
        "days\"");
  }
  return policy;
}

std::string PolicyForm() {
  return "A policy is a text, a line for each rule; lines that begin with # are remarks:\n"
         "  caucus: closed             what is said in caucus stays there unless released\n"
         "  caucus: open               it may be carried on unless reserved\n"
         "  caucus: must-share-facts   facts must be shared, the rest stays\n"
         "  exception: WHAT            when confidentiality doesn't hold; any number of these\n"
         "  keep CLASS: HOW LONG       as \"keep notes: 7 days\"; one or more. Counted from when\n"
         "                             the case has ended, in days, weeks, months or years; or\n"
         "                             \"until closed\", or \"forever\". Classes that the program\n"
         "                             knows: notes (of the neutrals), messages, documents (or,\n"
         "                             before it: financial, privileged, settlement), settlement,\n"
         "                             agreement\n"
         "  destroy: by hand           what isn't kept any longer is destroyed by people\n"
         "  destroy: when due          every program destroys it by itself, after a warning\n"
         "  access WHAT: WHO           as \"access caucus: the neutrals and that side\": who may\n"
         "                             be in such a channel, beside what its kind allows\n";
}

absl::Status CheckAgreement(std::string_view text, std::string_view policy) {
  if (IsBlank(text)) return absl::InvalidArgumentError("the agreement has no text");
  if (text.size() > kMostAgreementBytes || !IsWellFormedUtf8(text)) {
    return absl::InvalidArgumentError("the agreement is no text in UTF-8 of at most 128 KiB");
  }
  return ParsePolicy(policy).status();
}

std::vector<AgreementTemplate> Templates() {
  return {
      {"closed-caucus", "what is said in caucus stays there unless its author releases it", kText,
       std::string(kClosedPolicy) + kCommonPolicy},
      {"open-caucus", "the neutrals may carry it on unless its author reserves it", kText,
       std::string(kOpenPolicy) + kCommonPolicy},
      {"facts-shared", "facts told in caucus must be shared, the rest stays there", kText,
       std::string(kFactsPolicy) + kCommonPolicy},
  };
}

}  // namespace parley::client
