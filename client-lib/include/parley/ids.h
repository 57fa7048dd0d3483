// Random ids of 128 bits. Each kind has a type of its own, so that they can't be mixed up.
#ifndef PARLEY_IDS_H_
#define PARLEY_IDS_H_

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace parley {

template <typename Kind>
class Id {
 public:
  using Bytes = std::array<uint8_t, 16>;

  // All zeros: names nothing.
  constexpr Id() = default;
  constexpr explicit Id(const Bytes& bytes) : bytes_(bytes) {}

  // Reads 32 hexadecimal digits; nothing for any other text.
  static std::optional<Id> FromString(std::string_view text) {
    if (text.size() != 32) return std::nullopt;
    Bytes bytes{};
    for (size_t i = 0; i < text.size(); ++i) {
      const int digit = DigitOf(text[i]);
      if (digit < 0) return std::nullopt;
      bytes[i / 2] = static_cast<uint8_t>(bytes[i / 2] << 4 | digit);
    }
    return Id(bytes);
  }

  // 32 lower-case hexadecimal digits.
  std::string ToString() const {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    for (const uint8_t byte : bytes_) {
      text += kDigits[byte >> 4];
      text += kDigits[byte & 15];
    }
    return text;
  }

  const Bytes& bytes() const { return bytes_; }
  bool is_zero() const { return bytes_ == Bytes{}; }

  friend constexpr auto operator<=>(const Id&, const Id&) = default;
  friend constexpr bool operator==(const Id&, const Id&) = default;

 private:
  static constexpr int DigitOf(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  }

  Bytes bytes_{};
};

using CaseId = Id<struct CaseKind>;
using ParticipantId = Id<struct ParticipantKind>;
using ChannelId = Id<struct ChannelKindOfId>;
using MessageId = Id<struct MessageKindOfId>;

// A channel of a case. What belongs to a channel (a message, a document) is always named together
// with its channel, so that something of one channel can't be taken for another's.
struct ChannelRef {
  CaseId case_id;
  ChannelId channel_id;

  friend constexpr auto operator<=>(const ChannelRef&, const ChannelRef&) = default;
};

// A shared document: the message that shared it, in its channel.
struct DocumentRef {
  ChannelRef channel;
  MessageId message_id;

  friend constexpr auto operator<=>(const DocumentRef&, const DocumentRef&) = default;
};

}  // namespace parley

template <typename Kind>
struct std::hash<parley::Id<Kind>> {
  size_t operator()(const parley::Id<Kind>& id) const noexcept {
    // The bytes are random: any of them will do.
    size_t value = 0;
    for (size_t i = 0; i < sizeof(value); ++i) value = value << 8 | id.bytes()[i];
    return value;
  }
};

#endif  // PARLEY_IDS_H_
