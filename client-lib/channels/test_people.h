// People with profiles, for tests of channels. Only tests include it.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_TEST_PEOPLE_H_
#define PARLEY_CLIENT_LIB_CHANNELS_TEST_PEOPLE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "client-lib/channels/channel.h"
#include "client-lib/channels/credential.h"
#include "client-lib/channels/test_relay.h"
#include "client-lib/store/test_profile.h"
#include "gtest/gtest.h"
#include "parley/content/v1/content.pb.h"
#include "parley/content/v1/control.pb.h"

namespace parley::client {

template <typename T>
T Must(absl::StatusOr<T> result) {
  if (!result.ok()) {
    ADD_FAILURE() << result.status();
    PARLEY_CHECK(result.ok());
  }
  return std::move(*result);
}
inline void Must(const absl::Status& status) {
  if (status.ok()) return;
  ADD_FAILURE() << status;
  PARLEY_CHECK(status.ok());
}

inline content::v1::Content TextContent(const std::string& text) {
  content::v1::Content content;
  content.mutable_text()->set_text(text);
  return content;
}

// A clock that tests turn.
struct TestClock {
  uint64_t now = 1'700'000'000;
};

// One participant with one device and a profile in a folder.
class Person {
 public:
  Person(std::string own_name, Role own_role, std::string own_side, Mailboxes& mailboxes,
         TestClock& clock)
      : name(std::move(own_name)), role(own_role), side(std::move(own_side)) {
    self.participant_id = RandomId<ParticipantId>();
    self.device_id = RandomId<DeviceId>();
    self.identity_key = crypto::RandomArray<32>();
    folder_path_ = folder_ / "profile";
    store = Must(ProfileStore::Create(folder_path_));
    context = {store.get(), &mailboxes, [&clock] { return clock.now; }};
  }

  // As after a crash or a restart: nothing but the files is left.
  void Restart() {
    store.reset();
    store = Must(ProfileStore::Open(folder_path_));
    context.store = store.get();
  }

  // The profile's files as they are now, and their return.
  void Backup(const std::string& name_of_copy) {
    store.reset();
    std::filesystem::copy(folder_path_, folder_ / name_of_copy,
                          std::filesystem::copy_options::recursive);
    Restart();
  }
  void RestoreBackup(const std::string& name_of_copy) {
    store.reset();
    std::filesystem::remove_all(folder_path_);
    std::filesystem::copy(folder_ / name_of_copy, folder_path_,
                          std::filesystem::copy_options::recursive);
    Restart();
  }

  Channel In(const ChannelId& id) { return Channel(context, id); }

  NewMember AsNewMember() {
    packages.push_back(Must(MakeKeyPackage(self)));
    return {self.participant_id, name, role, side, {packages.back().message()}};
  }

  NewChannel Founding(const CaseId& case_id, ChannelKind kind, const std::string& channel_side) {
    NewChannel options;
    options.case_id = case_id;
    options.kind = kind;
    options.side = channel_side;
    options.self = self;
    options.name = name;
    options.role = role;
    options.own_side = side;
    options.payment.bytes = crypto::Secret::CopyOf(crypto::ViewOf("token"));
    return options;
  }

  // Takes a Welcome with whichever of the key packages it is for.
  absl::StatusOr<ChannelId> Join(const CaseId& case_id, const ParticipantId& adder,
                                 const Bytes& wrapper_bytes) {
    content::v1::WelcomeWrapper wrapper;
    PARLEY_CHECK(
        wrapper.ParseFromArray(wrapper_bytes.data(), static_cast<int>(wrapper_bytes.size())));
    absl::Status last = absl::NotFoundError("no key package");
    for (size_t i = 0; i < packages.size(); ++i) {
      mls::KeyPackageBundle copy =
          Must(mls::KeyPackageBundle::Parse(packages[i].SerializeSecret().Reveal()));
      Transaction tx = Must(store->Begin());
      absl::StatusOr<ChannelId> joined =
          Channel::Join(tx, context, wrapper, std::move(copy), {case_id, adder, self});
      if (joined.ok()) {
        Must(tx.Commit());
        packages.erase(packages.begin() + static_cast<std::ptrdiff_t>(i));
        return joined;
      }
      last = joined.status();
      if (last.code() != absl::StatusCode::kNotFound) return last;
    }
    return last;
  }

  absl::StatusOr<MessageId> Queue(const ChannelId& id, const content::v1::Content& content) {
    PARLEY_ASSIGN_OR_RETURN(Transaction tx, store->Begin());
    PARLEY_ASSIGN_OR_RETURN(const MessageId message, In(id).Queue(tx, content));
    PARLEY_RETURN_IF_ERROR(tx.Commit());
    return message;
  }
  absl::Status Say(const ChannelId& id, const std::string& text) {
    PARLEY_RETURN_IF_ERROR(Queue(id, TextContent(text)).status());
    return In(id).Exchange().status();
  }
  absl::Status Prepare(const ChannelId& id, const MembershipChange& change) {
    PARLEY_ASSIGN_OR_RETURN(Transaction tx, store->Begin());
    PARLEY_RETURN_IF_ERROR(In(id).PrepareCommit(tx, change));
    return tx.Commit();
  }
  absl::Status Leave(const ChannelId& id) {
    PARLEY_ASSIGN_OR_RETURN(Transaction tx, store->Begin());
    PARLEY_RETURN_IF_ERROR(In(id).Leave(tx));
    return tx.Commit();
  }

