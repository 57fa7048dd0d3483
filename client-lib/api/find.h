// What people mean by a word: a name, or the beginning of an id.
//
// Errors: NotFound, whose message says what there is; ambiguous ones (AmbiguousError) list what
// fits.
#ifndef PARLEY_CLIENT_LIB_API_FIND_H_
#define PARLEY_CLIENT_LIB_API_FIND_H_

#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "parley/types.h"

namespace parley::client {

absl::StatusOr<Case> PickCase(const std::vector<Case>& cases, std::string_view text);

// Those who take part, wait or are invited come before those who left.
absl::StatusOr<Participant> PickParticipant(const std::vector<Participant>& participants,
                                            std::string_view text);

absl::StatusOr<parley::Channel> PickChannel(const std::vector<parley::Channel>& channels,
                                            std::string_view text);

// Of several of one name by the same author the latest; of different authors' none.
absl::StatusOr<Document> PickDocument(const std::vector<Document>& documents,
                                      std::string_view text);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_API_FIND_H_
