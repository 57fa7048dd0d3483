// Lists that are refused while they are read, as soon as they are longer than any of their kind may
// be: an element of two bytes on the wire may take a hundred in memory.
#ifndef PARLEY_CRYPTO_MLS_BOUNDED_LIST_H_
#define PARLEY_CRYPTO_MLS_BOUNDED_LIST_H_

#include <cstddef>
#include <utility>
#include <vector>

#include "crypto/base/codec.h"

namespace parley::mls {

// Reads T<V>. Errors: InvalidArgument for more than `most` elements, which says `too_many`; those
// of an element. Requires: no element takes zero bytes.
template <typename T>
absl::Status DecodeAtMost(size_t most, const char* too_many, crypto::Reader& r,
                          std::vector<T>& list) {
  crypto::ByteView body;
  PARLEY_RETURN_IF_ERROR(r.ReadOpaque(body));
  list.clear();
  crypto::Reader inner(body);
  while (!inner.empty()) {
    if (list.size() == most) return absl::InvalidArgumentError(too_many);
    T element{};
    PARLEY_RETURN_IF_ERROR(Decode(inner, element));
    list.push_back(std::move(element));
  }
  return absl::OkStatus();
}

}  // namespace parley::mls

#endif  // PARLEY_CRYPTO_MLS_BOUNDED_LIST_H_
