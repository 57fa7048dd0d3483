// How the participants of a side pair with each other, so that nobody else's word is needed for
// their team channel.
//
// Each knows the others by the caucus, whose messages MLS authenticates. Whoever wants to pair says
// a SideIntroduction there: the card of their device. Everybody of the side answers it, once, with
// a SideHello in the same channel: a KEM's ciphertext to that card's key, and the answering
// device's own card and append key, sealed. The neutrals read the channel, and see that people
// pair; the pairing's secret takes the KEM's private key. Who has opened the answer sends an append
// key of their own, and each has a pairing as with a neutral, with a safety number to compare:
// what it tells them is that no neutral has put themselves in between (docs/security.md).
//
// Two who introduce themselves at the same time would make two pairings: the introduction of whose
// id is lower counts.
//
// Threading: functions on a transaction. Errors: the store's.
#ifndef PARLEY_CLIENT_LIB_CASES_SIDE_PAIRING_H_
#define PARLEY_CLIENT_LIB_CASES_SIDE_PAIRING_H_

#include <set>

#include "absl/status/statusor.h"
#include "client-lib/cases/team_records.h"

namespace parley::client {

// Takes in what the side has said to pair since it was looked at last. Call it when the caucus has
// been read. The channels that have something to send now; empty for a device without a side.
absl::StatusOr<std::set<ChannelId>> PairWithinSide(Transaction& step, const CaseContext& context);

// Introduces this device in the caucus, if there is somebody in `people` whom it isn't paired with
// and who couldn't read its latest introduction. Stores `record` when it changes it. Whether
// something is to be sent.
absl::StatusOr<bool> IntroduceToSide(Transaction& step, const CaseContext& context,
                                     const SideView& view, TeamRecord& record,
                                     const std::vector<ParticipantId>& people);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CASES_SIDE_PAIRING_H_
