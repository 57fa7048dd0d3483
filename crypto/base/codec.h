// The TLS presentation language as RFC 9420 uses it (section 2.1, RFC 8446 section 3): big-endian
// integers, variable-size vectors with minimal variable-length headers, optionals.
//
// A structure names its fields once, and that list serves reading and writing:
//
//   struct Lifetime {
//     uint64_t not_before = 0;
//     uint64_t not_after = 0;
//     template <typename F> static auto Fields(F& self) {
//       return std::tie(self.not_before, self.not_after);
//     }
//   };
//   Bytes wire = Serialize(lifetime);
//   absl::StatusOr<Lifetime> back = Parse<Lifetime>(wire);   // rejects trailing bytes
//
// Reading rules: unsigned integers and enums in their width; std::array<uint8_t, N> raw;
// Bytes, Secret and std::string as opaque<V>; std::vector<T> as T<V>; std::optional<T> behind a
// presence byte of 0 or 1; structures with Fields(); anything else by an overload of
// `void Encode(Writer&, const T&)` and `absl::Status Decode(Reader&, T&)` in T's namespace.
//
// Errors: InvalidArgument for bytes cut short, a header that is not minimal or over the cap, a
// presence byte other than 0 and 1, and trailing bytes. Nothing is allocated from a length that
// exceeds what is left to read.
// Threading: Reader and Writer belong to one thread.
#ifndef PARLEY_CRYPTO_BASE_CODEC_H_
#define PARLEY_CRYPTO_BASE_CODEC_H_

#include <array>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/base/bytes.h"
#include "crypto/base/secret.h"
#include "crypto/base/status_macros.h"

namespace parley::crypto {

// The largest value that a variable-length header holds (RFC 9420 section 2.1.2).
inline constexpr uint32_t kMaxVectorLength = (1u << 30) - 1;

// Reads from bytes that it does not own.
class Reader {
 public:
  explicit Reader(ByteView bytes) : rest_(bytes) {}

  absl::Status ReadUint8(uint8_t& out);
  absl::Status ReadUint16(uint16_t& out);
  absl::Status ReadUint32(uint32_t& out);
  absl::Status ReadUint64(uint64_t& out);
  // A vector's header alone: the number of bytes that follow, which are all there.
  absl::Status ReadVectorLength(size_t& out);
  // `size` raw bytes, as a view into the input.
  absl::Status ReadRaw(size_t size, ByteView& out);
  // opaque<V>, as a view into the input.
  absl::Status ReadOpaque(ByteView& out);

  ByteView rest() const { return rest_; }
  bool empty() const { return rest_.empty(); }
  // InvalidArgument unless everything has been read.
  absl::Status ExpectEnd() const;

