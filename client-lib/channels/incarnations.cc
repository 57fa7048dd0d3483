#include "client-lib/channels/incarnations.h"

#include <algorithm>
#include <string>

#include "crypto/base/status_macros.h"

namespace parley::client {
namespace {

absl::Status TooFar(const ChannelState& state, const ParticipantId& adder, const std::string& why) {
  const RosterMember* who = state.FindMember(adder);
  return absl::PermissionDeniedError(
      "a Welcome by " + (who == nullptr ? "somebody outside the channel" : Describe(*who)) +
      " would lead to incarnation " + std::to_string(state.incarnation) + " of the channel " +
      DescribeChannel(state.kind, state.side) + ", " + why);
}

}  // namespace

absl::Status CheckFirstIncarnation(const ChannelState& state, const ParticipantId& adder) {
  if (state.incarnation <= kMostIncarnationsBefore) return absl::OkStatus();
  return TooFar(state, adder,
                "as if it had been opened anew more than " +
                    std::to_string(kMostIncarnationsBefore) + " times");
}

absl::Status CheckLaterIncarnation(const ChannelState& state, uint32_t known,
                                   const ParticipantId& adder) {
  if (state.incarnation <= known) return absl::OkStatus();
  if (state.incarnation == kNoIncarnation) {
    return TooFar(state, adder, "the last that there can be: it couldn't be opened anew again");
  }
  if (state.incarnation - known <= kMostUnknownIncarnations) return absl::OkStatus();
  return TooFar(state, adder,
                "more than " + std::to_string(kMostUnknownIncarnations) +
                    " further than the one that this device knows, " + std::to_string(known));
}

absl::StatusOr<std::vector<uint32_t>> StoredIncarnations(const ReadTransaction& tx,
                                                         const ChannelNames& names,
                                                         uint32_t latest) {
  std::vector<uint32_t> stored;
  uint32_t missing = 0;
  for (uint32_t n = latest; n > 0 && missing < kMostUnknownIncarnations; --n) {
    PARLEY_ASSIGN_OR_RETURN(const bool there, tx.Has(RecordClass::kContent, names.Incarnation(n)));
    missing = there ? 0 : missing + 1;
    if (there) stored.push_back(n);
  }
  std::reverse(stored.begin(), stored.end());
  return stored;
}

}  // namespace parley::client
