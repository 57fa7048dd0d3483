// For tests: a relay that has stored something of every kind.
#ifndef PARLEY_SERVER_CORE_VERIFY_FIXTURE_FOR_TEST_H_
#define PARLEY_SERVER_CORE_VERIFY_FIXTURE_FOR_TEST_H_

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "server/core/relay_fixture_for_test.h"
#include "server/core/verify.h"

namespace parley::server {

inline std::vector<std::string> SentencesOf(const VerifyReport& report) {
  std::vector<std::string> sentences;
  for (const Finding& finding : report.findings) sentences.push_back(finding.what);
  return sentences;
}

class FilledRelay : public RelayFixture {
 public:
  FilledRelay() {
    EXPECT_TRUE(Append(closed, "one").ok());
    EXPECT_TRUE(Close(closed, "two").ok());
    EXPECT_TRUE(Append(closed, "three").ok());
    for (int i = 0; i < 9; ++i) EXPECT_TRUE(Append(trimmed, std::string(100, 'x')).ok());
    EXPECT_TRUE(Close(trimmed, "").ok());
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(Append(trimmed, "later").ok());
    EXPECT_TRUE(Control(trimmed, ControlAct::kTrim, 10).ok());
    EXPECT_TRUE(Append(expiring, "soon").ok());
    EXPECT_TRUE(Control(expiring, ControlAct::kExpire, expiry).ok());
    Fill(sealed, {std::string(4000, 'a'), std::string(5000, 'b'), "c"}, true);
    Fill(open, {std::string(4000, 'd')}, false);
    EXPECT_TRUE(Create(CreateRequest(empty_blob, 100)).ok());
    AddSponsor("idle", 1000);
    // Of a sponsor who was removed, what he made stays.
    const std::string first = std::exchange(sponsor_token, AddSponsor("gone", 1 << 20));
    NewMailbox();
    sponsor_token = first;
    EXPECT_TRUE(relay->sponsors().Remove("gone").ok());
  }

  void Fill(const TestBlob& blob, const std::vector<std::string>& chunks, bool seal) {
    EXPECT_TRUE(Create(CreateRequest(blob, 200'000)).ok());
    auto upload = Upload(blob);
    ASSERT_TRUE(upload.ok()) << upload.status();
    uint64_t bytes = 0;
    for (size_t i = 0; i < chunks.size(); ++i) {
      EXPECT_TRUE((*upload)->Write(i, chunks[i]).ok());
      bytes += chunks[i].size();
    }
    EXPECT_TRUE(!seal || Seal(blob, chunks.size(), bytes).ok());
  }

  // As findings name it.
  template <typename T>
  static std::string Id(const T& of) {
    return crypto::ToHex(crypto::ByteView(of.object()).first(8));
  }

  const uint64_t expiry = 1'900'000'020;  // a full minute, as such times are stored
  TestMailbox closed = NewMailbox();      // of two generations
  TestMailbox trimmed = NewMailbox();     // of which entries 10 to 20 are left
  TestMailbox expiring = NewMailbox();    // at `expiry`
  TestBlob sealed;                        // three chunks
  TestBlob open;                          // one
  TestBlob empty_blob;
};

}  // namespace parley::server

#endif  // PARLEY_SERVER_CORE_VERIFY_FIXTURE_FOR_TEST_H_
