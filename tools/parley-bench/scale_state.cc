#include "tools/parley-bench/scale_state.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "crypto/primitives/random.h"
#include "storage/kv/rocksdb_store.h"
#include "storage/records/keys.h"
#include "storage/records/records.h"
#include "tools/parley-bench/must.h"

namespace parley::bench {
namespace {

using storage::Durability;
using storage::Space;
using storage::WriteBatch;

constexpr size_t kChangesInBatch = 4000;
constexpr uint64_t kAllowed = uint64_t{1} << 40;
constexpr uint64_t kOverhead = 256;  // as the relay counts an entry

storage::SponsorId OnlySponsor(const storage::KeyValueStore& store) {
  std::optional<storage::SponsorId> sponsor;
  Must(store.Scan(Space::kRecords, storage::kSponsorPrefix,
                  storage::PrefixEnd(storage::kSponsorPrefix),
                  [&](std::string_view key, std::string_view /*value*/) {
                    sponsor = storage::IdFrom<16>(key.substr(storage::kSponsorPrefix.size()));
                    return false;
                  }));
  if (!sponsor.has_value()) Must(absl::NotFoundError("the relay has no sponsor"));
  return *sponsor;
}

class StateWriter {
 public:
  StateWriter(storage::KeyValueStore& store, const crypto::SignatureKey& key)
      : store_(store), sponsor_(OnlySponsor(store)), keys_{key.public_key(), key.public_key(), {}} {
    keys_.append_keys = {key.public_key()};
  }

  void Write(const storage::ObjectId& mailbox, const ScaleState& state) {
    storage::MailboxRecord record;
    record.sponsor = sponsor_;
    record.head = state.entries_each;
    record.allowed_entries = record.allowed_bytes = kAllowed;
    record.used_entries = state.entries_each;
    record.used_bytes = state.entries_each * state.entry_bytes;
    record.stored_bytes = state.entries_each * (state.entry_bytes + kOverhead);
    Put(storage::MailboxKey(mailbox), storage::SerializeRecord(record));
    storage::GenerationRecord generation;
    generation.keys = keys_;
    Put(storage::GenerationKey(mailbox, 1), storage::SerializeRecord(generation));
    for (uint64_t position = 1; position <= state.entries_each; ++position) {
      storage::EntryRecord entry;
      entry.append_id = crypto::RandomArray<16>();
      Put(storage::EntryKey(mailbox, position),
          storage::SerializeEntry(entry, std::string(state.entry_bytes, 'e')));
      Put(storage::AppendIdKey(mailbox, entry.append_id),
          storage::SerializeRecord(storage::AppendIdRecord{position}));
    }
    if (batch_.changes().size() >= kChangesInBatch) Commit(Durability::kBuffered);
  }

  void Commit(Durability durability) {
    Must(store_.Commit(batch_, durability));
    batch_ = WriteBatch();
  }

 private:
  void Put(const std::string& key, std::string value) {
    batch_.Put(storage::SpaceOf(key), key, std::move(value));
  }

  storage::KeyValueStore& store_;
  const storage::SponsorId sponsor_;
  storage::GenerationKeySet keys_;
  WriteBatch batch_;
};

}  // namespace

std::vector<client::ObjectId> MakeState(const std::string& data_folder, const ScaleState& state,
                                        const crypto::SignatureKey& key, size_t wanted) {
  const std::unique_ptr<storage::FolderStore> store =
      Must(storage::OpenRocksDbStore(data_folder + "/store"));
  StateWriter writer(*store, key);
  const size_t every = std::max<size_t>(1, state.mailboxes / std::max<size_t>(1, wanted));
  std::vector<client::ObjectId> ids;
  for (size_t i = 0; i < state.mailboxes; ++i) {
    const client::ObjectId id = crypto::RandomArray<32>();
    writer.Write(id, state);
    if (i % every == 0 && ids.size() < wanted) ids.push_back(id);
  }
  writer.Commit(Durability::kSynced);
  return ids;
}

}  // namespace parley::bench
