#include "crypto/base/codec.h"

#include <random>
#include <set>

#include "crypto/base/test_bytes.h"
#include "gtest/gtest.h"

namespace parley::crypto {
namespace {

enum class Colour : uint16_t { kRed = 1, kBlue = 0x1234 };

struct Inner {
  uint8_t small = 0;
  Bytes opaque;
  bool operator==(const Inner&) const = default;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.small, self.opaque);
  }
};

struct Outer {
  uint8_t a = 0;
  uint16_t b = 0;
  uint32_t c = 0;
  uint64_t d = 0;
  Colour colour = Colour::kRed;
  ByteArray<3> raw{};
  std::string text;
  std::vector<Inner> list;
  std::optional<Inner> maybe;
  std::vector<uint32_t> numbers;
  bool operator==(const Outer&) const = default;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.a, self.b, self.c, self.d, self.colour, self.raw, self.text, self.list,
                    self.maybe, self.numbers);
  }
};

Outer Example() {
  Outer o;
  o.a = 1;
  o.b = 0x0203;
  o.c = 0x04050607;
  o.d = 0x08090a0b0c0d0e0f;
  o.colour = Colour::kBlue;
  o.raw = {0xaa, 0xbb, 0xcc};
  o.text = "hi";
  o.list = {{1, {}}, {2, {9, 9}}};
  o.maybe = Inner{3, {7}};
  o.numbers = {1, 2};
  return o;
}

TEST(Codec, BytesOfAStructure) {
  const Bytes wire = Serialize(Example());
  EXPECT_EQ(ToHex(wire),
            "01"
            "0203"
            "04050607"
            "08090a0b0c0d0e0f"
            "1234"
            "aabbcc"
            "026869"
            "06"
            "0100"
            "02020909"
            "01"
            "030107"
            "08"
            "0000000100000002");
  EXPECT_EQ(Parse<Outer>(wire).value(), Example());
}

TEST(Codec, EveryCutAndEveryTailIsRefused) {
  const Bytes wire = Serialize(Example());
  for (size_t size = 0; size < wire.size(); ++size) {
    EXPECT_TRUE(absl::IsInvalidArgument(Parse<Outer>(ByteView(wire).first(size)).status())) << size;
  }
  EXPECT_TRUE(absl::IsInvalidArgument(Parse<Outer>(Concat({wire, Bytes{0}})).status()));
}

// What parses is written to the same bytes again, for single bytes changed at every place.
TEST(Codec, NothingHasTwoForms) {
  const Bytes wire = Serialize(Example());
  for (size_t i = 0; i < wire.size(); ++i) {
    for (int value = 0; value < 256; ++value) {
      Bytes changed = wire;
      changed[i] = static_cast<uint8_t>(value);
      const absl::StatusOr<Outer> parsed = Parse<Outer>(changed);
      if (parsed.ok()) {
        EXPECT_EQ(Serialize(*parsed), changed) << i << " " << value;
      }
    }
  }
}

// RFC 9420 section 2.1.2: the limits of each header's width.
TEST(VectorHeader, Widths) {
  const std::pair<size_t, const char*> known[] = {{0, "00"},           {63, "3f"},
                                                  {64, "4040"},        {16383, "7fff"},
                                                  {16384, "80004000"}, {100000, "800186a0"}};
  for (const auto& [length, header] : known) {
    Writer writer;
    writer.WriteVectorLength(length);
    EXPECT_EQ(ToHex(writer.view()), header);
    const Bytes wire = Concat({Hex(header), Bytes(length)});
    Reader reader(wire);
    size_t read = 1;
    ASSERT_TRUE(reader.ReadVectorLength(read).ok());
    EXPECT_EQ(read, length);
    EXPECT_EQ(reader.rest().size(), length);
  }
}

TEST(VectorHeader, PutBeforeWhatIsWrittenAlready) {
  for (const size_t length : {0, 1, 63, 64, 16383, 16384, 100000}) {
    Bytes vector(length);
    for (size_t i = 0; i < length; ++i) vector[i] = static_cast<uint8_t>(i * 7 + i / 251);
    Writer known;
    known.WriteUint16(0xabcd);
    known.WriteOpaque(vector);
    known.WriteUint8(0xef);
    Writer writer;
    writer.WriteUint16(0xabcd);
    writer.WriteRaw(vector);
    writer.PrefixVectorLength(2);
    writer.WriteUint8(0xef);
    EXPECT_EQ(ToHex(writer.view()), ToHex(known.view())) << length;
  }
}

TEST(VectorHeader, LongerThanNeededOrReservedIsRefused) {
  const char* wrong[] = {
      "4000",     "403f",     "4001",      // two bytes for what fits one
      "80000000", "8000003f", "80000040",  // four for what fits one or two
      "80003fff", "c0",       "c000",     "ff",       "c000000000000000",  // reserved
      "40",       "80",       "8000",     "800040",                        // cut short
      "01",       "4040",     "80004000", "bfffffff",  // more announced than there is
      ""};
  for (const char* hex : wrong) {
    const Bytes wire = Hex(hex);
    Reader reader(wire);
    size_t length = 0;
    EXPECT_TRUE(absl::IsInvalidArgument(reader.ReadVectorLength(length))) << hex;
    EXPECT_TRUE(absl::IsInvalidArgument(Parse<Bytes>(wire).status())) << hex;
  }
}

