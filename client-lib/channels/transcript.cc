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

TranscriptLink LinkOf(const Entry& entry) {
  TranscriptLink link{
      entry.position, entry.generation, entry.append_id, crypto::Sha256({entry.payload}), {}};
  if (entry.closing.has_value()) {
    const auto keys = crypto::Sha256({KeyBlock(entry.closing->next_keys)});
    link.closing = crypto::Concat({keys, entry.closing->control_signature});
  }
  return link;
}

TranscriptHash TranscriptStep(const TranscriptHash& before, const TranscriptLink& link) {
  return crypto::Sha256({crypto::ViewOf(kLabel), before, crypto::BigEndian64(link.position),
                         crypto::BigEndian64(link.generation), link.append_id, link.payload_hash,
                         link.closing});
}

TranscriptHash TranscriptStep(const TranscriptHash& before, const Entry& entry) {
  return TranscriptStep(before, LinkOf(entry));
}

}  // namespace parley::client