  ChannelInfo Info(const ChannelId& id) {
    const ReadTransaction tx = Must(store->Read());
    return Must(In(id).Info(tx));
  }
  std::vector<ChannelMessage> Messages(const ChannelId& id, MessageQuery query = {}) {
    const ReadTransaction tx = Must(store->Read());
    return Must(In(id).Messages(tx, query));
  }
  // "Mira: hello", in order.
  std::vector<std::string> Heard(const ChannelId& id) {
    MessageQuery query;
    query.kinds = {ContentKind::kText};
    std::vector<std::string> heard;
    for (const ChannelMessage& message : Messages(id, query)) {
      content::v1::Content content;
      PARLEY_CHECK(content.ParseFromArray(message.content.Reveal().data(),
                                          static_cast<int>(message.content.size())));
      heard.push_back(message.author.name + ": " + content.text().text());
    }
    return heard;
  }

  std::string name;
  Role role;
  std::string side;
  ParleyCredential self;
  std::unique_ptr<ProfileStore> store;
  ChannelContext context;
  std::vector<mls::KeyPackageBundle> packages;

 private:
  TestFolder folder_;
  std::string folder_path_;
};

// Gives everybody who waits for one their Welcome.
inline void DeliverWelcomes(Person& from, const ChannelId& id, const CaseId& case_id,
                            const std::vector<Person*>& people) {
  std::vector<WelcomeDelivery> pending;
  {
    const ReadTransaction tx = Must(from.store->Read());
    pending = Must(from.In(id).PendingWelcomes(tx));
  }
  for (const WelcomeDelivery& delivery : pending) {
    for (Person* person : people) {
      if (person->self.device_id != delivery.device_id) continue;
      EXPECT_EQ(Must(person->Join(case_id, from.self.participant_id, delivery.wrapper)), id);
    }
    Transaction tx = Must(from.store->Begin());
    Must(from.In(id).WelcomeDelivered(tx, delivery.id));
    Must(tx.Commit());
  }
}

// The usual cast, and one channel.
class Room : public ::testing::Test {
 protected:
  Room()
      : mira("Mira", Role::kMediator, "", relay, clock),
        tomas("Tomas", Role::kCoMediator, "", relay, clock),
        ana("Ana", Role::kParty, "Harbor", relay, clock),
        lee("Lee", Role::kCounsel, "Harbor", relay, clock),
        ben("Ben", Role::kParty, "Northline", relay, clock) {}

  // Mira opens the channel and adds `members`.
  void Open(ChannelKind kind, const std::string& side, const std::vector<Person*>& members) {
    {
      Transaction tx = Must(mira.store->Begin());
      Must(mira.In(id).Create(tx, mira.Founding(case_id, kind, side)));
      Must(tx.Commit());
    }
    Must(mira.In(id).Exchange());
    Add(mira, members);
    for (Person* member : members) {
      if (IsNeutral(member->role)) ShareControl(mira, *member);
    }
    Settle({&mira});
    for (Person* member : members) Settle({member});
  }

  void Add(Person& committer, const std::vector<Person*>& members) {
    if (members.empty()) return;
    MembershipChange change;
    for (Person* member : members) change.adds.push_back(member->AsNewMember());
    Must(committer.Prepare(id, change));
    const ExchangeResult result = Must(committer.In(id).Exchange());
    EXPECT_TRUE(result.commit_merged);
    DeliverWelcomes(committer, id, case_id, members);
  }

  absl::Status Remove(Person& committer, const Person& member) {
    MembershipChange change;
    change.removes = {member.self.participant_id};
    if (IsNeutral(member.role)) change.new_control_seed = crypto::Secret::Random(32);
    PARLEY_RETURN_IF_ERROR(committer.Prepare(id, change));
    return committer.In(id).Exchange().status();
  }

  void ShareControl(Person& from, Person& to) {
    const ReadTransaction view = Must(from.store->Read());
    const crypto::Secret seed = Must(from.In(id).ControlSeed(view));
    Transaction tx = Must(to.store->Begin());
    Must(to.In(id).LearnControlSeed(tx, seed));
    Must(tx.Commit());
  }

  // Everybody exchanges until nothing happens any more.
  void Settle(const std::vector<Person*>& people) {
    for (int round = 0; round < 20; ++round) {
      bool quiet = true;
      for (Person* person : people) {
        const uint64_t before = relay.mailboxes.empty() ? 0 : Head();
        const ExchangeResult result = Must(person->In(id).Exchange());
        quiet = quiet && result.entries == 0 && Head() == before;
      }
      if (quiet) return;
    }
    ADD_FAILURE() << "the room doesn't settle";
  }
  uint64_t Head() {
    uint64_t sum = 0;
    for (const auto& [mailbox, log] : relay.mailboxes) sum += log.head();
    return sum;
  }

  TestRelay relay;
  TestClock clock;
  const CaseId case_id = RandomId<CaseId>();
  const ChannelId id = RandomId<ChannelId>();
  Person mira;
  Person tomas;
  Person ana;
  Person lee;
  Person ben;
};

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_TEST_PEOPLE_H_
