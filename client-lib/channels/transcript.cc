#include "client-lib/channels/transcript.h"

#include <string_view>

#include "crypto/primitives/hash.h"

namespace parley::client {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::string_view kLabel = "parley transcript v1\0"sv;

}  // namespace

TranscriptHash TranscriptStart(const ObjectId& mailbox_id) {
  return crypto::Sha256({crypto::ViewOf(kLabel), mailbox_id});
}

TranscriptHash TranscriptStep(const TranscriptHash& before, const Entry& entry) {
  Bytes closing;
  if (entry.closing.has_value()) {
    const auto keys = crypto::Sha256({KeyBlock(entry.closing->next_keys)});
    closing = crypto::Concat({keys, entry.closing->control_signature});
  }
  return crypto::Sha256({crypto::ViewOf(kLabel), before, crypto::BigEndian64(entry.position),
                         crypto::BigEndian64(entry.generation), entry.append_id,
                         crypto::Sha256({entry.payload}), closing});
}

}  // namespace parley::client
