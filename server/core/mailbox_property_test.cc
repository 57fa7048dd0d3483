// Random operations on mailboxes against a model that is nothing but a list.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "server/core/relay_fixture_for_test.h"

namespace parley::server {
namespace {

struct ModelEntry {
  uint64_t generation;
  std::string append_id;
  std::string payload;
  bool closing;
};

// A mailbox, what should be in it, and the requests that made it.
struct Modelled {
  TestMailbox mailbox;
  std::vector<ModelEntry> log;
  std::vector<v1::AppendRequest> sent;
  uint64_t first_kept = 1;
};

class MailboxPropertyTest : public testing::TestWithParam<uint32_t> {
 protected:
  MailboxPropertyTest() : random_(GetParam()) {
    for (int i = 0; i < 3; ++i) modelled_.push_back({relay_.NewMailbox(), {}, {}, 1});
  }

  size_t Below(size_t bound) { return random_() % bound; }

  void Record(Modelled& m, const v1::AppendRequest& request) {
    absl::StatusOr<uint64_t> position = relay_.Append(request);
    ASSERT_TRUE(position.ok()) << position.status();
    m.log.push_back(
        {request.generation(), request.append_id(), request.payload(), request.has_closing()});
    ASSERT_EQ(*position, m.log.size());
    m.sent.push_back(request);
  }

  void AppendSomething(Modelled& m) {
    Record(m, relay_.AppendRequest(m.mailbox, RandomString(1 + Below(300))));
  }

  void Close(Modelled& m) {
    GenerationSecrets next;
    v1::AppendRequest request = relay_.AppendRequest(m.mailbox, RandomString(Below(200)));
    RelayFixture::AddClosing(request, m.mailbox, next, m.mailbox.secrets.back().control);
    Record(m, request);
    m.mailbox.secrets.push_back(std::move(next));
  }

  // A generation whose keys the mailbox still has: some of its entries are kept, or it is open.
  uint64_t KnownGeneration(const Modelled& m) {
    std::vector<uint64_t> known = {m.mailbox.generation()};
    for (uint64_t position = m.first_kept; position <= m.log.size(); ++position) {
      known.push_back(m.log[position - 1].generation);
    }
    return known[Below(known.size())];
  }

  void AppendStale(Modelled& m) {
    const uint64_t generation = KnownGeneration(m);
    if (generation == m.mailbox.generation()) return;
    absl::Status status =
        relay_
            .Append(relay_.AppendRequest(m.mailbox, generation,
                                         relay_.AppendToken(m.mailbox, generation), "late"))
            .status();
    ASSERT_EQ(status.code(), absl::StatusCode::kAborted);
    ASSERT_EQ(RelayFixture::CurrentGeneration(status), m.mailbox.generation());
  }

  // The same request again, or the same id with other bytes.
  void Repeat(Modelled& m, bool alter) {
    if (m.first_kept > m.sent.size()) return;
    const uint64_t position = m.first_kept + Below(m.sent.size() - m.first_kept + 1);
    v1::AppendRequest request = m.sent[position - 1];
    if (alter && !request.has_closing()) {
      request.set_payload(request.payload() + "!");
      ASSERT_EQ(relay_.Append(request).status().code(), absl::StatusCode::kAlreadyExists);
    } else {
      absl::StatusOr<uint64_t> again = relay_.Append(request);
      ASSERT_TRUE(again.ok()) << again.status();
      ASSERT_EQ(*again, position);
    }
  }

  void Trim(Modelled& m) {
    const uint64_t to = m.first_kept + Below(m.log.size() + 2 - m.first_kept);
    ASSERT_TRUE(relay_.Control(m.mailbox, ControlAct::kTrim, to).ok());
    m.first_kept = std::max(m.first_kept, to);
  }

  // Reads one generation from a random position, in random pages, and compares all there is to see.
  void ReadAndCompare(const Modelled& m) {
    const uint64_t generation = KnownGeneration(m);
    std::vector<uint64_t> expected;
    for (uint64_t position = m.first_kept; position <= m.log.size(); ++position) {
      if (m.log[position - 1].generation == generation) expected.push_back(position);
    }
    std::vector<v1::Entry> entries =
        relay_.ReadAll(m.mailbox, generation, static_cast<uint32_t>(1 + Below(7)));
    ASSERT_EQ(entries.size(), expected.size());
    for (size_t i = 0; i < entries.size(); ++i) {
      const ModelEntry& model = m.log[expected[i] - 1];
      ASSERT_EQ(entries[i].position(), expected[i]);
      ASSERT_EQ(entries[i].generation(), generation);
      ASSERT_EQ(entries[i].append_id(), model.append_id);
      ASSERT_EQ(entries[i].payload(), model.payload);
      ASSERT_EQ(entries[i].has_closing(), model.closing);
    }
  }

  // With one append key.
  static constexpr uint64_t kGenerationBytes = 128 + 32;

  // The sponsor is charged exactly for what is kept, and for the mailboxes' reserves.
  void CompareUsage() {
    uint64_t bytes = 0;
    for (const Modelled& m : modelled_) {
      for (uint64_t position = m.first_kept; position <= m.log.size(); ++position) {
        const ModelEntry& entry = m.log[position - 1];
        bytes += entry.payload.size() + relay_.limits.entry_overhead_bytes;
        if (entry.closing) bytes += kGenerationBytes;
      }
      uint64_t generations = m.mailbox.generation();
      for (uint64_t position = 1; position < m.first_kept; ++position) {
        generations -= m.log[position - 1].closing ? 1 : 0;
      }
      bytes += generations * kGenerationBytes;
      uint64_t closed = 0;
      for (const ModelEntry& entry : m.log) {
        if (!entry.closing) continue;
        closed += entry.payload.size() + relay_.limits.entry_overhead_bytes + 2 * kGenerationBytes;
      }
      bytes += std::max(relay_.limits.closing_reserve_factor * closed,
                        relay_.limits.least_closing_reserve_bytes);
    }
    ASSERT_EQ(relay_.Usage("sponsor").used_bytes, bytes);
    ASSERT_EQ(relay_.Usage("sponsor").used_objects, modelled_.size());
  }

  RelayFixture relay_;
  std::mt19937 random_;
  std::vector<Modelled> modelled_;
};

TEST_P(MailboxPropertyTest, RandomOperationsMatchAModel) {
  for (int step = 0; step < 600; ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    Modelled& m = modelled_[Below(modelled_.size())];
    switch (Below(16)) {
      case 0:
        Close(m);
        break;
      case 1:
        AppendStale(m);
        break;
      case 2:
      case 3:
        Repeat(m, Below(2) == 0);
        break;
      case 4:
      case 5:
      case 6:
        ReadAndCompare(m);
        break;
      case 7:
        if (Below(4) == 0) Trim(m);
        CompareUsage();
        break;
      default:
        AppendSomething(m);
    }
    if (HasFatalFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, MailboxPropertyTest, testing::Range(1u, 9u));

}  // namespace
}  // namespace parley::server
