// Messages that say much in few bytes, or are too long to be looked at: what they take is bounded.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "crypto/mls/external_proposal.h"
#include "crypto/mls/forging.h"
#include "crypto/mls/testing.h"

namespace parley::mls {
namespace {

using namespace testing;  // NOLINT
using ::testing::HasSubstr;

bool SameState(const Secret& before, const Group& group) {
  return crypto::ConstantTimeEquals(before.Reveal(), group.Serialize().Reveal());
}

// The body of a commit, which is the beginning of what it says.
Bytes ListOf(const Bytes& element, size_t bytes) {
  crypto::Writer list;
  while (list.size() < bytes) list.WriteRaw(element);
  crypto::Writer w;
  w.WriteOpaque(list.view());
  return std::move(w).Take();
}

Bytes PathOf(const LeafNode& leaf, const Bytes& nodes) {
  crypto::Writer w;
  w.WriteUint8(0);  // no proposals
  w.WriteUint8(1);
  Encode(w, leaf);
  w.WriteRaw(nodes);
  return std::move(w).Take();
}

long MostKib() {
  struct rusage usage {};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

// What is in a commit is read before anybody has vouched for it, of a PublicMessage by anybody at
// all. Two mebibytes of the smallest elements there are take no hundreds of them.
TEST(MessageSize, ListsOfNothingTakeLittleMemory) {
  std::vector<Group> groups = NewGroups(2);
  const GroupState& state = groups[1].state();
  const size_t size = 2 << 20;
  const std::vector<Bytes> bodies = {
      ListOf({2, 0}, size),                                               // references of no bytes
      ListOf({1, 0, 3, 0, 0, 0, 0}, size),                                // Removes
      ListOf({1, 0, 4, 1, 0, 0}, size),                                   // PSKs
      ListOf({1, 0, 6, 0}, size),                                         // ExternalInits
      PathOf(state.own_leaf_node(), ListOf({0, 0}, size)),                // nodes
      PathOf(state.own_leaf_node(), ListOf(ListOf({0, 0}, size), size)),  // ciphertexts
  };
  const Secret before = groups[0].Serialize();
  for (size_t i = 0; i < bodies.size(); ++i) {
    crypto::Writer in_public;
    Encode(in_public, ProtocolVersion::kMls10);
    Encode(in_public, WireFormat::kPublicMessage);
    Encode(in_public, state.context.group_id);
    Encode(in_public, state.context.epoch);
    Encode(in_public, Sender{.type = SenderType::kNewMemberCommit});
    Encode(in_public, Bytes());
    Encode(in_public, ContentType::kCommit);
    in_public.WriteRaw(bodies[i]);
    for (const Bytes& message : {Bytes(in_public.view().begin(), in_public.view().end()),
                                 ForgeHandshake(groups[1], ContentType::kCommit, bodies[i])}) {
      const long kib = MostKib();
      EXPECT_EQ(groups[0].Process(message).status().code(), absl::StatusCode::kInvalidArgument);
      EXPECT_LT(MostKib() - kib, 40 << 10) << i;
    }
  }
  EXPECT_TRUE(SameState(before, groups[0]));
}

// And what isn't for this group and epoch is not read at all.
TEST(MessageSize, OfAnotherEpochIsNotReadInFull) {
  std::vector<Group> groups = NewGroups(2);
  crypto::Writer message;
  Encode(message, ProtocolVersion::kMls10);
  Encode(message, WireFormat::kPublicMessage);
  Encode(message, groups[0].group_id());
  Encode(message, groups[0].epoch() + 1);
  Encode(message, Sender{.type = SenderType::kNewMemberCommit});
  Encode(message, Bytes());
  Encode(message, ContentType::kCommit);
  message.WriteRaw(Bytes(100, 0xff));
  EXPECT_EQ(groups[0].Process(message.view()).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

// Nor what no group takes in, whatever it says: of application data in the open no copy is made.
TEST(MessageSize, WhatNoGroupTakesInIsNotReadInFull) {
  std::vector<Group> groups = NewGroups(2);
  const auto process = [&](const crypto::Writer& head) {
    crypto::Writer message;
    message.WriteRaw(head.view());
    message.WriteRaw(Bytes(100, 0xff));
    const absl::Status status = groups[0].Process(message.view()).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  };
  for (const WireFormat format :
       {WireFormat::kWelcome, WireFormat::kGroupInfo, WireFormat::kKeyPackage}) {
    crypto::Writer head;
    Encode(head, ProtocolVersion::kMls10);
    Encode(head, format);
    EXPECT_THAT(process(head), HasSubstr("not one that a group processes"));
  }
  crypto::Writer head;
  Encode(head, ProtocolVersion::kMls10);
  Encode(head, WireFormat::kPublicMessage);
  Encode(head, groups[0].group_id());
  Encode(head, groups[0].epoch());
  Encode(head, Sender{.type = SenderType::kNewMemberCommit});
  Encode(head, Bytes());
  Encode(head, ContentType::kApplication);
  EXPECT_THAT(process(head), HasSubstr("application data in a PublicMessage"));
}

// Zeros that take address space and no memory as long as nobody reads them.
class VastMessage {
 public:
  explicit VastMessage(size_t size)
      : size_(size),
        bytes_(mmap(nullptr, size, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) {}
  ~VastMessage() { munmap(bytes_, size_); }
  VastMessage(const VastMessage&) = delete;
  VastMessage& operator=(const VastMessage&) = delete;

  bool ok() const { return bytes_ != MAP_FAILED; }
  // As a message of this format, all of whose fields are empty.
  ByteView As(WireFormat format) {
    auto* bytes = static_cast<uint8_t*>(bytes_);
    bytes[1] = 1;
    bytes[3] = static_cast<uint8_t>(format);
    return {bytes, size_};
  }

 private:
  const size_t size_;
  void* const bytes_;
};

// Longer than what can be signed or hashed as one vector, a message would end the process.
TEST(MessageSize, LongerThanAnyMessageMayBe) {
  constexpr auto kTooLong = absl::StatusCode::kResourceExhausted;
  std::vector<Group> groups = NewGroups(2);
  const Secret before = groups[0].Serialize();
  VastMessage vast(kMaxMessageSize + 1);
  ASSERT_TRUE(vast.ok());
  for (WireFormat format : {WireFormat::kPublicMessage, WireFormat::kPrivateMessage}) {
    EXPECT_EQ(groups[0].Process(vast.As(format)).status().code(), kTooLong);
  }
  EXPECT_EQ(Group::Join(vast.As(WireFormat::kWelcome), NewKeyPackage("dora")).status().code(),
            kTooLong);
  const ByteView info = vast.As(WireFormat::kGroupInfo);
  EXPECT_EQ(Group::JoinExternally(info, {}).status().code(), kTooLong);
  EXPECT_EQ(GroupAddress::OfGroupInfo(info).status().code(), kTooLong);
  const ByteView key_package = vast.As(WireFormat::kKeyPackage);
  EXPECT_EQ(groups[0].ProposeAdd(key_package).status().code(), kTooLong);
  EXPECT_EQ(ParseKeyPackageMessage(key_package).status().code(), kTooLong);
  EXPECT_EQ(Group::JoinExternally(
                Must(groups[0].GroupInfoMessage(false, true)), {},
                ExternalJoinOptions{.join = {.ratchet_tree = Bytes(kMaxMessageSize + 1)}})
                .status()
                .code(),
            kTooLong);
  EXPECT_TRUE(SameState(before, groups[0]));

  // A byte less is looked at, and refused for what it says.
  VastMessage longest(kMaxMessageSize);
  ASSERT_TRUE(longest.ok());
  EXPECT_EQ(Group::JoinExternally(longest.As(WireFormat::kGroupInfo), {}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace parley::mls
