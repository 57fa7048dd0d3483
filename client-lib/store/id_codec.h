// How the public header's ids stand in records and TLS structures: 16 raw bytes.
#ifndef PARLEY_CLIENT_LIB_STORE_ID_CODEC_H_
#define PARLEY_CLIENT_LIB_STORE_ID_CODEC_H_

#include "crypto/base/codec.h"
#include "parley/ids.h"

namespace parley {

template <typename Kind>
void Encode(crypto::Writer& w, const Id<Kind>& id) {
  w.WriteRaw(id.bytes());
}
template <typename Kind>
absl::Status Decode(crypto::Reader& r, Id<Kind>& id) {
  typename Id<Kind>::Bytes raw{};
  PARLEY_RETURN_IF_ERROR(crypto::Decode(r, raw));
  id = Id<Kind>(raw);
  return absl::OkStatus();
}

}  // namespace parley

#endif  // PARLEY_CLIENT_LIB_STORE_ID_CODEC_H_
