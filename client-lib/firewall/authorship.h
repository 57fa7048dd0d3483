// Whether somebody else said it before: what tells an author's own words from repeated ones.
//
// Without it a confidence could be laundered: repeated in the channel where it was said, where that
// is free, and then authorised by who repeated it.
//
// What counts is what has an author in that channel's log before the item: a passage
// (passages.h) of it, the whole of a shorter message, or the same document. What the item's author
// said themselves before is theirs, and so is, for who isn't a neutral, what they repeat of a
// neutral's own words (docs/decisions/0007).
//
// Threading: free functions on a transaction.
// Errors: the store's.
#ifndef PARLEY_CLIENT_LIB_FIREWALL_AUTHORSHIP_H_
#define PARLEY_CLIENT_LIB_FIREWALL_AUTHORSHIP_H_

#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "client-lib/channels/channel.h"

namespace parley::client {

// Who said it first.
struct EarlierSaying {
  RosterMember author;
  uint64_t number = 0;
};

// A message of the channel, and the words of it that matter; none for a document. Of an offer's
// record all of its texts matter. It speaks for a side: what the side's parties and counsel had
// said there is theirs together, and what was carried there from `for_side` may go back to it.
struct OwnSaying {
  const ChannelMessage* item = nullptr;
  std::string_view words;
  std::string_view for_side = {};
};

// For each the first message of another author that has it already; nothing where there is none.
// Reads the channel once, whatever their number; keeps some 24 bytes for each letter of the words.
absl::StatusOr<std::vector<std::optional<EarlierSaying>>> SaidBefore(
    const ReadTransaction& step, const Channel& channel, const std::vector<OwnSaying>& sayings);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_FIREWALL_AUTHORSHIP_H_
