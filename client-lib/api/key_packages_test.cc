// Key packages that aren't what their sender may send: none gets into the stock from which others
// are added, the case says so, and goes on.
#include "client-lib/api/attacker_for_test.h"
#include "client-lib/cases/records.h"

namespace parley {
namespace {

using testing::Attacker;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Have;
using testing::Must;

class KeyPackagesTest : public testing::Mediation {
 protected:
  // What Mira has of somebody's.
  std::vector<std::string> Stock(const ParticipantId& id) {
    profiles_.erase("Mira");
    std::vector<std::string> messages;
    {
      const auto store = Have(client::ProfileStore::Open(folder_ / "Mira"));
      client::ReadTransaction read = Have(store->Read());
      for (const auto& package : Have(client::CaseRecords(case_).Stock(read, id)).packages) {
        messages.push_back(crypto::ToString(package.message));
      }
    }
    profiles_.emplace("Mira", Must(Profile::Open(folder_ / "Mira", std::nullopt), "opening"));
    return messages;
  }
};

TEST_F(KeyPackagesTest, OnlyValidOnesOfTheSendersDeviceAreTaken) {
  OpenCase();
  LetIn("Ana", Role::kParty, "Harbor");
  LetIn("Tomas", Role::kParty, "Northline");
  SyncAll({"Mira", "Ana", "Tomas"}, 3);
  const ParticipantId tomas_id = Id("Mira", "Tomas");
  const ParticipantId ana_id = Id("Mira", "Ana");
  const ParticipantId mira_id = Id("Mira", "Mira");
  const std::vector<std::string> of_tomas = Stock(tomas_id);
  const std::vector<std::string> of_ana = Stock(ana_id);
  ASSERT_FALSE(of_tomas.empty());
  profiles_.erase("Tomas");
  {
    Attacker tomas(folder_ / "Tomas", relay_, case_);
    std::string damaged = of_tomas[0];
    damaged[damaged.size() / 2] ^= 1;
    client::ParleyCredential as_ana = tomas.OwnCredential();
    as_ana.participant_id = ana_id;
    client::ParleyCredential another_device = tomas.OwnCredential();
    another_device.device_id = client::RandomId<client::DeviceId>();
    client::ParleyCredential another_identity = tomas.OwnCredential();
    another_identity.identity_key[0] ^= 1;
    client::PersonRecord mira;
    mira.id = mira_id;
    tomas.SendKeyPackages(
        mira, {"", "no key package", damaged, Attacker::KeyPackage(as_ana),
               Attacker::KeyPackage(another_device), Attacker::KeyPackage(another_identity),
               of_ana[0], of_tomas[0] /* there already: would be used twice */});
    tomas.Send();
  }
  Sync("Mira");
  EXPECT_EQ(Stock(tomas_id), of_tomas);
  EXPECT_EQ(Stock(ana_id), of_ana);
  EXPECT_THAT(AlarmTexts("Mira"), HasSubstr("Tomas sent key packages that aren't valid ones of "
                                            "their device; they were left out"));
  LetIn("Lee", Role::kCounsel, "Harbor");
  EXPECT_THAT(ChannelNames("Lee"), ElementsAre("joint", "caucus:Harbor"));
}

}  // namespace
}  // namespace parley
