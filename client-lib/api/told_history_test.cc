// What a neutral tells somebody of the time when they were away, and what their device destroys.
#include <chrono>
#include <ctime>
#include <string>
#include <thread>
#include <vector>

#include "client-lib/api/retention_for_test.h"
#include "client-lib/api/retention_rules.h"
#include "client-lib/procedure/agreement.h"
#include "crypto/primitives/signature.h"

namespace parley {
namespace {

using testing::Attacker;
using ::testing::HasSubstr;
using testing::Have;
using testing::Must;
using testing::RetentionTest;

class ToldHistoryTest : public RetentionTest {
 protected:
  // Eva, in the joint channel and having signed.
  void BeginWithEva(const std::string& policy) {
    Begin(policy);
    LetIn("Eva", Role::kExpert);
    PARLEY_ASSERT_OK(Of("Mira").Admit(Ref("Mira", "joint"), Id("Mira", "Eva")));
    WithEva();
    const CaseProgress progress = Must(Of("Eva").Progress(case_), "progress");
    ASSERT_TRUE(progress.in_force.has_value());
    PARLEY_ASSERT_OK(Of("Eva").SignAgreement(case_, progress.in_force->hash));
    WithEva();
    joint_ = Ref("Mira", "joint").channel_id;
    eva_ = Id("Mira", "Eva");
  }
  void WithEva() { SyncAll({"Mira", "Ana", "Ben", "Eva"}, 2); }

  // At the place after the last, of somebody, as if they had said it.
  void Tell(content::v1::CaseOverview& overview, const Participant& who, uint64_t position,
            content::v1::Content content) {
    content.set_message_id(client::ToField(client::RandomId<MessageId>()));
    content::v1::CaseOverview::Past& past = *overview.add_history();
    past.mutable_author()->set_participant_id(client::ToField(who.id));
    past.mutable_author()->set_name(who.name);
    past.mutable_author()->set_role(static_cast<content::v1::Role>(who.role));
    past.mutable_author()->set_side(who.side);
    past.set_incarnation(1);
    past.set_position(position);
    past.set_content(content.SerializeAsString());
  }

  ChannelId joint_;
  ParticipantId eva_;
};

// A neutral tells her that everybody has signed another agreement meanwhile, she too: with keys
// that the neutral has made.
TEST_F(ToldHistoryTest, ASignatureOfOnesOwnThatOneIsToldDecidesOnlyByOnesOwnKey) {
  BeginWithEva("caucus: closed\nkeep messages: 90 days\n");
  std::vector<Participant> signers;
  for (const char* name : {"Mira", "Ana", "Ben", "Eva"}) signers.push_back(Find("Ana", name));
  const std::string text = "We agree to forget.";
  const std::string policy = "caucus: open\nkeep messages: 0 days\ndestroy: when due\n";
  const client::DocumentHash document = client::AgreementHash(case_, text, policy);
  profiles_.erase("Mira");
  {
    Attacker mira(folder_ / "Mira", relay_, case_);
    mira.PutOut(joint_, eva_);
    uint64_t position = mira.Info(joint_).head.position;
    content::v1::Content said;
    said.mutable_text()->set_text("So that there are places at which something can have stood.");
    for (size_t i = 0; i <= signers.size(); ++i) mira.Say(joint_, said);
    mira.LetInto(joint_, mira.Person(eva_));
    mira.Send();
    content::v1::Content lie = mira.Overview();
    content::v1::CaseOverview& overview = *lie.mutable_case_overview();
    content::v1::Content proposal;
    proposal.mutable_agreement_proposal()->set_text(text);
    proposal.mutable_agreement_proposal()->set_policy(policy);
    Tell(overview, signers[0], ++position, proposal);
    for (const Participant& signer : signers) {
      const crypto::SignatureKey key = crypto::SignatureKey::Generate();
      content::v1::Content content;
      content::v1::AgreementSignature& signature = *content.mutable_agreement_signature();
      signature.set_document_hash(crypto::ToString(document));
      signature.set_record_key(crypto::ToString(key.public_key()));
      signature.set_signature(crypto::ToString(client::SignAgreement(key, case_, document)));
      Tell(overview, signer, ++position, content);
    }
    mira.Say(joint_, lie);
  }
  Sync("Eva");
  const CaseProgress progress = Must(Of("Eva").Progress(case_), "progress");
  ASSERT_TRUE(progress.in_force.has_value() && progress.in_force->text == text)
      << "the attack doesn't get this far any more: " << AlarmTexts("Eva");
  EXPECT_THAT(Kept("Eva", "messages").how_long, HasSubstr("90 days"));
  EXPECT_FALSE(Kept("Eva").automatic);
}

// She reads that the case was closed before she is told that it had ended: neither counts from
// before she was told.
TEST_F(ToldHistoryTest, AnEndCountsFromWhenOneIsToldAlsoWhereOneHasReadWhatFollowed) {
  BeginWithEva("caucus: closed\nkeep messages: 30 days\nkeep notes: until closed\n");
  profiles_.erase("Mira");
  {
    Attacker mira(folder_ / "Mira", relay_, case_);
    mira.PutOut(joint_, eva_);
  }
  Sync("Ben");
  PARLEY_ASSERT_OK(Of("Ben").Act(case_, CaseAct::kWithdraw));
  {
    Attacker mira(folder_ / "Mira", relay_, case_);
    mira.LetInto(joint_, mira.Person(eva_));
    mira.Send();
    content::v1::Content close;
    close.mutable_case_act()->set_act(static_cast<uint32_t>(CaseAct::kClose));
    mira.Say(joint_, close);
  }
  Sync("Eva");
  // Records have the second in which they came.
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  const auto before_told = static_cast<uint64_t>(std::time(nullptr));
  {
    Attacker mira(folder_ / "Mira", relay_, case_);
    mira.Say(joint_, mira.Overview());
  }
  Sync("Eva");
  ASSERT_EQ(Must(Of("Eva").Progress(case_), "progress").state, CaseState::kClosed);
  auto store = Have(client::ProfileStore::Open(folder_ / "Eva"));
  const auto rules = Have(client::LoadRules(Have(store->Read()), ContextAt(*store, 0)));
  ASSERT_TRUE(rules.has_value() && rules->ended);
  EXPECT_GE(rules->ended_at, before_told);
  EXPECT_GE(rules->closed_at, before_told);
}

}  // namespace
}  // namespace parley
