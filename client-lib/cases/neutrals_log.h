// What the neutrals tell each other in their channel: who takes part, control keys, heads. It is
// how any of them can finish what another began (docs/protocol.md section 6).
//
// Threading: functions on a transaction.
#ifndef PARLEY_CLIENT_LIB_CASES_NEUTRALS_LOG_H_
#define PARLEY_CLIENT_LIB_CASES_NEUTRALS_LOG_H_

#include <optional>
#include <vector>

#include "client-lib/cases/case_context.h"
#include "parley/content/v1/content.pb.h"

namespace parley::client {

// A channel of the case, with its id.
struct CaseChannel {
  ChannelId id;
  ChannelInfo info;
};

// All channels of the case.
absl::StatusOr<std::vector<CaseChannel>> ChannelsOf(const ReadTransaction& step,
                                                    const CaseContext& context);
// The one of this kind and side: the one with the smallest id, should there be several.
const CaseChannel* FindByKind(const std::vector<CaseChannel>& channels, ChannelKind kind,
                              const std::string& side = {});

struct NeutralsNews {
  bool anything = false;      // own contents included
  bool about_people = false;  // others' records of participants or keys among it
};

// Works through what came in the neutrals' channel since the last time. Nothing where this device
// isn't in it.
absl::StatusOr<NeutralsNews> TakeNeutralsLog(Transaction& step, const CaseContext& context);

// Queues a participant's record in the neutrals' channel, for their present state, and notes it in
// `person`, which the caller stores. `introductions` are what other neutrals pair with them by.
// Errors: FailedPrecondition when the neutrals' channel can't be written to.
absl::Status PostRecord(
    Transaction& step, const CaseContext& context, const ChannelId& neutrals, PersonRecord& person,
    const std::vector<content::v1::ParticipantRecord::Introduction>& introductions = {});

// Queues control keys, and with `connection` what pays for new mailboxes.
absl::Status PostSecrets(Transaction& step, const CaseContext& context, const ChannelId& neutrals,
                         const std::vector<ControlRecord>& controls,
                         const std::optional<std::string>& connection);

// Notes control keys as the latest, and gives them to the channels that are here.
absl::Status LearnControls(Transaction& step, const CaseContext& context, CaseRecord& record,
                           const std::vector<ControlRecord>& controls);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CASES_NEUTRALS_LOG_H_
