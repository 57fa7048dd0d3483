// Versions, classes, withdrawal and expiry of documents.
#include <algorithm>
#include <chrono>
#include <functional>
#include <iterator>
#include <thread>

#include "client-lib/api/session_for_test.h"
#include "client-lib/channels/document_log.h"
#include "client-lib/documents/transfer.h"

namespace parley {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Have;
using ::testing::IsEmpty;
using testing::Must;
using ::testing::SizeIs;

class DocumentsTest : public testing::SessionTest {
 protected:
  DocumentsTest() { LetEverybodyIn(); }

  std::string Write(const std::string& name, const std::string& bytes) {
    const std::string path = folder_ / name;
    testing::WriteFile(path, bytes);
    return path;
  }
  MessageId Share(const std::string& name, const std::string& channel, const std::string& file,
                  const std::string& bytes, const ShareOptions& options = {}) {
    return Must(Of(name).Share(Ref(name, channel), Write(file, bytes), options), "sharing").id;
  }
  std::vector<Document> Documents(const std::string& name, const std::string& channel = "joint") {
    return Must(Of(name).Documents(Ref(name, channel)), "documents");
  }
  // "name number/latest", each.
  std::vector<std::string> Versions(const std::string& name, const std::string& channel = "joint") {
    std::vector<std::string> versions;
    for (const Document& document : Documents(name, channel)) {
      versions.push_back(document.name + " " + std::to_string(document.version.number) + "/" +
                         std::to_string(document.version.latest));
    }
    return versions;
  }
  Status Fetch(const std::string& name, const std::string& channel, const MessageId& id,
               const std::string& file) {
    return Of(name).Fetch({Ref(name, channel), id}, folder_ / file);
  }
  // Whether the bytes stand anywhere in what the profile stores of a channel.
  bool Stores(const std::string& name, const std::string& channel, const std::string& bytes) {
    const ChannelRef ref = Ref(name, channel);
    auto store = Have(client::ProfileStore::Open(folder_ / name));
    client::ReadTransaction read = Have(store->Read());
    client::ChannelContext context;
    context.store = store.get();
    for (const auto& message : Have(client::Channel(context, ref.channel_id).Messages(read, {}))) {
      if (crypto::ToString(message.content.Reveal()).find(bytes) != std::string::npos) return true;
    }
    return false;
  }
  content::v1::Document Manifest(const std::string& name, const std::string& channel,
                                 const MessageId& id) {
    const ChannelRef ref = Ref(name, channel);
    auto store = Have(client::ProfileStore::Open(folder_ / name));
    client::ReadTransaction read = Have(store->Read());
    for (const auto& message : Have(client::ListDocuments(read, ref.channel_id))) {
      content::v1::Content content;
      if (message.id != id ||
          !content.ParseFromString(crypto::ToString(message.content.Reveal()))) {
        continue;
      }
      return content.document();
    }
    return {};
  }
};

TEST_F(DocumentsTest, AChainOfVersionsIsTheSameForEverybody) {
  const MessageId first =
      Share("Ana", "joint", "draft.txt", "one", {.document_class = DocumentClass::kSettlement});
  Everybody(1);
  // Two of a side at once, from the same version: the log decides which is which.
  const MessageId second = Share("Lee", "joint", "draft.txt", "two",
                                 {.replaces = first, .note = "our counsel's changes"});
  const MessageId third = Share("Ana", "joint", "draft b.txt", "three", {.replaces = first});
  Share("Ben", "joint", "other.txt", "else");
  Everybody();
  for (const char* name : {"Mira", "Tomas", "Ana", "Lee", "Ben"}) {
    EXPECT_THAT(Versions(name),
                ElementsAre("draft.txt 1/3", "draft.txt 2/3", "draft b.txt 3/3", "other.txt 1/1"))
        << name;
    const std::vector<Document> documents = Documents(name);
    EXPECT_EQ(documents[1].note, "our counsel's changes");
    EXPECT_EQ(documents[1].document_class, DocumentClass::kSettlement);
    EXPECT_EQ(documents[1].author.name, "Lee");
    EXPECT_EQ(documents[2].version.first, first);
    EXPECT_EQ(documents[2].version.note, "made from version 1");
  }
  PARLEY_ASSERT_OK(Fetch("Ben", "joint", second, "second"));
  EXPECT_EQ(testing::ReadFile(folder_ / "second"), "two");
  PARLEY_ASSERT_OK(Fetch("Ben", "joint", third, "third"));
  EXPECT_EQ(testing::ReadFile(folder_ / "third"), "three");
}

// `page` gives the positions in a page, `all` are those of everything.
void ExpectPages(const std::vector<uint64_t>& all,
                 const std::function<std::vector<uint64_t>(const Page&)>& page) {
  std::vector<uint64_t> places = all;
  places.insert(places.end(), {0, 1'000'000});
  for (const uint64_t after : places) {
    std::vector<uint64_t> rest;
    std::copy_if(all.begin(), all.end(), std::back_inserter(rest),
                 [&](uint64_t position) { return position > after; });
    for (size_t count = 0; count <= all.size() + 1; ++count) {
      const auto shown = static_cast<ptrdiff_t>(std::min(count, rest.size()));
      EXPECT_EQ(page({.after = after, .first = count}),
                std::vector<uint64_t>(rest.begin(), rest.begin() + shown));
      EXPECT_EQ(page({.after = after, .last = count}),
                std::vector<uint64_t>(rest.end() - shown, rest.end()));
    }
  }
}

TEST_F(DocumentsTest, APageIsAPartOfAll) {
  const ChannelRef joint = Ref("Ana", "joint");
  Say("Ana", "joint", "one");
  Share("Ana", "joint", "a.txt", "a");
  const MessageId slip = Must(Of("Ana").Send(joint, "a slip"), "sending").id;
  const MessageId gone = Share("Ana", "joint", "b.txt", "b");
  // Leaves records that nobody is shown.
  const SentMessage retraction = Must(Of("Ana").Retract(joint, slip), "retracting");
  EXPECT_TRUE(retraction.position.has_value());
  EXPECT_FALSE(retraction.queued);
  Must(Of("Ana").Retract(joint, gone), "retracting");
  Share("Ana", "joint", "c.txt", "c");
  Say("Ana", "joint", "two");
  std::vector<uint64_t> messages;
  for (const Message& message : Must(Of("Ana").Read(joint), "reading")) {
    messages.push_back(message.position);
  }
  std::vector<uint64_t> documents;
  for (const Document& document : Documents("Ana")) documents.push_back(document.position);
  ASSERT_THAT(messages, SizeIs(6));
  ASSERT_THAT(documents, SizeIs(2));
  ExpectPages(messages, [&](const Page& page) {
    std::vector<uint64_t> shown;
    for (const Message& message : Must(Of("Ana").ReadPage(joint, page), "reading")) {
      shown.push_back(message.position);
    }
    return shown;
  });
  ExpectPages(documents, [&](const Page& page) {
    std::vector<uint64_t> shown;
    for (const Document& document : Must(Of("Ana").Documents(joint, page), "documents")) {
      shown.push_back(document.position);
    }
    return shown;
  });
}

TEST_F(DocumentsTest, NobodyAddsAVersionToAnothersDocument) {
  const MessageId anas = Share("Ana", "joint", "draft.txt", "one");
  const MessageId confided = Share("Ana", "caucus", "notes.txt", "hers");
  Everybody(1);
  const Result<SentMessage> refused =
      Of("Ben").Share(Ref("Ben", "joint"), Write("x.txt", "x"), {.replaces = anas});
  EXPECT_EQ(refused.status().code(), StatusCode::kPermissionDenied);
  EXPECT_THAT(refused.status().message(), HasSubstr("Ana's document"));
  EXPECT_EQ(Of("Ana")
                .Share(Ref("Ana", "joint"), Write("x.txt", "x"), {.replaces = confided})
                .status()
                .code(),
            StatusCode::kNotFound);
  // Modified programs do it all the same: their documents stand alone, for everybody.
  const MessageId bens = Share("Ben", "joint", "theirs.txt", "theirs");
  Everybody(1);
  content::v1::Content content;
  *content.mutable_document() = Manifest("Ben", "joint", bens);
  content::v1::Document& document = *content.mutable_document();
  document.set_replaces_message_id(client::ToField(anas));
  document.set_replaces_author_id(client::ToField(Id("Ben", "Ana")));
  document.mutable_replaces_place()->set_incarnation(1);
  document.mutable_replaces_place()->set_position(Documents("Ben").front().position);
  document.set_version(2);
  Inject("Ben", "joint", content);
  document.set_replaces_message_id(client::ToField(confided));  // of another channel
  Inject("Ben", "joint", content);
  document.set_replaces_message_id(client::ToField(anas));  // at another place
  document.mutable_replaces_place()->set_position(1);
  Inject("Lee", "joint", content);
  Everybody();
  for (const char* name : {"Mira", "Ana", "Lee", "Ben"}) {
    EXPECT_THAT(Versions(name), ElementsAre("draft.txt 1/1", "theirs.txt 1/1", "theirs.txt 1/1",
                                            "theirs.txt 1/1", "theirs.txt 1/1"));
    const std::vector<Document> documents = Documents(name);
    EXPECT_THAT(documents[2].version.note, HasSubstr("names a document of others"));
    EXPECT_THAT(documents[3].version.note, HasSubstr("doesn't have"));
    EXPECT_THAT(documents[4].version.note, HasSubstr("doesn't have"));
  }
}

TEST_F(DocumentsTest, ANewcomerNumbersVersionsByTheirAuthorsWord) {
  const MessageId first = Share("Ana", "joint", "draft.txt", "one");
  const MessageId second = Share("Ana", "joint", "draft.txt", "two", {.replaces = first});
  LetIn("Nell", Role::kObserver);
  PARLEY_ASSERT_OK(Of("Mira").Admit(Ref("Mira", "joint"), Id("Mira", "Nell")));
  SyncAll({"Mira", "Nell", "Ana"});
  const MessageId third = Share("Ana", "joint", "draft.txt", "three", {.replaces = second});
  Share("Ana", "joint", "draft.txt", "four", {.replaces = third});
  SyncAll({"Mira", "Nell"});
  const std::vector<Document> seen = Documents("Nell");
  ASSERT_THAT(seen, SizeIs(2));
  EXPECT_EQ(seen[0].version.number, 3u);
  EXPECT_THAT(seen[0].version.note, HasSubstr("from before you came"));
  EXPECT_EQ(seen[1].version.number, 4u);
  EXPECT_EQ(seen[1].version.note, "");
  EXPECT_EQ(seen[1].version.first, third);
}

TEST_F(DocumentsTest, AWithdrawnDocumentIsGoneEverywhereButInTheRecord) {
  const MessageId id = Share("Ana", "joint", "sheet.txt", "numbers");
  const MessageId next = Share("Ana", "joint", "sheet.txt", "more numbers", {.replaces = id});
  Everybody(1);
  const content::v1::Document manifest = Manifest("Ben", "joint", id);
  ASSERT_TRUE(Stores("Ben", "joint", manifest.file_key()));
  EXPECT_EQ(Of("Ben").Withdraw({Ref("Ben", "joint"), id}).status().code(),
            StatusCode::kPermissionDenied);
  EXPECT_EQ(Of("Ana").Withdraw({Ref("Ana", "joint"), MessageId({7})}).status().code(),
            StatusCode::kNotFound);
  Must(Of("Ana").Withdraw({Ref("Ana", "joint"), id}), "withdrawing");
  EXPECT_EQ(Of("Ana").Withdraw({Ref("Ana", "joint"), id}).status().code(),
            StatusCode::kFailedPrecondition);
  Everybody();
  for (const char* name : {"Mira", "Ana", "Lee", "Ben"}) {
    EXPECT_FALSE(Stores(name, "joint", manifest.file_key())) << name;
    EXPECT_FALSE(Stores(name, "joint", manifest.read_seed())) << name;
    const std::vector<Document> documents = Documents(name);
    ASSERT_THAT(documents, SizeIs(2));
    EXPECT_EQ(documents[0].state, DocumentState::kWithdrawn);
    EXPECT_EQ(documents[0].name, "sheet.txt");
    EXPECT_EQ(documents[0].version.latest, 2u);
    EXPECT_EQ(documents[1].state, DocumentState::kAvailable);
    const Status fetched = Fetch(name, "joint", id, "gone");
    EXPECT_EQ(fetched.code(), StatusCode::kFailedPrecondition);
    EXPECT_THAT(fetched.message(), HasSubstr("it was withdrawn"));
    PARLEY_ASSERT_OK(Fetch(name, "joint", next, std::string("kept ") + name));
    for (const ChainCheck& check : Must(Of(name).VerifyTimeline(case_), "verifying")) {
      EXPECT_TRUE(check.whole) << name << ": " << check.problem;
    }
  }
  // Who kept the manifest finds nothing at the relay.
  client::Transfers::DownloadOptions options;
  options.retry_for = std::chrono::milliseconds(0);
  auto store = Have(client::ProfileStore::Open(folder_ / "Ben"));
  auto relay = Have(client::RelayClient::Connect({relay_.address(), relay_.identity_key()}));
  EXPECT_TRUE(absl::IsNotFound(
      client::Transfers(*store).Download(*relay, manifest, folder_ / "kept", options)));
}

TEST_F(DocumentsTest, ARetractedDocumentLeavesTheRelayToo) {
  const MessageId id = Share("Ana", "joint", "sheet.txt", "numbers");
  Everybody(1);
  const content::v1::Document manifest = Manifest("Ben", "joint", id);
  Must(Of("Ana").Retract(Ref("Ana", "joint"), id), "retracting");
  Everybody();
  EXPECT_THAT(Documents("Ben"), IsEmpty());
  client::Transfers::DownloadOptions options;
  options.retry_for = std::chrono::milliseconds(0);
  auto store = Have(client::ProfileStore::Open(folder_ / "Ben"));
  auto relay = Have(client::RelayClient::Connect({relay_.address(), relay_.identity_key()}));
  EXPECT_TRUE(absl::IsNotFound(
      client::Transfers(*store).Download(*relay, manifest, folder_ / "kept", options)));
}

TEST_F(DocumentsTest, OnlyItsAuthorWithdrawsADocument) {
  const MessageId id = Share("Ana", "joint", "sheet.txt", "numbers");
  Everybody(1);
  content::v1::Content content;
  content::v1::DocumentEnd& end = *content.mutable_document_end();
  end.set_message_id(client::ToField(id));
  end.set_author_id(client::ToField(Id("Ben", "Ana")));
  end.mutable_place()->set_incarnation(1);
  end.mutable_place()->set_position(Documents("Ben").front().position);
  end.set_reason(content::v1::DocumentEnd::REASON_WITHDRAWN);
  Inject("Ben", "joint", content);
  Inject("Tomas", "joint", content);
  end.set_reason(content::v1::DocumentEnd::REASON_EXPIRED);  // it doesn't
  Inject("Tomas", "joint", content);
  Everybody();
  for (const char* name : {"Mira", "Ana", "Ben"}) {
    EXPECT_EQ(Documents(name).front().state, DocumentState::kAvailable);
    EXPECT_TRUE(Last(name).refused);
  }
  PARLEY_ASSERT_OK(Fetch("Mira", "joint", id, "there"));
}

TEST_F(DocumentsTest, ADocumentsTimeEndsByAnEntryThatANeutralMaySay) {
  const MessageId id = Share("Ana", "joint", "sheet.txt", "numbers", {.valid_for_seconds = 1});
  const MessageId later =
      Share("Ana", "joint", "plan.txt", "a plan", {.valid_for_seconds = 60 * 60});
  Sync("Ben");
  EXPECT_EQ(Documents("Ben").front().state, DocumentState::kAvailable);
  std::this_thread::sleep_for(std::chrono::milliseconds(2100));
  // By no clock of his own: nobody has said so yet.
  EXPECT_EQ(Documents("Ben").front().state, DocumentState::kAvailable);
  Sync("Mira");
  SyncAll({"Ben", "Ana", "Tomas"});
  for (const char* name : {"Mira", "Ben", "Ana"}) {
    EXPECT_EQ(Documents(name)[0].state, DocumentState::kExpired) << name;
    EXPECT_EQ(Documents(name)[1].state, DocumentState::kAvailable) << name;
    EXPECT_THAT(Fetch(name, "joint", id, "gone").message(), HasSubstr("its time is over"));
  }
  PARLEY_ASSERT_OK(Fetch("Ben", "joint", later, "plan"));
  // Once is enough.
  const size_t before = Read("Ben").size();
  Everybody();
  EXPECT_EQ(Read("Ben").size(), before);
}

TEST_F(DocumentsTest, ADocumentThatComesAsEndedIsntEndedAgainAndAgain) {
  content::v1::Content content;
  content.mutable_document()->set_name("bait.txt");
  content.mutable_document()->set_expires_at(1);
  content.mutable_document()->set_ended(content::v1::DocumentEnd::REASON_WITHDRAWN);
  Inject("Ben", "joint", content);
  Sync("Mira");
  const size_t before = Read("Mira").size();
  for (int i = 0; i < 3; ++i) Sync("Mira");
  EXPECT_EQ(Read("Mira").size(), before);
}

TEST_F(DocumentsTest, ANeutralsNoteDoesntCarryWhatWasConfided) {
  Say("Ana", "caucus", "Our floor is 690 thousand, and the covenant falls due on 30 June.");
  Everybody(1);
  const Result<SentMessage> refused = Of("Mira").Share(
      Ref("Mira", "joint"), Write("agenda.txt", "agenda"),
      {.note = "Our floor is 690 thousand, and the covenant falls due on 30 June."});
  EXPECT_EQ(refused.status().code(), StatusCode::kPermissionDenied);
  EXPECT_THAT(refused.status().message(), HasSubstr("caucus:Harbor"));
}

TEST_F(DocumentsTest, ATransferIsPausedResumedAndCancelled) {
  const std::string path = Write("scan.bin", std::string(48 << 20, 's'));
  const auto pause = [&](uint64_t, uint64_t) {
    const std::vector<Transfer> all = Must(Of("Ana").Transfers(), "transfers");
    EXPECT_EQ(all.at(0).state, TransferState::kRunning);
    EXPECT_EQ(Of("Ana").ResumeTransfer(all.at(0).id).code(), StatusCode::kFailedPrecondition);
    EXPECT_TRUE(Another("Ana").PauseTransfer(all.at(0).id).ok());
    return true;
  };
  Result<SentMessage> shared =
      Of("Ana").Share(Ref("Ana", "joint"), path, {.note = "page 1"}, pause);
  EXPECT_EQ(shared.status().code(), StatusCode::kCancelled);
  EXPECT_THAT(shared.status().message(), HasSubstr("paused"));
  std::vector<Transfer> all = Must(Of("Ana").Transfers(), "transfers");
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(all[0].state, TransferState::kPaused);
  EXPECT_EQ(all[0].name, "scan.bin");
  EXPECT_EQ(all[0].total, uint64_t{48 << 20});
  EXPECT_THAT(Documents("Ana"), IsEmpty());
  PARLEY_ASSERT_OK(Another("Ana").ResumeTransfer(all[0].id));
  EXPECT_THAT(Must(Of("Ana").Transfers(), "transfers"), IsEmpty());
  Sync("Ben");
  ASSERT_THAT(Documents("Ben"), SizeIs(1));
  EXPECT_EQ(Documents("Ben")[0].ref.message_id, all[0].id);
  EXPECT_EQ(Documents("Ben")[0].note, "page 1");
  // A fetch that was stopped, and is given up: nothing of it stays.
  const std::string target = folder_ / "fetched.bin";
  EXPECT_EQ(
      Of("Ben")
          .Fetch(Documents("Ben")[0].ref, target, {}, [](uint64_t, uint64_t) { return false; })
          .code(),
      StatusCode::kCancelled);
  all = Must(Of("Ben").Transfers(), "transfers");
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_FALSE(all[0].upload);
  EXPECT_EQ(all[0].state, TransferState::kInterrupted);
  EXPECT_TRUE(std::filesystem::exists(target + ".parley-part"));
  PARLEY_ASSERT_OK(Of("Ben").CancelTransfer(all[0].id));
  EXPECT_FALSE(std::filesystem::exists(target + ".parley-part"));
  EXPECT_THAT(Must(Of("Ben").Transfers(), "transfers"), IsEmpty());
  EXPECT_EQ(Of("Ben").CancelTransfer(all[0].id).code(), StatusCode::kNotFound);
  // So of a share; the same file is shared anew afterwards.
  const std::string other = Write("other.bin", std::string(48 << 20, 'o'));
  shared =
      Of("Ana").Share(Ref("Ana", "joint"), other, {}, [](uint64_t, uint64_t) { return false; });
  EXPECT_EQ(shared.status().code(), StatusCode::kCancelled);
  all = Must(Of("Ana").Transfers(), "transfers");
  ASSERT_THAT(all, SizeIs(1));
  PARLEY_ASSERT_OK(Of("Ana").CancelTransfer(all[0].id));
  EXPECT_THAT(Must(Of("Ana").Transfers(), "transfers"), IsEmpty());
  const MessageId anew = Must(Of("Ana").Share(Ref("Ana", "joint"), other), "sharing").id;
  EXPECT_NE(anew, all[0].id);
}

// The relay was told how long to keep it when it was begun.
TEST_F(DocumentsTest, AShareThatGoesOnEndsWhenItWasToEndAtFirst) {
  const ChannelRef joint = Ref("Ana", "joint");
  const std::string path = Write("sheet.bin", std::string(9 << 20, 's'));
  const ShareOptions options = {.valid_for_seconds = 60 * 60};
  const auto stop = [](uint64_t, uint64_t) { return false; };
  EXPECT_EQ(Of("Ana").Share(joint, path, options, stop).status().code(), StatusCode::kCancelled);
  const auto latest = static_cast<int64_t>(std::time(nullptr)) + options.valid_for_seconds;
  std::this_thread::sleep_for(std::chrono::milliseconds(2100));
  EXPECT_EQ(Of("Ana").Share(joint, path, options, stop).status().code(), StatusCode::kCancelled);
  const std::vector<Transfer> all = Must(Of("Ana").Transfers(), "transfers");
  ASSERT_THAT(all, SizeIs(1));
  PARLEY_ASSERT_OK(Of("Ana").ResumeTransfer(all[0].id));
  EXPECT_LE(Documents("Ana").at(0).expires_at, latest);
  // Another time is another one, and another blob.
  const std::string other = Write("other.bin", std::string(9 << 20, 'o'));
  EXPECT_EQ(Of("Ana").Share(joint, other, options, stop).status().code(), StatusCode::kCancelled);
  Must(Of("Ana").Share(joint, other), "sharing");
  EXPECT_EQ(Documents("Ana").at(1).expires_at, 0);
}

TEST_F(DocumentsTest, WhatIsPausedWithItsLastByteIsntSent) {
  const auto pause = [&](uint64_t, uint64_t) {
    const std::vector<Transfer> all = Must(Of("Ana").Transfers(), "transfers");
    EXPECT_TRUE(Another("Ana").PauseTransfer(all.at(0).id).ok());
    return true;
  };
  const std::string path = Write("small.txt", "small");
  const Result<SentMessage> shared = Of("Ana").Share(Ref("Ana", "joint"), path, {}, pause);
  EXPECT_EQ(shared.status().code(), StatusCode::kCancelled);
  EXPECT_THAT(Documents("Ana"), IsEmpty());
  const std::vector<Transfer> all = Must(Of("Ana").Transfers(), "transfers");
  ASSERT_THAT(all, SizeIs(1));
  PARLEY_ASSERT_OK(Of("Ana").ResumeTransfer(all[0].id));
  EXPECT_THAT(Documents("Ana"), SizeIs(1));
}

TEST_F(DocumentsTest, LeaveToCarryAWithdrawnDocumentEnds) {
  const MessageId id = Share("Ana", "caucus", "sheet.txt", "numbers of ours");
  Must(Of("Ana").Authorise(Ref("Ana", "caucus"), {.item = id, .audience = "joint"}), "leave");
  Must(Of("Ana").Withdraw({Ref("Ana", "caucus"), id}), "withdrawing");
  Everybody(1);
  for (const char* name : {"Mira", "Ana"}) {
    const std::vector<Authorisation> all = Must(Of(name).Authorisations(case_), "authorisations");
    ASSERT_THAT(all, SizeIs(1));
    EXPECT_EQ(all[0].state, AuthorisationState::kRevoked) << name;
  }
  // It stays confided: the same file is known by its hash.
  const Status refused =
      Of("Mira").Share(Ref("Mira", "joint"), Write("copy.txt", "numbers of ours")).status();
  EXPECT_EQ(refused.code(), StatusCode::kPermissionDenied);
}

}  // namespace
}  // namespace parley
