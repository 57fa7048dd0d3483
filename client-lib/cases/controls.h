// Control keys, as the neutrals say them in their channel.
//
// A neutral who is leaving could have said a key there that comes into force after them. So each
// seed is kept with who said it and where, and a channel's next control key is a seed only if it
// was said by a neutral who is there now, after the last one left the neutrals' channel. Seeds
// count for that alone: what is in force stands in the channel's own state, and a seed for that key
// is good whoever said it.
//
// Threading: functions on a transaction.
#ifndef PARLEY_CLIENT_LIB_CASES_CONTROLS_H_
#define PARLEY_CLIENT_LIB_CASES_CONTROLS_H_

#include <vector>

#include "client-lib/cases/naming.h"

namespace parley::content::v1 {
class CaseSecrets;
}  // namespace parley::content::v1

namespace parley::client {

// Notes who is in the neutrals' channel now; when somebody has gone since, what was said up to here
// counts no more. Whether anything changed in `record`.
bool NoteNeutrals(CaseRecord& record, const CaseChannel& neutrals);

// Takes in what `author` said at `number` of the neutrals' channel, whose members `neutrals` has.
absl::Status TakeControls(Transaction& step, const CaseContext& context, CaseRecord& record,
                          const content::v1::CaseSecrets& secrets, const ChannelState& neutrals,
                          const ParticipantId& author, uint64_t number);

// Whether what pays for new mailboxes is said, too: for a new neutral.
enum class WithToken { kNo, kYes };

// Queues control keys in the neutrals' channel and notes them as being on their way. The caller
// stores `record`.
absl::Status PostControls(Transaction& step, const CaseContext& context, const ChannelId& neutrals,
                          CaseRecord& record, const std::vector<ControlRecord>& controls,
                          WithToken with_token);

// Queues the record's sponsor token there, in the place of the one that the others have.
absl::Status PostToken(Transaction& step, const CaseContext& context, const ChannelId& neutrals,
                       const CaseRecord& record);

// The seed that a commit which removes a neutral puts in force, or null until one has been said:
// the latest said by who is a neutral now, since the last one went. Never the one in force.
absl::StatusOr<const ControlRecord*> NextControl(const CaseRecord& record,
                                                 const ChannelChoice& choice,
                                                 const CaseChannel& channel);

// Whether this device has said a seed for the channel that hasn't been read back yet.
bool OwnControlWaits(const CaseRecord& record, const CaseChannel& channel);

// Whether the others can know the seed in force from what a neutral said who is there now, or will
// when what is on its way has come.
absl::StatusOr<bool> ControlIsShared(const CaseRecord& record, const ChannelChoice& choice,
                                     const CaseChannel& channel, const Secret& seed);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CASES_CONTROLS_H_
