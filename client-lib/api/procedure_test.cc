// The beginning of a case that keeps a procedure: request, conflicts, the agreement, and that
// nothing is said before.
#include "parley/procedure.h"

#include <gmock/gmock.h>

#include "client-lib/api/attacker_for_test.h"
#include "client-lib/api/mediation_for_test.h"
#include "client-lib/cases/procedure_work.h"
#include "client-lib/procedure/agreement.h"

namespace parley {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Must;
using ::testing::Not;

class ProcedureTest : public testing::Mediation {
 protected:
  void OpenWithProcedure() {
    case_ = Must(Of("Mira").CreateCase("Harbor v Northline", connection_,
                                       CaseOptions{.with_procedure = true}),
                 "case");
  }
  // As far as "consented", with both sides' party and a co-mediator.
  void Consent() {
    OpenWithProcedure();
    LetIn("Tomas", Role::kCoMediator);
    LetIn("Ana", Role::kParty, "Harbor");
    PARLEY_ASSERT_OK(Of("Ana").Act(case_, CaseAct::kRequest, "The conveyor."));
    LetIn("Ben", Role::kParty, "Northline");
    Everybody();
    PARLEY_ASSERT_OK(Of("Ben").Act(case_, CaseAct::kAccept));
    Everybody();
  }
  void Everybody(int rounds = 2) { SyncAll({"Mira", "Tomas", "Ana", "Ben"}, rounds); }

  std::string Propose(const std::string& text = "We agree to mediate.") {
    const std::string hash =
        Must(Of("Mira").ProposeAgreement(case_, text, AgreementTemplates()[0].policy), "proposing");
    Everybody(1);
    return hash;
  }
  void SignAll(const std::string& hash) {
    for (const char* name : {"Mira", "Tomas", "Ana", "Ben"}) {
      PARLEY_ASSERT_OK(Of(name).SignAgreement(case_, hash));
    }
    Everybody();
  }

  CaseProgress Progress(const std::string& name) {
    return Must(Of(name).Progress(case_), "the case's progress");
  }
  std::string Missing(const std::string& name) {
    std::string text;
    for (const CaseMissing& missing : Progress(name).missing) {
      text += missing.who + " " + missing.what + "\n";
    }
    return text;
  }
  void ExpectState(CaseState state) {
    for (const char* name : {"Mira", "Tomas", "Ana", "Ben"}) {
      EXPECT_STREQ(CaseStateName(Progress(name).state), CaseStateName(state)) << name;
    }
  }
  // Puts a content into a channel as a program does that asks nothing.
  void Inject(const std::string& name, const std::string& channel,
              const content::v1::Content& content) {
    const ChannelRef ref = Ref(name, channel);
    auto store = testing::Have(client::ProfileStore::Open(folder_ / name));
    client::CaseContext context;
    context.store = store.get();
    context.now_seconds = [] { return static_cast<uint64_t>(time(nullptr)); };
    context.id = case_;
    client::Transaction step = testing::Have(store->Begin());
    testing::Have(context.Channel(ref.channel_id).Queue(step, content));
    testing::Have(step.Commit());
    Sync(name);
  }

