// What the policy in force says of a case's records, and what of a channel's it says that of.
//
// Threading: free functions on a transaction, and plain values.
// Errors: the store's.
#ifndef PARLEY_CLIENT_LIB_API_RETENTION_RULES_H_
#define PARLEY_CLIENT_LIB_API_RETENTION_RULES_H_

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "client-lib/cases/case_context.h"
#include "client-lib/cases/procedure_work.h"
#include "client-lib/procedure/agreement.h"

namespace parley::client {

inline constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();

// The policy of the last agreement in force that this participant has signed, and since when its
// periods run.
struct RetentionRules {
  LoadedProcedure procedure;
  ConfidentialityPolicy policy;
  bool ended = false;
  uint64_t ended_at = 0;
  uint64_t closed_at = 0;  // 0: it isn't closed
  bool settlement_is_offer = false;

  const CaseProcedure& now() const { return procedure.log.procedure(); }
  // Null for a class that the policy doesn't have.
  const Retention* Find(std::string_view name) const;
  // What the policy says of a message; null where it says nothing. Of a release of briefs of
  // several classes, what it says of the one that goes first.
  const Retention* RuleOf(ChannelKind channel, const ChannelMessage& message) const;
  // When what came then is due; kNever for never.
  uint64_t DueAt(const KeepPeriod& period, uint64_t received_at) const;
};

// Nothing without an agreement in force that this participant has signed.
absl::StatusOr<std::optional<RetentionRules>> LoadRules(const ReadTransaction& step,
                                                        const CaseContext& context);

// Whether this program has records of the class, and destroys them.
bool IsDestroyable(std::string_view record_class);
// Whether somebody of that role has records of the class at all, as a rule.
bool Concerns(std::string_view record_class, Role role);

// Which of the policy's classes a message belongs to: the names that fit it, the closest first. The
// first that the policy has decides; where it has none, nothing is destroyed.
std::vector<std::string_view> ClassesOf(ChannelKind channel, const ChannelMessage& message,
                                        const CaseProcedure& procedure, bool settlement_is_offer);

// Records that make sense together only are destroyed together, in one step.
enum class Together : uint8_t { kNo, kOffers, kCalendar, kSession };

// One channel's records as the policy has them.
struct ChannelScan {
  struct Counted {
    uint64_t records = 0;
    uint64_t due = 0;
  };
  std::map<std::string, Counted> classes;
  uint64_t uncovered = 0;
  // What is due, by index: groups each as a whole, disclosures before what they were allowed by.
  std::map<Together, std::vector<uint64_t>> groups;
  std::vector<uint64_t> disclosures;
  std::vector<uint64_t> others;
};

// Looks through all of the channel.
absl::StatusOr<ChannelScan> ScanChannel(const ReadTransaction& step, const CaseContext& context,
                                        const ChannelId& id, const RetentionRules& rules,
                                        uint64_t now);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_API_RETENTION_RULES_H_
