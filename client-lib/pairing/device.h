// A device of one's own in a case: its keys, its card, the append keys of its inbox.
//
// Threading: plain values and free functions.
#ifndef PARLEY_CLIENT_LIB_PAIRING_DEVICE_H_
#define PARLEY_CLIENT_LIB_PAIRING_DEVICE_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "client-lib/content/shown_text.h"
#include "client-lib/pairing/records.h"
#include "client-lib/relay/relay_types.h"
#include "parley/content/v1/control.pb.h"

namespace parley::client {

// Append keys of an inbox's first generation, and how many come with each enlargement.
inline constexpr size_t kInboxSlots = 16;

// Fresh ids and keys; the card says `name`.
OwnDevice MakeDevice(std::string_view name);

// A card as bytes, with what others must be able to rely on.
// Errors: InvalidArgument for missing or wrong ids, a KEM key that isn't valid, or a bad name.
absl::StatusOr<content::v1::DeviceCard> ParseCard(ByteView bytes);
absl::Status CheckCard(const content::v1::DeviceCard& card);
// Whose card it is, of one that was checked.
ParticipantId PeerOf(const content::v1::DeviceCard& card);

// The keys of the own inbox with these slots.
absl::StatusOr<GenerationKeys> InboxKeys(const OwnDevice& device,
                                         const std::vector<InboxSlot>& slots);

// Gives `count` free append keys to `holder` and returns their seeds.
// Errors: ResourceExhausted when there are not so many (see PlanInboxClosing).
absl::StatusOr<std::vector<Secret>> TakeSlots(OwnDevice& device, size_t count, ByteView holder);
size_t FreeSlots(const OwnDevice& device);
// What `from` holds is held by `to` from now on; an empty `to` doesn't free it, since the seeds are
// known: RevokeSlots does.
void PassSlots(OwnDevice& device, ByteView from, ByteView to);

// Plans a new generation of the own inbox without the keys that `revoked` holds (empty: none) and
// with `more` fresh ones. Sent by Inbox::Flush. While a closing is on its way, a further one waits:
// false.
bool PlanInboxClosing(OwnDevice& device, ByteView revoked, size_t more);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_PAIRING_DEVICE_H_
