// The external pre-shared keys that a test gives to one client.
#ifndef PARLEY_TOOLS_PARLEY_MLS_INTEROP_PSK_STORE_H_
#define PARLEY_TOOLS_PARLEY_MLS_INTEROP_PSK_STORE_H_

#include <map>
#include <optional>
#include <utility>

#include "crypto/mls/psk.h"

namespace parley::interop {

using crypto::Bytes;
using crypto::ByteView;
using crypto::Secret;

// Threading: like a container's.
class PskStore {
 public:
  void Put(Bytes id, Secret secret) { secrets_.insert_or_assign(std::move(id), std::move(secret)); }

  // None for another kind of key, or one that wasn't put here.
  std::optional<Secret> Find(const mls::PreSharedKeyId& id) const {
    if (id.type != mls::PskType::kExternal) return std::nullopt;
    const auto found = secrets_.find(id.psk_id);
    if (found == secrets_.end()) return std::nullopt;
    return found->second.Clone();
  }

  PskStore Copy() const {
    PskStore copy;
    for (const auto& [id, secret] : secrets_) copy.secrets_.emplace(id, secret.Clone());
    return copy;
  }

  // Valid as long as the store is.
  mls::PskLookup Lookup() const {
    return [this](const mls::PreSharedKeyId& id) { return Find(id); };
  }

 private:
  std::map<Bytes, Secret> secrets_;
};

}  // namespace parley::interop

#endif  // PARLEY_TOOLS_PARLEY_MLS_INTEROP_PSK_STORE_H_
