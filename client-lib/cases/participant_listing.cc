#include "client-lib/cases/participant_listing.h"

#include <algorithm>

#include "client-lib/content/parse.h"
#include "crypto/base/status_macros.h"

namespace parley::client {
namespace {

using content::v1::Content;

// Whether an own list of participants waits to be sent.
absl::StatusOr<bool> ListWaits(const ReadTransaction& step, const CaseContext& context,
                               const ChannelId& joint) {
  PARLEY_ASSIGN_OR_RETURN(std::vector<ChannelMessage> unsent, context.Channel(joint).Unsent(step));
  return std::any_of(unsent.begin(), unsent.end(), [](const ChannelMessage& message) {
    Content content;
    return message.kind == ContentKind::kProcedure &&
           ParseFromPeer(content, message.content.Reveal()) && content.has_case_overview();
  });
}

}  // namespace

absl::StatusOr<bool> ListParticipants(Transaction& step, const CaseContext& context,
                                      const LoadedProcedure& procedure) {
  if (!procedure.log.has_begun() || procedure.log.procedure().participants() == procedure.roster) {
    return false;
  }
  PARLEY_ASSIGN_OR_RETURN(const bool waits, ListWaits(step, context, *procedure.joint));
  if (waits) return false;
  Content content;
  *content.mutable_case_overview() = procedure.log.MakeOverview(procedure.roster, procedure.head);
  PARLEY_RETURN_IF_ERROR(context.Channel(*procedure.joint).Queue(step, content).status());
  return true;
}

std::vector<CaseProcedure::Missing> ListedOtherwise(const LoadedProcedure& procedure) {
  std::vector<CaseProcedure::Missing> differences;
  if (!procedure.log.has_begun()) return differences;
  const CaseProcedure& now = procedure.log.procedure();
  for (const Actor& member : procedure.roster) {
    const auto listed = std::find_if(now.participants().begin(), now.participants().end(),
                                     [&](const Actor& one) { return one.id == member.id; });
    const bool is_listed = listed != now.participants().end();
    if (is_listed && *listed == member) continue;
    const RosterMember shown{member.id, member.name, member.role, member.side, {}};
    differences.push_back({"a neutral", "lists " + Describe(shown) +
                                            (is_listed ? " as what they are"
                                                       : " among the case's participants")});
  }
  for (const Actor& listed : now.participants()) {
    const bool is_in = std::any_of(procedure.roster.begin(), procedure.roster.end(),
                                   [&](const Actor& member) { return member.id == listed.id; });
    if (is_in) continue;
    differences.push_back({"a neutral", "takes " + listed.name +
                                            ", who isn't in the joint channel, off the list of "
                                            "the case's participants"});
  }
  return differences;
}

}  // namespace parley::client
