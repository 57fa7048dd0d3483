#include "client-lib/api/retention_rules.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "client-lib/channels/destruction.h"
#include "client-lib/content/parse.h"
#include "crypto/base/status_macros.h"

namespace parley::client {
namespace {

using content::v1::Content;

constexpr size_t kMessagesAtOnce = 256;

// The classes whose records this program has, and destroys.
constexpr std::array<std::string_view, 8> kDestroyable = {
    "notes", "messages", "documents", "general", "financial", "privileged", "settlement", "team"};

bool IsClosed(CaseState state) {
  return state == CaseState::kClosed || state == CaseState::kFollowUp ||
         state == CaseState::kRetained || state == CaseState::kDestroyed;
}

// When this device has come to know that the case has ended, and is closed. What a neutral tells
// it, and what that makes of records that it had read before, isn't known before they told it.
absl::Status SetTimes(const ReadTransaction& step, const CaseContext& context,
                      RetentionRules& rules) {
  JointPosition ended;
  JointPosition closed;
  bool is_closed = false;
  for (const ProcedureLog::Step& one : rules.procedure.log.steps()) {
    if (!one.refused.empty()) continue;
    const CaseState state = one.afterwards.state();
    if (HasEnded(state) && !rules.ended) ended = one.known_at;
    if (IsClosed(state) && !is_closed) closed = one.known_at;
    rules.ended = HasEnded(state);
    is_closed = IsClosed(state);
  }
  if (!rules.ended) return absl::OkStatus();
  MessageQuery query;
  query.kinds = {ContentKind::kProcedure};
  PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelMessage> records,
                          context.Channel(*rules.procedure.joint).Messages(step, query));
  for (const ChannelMessage& record : records) {
    const JointPosition at{record.incarnation, record.position};
    if (rules.ended_at == 0 && at >= ended) rules.ended_at = record.received_at;
    if (is_closed && rules.closed_at == 0 && at >= closed) rules.closed_at = record.received_at;
  }
  return absl::OkStatus();
}

Together GroupOf(const ChannelMessage& message) {
  if (IsOfOffers(message.kind)) return Together::kOffers;
  if (message.kind == ContentKind::kCalendar) return Together::kCalendar;
  if (message.kind == ContentKind::kSession || message.kind == ContentKind::kIssueRanking) {
    return Together::kSession;
  }
  Content content;
  const bool carries_offer = message.kind == ContentKind::kDisclosure &&
                             ParseFromPeer(content, message.content.Reveal()) &&
                             content.disclosure().has_offer();
  return carries_offer ? Together::kOffers : Together::kNo;
}

class Scanner {
 public:
  Scanner(const RetentionRules& rules, uint64_t now) : rules_(rules), now_(now) {}

  absl::StatusOr<ChannelScan> Scan(const ReadTransaction& step, const CaseContext& context,
                                   const ChannelId& id) {
    const Channel channel = context.Channel(id);
    PARLEY_ASSIGN_OR_RETURN(const ChannelInfo info, channel.Info(step));
    ChannelScan scan;
    std::set<Together> kept;  // groups of which something isn't due yet
    MessageQuery query;
    query.limit = kMessagesAtOnce;
    for (bool more = true; more;) {
      PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelMessage> messages,
                              channel.Messages(step, query));
      for (const ChannelMessage& message : messages) {
        query.after = message.number;
        if (HoldsWords(message.kind)) Take(info.state.kind, message, scan, kept);
      }
      more = messages.size() == kMessagesAtOnce;
    }
    for (const Together group : kept) scan.groups.erase(group);
    return scan;
  }

 private:
  void Take(ChannelKind kind, const ChannelMessage& message, ChannelScan& scan,
            std::set<Together>& kept) const {
    const Together group = GroupOf(message);
    const Retention* const rule = rules_.RuleOf(kind, message);
    if (rule == nullptr) {
      ++scan.uncovered;
      kept.insert(group);
      return;
    }
    ChannelScan::Counted& counted = scan.classes[rule->record_class];
    ++counted.records;
    if (rules_.DueAt(rule->period, message.received_at) > now_) {
      kept.insert(group);
      return;
    }
    ++counted.due;
    if (group != Together::kNo) {
      scan.groups[group].push_back(message.index);
    } else if (message.kind == ContentKind::kDisclosure) {
      scan.disclosures.push_back(message.index);
    } else {
      scan.others.push_back(message.index);
    }
  }

  const RetentionRules& rules_;
  uint64_t now_;
};

std::string_view ClassOf(const content::v1::Document& document) {
  switch (document.document_class()) {
    case content::v1::DOCUMENT_CLASS_FINANCIAL:
      return "financial";
    case content::v1::DOCUMENT_CLASS_PRIVILEGED:
      return "privileged";
    case content::v1::DOCUMENT_CLASS_SETTLEMENT:
      return "settlement";
    default:
      return "general";
  }
}