  std::vector<std::string> Against(const std::string& name, const std::string& channel) {
    std::vector<std::string> texts;
    for (const Message& message : Must(Of(name).Read(Ref(name, channel)), "reading")) {
      texts.push_back(message.against_procedure);
    }
    return texts;
  }
};

TEST_F(ProcedureTest, NothingIsSaidBeforeAllHaveSigned) {
  Consent();
  ExpectState(CaseState::kConsented);
  for (const char* channel : {"joint", "caucus"}) {
    const Status refused = Of("Ana").Send(Ref("Ana", channel), "hello").status();
    EXPECT_EQ(refused.code(), StatusCode::kFailedPrecondition) << channel;
    EXPECT_THAT(refused.message(), HasSubstr("a neutral proposes the agreement to mediate"));
  }
  EXPECT_EQ(Of("Mira").Send(Ref("Mira", "neutrals"), "hm").status().code(),
            StatusCode::kFailedPrecondition);
  testing::WriteFile(folder_ / "brief.txt", "brief");
  EXPECT_EQ(Of("Ana").Share(Ref("Ana", "caucus"), folder_ / "brief.txt").status().code(),
            StatusCode::kFailedPrecondition);

  const std::string hash = Propose();
  for (const char* name : {"Mira", "Tomas", "Ana"}) {
    PARLEY_ASSERT_OK(Of(name).SignAgreement(case_, hash));
  }
  Everybody();
  const Status refused = Of("Ana").Send(Ref("Ana", "caucus"), "hello").status();
  EXPECT_THAT(refused.message(), HasSubstr("Ben signs the agreement to mediate (version 1)"));
  EXPECT_EQ(Missing("Tomas"), "Ben signs the agreement to mediate (version 1)\n");
  PARLEY_ASSERT_OK(Of("Ben").SignAgreement(case_, hash));
  Everybody();
  ExpectState(CaseState::kEngaged);
  for (const char* name : {"Mira", "Tomas", "Ana", "Ben"}) {
    const CaseProgress progress = Progress(name);
    EXPECT_TRUE(progress.may_speak) << name << ": " << Missing(name);
    ASSERT_TRUE(progress.in_force.has_value());
    EXPECT_EQ(progress.in_force->hash, hash);
    for (const AgreementSigner& signer : progress.in_force->signers) {
      EXPECT_TRUE(signer.signed_it && signer.vouched) << name << " of " << signer.person.name;
    }
  }
  Say("Ana", "joint", "hello");
  Say("Ana", "caucus", "Fast payment matters.");
  Everybody(1);
  EXPECT_THAT(Against("Ben", "joint"), ElementsAre(""));
  EXPECT_THAT(Against("Mira", "caucus:Harbor"), ElementsAre(""));
}

TEST_F(ProcedureTest, ConflictsAreAnsweredAndALateOneSuspends) {
  Consent();
  const MessageId lecture =
      Must(Of("Tomas").Act(case_, CaseAct::kDiscloseConflict, "A paid lecture for Northline."),
           "disclosing");
  SignAll(Propose());
  ExpectState(CaseState::kConsented);
  EXPECT_THAT(Missing("Mira"), HasSubstr("Harbor answers what Tomas has disclosed"));
  PARLEY_ASSERT_OK(Of("Ana").Act(case_, CaseAct::kWaive, "Fine.", lecture));
  EXPECT_EQ(Of("Mira").Act(case_, CaseAct::kWaive, {}, lecture).status().code(),
            StatusCode::kPermissionDenied);
  PARLEY_ASSERT_OK(Of("Ben").Act(case_, CaseAct::kWaive, {}, lecture));
  Everybody();
  ExpectState(CaseState::kEngaged);
  const CaseProgress progress = Progress("Ben");
  ASSERT_EQ(progress.disclosures.size(), 1u);
  EXPECT_EQ(progress.disclosures[0].words, "A paid lecture for Northline.");
  EXPECT_TRUE(progress.disclosures[0].settled);
  ASSERT_EQ(progress.disclosures[0].answers.size(), 2u);
  EXPECT_EQ(progress.disclosures[0].answers[0].words, "Fine.");
  PARLEY_ASSERT_OK(Of("Mira").Act(case_, CaseAct::kBeginSession));
  PARLEY_ASSERT_OK(Of("Tomas").Act(case_, CaseAct::kDiscloseConflict, "My brother works there."));
  Everybody();
  ExpectState(CaseState::kSuspended);
  const Result<MessageId> begun = Of("Mira").Act(case_, CaseAct::kBeginSession);
  EXPECT_EQ(begun.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(begun.status().message(), HasSubstr("Harbor answers what Tomas has disclosed"));
}

TEST_F(ProcedureTest, WhoComesLaterSignsFirst) {
  Consent();
  const std::string hash = Propose();
  SignAll(hash);
  LetIn("Lee", Role::kCounsel, "Harbor");
  SyncAll({"Mira", "Tomas", "Ana", "Ben", "Lee"});
  EXPECT_STREQ(CaseStateName(Progress("Lee").state), "engaged");
  EXPECT_EQ(Of("Lee").Send(Ref("Lee", "caucus"), "x").status().code(),
            StatusCode::kFailedPrecondition);
  // Where Lee reads, nobody speaks before Lee has signed; elsewhere they go on.
  EXPECT_THAT(Of("Ana").Send(Ref("Ana", "joint"), "x").status().message(), HasSubstr("Lee signs"));
  Say("Ben", "caucus", "Among us.");
  PARLEY_ASSERT_OK(Of("Lee").SignAgreement(case_, hash));
  SyncAll({"Mira", "Tomas", "Ana", "Ben", "Lee"});
  Say("Lee", "caucus", "Here.");
  Say("Ana", "joint", "All.");
  SyncAll({"Mira", "Tomas", "Ana", "Ben", "Lee"}, 1);
  EXPECT_THAT(Against("Lee", "joint"), ElementsAre(""));
  EXPECT_THAT(Against("Mira", "caucus:Northline"), ElementsAre(""));
}

// Who stands on no side is in the joint channel only where the neutrals let them in, and can't sign
// elsewhere.
TEST_F(ProcedureTest, WhoIsNotInTheJointChannelComesIntoNoOtherAndKeepsNobodyFromTalk) {
  Consent();
  const std::string hash = Propose();
  SignAll(hash);
  LetIn("Keller", Role::kExpert);
  SyncAll({"Mira", "Tomas", "Keller"});
  PARLEY_ASSERT_OK(Of("Mira").CreateChannel(case_, {.kind = ChannelKind::kCounsel}));
  SyncAll({"Mira", "Tomas"});
  const ParticipantId keller = Id("Mira", "Keller");
  const auto refused_for = [&](const std::string& why) {
    for (const Status& refused :
         {Of("Mira").Admit(Ref("Mira", "counsel"), keller),
          Of("Mira")
              .CreateChannel(case_,
                             {.kind = ChannelKind::kGroup, .name = "Yard", .members = {keller}})
              .status()}) {
      EXPECT_EQ(refused.code(), StatusCode::kFailedPrecondition);
      EXPECT_THAT(refused.message(), HasSubstr(why));
    }
  };
  refused_for("Keller isn't in the joint channel");
  refused_for("(parley channel admit " + case_.ToString().substr(0, 8) + " joint " +
              keller.ToString().substr(0, 8) + ")");
  PARLEY_ASSERT_OK(Of("Mira").Admit(Ref("Mira", "joint"), keller));
  SyncAll({"Mira", "Tomas", "Keller"}, 4);
  refused_for("Keller hasn't signed the agreement to mediate, version 1");
  PARLEY_ASSERT_OK(Of("Keller").SignAgreement(case_, hash));
  SyncAll({"Keller", "Mira", "Tomas"});
  PARLEY_ASSERT_OK(Of("Mira").Admit(Ref("Mira", "counsel"), keller));
  SyncAll({"Mira", "Tomas", "Keller"});
  Say("Keller", "counsel", "My opinion.");
  // Another program lets somebody in all the same: the others' puts them out again.
  LetIn("Noor", Role::kExpert);
  SyncAll({"Mira", "Tomas", "Noor"});
  const ParticipantId noor = Id("Mira", "Noor");
  profiles_.erase("Mira");
  {
    testing::Attacker mira(folder_ / "Mira", relay_, case_);
    mira.LetInto(Ref("Tomas", "counsel").channel_id, mira.Person(noor));
    mira.Send();
  }
  profiles_.emplace("Mira", Another("Mira"));
  EXPECT_THAT(Missing("Mira"), HasSubstr("a neutral lets Noor, who reads counsel, into the "
                                         "joint channel"));
  SyncAll({"Tomas", "Mira", "Noor"});
  EXPECT_THAT(Readers("Tomas", "counsel"), Not(::testing::Contains("Noor")));
  Say("Tomas", "counsel", "Without Noor.");
  // Out of the joint channel is out of all: there they couldn't sign the next version.
  PARLEY_ASSERT_OK(Of("Mira").Dismiss(Ref("Mira", "joint"), keller));
  SyncAll({"Mira", "Tomas", "Keller"});
  EXPECT_THAT(Readers("Tomas", "counsel"), Not(::testing::Contains("Keller")));
  EXPECT_THAT(ChannelNames("Keller"), IsEmpty());
  EXPECT_EQ(Find("Mira", "Keller").state, ParticipantState::kApproved);
}

// Offers are made under the agreement, and while the case goes on.
TEST_F(ProcedureTest, OffersWaitForTheAgreementAndEndWithTheCase) {
  Consent();
  const Status early = Of("Ana").MakeOffer(Ref("Ana", "joint"), {.text = "1 million"}).status();
  EXPECT_EQ(early.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(early.message(), HasSubstr("a neutral proposes the agreement to mediate"));
  content::v1::OfferTerms terms;
  terms.set_text("1 million");
  terms.set_version(1);
  terms.add_parties()->set_participant_id(client::ToField(Find("Ana", "Ben").id));
  terms.mutable_parties(0)->set_name("Ben");
  terms.mutable_parties(0)->set_side("Northline");
  content::v1::Content forged;
  forged.mutable_offer()->set_terms(terms.SerializeAsString());
  Inject("Ana", "joint", forged);
  content::v1::Content sheet;
  sheet.mutable_option_sheet()->set_title("How to pay");
  sheet.mutable_option_sheet()->add_options("at once");
  sheet.mutable_option_sheet()->add_options("later");
  Inject("Ana", "joint", sheet);
  SignAll(Propose());
  EXPECT_THAT(Must(Of("Ben").OptionSheets(case_), "sheets").at(0).against,
              HasSubstr("said before it was allowed"));
  // Under a joint channel that Mira's device hasn't read so far: it waits, and nobody is accused.
  content::v1::Content ahead = forged;
  ahead.mutable_case_position()->set_incarnation(1);
  ahead.mutable_case_position()->mutable_at()->set_position(100000);
  Inject("Ana", "caucus", ahead);
  Sync("Mira");
  const OfferList waiting = Must(Of("Mira").Offers(case_), "offers");
  EXPECT_THAT(waiting.offers, IsEmpty());
  EXPECT_EQ(waiting.refused.size(), 2u);
  EXPECT_THAT(AlarmTexts("Mira"), Not(HasSubstr("what the joint channel doesn't show here")));
  for (const char* name : {"Mira", "Tomas", "Ana", "Ben"}) {
    const OfferList list = Must(Of(name).Offers(case_), "offers");
    EXPECT_THAT(list.offers, IsEmpty()) << name;
    ASSERT_GE(list.refused.size(), 1u) << name;
    EXPECT_THAT(list.refused[0].text, HasSubstr("said before it was allowed"));
  }
  const SentOffer made =
      Must(Of("Ana").MakeOffer(Ref("Ana", "joint"), {.text = "950 thousand"}), "offering");
  Everybody(1);
  PARLEY_ASSERT_OK(Of("Ben").Act(case_, CaseAct::kWithdraw));
  Everybody(1);
  const Offer seen = Must(Of("Ben").FindOffer(case_, made.offer), "finding");
  const Status late = Of("Ben").AnswerOffer(seen, {.accept = true, .version = 1}).status();
  EXPECT_THAT(late.message(), HasSubstr("the case is withdrawn; offers are made and answered"));
  // It can be taken back, without words, whatever has become of the case.
  PARLEY_ASSERT_OK(Of("Ana").WithdrawOffer(Must(Of("Ana").FindOffer(case_, made.offer), "own"), 1));
  Everybody(1);
  EXPECT_EQ(Must(Of("Ben").FindOffer(case_, made.offer), "finding").current().state,
            OfferState::kWithdrawn);
}

// What is carried from one channel to another is said there like anything else.
TEST_F(ProcedureTest, DisclosuresWaitForTheAgreementToo) {
  Consent();
  content::v1::Content early;
  early.mutable_disclosure()->set_words("They would take 690.");
  early.mutable_disclosure()->set_anonymous(true);
  Inject("Mira", "caucus:Northline", early);
  Everybody(1);
  EXPECT_THAT(Against("Ben", "caucus"), ElementsAre(HasSubstr("doesn't say under which")));

  const std::string hash = Propose();
  SignAll(hash);
  Say("Ana", "caucus", "Fast payment matters to us.");
  AuthorisationRequest request;
  request.item = Must(Of("Ana").Read(Ref("Ana", "caucus")), "reading").back().id;
  request.audience = "caucus:Northline";
  const SentMessage leave = Must(Of("Ana").Authorise(Ref("Ana", "caucus"), request), "authorising");
  LetIn("Shah", Role::kCounsel, "Northline");
  SyncAll({"Mira", "Tomas", "Ana", "Ben", "Shah"});
  const Authorisation given =
      Must(Of("Mira").FindAuthorisation(case_, leave.id.ToString()), "finding");
  const Result<SentMessage> refused = Of("Mira").Disclose(given);
  EXPECT_EQ(refused.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(refused.status().message(), HasSubstr("Shah signs"));
  // The leave isn't used up by that.
  PARLEY_ASSERT_OK(Of("Shah").SignAgreement(case_, hash));
  SyncAll({"Mira", "Tomas", "Ana", "Ben", "Shah"});
  Must(Of("Mira").Disclose(given), "disclosing");
  Sync("Ben");
  EXPECT_EQ(Must(Of("Ben").Read(Ref("Ben", "caucus")), "reading").back().text,
            "Fast payment matters to us.");
  EXPECT_EQ(Against("Ben", "caucus").back(), "");
  EXPECT_THAT(Against("Mira", "caucus:Harbor"), ::testing::Each(""));
}

TEST_F(ProcedureTest, WhatIsSaidAgainstTheRulesIsMarkedAndWhatIsDoneAgainstThemIsNamed) {
  Consent();
  content::v1::Content text;
  text.mutable_text()->set_text("Listen!");
  Inject("Ben", "joint", text);
  Inject("Ben", "caucus", text);
  // A claim to have read further than anybody.
  content::v1::Content claim = text;
  claim.mutable_case_position()->set_incarnation(1);
  claim.mutable_case_position()->mutable_at()->set_position(30);
  claim.mutable_case_position()->mutable_at()->set_transcript_hash(std::string(32, 'x'));
  Inject("Ben", "caucus", claim);
  content::v1::Content act;
  act.mutable_case_act()->set_act(static_cast<uint32_t>(CaseAct::kBeginSession));
  Inject("Ben", "joint", act);
  Everybody();
  const auto check = [&] {
    for (const char* name : {"Mira", "Tomas", "Ana", "Ben"}) {
      EXPECT_THAT(Against(name, "joint"), ElementsAre(HasSubstr("said before it was allowed")));
      EXPECT_THAT(AlarmTexts(name), HasSubstr("Ben may not begin-session: only mediator or "
                                              "co-mediator may"));
    }
    EXPECT_THAT(Against("Mira", "caucus:Northline"),
                ElementsAre(HasSubstr("doesn't say under which agreement"),
                            HasSubstr("claims to have read what the joint channel doesn't show")));
  };
  check();
  ExpectState(CaseState::kConsented);
  SignAll(Propose());
  // The marks stay when speaking has become allowed, and the position that was claimed exists.
  for (int i = 0; i < 12; ++i) Say("Ana", "joint", "hello");
  Everybody(1);
  EXPECT_GT(Find("Mira", "joint", 0).head, 30u);
  EXPECT_THAT(Against("Mira", "joint")[0], HasSubstr("said before it was allowed"));
  EXPECT_THAT(Against("Mira", "joint")[1], "");
  EXPECT_THAT(Against("Mira", "caucus:Northline"),
              ElementsAre(HasSubstr("doesn't say"), HasSubstr("claims to have read")));
  PARLEY_ASSERT_OK(Of("Mira").MarkSeen(case_));
  EXPECT_THAT(AlarmTexts("Mira"), Not(HasSubstr("begin-session")));
}

TEST_F(ProcedureTest, ASignatureWithAnotherKeyOpensNoMouth) {
  Consent();
  const std::string hash = Propose();
  for (const char* name : {"Mira", "Tomas", "Ana"}) {
    PARLEY_ASSERT_OK(Of(name).SignAgreement(case_, hash));
  }
  const crypto::SignatureKey other = crypto::SignatureKey::Generate();
  const client::DocumentHash document =
      client::AgreementHash(case_, "We agree to mediate.", AgreementTemplates()[0].policy);
  content::v1::Content content;
  content::v1::AgreementSignature& signature = *content.mutable_agreement_signature();
  signature.set_document_hash(crypto::ToString(document));
  signature.set_record_key(crypto::ToString(other.public_key()));
  signature.set_signature(crypto::ToString(client::SignAgreement(other, case_, document)));
  Inject("Ben", "joint", content);
  Everybody();
  // It counts for the state, which hangs on the log alone; but nobody is taken in.
  ExpectState(CaseState::kEngaged);
  for (const char* name : {"Mira", "Tomas", "Ana"}) {
    EXPECT_THAT(Missing(name), HasSubstr("Ben signs with their own key")) << name;
    EXPECT_THAT(AlarmTexts(name), HasSubstr("signature by Ben is made with another key")) << name;
    EXPECT_EQ(Of(name).Send(Ref(name, "joint"), "x").status().code(),
              StatusCode::kFailedPrecondition);
  }
}

TEST_F(ProcedureTest, NeutralsWhoContradictEachOtherAboutAKeyAreNotBelieved) {
  Consent();
  {
    // Tomas tells Ana that another key is Ben's.
    auto store = testing::Have(client::ProfileStore::Open(folder_ / "Tomas"));
    client::CaseContext context;
    context.store = store.get();
    context.now_seconds = [] { return static_cast<uint64_t>(time(nullptr)); };
    context.id = case_;
    client::Transaction step = testing::Have(store->Begin());
    const auto pairing = testing::Have(context.Pairings().PairingWith(step, Id("Tomas", "Ana")));
    ASSERT_TRUE(pairing.has_value());
    content::v1::InboxMessage message;
    content::v1::RecordKeys::Key& lie = *message.mutable_record_keys()->add_keys();
    lie.set_participant_id(client::ToField(Id("Tomas", "Ben")));
    lie.set_record_key(std::string(32, 'k'));
    testing::Have(context.OwnInbox().Queue(step, *pairing, std::move(message)));
    testing::Have(step.Commit());
  }
  Everybody();
  SignAll(Propose());
  ExpectState(CaseState::kEngaged);
  EXPECT_THAT(Missing("Ana"), HasSubstr("the neutrals agree on the key of Ben"));
  EXPECT_THAT(AlarmTexts("Ana"), HasSubstr("say different things about the key of Ben"));
  EXPECT_EQ(Of("Ana").Send(Ref("Ana", "joint"), "x").status().code(),
            StatusCode::kFailedPrecondition);
  // Mira has Ben's key from Ben.
  Say("Mira", "joint", "hello");
}

TEST_F(ProcedureTest, CasesWithoutAProcedureGoOnAsBefore) {
  LetEverybodyIn();
  EXPECT_FALSE(Progress("Ana").with_procedure);
  EXPECT_EQ(Of("Ana").Act(case_, CaseAct::kRequest).status().code(),
            StatusCode::kFailedPrecondition);
  Say("Ana", "joint", "hello");
  SyncAll({"Ben"}, 1);
  EXPECT_THAT(Against("Ben", "joint"), ElementsAre(""));
}

}  // namespace
}  // namespace parley
