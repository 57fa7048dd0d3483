// A mediation in which Ana has confided something.
#ifndef PARLEY_CLIENT_LIB_API_FIREWALL_FOR_TEST_H_
#define PARLEY_CLIENT_LIB_API_FIREWALL_FOR_TEST_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "client-lib/api/mediation_for_test.h"

namespace parley::testing {

inline constexpr char kSecret[] =
    "CANARY-H: our floor is 690 thousand, and the covenant falls due on 30 June.";
inline constexpr char kHarbor[] = "caucus:Harbor";
inline constexpr char kNorthline[] = "caucus:Northline";

class FirewallTest : public Mediation {
 protected:
  FirewallTest() {
    LetEverybodyIn();
    Say("Ana", kHarbor, kSecret);
    Sync("Mira");
  }

  // How Mira's attempt to send it ends: an empty text when it was sent.
  std::string Refused(const std::string& channel, const std::string& text,
                      const std::string& name = "Mira") {
    const size_t before = Texts(name, channel).size();
    const Result<SentMessage> sent = Of(name).Send(Ref(name, channel), text);
    if (sent.ok()) return "";
    EXPECT_EQ(sent.status().code(), StatusCode::kPermissionDenied) << sent.status().message();
    EXPECT_EQ(Texts(name, channel).size(), before);
    EXPECT_TRUE(Must(Of(name).Unsent(Ref(name, channel)), "unsent").empty());
    return sent.status().message();
  }

  std::string Write(const std::string& name, const std::string& bytes) {
    const std::string path = folder_ / name;
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  Status Share(const std::string& name, const std::string& channel, const std::string& path) {
    return Of(name).Share(Ref(name, channel), path).status();
  }
};

}  // namespace parley::testing

#endif  // PARLEY_CLIENT_LIB_API_FIREWALL_FOR_TEST_H_
