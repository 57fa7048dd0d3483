#include "client-lib/channels/incarnations.h"

#include <algorithm>
#include <string>

#include "crypto/base/status_macros.h"

namespace parley::client {
namespace {

// `claim`: what the Welcome says of the channel. `remedy`: what helps where that is true after all.
absl::Status TooFar(const ChannelState& state, const ParticipantId& adder, const std::string& claim,
                    const std::string& remedy) {
  const RosterMember* who = state.FindMember(adder);
  const std::string name = who == nullptr ? "its sender" : who->name;
  return absl::PermissionDeniedError(
      "a Welcome by " + (who == nullptr ? "somebody outside the channel" : Describe(*who)) +
      ", which was to bring this device into the channel " +
      DescribeChannel(state.kind, state.side) + ", says that the channel " + claim +
      ". It was refused, and nothing has changed here. Nobody but " + name +
      " can have sent it: their program is faulty, or somebody uses it to lead you away from the "
      "others. Ask " +
      name + " by another way than Parley what happened" + remedy);
}

}  // namespace

absl::Status CheckFirstIncarnation(const ChannelState& state, const ParticipantId& adder) {
  if (state.incarnation <= kMostIncarnationsBefore) return absl::OkStatus();
  return TooFar(state, adder,
                "was opened anew " + std::to_string(state.incarnation - 1) +
                    " times already, which no channel comes to (at most " +
                    std::to_string(kMostIncarnationsBefore - 1) + " are believed)",
                "; as long as it says so you can't be let in");
}

absl::Status CheckLaterIncarnation(const ChannelState& state, uint32_t known,
                                   const ParticipantId& adder) {
  if (state.incarnation <= known) return absl::OkStatus();
  if (state.incarnation == kNoIncarnation) {
    return TooFar(state, adder,
                  "is now opened anew for the last time possible, so that nobody could open it "
                  "again if it halts",
                  "; no honest program does this");
  }
  if (state.incarnation - known <= kMostUnknownIncarnations) return absl::OkStatus();
  return TooFar(state, adder,
                "was opened anew " + std::to_string(state.incarnation - known) +
                    " times since this device last knew of it (at most " +
                    std::to_string(kMostUnknownIncarnations) + " are believed)",
                "; if it is true, have the mediator remove you from the case and invite you anew");
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
