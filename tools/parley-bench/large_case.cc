#include "tools/parley-bench/large_case.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <optional>
#include <utility>

#include "client-lib/cases/case_context.h"
#include "client-lib/cases/membership.h"
#include "client-lib/channels/channel_step.h"
#include "client-lib/channels/message_log.h"
#include "crypto/primitives/random.h"
#include "parley/content/v1/content.pb.h"
#include "tools/parley-bench/must.h"
#include "tools/parley-bench/taken.h"

namespace parley::bench {
namespace {

constexpr size_t kBatch = 2000;
// Far more than it takes until everybody is in.
constexpr int kMostSyncs = 40;

uint64_t Now() { return static_cast<uint64_t>(std::time(nullptr)); }

std::string RandomField(size_t size) { return crypto::ToString(crypto::RandomBytes(size)); }

client::RosterMember AuthorFrom(const client::ChannelState& state, size_t number) {
  return state.members[number % state.members.size()];
}

void SetDocument(Language& language, content::v1::Document& document) {
  document.set_name(language.Word() + " " + language.RareWord() + ".pdf");
  document.set_media_type("application/pdf");
  document.set_size(100'000);
  document.set_file_format(1);
  document.set_share_id(RandomField(16));
  document.set_file_key(RandomField(32));
  document.set_key_commitment(RandomField(32));
  document.set_plaintext_root(RandomField(32));
  document.set_ciphertext_root(RandomField(32));
  document.set_chunks(1);
  document.set_stored_bytes(100'016);
  document.set_blob_id(RandomField(16));
  document.set_read_seed(RandomField(32));
  document.set_note(language.Text());
}

}  // namespace

std::vector<LargeCase::Person> LargeCase::PeopleOf(const CaseSize& size) {
  std::vector<Person> people = {{"Tomas", Role::kCoMediator, ""}};
  for (size_t i = 1; i <= size.sides; ++i) {
    const std::string number = std::to_string(i);
    people.push_back({"Party " + number, Role::kParty, "Side " + number});
    people.push_back({"Counsel " + number, Role::kCounsel, "Side " + number});
  }
  for (size_t i = 0; people.size() + 1 < size.people; ++i) {
    people.push_back({"Second counsel " + std::to_string(i + 1), Role::kCounsel,
                      "Side " + std::to_string(i % size.sides + 1)});
  }
  return people;
}

LargeCase::LargeCase(const std::string& folder, const std::string& connection, const CaseSize& size)
    : mediator_(folder + "/Mira"), party_(folder + "/Party 1") {
  std::filesystem::create_directories(folder);
  Profile mira = Take(Profile::Create(mediator_, "Mira", std::nullopt));
  id_ = Take(mira.CreateCase("Harbor v Northline", connection));
  const std::vector<Person> people = PeopleOf(size);
  Join(folder, people);
  Take(mira.Sync({.case_id = id_}));
  ApproveAll();
  Profile tomas = Take(Profile::Open(folder + "/Tomas", std::nullopt));
  for (int i = 0; i < kMostSyncs; ++i) {
    const SyncReport report = Take(mira.Sync({.case_id = id_}));
    size_t places = 0;
    for (const Channel& channel : Take(mira.Channels(id_))) places += channel.readers.size();
    // In the joint channel and the neutrals'; and each side's with both neutrals.
    if (places >= size.people + 2 + (size.people - 2) + 2 * size.sides) break;
    // Their device gives out key packages for a few channels at a time.
    Take(tomas.Sync({.case_id = id_}));
    if (i + 1 < kMostSyncs) continue;
    std::string message =
        "not everybody has come into the case: " + std::to_string(places) + " places are taken";
    for (const Problem& problem : report.problems) message += "; " + problem.status.message();
    throw Failure(message);
  }
  Profile party = Take(Profile::Open(party_, std::nullopt));
  for (int i = 0; i < 2; ++i) Take(party.Sync({.case_id = id_}));
}

void LargeCase::Join(const std::string& folder, const std::vector<Person>& people) {
  Profile mira = Take(Profile::Open(mediator_, std::nullopt));
  for (const Person& person : people) {
    const Invitation invitation =
        Take(mira.Invite(id_, {.name = person.name, .role = person.role, .side = person.side}));
    Profile profile = Take(Profile::Create(folder + "/" + person.name, person.name, std::nullopt));
    Take(profile.Join(invitation.text));
  }
}

// All decisions at once, which the next sync carries out.
void LargeCase::ApproveAll() {
  const auto store = Must(client::ProfileStore::Open(mediator_));
  client::CaseContext context;
  context.store = store.get();
  context.now_seconds = Now;
  context.id = id_;
  std::vector<client::PersonRecord> people;
  {
    const client::ReadTransaction read = Must(store->Read());
    people = Must(context.Records().People(read));
  }
  for (const client::PersonRecord& person : people) {
    if (person.state == ParticipantState::kWaiting) Must(client::Approve(context, person.id));
  }
}

Filled LargeCase::Fill(const std::string& profile, const std::string& channel,
                       const Filling& filling) {
  const Channel in = Take(Take(Profile::Open(profile, std::nullopt)).FindChannel(id_, channel));
  const auto store = Must(client::ProfileStore::Open(profile));
  Filled filled;
  const auto began = std::chrono::steady_clock::now();
  const size_t documents_each =
      filling.documents == 0 ? SIZE_MAX : std::max<size_t>(1, filling.messages / filling.documents);
  for (size_t done = 0; done < filling.messages;) {
    client::Transaction transaction = Must(store->Begin());
    client::ChannelStep step =
        Must(client::ChannelStep::Load(transaction, in.ref.channel_id, Now()));
    const size_t count = std::min(kBatch, filling.messages - done);
    for (size_t i = 1; i <= count; ++i) {
      content::v1::Content content;
      content.set_message_id(RandomField(16));
      content.set_claimed_time(Now());
      if ((done + i) % documents_each == 0) {
        SetDocument(language_, *content.mutable_document());
      } else {
        content.mutable_text()->set_text(language_.Text());
      }
      const client::RosterMember author = AuthorFrom(step.state(), done + i);
      Must(client::KeepMessage(step, step.log().position + i, author,
                               author.participant_id == step.self().participant_id, content,
                               crypto::Secret::CopyOf(crypto::ViewOf(content.SerializeAsString())))
               .status());
    }
    // The numbers go on as they do behind an incarnation that was replaced: what comes from the
    // relay stands behind all of this.
    step.log().number_base += count;
    filled.last = step.log().number_base + step.log().position;
    Must(step.Save());
    Must(transaction.Commit());
    done += count;
  }
  const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - began;
  filled.micros = took.count() / static_cast<double>(std::max<size_t>(1, filling.messages));
  return filled;
}

}  // namespace parley::bench