 private:
  ByteView rest_;
};

// Writes to a buffer that grows, and is wiped when the writer is destroyed or grows, since what is
// written may hold secrets.
class Writer {
 public:
  Writer() = default;
  ~Writer() { WipeBytes(buffer_); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void WriteUint8(uint8_t value);
  void WriteUint16(uint16_t value);
  void WriteUint32(uint32_t value);
  void WriteUint64(uint64_t value);
  // CHECK-fails over kMaxVectorLength: callers bound what they build.
  void WriteVectorLength(size_t length);
  void WriteRaw(ByteView bytes);
  void WriteOpaque(ByteView bytes);
  // Makes what was written from `start` on a vector: puts its header before it. For a vector whose
  // length isn't known before it is written, without a buffer of its own.
  void PrefixVectorLength(size_t start);

  size_t size() const { return buffer_.size(); }
  ByteView view() const { return buffer_; }
  Bytes Take() && { return std::move(buffer_); }
  Secret TakeSecret() && { return Secret::CopyOf(buffer_); }

 private:
  void Reserve(size_t more);
  Bytes buffer_;
};

template <typename T>
concept HasFields = requires(T& t) {
  T::Fields(t);
};

inline void Encode(Writer& w, uint8_t v) { w.WriteUint8(v); }
inline void Encode(Writer& w, uint16_t v) { w.WriteUint16(v); }
inline void Encode(Writer& w, uint32_t v) { w.WriteUint32(v); }
inline void Encode(Writer& w, uint64_t v) { w.WriteUint64(v); }
inline void Encode(Writer& w, const Bytes& v) { w.WriteOpaque(v); }
inline void Encode(Writer& w, const Secret& v) { w.WriteOpaque(v.Reveal()); }
inline void Encode(Writer& w, const std::string& v) { w.WriteOpaque(ViewOf(v)); }

inline absl::Status Decode(Reader& r, uint8_t& v) { return r.ReadUint8(v); }
inline absl::Status Decode(Reader& r, uint16_t& v) { return r.ReadUint16(v); }
inline absl::Status Decode(Reader& r, uint32_t& v) { return r.ReadUint32(v); }
inline absl::Status Decode(Reader& r, uint64_t& v) { return r.ReadUint64(v); }
absl::Status Decode(Reader& r, Bytes& v);
absl::Status Decode(Reader& r, Secret& v);
absl::Status Decode(Reader& r, std::string& v);

template <size_t N>
void Encode(Writer& w, const std::array<uint8_t, N>& v) {
  w.WriteRaw(v);
}
template <size_t N>
absl::Status Decode(Reader& r, std::array<uint8_t, N>& v) {
  ByteView raw;
  PARLEY_RETURN_IF_ERROR(r.ReadRaw(N, raw));
  std::copy(raw.begin(), raw.end(), v.begin());
  return absl::OkStatus();
}

template <typename T>
requires std::is_enum_v<T>
void Encode(Writer& w, T v) { Encode(w, static_cast<std::underlying_type_t<T>>(v)); }
template <typename T>
requires std::is_enum_v<T> absl::Status Decode(Reader& r, T& v) {
  std::underlying_type_t<T> raw = 0;
  PARLEY_RETURN_IF_ERROR(Decode(r, raw));
  v = static_cast<T>(raw);
  return absl::OkStatus();
}

template <HasFields T>
void Encode(Writer& w, const T& v);
template <HasFields T>
absl::Status Decode(Reader& r, T& v);
template <typename T>
void Encode(Writer& w, const std::vector<T>& v);
template <typename T>
absl::Status Decode(Reader& r, std::vector<T>& v);
template <typename T>
void Encode(Writer& w, const std::optional<T>& v);
template <typename T>
absl::Status Decode(Reader& r, std::optional<T>& v);

template <HasFields T>
void Encode(Writer& w, const T& v) {
  std::apply([&w](const auto&... field) { (Encode(w, field), ...); }, T::Fields(v));
}
template <HasFields T>
absl::Status Decode(Reader& r, T& v) {
  absl::Status status;
  std::apply([&](auto&... field) { (void)((status = Decode(r, field), status.ok()) && ...); },
             T::Fields(v));
  return status;
}

template <typename T>
void Encode(Writer& w, const std::vector<T>& v) {
  const size_t start = w.size();
  for (const T& element : v) Encode(w, element);
  w.PrefixVectorLength(start);
}
template <typename T>
absl::Status Decode(Reader& r, std::vector<T>& v) {
  ByteView body;
  PARLEY_RETURN_IF_ERROR(r.ReadOpaque(body));
  v.clear();
  Reader inner(body);
  while (!inner.empty()) {
    const size_t before = inner.rest().size();
    T element{};
    PARLEY_RETURN_IF_ERROR(Decode(inner, element));
    // An element of no bytes would make the loop endless.
    if (inner.rest().size() == before) return absl::InvalidArgumentError("empty vector element");
    v.push_back(std::move(element));
  }
  return absl::OkStatus();
}

template <typename T>
void Encode(Writer& w, const std::optional<T>& v) {
  w.WriteUint8(v.has_value() ? 1 : 0);
  if (v.has_value()) Encode(w, *v);
}
template <typename T>
absl::Status Decode(Reader& r, std::optional<T>& v) {
  uint8_t present = 0;
  PARLEY_RETURN_IF_ERROR(r.ReadUint8(present));
  if (present > 1) return absl::InvalidArgumentError("a presence byte other than 0 and 1");
  if (present == 0) {
    v.reset();
    return absl::OkStatus();
  }
  T value{};
  PARLEY_RETURN_IF_ERROR(Decode(r, value));
  v = std::move(value);
  return absl::OkStatus();
}

template <typename T>
Bytes Serialize(const T& value) {
  Writer writer;
  Encode(writer, value);
  return std::move(writer).Take();
}

// The same, for a structure that holds secrets.
template <typename T>
Secret SerializeSecret(const T& value) {
  Writer writer;
  Encode(writer, value);
  return std::move(writer).TakeSecret();
}

// Errors: InvalidArgument as above; trailing bytes are one.
template <typename T>
absl::StatusOr<T> Parse(ByteView bytes) {
  Reader reader(bytes);
  T value{};
  PARLEY_RETURN_IF_ERROR(Decode(reader, value));
  PARLEY_RETURN_IF_ERROR(reader.ExpectEnd());
  return value;
}

}  // namespace parley::crypto

#endif  // PARLEY_CRYPTO_BASE_CODEC_H_