// Of each document whose keys the record has.
std::vector<std::string_view> DocumentClassesIn(const ChannelMessage& message) {
  Content content;
  const bool parsed = ParseFromPeer(content, message.content.Reveal());
  if (message.kind == ContentKind::kDocument) return {ClassOf(content.document())};
  if (message.kind == ContentKind::kDisclosure && parsed && content.disclosure().has_document()) {
    return {ClassOf(content.disclosure().document())};
  }
  std::vector<std::string_view> classes;
  if (message.kind == ContentKind::kBriefRelease) {
    for (const auto& brief : content.brief_release().briefs()) {
      classes.push_back(ClassOf(brief.document()));
    }
    if (classes.empty()) classes.emplace_back("general");
  }
  return classes;
}

}  // namespace

const Retention* RetentionRules::Find(std::string_view name) const {
  const auto found = std::find_if(policy.retention.begin(), policy.retention.end(),
                                  [&](const Retention& one) { return one.record_class == name; });
  return found == policy.retention.end() ? nullptr : &*found;
}

const Retention* RetentionRules::RuleOf(ChannelKind channel, const ChannelMessage& message) const {
  const Retention* rule = nullptr;
  for (const std::string_view name : ClassesOf(channel, message, now(), settlement_is_offer)) {
    if ((rule = Find(name)) != nullptr) break;
  }
  if (message.kind != ContentKind::kBriefRelease) return rule;
  // Several documents' keys in one record: it goes when the first of them has to. The briefs
  // themselves stay as long as each may.
  for (const std::string_view name : DocumentClassesIn(message)) {
    const Retention* one = Find(name);
    if (one == nullptr) one = Find("documents");
    const bool is_earlier =
        one != nullptr && (rule == nullptr || DueAt(one->period, 0) < DueAt(rule->period, 0));
    if (is_earlier) rule = one;
  }
  return rule;
}

uint64_t RetentionRules::DueAt(const KeepPeriod& period, uint64_t received_at) const {
  if (!ended || period.from == KeepPeriod::From::kNever) return kNever;
  if (period.from == KeepPeriod::From::kClose) {
    return closed_at == 0 ? kNever : std::max(closed_at, received_at);
  }
  return std::max(ended_at, received_at) + period.seconds;
}

absl::StatusOr<std::optional<RetentionRules>> LoadRules(const ReadTransaction& step,
                                                        const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(std::optional<LoadedProcedure> procedure, LoadProcedure(step, context));
  if (!procedure.has_value() || !procedure->joint.has_value())
    return std::optional<RetentionRules>();
  PARLEY_ASSIGN_OR_RETURN(const CaseRecord own, context.Records().Case(step));
  PARLEY_ASSIGN_OR_RETURN(const Bytes own_key, OwnRecordKey(step, context));
  std::optional<ConfidentialityPolicy> policy = PolicySignedBy(*procedure, own.own_id, own_key);
  if (!policy.has_value()) return std::optional<RetentionRules>();
  RetentionRules rules{std::move(*procedure), std::move(*policy)};
  PARLEY_RETURN_IF_ERROR(SetTimes(step, context, rules));
  const MessageId& item = rules.now().settlement_item();
  if (!item.is_zero()) {
    MessageQuery query;
    query.kinds = {ContentKind::kOffer};
    PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelMessage> offers,
                            context.Channel(*rules.procedure.joint).Messages(step, query));
    rules.settlement_is_offer =
        std::any_of(offers.begin(), offers.end(),
                    [&](const ChannelMessage& offer) { return offer.id == item; });
  }
  return std::optional<RetentionRules>(std::move(rules));
}

bool IsDestroyable(std::string_view name) {
  return std::find(kDestroyable.begin(), kDestroyable.end(), name) != kDestroyable.end();
}

bool Concerns(std::string_view name, Role role) {
  if (name == "notes") return IsNeutral(role);
  if (name == "team") return !IsNeutral(role);
  return true;
}

std::vector<std::string_view> ClassesOf(ChannelKind channel, const ChannelMessage& message,
                                        const CaseProcedure& procedure, bool settlement_is_offer) {
  // A side's own business: the agreement decides about it only where it says so.
  if (channel == ChannelKind::kTeam) return {"team"};
  std::vector<std::string_view> names;
  const bool is_settlement =
      channel == ChannelKind::kJoint && (message.id == procedure.settlement_item() ||
                                         (settlement_is_offer && IsOfOffers(message.kind) &&
                                          message.kind != ContentKind::kOptionSheet &&
                                          message.kind != ContentKind::kOptionEvaluation));
  if (is_settlement) names.push_back("settlement");
  if (channel == ChannelKind::kNeutrals) names.push_back("notes");
  const std::vector<std::string_view> documents = DocumentClassesIn(message);
  if (!documents.empty()) {
    names.push_back(documents.front());
    names.push_back("documents");
  }
  names.push_back("messages");
  return names;
}

absl::StatusOr<ChannelScan> ScanChannel(const ReadTransaction& step, const CaseContext& context,
                                        const ChannelId& id, const RetentionRules& rules,
                                        uint64_t now) {
  return Scanner(rules, now).Scan(step, context, id);
}

}  // namespace parley::client