TEST(VectorHeader, ExactlyOneFormPerLength) {
  // All two-byte headers: each that is accepted is what the writer writes.
  for (unsigned value = 0x4000; value < 0x8000; ++value) {
    const Bytes wire = Concat(
        {Bytes{static_cast<uint8_t>(value >> 8), static_cast<uint8_t>(value)}, Bytes(16383)});
    Reader reader(wire);
    size_t length = 0;
    EXPECT_EQ(reader.ReadVectorLength(length).ok(), (value & 0x3fff) >= 64);
  }
}

TEST(VectorHeaderDeathTest, OverTheCapIsABug) {
  Writer writer;
  EXPECT_DEATH(writer.WriteVectorLength(size_t{kMaxVectorLength} + 1), "parley");
}

TEST(Optional, PresenceIsZeroOrOne) {
  EXPECT_FALSE(Parse<std::optional<uint8_t>>(Hex("00"))->has_value());
  EXPECT_EQ(Parse<std::optional<uint8_t>>(Hex("0105"))->value(), 5);
  for (const char* wrong : {"02", "0205", "ff05", "01", ""}) {
    EXPECT_TRUE(absl::IsInvalidArgument(Parse<std::optional<uint8_t>>(Hex(wrong)).status()));
  }
}

struct Nothing {
  template <typename F>
  static auto Fields(F&) {
    return std::tie();
  }
};

TEST(Vector, ElementsOfNoBytesDontLoop) {
  EXPECT_TRUE(absl::IsInvalidArgument(Parse<std::vector<Nothing>>(Hex("0100")).status()));
  EXPECT_TRUE(Parse<std::vector<Nothing>>(Hex("00"))->empty());
}

TEST(Vector, AnElementMayNotReachOverTheEnd) {
  EXPECT_TRUE(absl::IsInvalidArgument(Parse<std::vector<uint32_t>>(Hex("03000001")).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Parse<std::vector<Inner>>(Hex("03010509")).status()));
}

TEST(Secrets, TravelAsOpaqueAndAreWipedBehind) {
  const Secret secret = Secret::CopyOf(Counting(1, 32));
  const Secret wire = SerializeSecret(secret);
  EXPECT_EQ(ToHex(wire.Reveal()), "20" + ToHex(Counting(1, 32)));
  EXPECT_EQ(ToHex(Parse<Secret>(wire.Reveal())->Reveal()), ToHex(Counting(1, 32)));
}

TEST(Writer, GrowsToAnySize) {
  Writer writer;
  Bytes expected;
  std::mt19937 random(3);
  for (int i = 0; i < 2000; ++i) {
    const Bytes piece(random() % 100, static_cast<uint8_t>(i));
    writer.WriteRaw(piece);
    expected.insert(expected.end(), piece.begin(), piece.end());
  }
  EXPECT_EQ(std::move(writer).Take(), expected);
}

Outer RandomOuter(std::mt19937& random) {
  const auto bytes = [&random](size_t most) {
    Bytes out(random() % (most + 1));
    for (uint8_t& byte : out) byte = static_cast<uint8_t>(random());
    return out;
  };
  Outer o;
  o.a = static_cast<uint8_t>(random());
  o.b = static_cast<uint16_t>(random());
  o.c = static_cast<uint32_t>(random());
  o.d = uint64_t{random()} << 32 | random();
  o.colour = static_cast<Colour>(random() & 0xffff);
  o.text = ToString(bytes(100));
  for (size_t n = random() % 5; n > 0; --n) {
    o.list.push_back({static_cast<uint8_t>(random()), bytes(random() % 50 == 0 ? 20000 : 80)});
  }
  if (random() % 2 == 0) o.maybe = Inner{1, bytes(70)};
  for (size_t n = random() % 30; n > 0; --n) o.numbers.push_back(static_cast<uint32_t>(random()));
  return o;
}

TEST(Codec, RandomStructuresComeBack) {
  std::mt19937 random(4);
  for (int i = 0; i < 2000; ++i) {
    const Outer o = RandomOuter(random);
    EXPECT_EQ(Parse<Outer>(Serialize(o)).value(), o);
  }
}

TEST(Codec, RandomBytesNeverCrash) {
  std::mt19937 random(5);
  for (int i = 0; i < 20000; ++i) {
    Bytes wire(random() % 60);
    for (uint8_t& byte : wire)
      byte = static_cast<uint8_t>(random() % 3 == 0 ? random() : random() % 4);
    const absl::StatusOr<Outer> parsed = Parse<Outer>(wire);
    if (parsed.ok()) {
      EXPECT_EQ(Serialize(*parsed), wire);
    }
  }
}

}  // namespace
}  // namespace parley::crypto
