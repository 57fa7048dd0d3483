#include "client-lib/cases/catching_up.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "client-lib/procedure/procedure_table.h"

namespace parley::client {
namespace {

// "case/<id>/forgone".
struct ForgoneRecord {
  std::vector<LostEnd> ends;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.ends);
  }
};

std::string ForgoneName(const CaseContext& context) {
  return "case/" + context.id.ToString() + "/forgone";
}

std::vector<std::string> ActsIn(const LoadedProcedure& procedure,
                                const std::vector<LostEnd>& ends) {
  std::vector<std::string> acts;
  for (const ProcedureLog::Step& one : procedure.log.steps()) {
    if (!one.refused.empty() || one.told_at.position != 0 || !IsForgone(ends, one.record.at)) {
      continue;
    }
    acts.push_back(one.record.author.name + ": " + NameOf(one.read.act.kind) + " (entry " +
                   std::to_string(one.record.at.position) + ")");
  }
  return acts;
}

}  // namespace

absl::StatusOr<std::vector<LostEnd>> LoadForgone(const ReadTransaction& step,
                                                 const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(
      std::optional<ForgoneRecord> record,
      GetRecord<ForgoneRecord>(step, RecordClass::kContent, ForgoneName(context)));
  return record.has_value() ? std::move(record->ends) : std::vector<LostEnd>();
}

bool IsForgone(const std::vector<LostEnd>& forgone, const JointPosition& at) {
  return std::any_of(forgone.begin(), forgone.end(), [&](const LostEnd& end) {
    return at.incarnation == end.incarnation && at.position > end.after;
  });
}

absl::StatusOr<std::optional<LostActs>> FindLostActs(const ReadTransaction& step,
                                                     const CaseContext& context,
                                                     const LoadedProcedure& now) {
  if (!now.joint.has_value()) return std::optional<LostActs>();
  LostActs lost;
  PARLEY_ASSIGN_OR_RETURN(lost.ends, FindLostEnds(step, *now.joint));
  lost.acts = ActsIn(now, lost.ends);
  if (lost.acts.empty()) return std::optional<LostActs>();
  const uint32_t last = lost.ends.back().incarnation;
  PARLEY_ASSIGN_OR_RETURN(const std::vector<LostEnd> forgone, LoadForgone(step, context));
  for (const LostEnd& end : forgone) {
    const bool is_there = std::find(lost.ends.begin(), lost.ends.end(), end) != lost.ends.end();
    if (!is_there) lost.ends.push_back(end);
  }
  PARLEY_ASSIGN_OR_RETURN(const std::optional<LoadedProcedure> without,
                          LoadProcedureWithout(step, context, lost.ends));
  const bool is_told = without.has_value() && without->log.has_begun() &&
                       without->log.ToldThrough().incarnation > last;
  if (!is_told) return std::optional<LostActs>();
  return std::optional(std::move(lost));
}

absl::StatusOr<std::vector<std::string>> CatchUp(Transaction& step, const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(const std::optional<LoadedProcedure> now, LoadProcedure(step, context));
  std::optional<LostActs> lost;
  if (now.has_value()) {
    PARLEY_ASSIGN_OR_RETURN(lost, FindLostActs(step, context, *now));
  }
  if (!lost.has_value()) {
    return absl::FailedPreconditionError(
        "there is nothing to catch up with: as far as this device knows, everybody has what it "
        "has read of the joint channel, or no neutral has told yet what they go by");
  }
  PARLEY_RETURN_IF_ERROR(PutRecord(step, RecordClass::kContent, ForgoneName(context),
                                   ForgoneRecord{std::move(lost->ends)}));
  // What was passed over because of them counts now, and others may come to be passed over.
  PARLEY_RETURN_IF_ERROR(ForgetSeenPassedOver(step, context));
  return std::move(lost->acts);
}

}  // namespace parley::client
