// A value that is kept elsewhere, for members of structures of which there may be many: what holds
// one is as small as a pointer, whatever T is. Copies share the value, which nobody changes.
#ifndef PARLEY_CRYPTO_MLS_BOXED_H_
#define PARLEY_CRYPTO_MLS_BOXED_H_

#include <memory>
#include <utility>

#include "crypto/base/codec.h"

namespace parley::mls {

// Threading: as a T that is only read. One that was made by default, or moved from, has an empty T.
template <typename T>
class Boxed {
 public:
  Boxed() = default;
  // Stands where a T could.
  Boxed(T value)  // NOLINT(google-explicit-constructor)
      : value_(std::make_shared<const T>(std::move(value))) {}

  const T& operator*() const { return value_ != nullptr ? *value_ : Empty(); }
  const T* operator->() const { return &**this; }
  friend bool operator==(const Boxed& a, const Boxed& b) { return *a == *b; }

 private:
  static const T& Empty() {
    static const T empty{};
    return empty;
  }
  std::shared_ptr<const T> value_;
};

template <typename T>
void Encode(crypto::Writer& w, const Boxed<T>& boxed) {
  Encode(w, *boxed);
}
template <typename T>
absl::Status Decode(crypto::Reader& r, Boxed<T>& boxed) {
  T value{};
  PARLEY_RETURN_IF_ERROR(Decode(r, value));
  boxed = Boxed<T>(std::move(value));
  return absl::OkStatus();
}

}  // namespace parley::mls

#endif  // PARLEY_CRYPTO_MLS_BOXED_H_
