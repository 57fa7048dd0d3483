// HPKE against published vectors: RFC 9180 appendix A and draft-ietf-hpke-pq.
//
// hpke_small.json always runs. PARLEY_HPKE_VECTORS names a folder whose *.json files run too; their
// form is that of the CFRG's test-vectors.json. For each file a line tells the cases run, passed
// and skipped; a mismatch fails.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "crypto/base/bytes.h"
#include "crypto/primitives/hpke.h"
#include "gtest/gtest.h"

namespace parley::crypto {
namespace {

using nlohmann::json;

Bytes Field(const json& object, const char* name) {
  return FromHex(object.value(name, std::string())).value();
}

// The same, as the text that it is written as.
std::string Text(const json& object, const char* name) { return object.at(name); }

// What a case needs that we don't have; empty when it can run.
std::string WhyNot(const json& c) {
  const int kem = c.at("kem_id");
  const int kdf = c.at("kdf_id");
  const int aead = c.at("aead_id");
  if (kem != 0x0020 && kem != 0x647A) return "KEM " + std::to_string(kem);
  if (kdf != 1 && kdf != 3 && kdf != 0x11) return "KDF " + std::to_string(kdf);
  if (aead != 3) return "AEAD " + std::to_string(aead);
  return "";
}

HpkeSuite SuiteOf(const json& c) {
  return HpkeSuite{c.at("kem_id") == 0x0020 ? &DhkemX25519() : &MlKem768X25519(),
                   static_cast<HpkeKdf>(c.at("kdf_id").get<uint16_t>()),
                   AeadAlgorithm::kChaCha20Poly1305};
}

struct Keys {
  KemKeyPair receiver;
  KemKeyPair sender;  // empty without auth
};

void CheckKeyPair(const KemKeyPair& pair, const Kem& kem, const json& c, const char* private_name,
                  const char* public_name) {
  EXPECT_EQ(ToHex(pair.private_key.Reveal()), Text(c, private_name));
  EXPECT_EQ(ToHex(pair.public_key), Text(c, public_name));
  EXPECT_EQ(kem.PublicKeyOf(pair.private_key.Reveal()).value(), pair.public_key);
  EXPECT_TRUE(kem.CheckPublicKey(pair.public_key).ok());
}

Keys DeriveKeys(const Kem& kem, const json& c) {
  Keys keys;
  keys.receiver = kem.DeriveKeyPair(Field(c, "ikmR"));
  CheckKeyPair(keys.receiver, kem, c, "skRm", "pkRm");
  if (c.contains("ikmS")) {
    keys.sender = kem.DeriveKeyPair(Field(c, "ikmS"));
    CheckKeyPair(keys.sender, kem, c, "skSm", "pkSm");
  }
  return keys;
}

Encapsulation EncapAsPublished(const Kem& kem, const Keys& keys, const json& c) {
  const Bytes randomness = Field(c, "ikmE");
  absl::StatusOr<Encapsulation> out =
      keys.sender.private_key.empty()
          ? kem.EncapDeterministic(keys.receiver.public_key, randomness)
          : kem.AuthEncapDeterministic(keys.receiver.public_key, keys.sender.private_key.Reveal(),
                                       randomness);
  return std::move(out).value();
}

// Both contexts go through all numbers up to the last published one.
void CheckEncryptions(HpkeContext sender, HpkeContext receiver, const json& encryptions) {
  std::map<uint64_t, json> by_number;
  for (const json& e : encryptions) by_number[e.value("sequence", by_number.size())] = e;
  ASSERT_FALSE(by_number.empty());
  for (uint64_t number = 0; number <= by_number.rbegin()->first; ++number) {
    const json e = by_number.contains(number) ? by_number[number] : json::object();
    const Bytes aad = Field(e, "aad");
    const Bytes plaintext = Field(e, "pt");
    const Bytes ciphertext = sender.Seal(aad, plaintext);
    if (!e.empty()) {
      EXPECT_EQ(ToHex(ciphertext), Text(e, "ct")) << "number " << number;
    }
    const absl::StatusOr<Bytes> opened = receiver.Open(aad, ciphertext);
    ASSERT_TRUE(opened.ok()) << "number " << number;
    EXPECT_EQ(*opened, plaintext);
  }
}

void CheckExports(const HpkeContext& sender, const HpkeContext& receiver, const json& exports) {
  for (const json& e : exports) {
    const Bytes context = Field(e, "exporter_context");
    const size_t length = e.at("L");
    EXPECT_EQ(ToHex(sender.Export(context, length).Reveal()), Text(e, "exported_value"));
    EXPECT_EQ(ToHex(receiver.Export(context, length).Reveal()), Text(e, "exported_value"));
  }
}

void RunCase(const json& c) {
  const HpkeSuite suite = SuiteOf(c);
  const uint8_t mode = c.at("mode");
  const Keys keys = DeriveKeys(*suite.kem, c);
  const Encapsulation encapsulation = EncapAsPublished(*suite.kem, keys, c);
  EXPECT_EQ(ToHex(encapsulation.shared_secret.Reveal()), Text(c, "shared_secret"));
  EXPECT_EQ(ToHex(encapsulation.enc), Text(c, "enc"));

  const Bytes info = Field(c, "info");
  const Bytes psk = Field(c, "psk");
  const Bytes psk_id = Field(c, "psk_id");
  absl::StatusOr<HpkeContext> sender =
      HpkeContext::Create(suite, mode, encapsulation.shared_secret.Reveal(), info, psk, psk_id);
  ASSERT_TRUE(sender.ok()) << sender.status();
  absl::StatusOr<HpkeContext> receiver = HpkeSetupReceiver(
      suite, encapsulation.enc, keys.receiver.private_key.Reveal(),
      {.info = info, .psk = psk, .psk_id = psk_id, .sender_public_key = keys.sender.public_key});
  ASSERT_TRUE(receiver.ok()) << receiver.status();
  CheckExports(*sender, *receiver, c.at("exports"));
  CheckEncryptions(*std::move(sender), *std::move(receiver), c.at("encryptions"));
}

// Returns the number of cases that ran.
int RunFile(const std::filesystem::path& path) {
  std::ifstream stream(path);
  const json cases = json::parse(stream, nullptr, /*allow_exceptions=*/false);
  if (!cases.is_array() || cases.empty()) {
    ADD_FAILURE() << path << " isn't a JSON list of cases, or an empty one";
    return 0;
  }
  int run = 0;
  int passed = 0;
  std::map<std::string, int> skipped;
  for (size_t i = 0; i < cases.size(); ++i) {
    const std::string why_not = WhyNot(cases[i]);
    if (!why_not.empty()) {
      ++skipped[why_not];
      continue;
    }
    ++run;
    SCOPED_TRACE(path.filename().string() + ", case " + std::to_string(i));
    const auto failures = [] {
      return ::testing::UnitTest::GetInstance()->current_test_info()->result()->total_part_count();
    };
    const int before = failures();
    RunCase(cases[i]);
    if (failures() == before) ++passed;
  }
  std::cout << path.filename().string() << ": " << run << " cases run, " << passed << " passed";
  for (const auto& [reason, count] : skipped) {
    std::cout << ", " << count << " skipped (" << reason << " is in none of our suites)";
  }
  std::cout << std::endl;
  return run;
}

TEST(HpkeVectors, SmallOnesOfOurOwn) { EXPECT_EQ(RunFile(PARLEY_SMALL_HPKE_VECTORS), 6); }

const char* Folder() {
  const char* folder = std::getenv("PARLEY_HPKE_VECTORS");
  return folder == nullptr || *folder == '\0' ? nullptr : folder;
}

TEST(HpkeVectors, Folder) {
  const char* folder = Folder();
  if (folder == nullptr) GTEST_SKIP() << "PARLEY_HPKE_VECTORS is not set";
  ASSERT_TRUE(std::filesystem::is_directory(folder)) << folder << " is no folder";
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  int run = 0;
  for (const std::filesystem::path& file : files) run += RunFile(file);
  EXPECT_GT(run, 0) << "no case in " << folder << " could run";
}

}  // namespace
}  // namespace parley::crypto

// 77 (for ctest: skipped) where the published vectors didn't run, and nothing failed.
int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  const int failed = RUN_ALL_TESTS();
  if (failed != 0 || parley::crypto::Folder() != nullptr) return failed;
  std::cout
      << "*** SKIPPED: the published vectors. PARLEY_HPKE_VECTORS names no folder; only our own "
         "small ones ran. ***\n";
  return 77;
}
