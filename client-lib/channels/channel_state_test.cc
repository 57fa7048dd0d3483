// What a channel is made of, piece by piece: states, names, credentials, the caucus rule,
// transcripts, keys and seals.
#include "client-lib/channels/channel_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "client-lib/channels/caucus_rule.h"
#include "client-lib/channels/credential.h"
#include "client-lib/channels/epoch_keys.h"
#include "client-lib/channels/hash_history.h"
#include "client-lib/channels/names.h"
#include "client-lib/channels/transcript.h"
#include "client-lib/store/test_profile.h"
#include "crypto/primitives/hash.h"
#include "crypto/primitives/random.h"
#include "parley/content/v1/content.pb.h"

namespace parley::client {
namespace {

using ::testing::HasSubstr;

ChannelState Sample() {
  ChannelState state;
  state.case_id = RandomId<CaseId>();
  state.channel_id = RandomId<ChannelId>();
  state.kind = ChannelKind::kCaucus;
  state.side = "Harbor";
  state.mailbox_id = crypto::RandomArray<32>();
  state.control_key = crypto::RandomArray<32>();
  const auto add = [&](const char* name, Role role, const char* side) {
    state.members.push_back({RandomId<ParticipantId>(),
                             name,
                             role,
                             side,
                             {{RandomId<DeviceId>(), crypto::RandomArray<32>()}}});
  };
  add("Mira Voss", Role::kMediator, "");
  add("アナ", Role::kParty, "Harbor");
  add("Lee", Role::kCounsel, "Harbor");
  return state;
}

TEST(ChannelState, IsReadBackAsItWasWritten) {
  const ChannelState state = Sample();
  const Bytes bytes = SerializeChannelState(state);
  const absl::StatusOr<ChannelState> back = ParseChannelState(bytes);
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(*back, state);
  EXPECT_EQ(SerializeChannelState(*back), bytes);
  ChannelState team = state;
  team.kind = ChannelKind::kTeam;
  team.stewards = {state.members[1].participant_id};
  EXPECT_TRUE(ParseChannelState(SerializeChannelState(team)).ok());
  EXPECT_TRUE(team.IsCommitter(state.members[1].participant_id));
  EXPECT_FALSE(team.IsCommitter(state.members[0].participant_id));
  EXPECT_TRUE(state.IsCommitter(state.members[0].participant_id));
  EXPECT_FALSE(state.IsCommitter(state.members[1].participant_id));
}

TEST(ChannelState, EveryBreachIsRefused) {
  const std::map<std::string, std::function<void(ChannelState&)>> breaches = {
      {"no case", [](ChannelState& s) { s.case_id = CaseId(); }},
      {"no channel", [](ChannelState& s) { s.channel_id = ChannelId(); }},
      {"incarnation 0", [](ChannelState& s) { s.incarnation = 0; }},
      {"unknown kind", [](ChannelState& s) { s.kind = static_cast<ChannelKind>(7); }},
      {"kind 0", [](ChannelState& s) { s.kind = ChannelKind::kUnknown; }},
      {"control character in the side", [](ChannelState& s) { s.side = "Har\nbor"; }},
      {"nobody", [](ChannelState& s) { s.members.clear(); }},
      {"a name empty", [](ChannelState& s) { s.members[0].name.clear(); }},
      {"a name too long", [](ChannelState& s) { s.members[0].name.assign(201, 'x'); }},
      {"a role unknown", [](ChannelState& s) { s.members[0].role = static_cast<Role>(9); }},
      {"no device", [](ChannelState& s) { s.members[0].devices.clear(); }},
      {"too many devices",
       [](ChannelState& s) {
         for (int i = 0; i < 16; ++i) {
           s.members[0].devices.push_back({RandomId<DeviceId>(), crypto::RandomArray<32>()});
         }
       }},
      {"a participant twice",
       [](ChannelState& s) {
         s.members.push_back(s.members[0]);
         s.members.back().devices[0].device_id = RandomId<DeviceId>();
       }},
      {"a device twice", [](ChannelState& s) { s.members[1].devices = s.members[0].devices; }},
      {"stewards of a caucus", [](ChannelState& s) { s.stewards = {s.members[0].participant_id}; }},
      {"a steward who is no member",
       [](ChannelState& s) {
         s.kind = ChannelKind::kTeam;
         s.stewards = {RandomId<ParticipantId>()};
       }},
  };
  for (const auto& [what, breach] : breaches) {
    ChannelState state = Sample();
    breach(state);
    EXPECT_EQ(ParseChannelState(SerializeChannelState(state)).status().code(),
              absl::StatusCode::kInvalidArgument)
        << what;
    EXPECT_FALSE(ValidateChannelState(state).ok()) << what;
  }
}

TEST(ChannelState, BytesInAnotherFormAreRefused) {
  const Bytes good = SerializeChannelState(Sample());
  content::v1::ChannelState message;
  ASSERT_TRUE(message.ParseFromArray(good.data(), static_cast<int>(good.size())));
  const auto refused = [](const content::v1::ChannelState& changed) {
    return !ParseChannelState(crypto::ToBytes(changed.SerializeAsString())).ok();
  };
  EXPECT_FALSE(refused(message));
  content::v1::ChannelState changed = message;
  changed.set_version(2);
  EXPECT_TRUE(refused(changed));
  changed = message;
  changed.set_mailbox_id(std::string(31, 'x'));
  EXPECT_TRUE(refused(changed));
  changed = message;
  changed.mutable_members(0)->set_participant_id("short");
  EXPECT_TRUE(refused(changed));
  changed = message;
  changed.GetReflection()->MutableUnknownFields(&changed)->AddVarint(77, 1);
  EXPECT_TRUE(refused(changed)) << "a field that isn't known";
  // What is cut off after a member is another, smaller state; anything else is refused.
  for (size_t size = 0; size < good.size(); ++size) {
    const absl::StatusOr<ChannelState> cut = ParseChannelState(ByteView(good).first(size));
    if (cut.ok()) {
      EXPECT_LT(cut->members.size(), 3u);
      EXPECT_EQ(SerializeChannelState(*cut).size(), size);
    }
  }
}

TEST(Names, Utf8AndControlCharacters) {
  for (const char* good : {"Ana", "アナ", "Łukasz Ó'Brien", "😀", "a b"}) {
    EXPECT_TRUE(CheckName("it", good).ok()) << good;
  }
  for (const std::string& bad :
       {std::string(), std::string("\xC0\xAF"), std::string("\xED\xA0\x80"), std::string("\xF5"),
        std::string("\xE3\x82"), std::string("\xF4\x90\x80\x80"), std::string("a\0b", 3),
        std::string("a\x7F"), std::string("\xC2\x85"), std::string("\xE2\x80\xAE") + "bad",
        std::string(" a"), std::string("a "), std::string(201, 'a')}) {
    EXPECT_FALSE(CheckName("it", bad).ok()) << crypto::ToHex(crypto::ViewOf(bad));
  }
}

TEST(Credential, IsReadBackAndRefusedOtherwise) {
  ParleyCredential credential;
  credential.participant_id = RandomId<ParticipantId>();
  credential.device_id = RandomId<DeviceId>();
  credential.identity_key = crypto::RandomArray<32>();
  Bytes bytes = SerializeCredential(credential);
  // version (1), ids (16 each), key (32), an empty vector (1)
  ASSERT_EQ(bytes.size(), 66u);
  EXPECT_EQ(bytes[0], 1);
  EXPECT_EQ(bytes[65], 0);
  EXPECT_EQ(*ParseCredential(bytes), credential);
  credential.extensions = {{mls::ExtensionType{0xF0A1}, {1, 2}}};
  EXPECT_EQ(*ParseCredential(SerializeCredential(credential)), credential);
  credential.extensions.push_back(credential.extensions[0]);
  EXPECT_FALSE(ParseCredential(SerializeCredential(credential)).ok()) << "repeated";
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(ParseCredential(ByteView(bytes).first(size)).ok());
  }
  bytes.push_back(0);
  EXPECT_FALSE(ParseCredential(bytes).ok());
  bytes.pop_back();
  bytes[0] = 2;
  EXPECT_FALSE(ParseCredential(bytes).ok());
}

// docs/protocol.md section 5, rule 5, written out once more: letters for the kinds that take
// somebody of the role from the channel's own side, from the other side, and without a side.
TEST(CaucusRule, TheWholeTable) {
  struct Row {
    Role role;
    const char* own;
    const char* other;
    const char* none;
  };
  // j(oint) c(aucus) n(eutrals) l (counsel) t(eam)
  const Row rows[] = {
      {Role::kMediator, "", "", "jcnl"},        {Role::kCoMediator, "", "", "jcnl"},
      {Role::kParty, "jct", "j", ""},           {Role::kCounsel, "jclt", "jl", ""},
      {Role::kExpert, "jclt", "jl", "jl"},      {Role::kObserver, "jct", "j", "j"},
      {Role::kInterpreter, "jclt", "jl", "jl"}, {Role::kSupportPerson, "jct", "j", "j"},
  };
  const std::map<char, ChannelKind> kinds = {{'j', ChannelKind::kJoint},
                                             {'c', ChannelKind::kCaucus},
                                             {'n', ChannelKind::kNeutrals},
                                             {'l', ChannelKind::kCounsel},
                                             {'t', ChannelKind::kTeam}};
  for (const Row& row : rows) {
    for (const auto& [letter, kind] : kinds) {
      const bool sided = kind == ChannelKind::kCaucus || kind == ChannelKind::kTeam;
      for (const auto& [side, allowed] : {std::pair<std::string, std::string>("Harbor", row.own),
                                          {"Northline", row.other},
                                          {"", row.none}}) {
        ChannelState state = Sample();
        state.kind = kind;
        state.side = sided ? "Harbor" : "";
        state.members.resize(1);
        state.members[0].role = row.role;
        state.members[0].side = side;
        EXPECT_EQ(CheckCaucusRule(state).ok(), allowed.find(letter) != std::string::npos)
            << Describe(state.members[0]) << " in " << DescribeChannel(kind, state.side);
      }
    }
  }
}

TEST(CaucusRule, KindsHaveASideOrNone) {
  ChannelState state = Sample();
  EXPECT_TRUE(CheckCaucusRule(state).ok());
  state.side.clear();
  EXPECT_FALSE(CheckCaucusRule(state).ok());
  state.members.resize(1);
  for (const ChannelKind kind :
       {ChannelKind::kJoint, ChannelKind::kNeutrals, ChannelKind::kCounsel}) {
    state.kind = kind;
    state.side.clear();
    EXPECT_TRUE(CheckCaucusRule(state).ok());
    state.side = "Harbor";
    EXPECT_FALSE(CheckCaucusRule(state).ok());
  }
  state.kind = ChannelKind::kUnknown;
  EXPECT_FALSE(CheckCaucusRule(state).ok());
  // A group isn't called as another channel is.
  state.kind = ChannelKind::kGroup;
  for (const char* name : {"Principals", "team of two"}) {
    state.side = name;
    EXPECT_TRUE(CheckCaucusRule(state).ok()) << name;
  }
  for (const char* name : {"team", "Joint", "caucus:Harbor", "group"}) {
    state.side = name;
    EXPECT_FALSE(CheckCaucusRule(state).ok()) << name;
  }
}

// The formula of docs/protocol.md section 5, put together by hand.
TEST(Transcript, IsAsTheProtocolHasIt) {
  const auto hash = [](const Bytes& bytes) {
    return crypto::Hash(crypto::HashAlgorithm::kSha256, bytes);
  };
  Bytes label = crypto::ToBytes("parley transcript v1");
  label.push_back(0);
  ObjectId mailbox{};
  mailbox.fill(7);
  const TranscriptHash start = TranscriptStart(mailbox);
  EXPECT_EQ(crypto::ToHex(start), crypto::ToHex(hash(crypto::Concat({label, mailbox}))));

  Entry entry;
  entry.position = 258;
  entry.generation = 3;
  entry.append_id.fill(9);
  entry.payload = {1, 2, 3};
  const Bytes position = {0, 0, 0, 0, 0, 0, 1, 2};
  const Bytes generation = {0, 0, 0, 0, 0, 0, 0, 3};
  const Bytes plain =
      crypto::Concat({label, start, position, generation, entry.append_id, hash(entry.payload)});
  EXPECT_EQ(crypto::ToHex(TranscriptStep(start, entry)), crypto::ToHex(hash(plain)));

  entry.closing.emplace();
  entry.closing->next_keys.read_key.fill(1);
  entry.closing->next_keys.control_key.fill(2);
  entry.closing->next_keys.append_keys.resize(1);
  entry.closing->next_keys.append_keys[0].fill(3);
  entry.closing->control_signature.fill(4);
  const Bytes block = crypto::Concat({Bytes(32, 1), Bytes(32, 2), Bytes{0, 0, 0, 1}, Bytes(32, 3)});
  const Bytes closing = crypto::Concat({plain, hash(block), Bytes(64, 4)});
  EXPECT_EQ(crypto::ToHex(TranscriptStep(start, entry)), crypto::ToHex(hash(closing)));
}

TEST(Transcript, DependsOnEveryField) {
  Entry entry;
  entry.position = 1;
  entry.generation = 1;
  entry.payload = {1};
  const TranscriptHash before = TranscriptStart(ObjectId{});
  const TranscriptHash original = TranscriptStep(before, entry);
  const std::vector<std::function<void(Entry&)>> changes = {
      [](Entry& e) { ++e.position; }, [](Entry& e) { ++e.generation; },
      [](Entry& e) { ++e.append_id[15]; }, [](Entry& e) { e.payload.push_back(0); },
      [](Entry& e) { e.closing.emplace(); }};
  for (const auto& change : changes) {
    Entry changed = entry;
    change(changed);
    EXPECT_NE(TranscriptStep(before, changed), original);
  }
}

TEST(EntrySeal, OpensWhereItBelongsOnly) {
  const crypto::Secret key = crypto::Secret::Random(32);
  const ObjectId mailbox = crypto::RandomArray<32>();
  for (const size_t size : {0u, 1u, 251u, 252u, 253u, 5000u, 900000u}) {
    const Bytes message(size, 0x5A);
    const Bytes payload = SealEntry(key, mailbox, 4, message);
    EXPECT_EQ(payload.size(), SealedEntrySize(size));
    EXPECT_EQ(*OpenEntry(key, mailbox, 4, payload), message);
  }
  Bytes payload = SealEntry(key, mailbox, 4, Bytes(10, 1));
  EXPECT_NE(payload, SealEntry(key, mailbox, 4, Bytes(10, 1))) << "random nonce";
  EXPECT_EQ(payload.size(), SealEntry(key, mailbox, 4, Bytes(200, 1)).size()) << "padded";
  ObjectId other = mailbox;
  other[0] ^= 1;
  EXPECT_FALSE(OpenEntry(key, other, 4, payload).ok());
  EXPECT_FALSE(OpenEntry(key, mailbox, 5, payload).ok());
  EXPECT_FALSE(OpenEntry(crypto::Secret::Random(32), mailbox, 4, payload).ok());
  for (size_t i = 0; i < payload.size(); i += 7) {
    payload[i] ^= 1;
    EXPECT_FALSE(OpenEntry(key, mailbox, 4, payload).ok());
    payload[i] ^= 1;
  }
  for (size_t size = 0; size < payload.size(); size += 11) {
    EXPECT_FALSE(OpenEntry(key, mailbox, 4, ByteView(payload).first(size)).ok());
  }
}

TEST(HashHistory, KeepsValuesByNumber) {
  const TestFolder folder;
  const auto store = *ProfileStore::Create(folder / "profile");
  const auto name = [](uint64_t block) { return "block" + std::to_string(block); };
  const auto value = [](uint64_t n) {
    TranscriptHash hash{};
    hash.fill(static_cast<uint8_t>(n % 255 + 1));
    return hash;
  };
  for (uint64_t first = 100; first < 400; first += 50) {
    Transaction tx = *store->Begin();
    HashHistory history(name);
    for (uint64_t n = first; n < first + 50; ++n) {
      ASSERT_TRUE(history.Set(tx, n, value(n)).ok());
    }
    ASSERT_TRUE(history.Flush(tx).ok());
    ASSERT_TRUE(tx.Commit().ok());
  }
  const ReadTransaction tx = *store->Read();
  HashHistory history(name);
  for (uint64_t n = 0; n < 600; ++n) {
    const std::optional<TranscriptHash> got = *history.Get(tx, n);
    ASSERT_EQ(got.has_value(), n >= 100 && n < 400) << n;
    if (got.has_value()) {
      EXPECT_EQ(*got, value(n));
    }
  }
}

}  // namespace
}  // namespace parley::client
