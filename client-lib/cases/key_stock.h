// Key packages: own ones that others may add this device by, and others' that this device may add
// them by. Each serves once.
//
// Threading: functions on a transaction.
#ifndef PARLEY_CLIENT_LIB_CASES_KEY_STOCK_H_
#define PARLEY_CLIENT_LIB_CASES_KEY_STOCK_H_

#include <vector>

#include "absl/status/statusor.h"
#include "client-lib/cases/case_context.h"
#include "crypto/mls/key_package.h"

namespace parley::client {

// How many each neutral has of a device, as long as the device's own client comes by.
inline constexpr size_t kStockSize = 8;
// How many others of the own side have, who may let it into the team channel.
inline constexpr size_t kSideStockSize = 2;

// The credential of this device's leaves.
ParleyCredential OwnCredential(const OwnDevice& device);

// `count` fresh key packages (MLSMessages) whose private halves are kept as being in the stock of
// the pairing's other end.
absl::StatusOr<std::vector<Bytes>> MakeKeyPackages(Transaction& step, const CaseContext& context,
                                                   const OwnDevice& device, ByteView pairing_id,
                                                   size_t count);

// Moves private halves that were made before the pairing had its id.
absl::Status AssignKeyPackages(Transaction& step, const CaseContext& context, ByteView from,
                               ByteView to);

// Takes the own key package that a Welcome (MLSMessage) is for; it is gone afterwards.
// Errors: NotFound when it is for none; InvalidArgument for other bytes.
absl::StatusOr<mls::KeyPackageBundle> TakeOwnKeyPackage(Transaction& step,
                                                        const CaseContext& context,
                                                        ByteView welcome);

// How many own ones the pairing's other end has.
absl::StatusOr<size_t> OwnKeyPackagesAt(const ReadTransaction& step, const CaseContext& context,
                                        ByteView pairing_id);

// Puts a peer's key packages into their stock. Those that aren't theirs or aren't valid are left
// out, and the case says so; those that are there already, and what is beyond the stock's bound,
// are left out silently.
template <typename Range>
absl::Status StockKeyPackages(Transaction& step, const CaseContext& context,
                              const content::v1::DeviceCard& card, const Range& messages);

// A free one of somebody's, reserved for a channel. Errors: NotFound when there is none.
absl::StatusOr<Bytes> ReserveKeyPackage(Transaction& step, const CaseContext& context,
                                        const ParticipantId& id, const ChannelId& channel);
// After a commit in the channel: what was reserved for it has been used up, or is free again.
absl::Status SettleReserved(Transaction& step, const CaseContext& context, const ParticipantId& id,
                            const ChannelId& channel, bool used);

// ---- Implementation ----

namespace internal {
absl::Status Stock(Transaction& step, const CaseContext& context,
                   const content::v1::DeviceCard& card, const std::vector<Bytes>& messages);
}  // namespace internal

template <typename Range>
absl::Status StockKeyPackages(Transaction& step, const CaseContext& context,
                              const content::v1::DeviceCard& card, const Range& messages) {
  std::vector<Bytes> all;
  for (const std::string& message : messages) all.push_back(crypto::ToBytes(message));
  return internal::Stock(step, context, card, all);
}

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CASES_KEY_STOCK_H_
