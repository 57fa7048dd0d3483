#include "client-lib/channels/receipts.h"

#include <algorithm>
#include <string>

#include "client-lib/channels/message_log.h"
#include "crypto/base/status_macros.h"
#include "crypto/primitives/random.h"
#include "parley/content/v1/content.pb.h"

namespace parley::client {
namespace {

// "receipts", of the whole profile.
struct SettingRecord {
  uint8_t version = 1;
  uint8_t off = 0;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.version, self.off);
  }
};
constexpr char kSetting[] = "receipts";

// "channel/ID/reading": what the owner has read of it.
struct ReadingRecord {
  uint8_t version = 1;
  uint64_t number = 0;
  uint32_t incarnation = 0;
  uint64_t position = 0;
  uint64_t due = 0;   // from when on what they don't know of has a record of its own
  uint64_t told = 0;  // the number that they know of
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.version, self.number, self.incarnation, self.position, self.due,
                    self.told);
  }
};

// "channel/ID/receipts": what the others have said, of those who are in it.
struct ReceiptsRecord {
  uint8_t version = 1;
  std::vector<ReadUpTo> receipts;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.version, self.receipts);
  }
};

// By chance up to twice as long: when a record comes doesn't tell when something was read.
uint64_t DueAfter(uint64_t now) {
  const auto chance = crypto::RandomArray<2>();
  const uint64_t spread = (uint64_t{chance[0]} << 8 | chance[1]) % (kSecondsPerReceipt + 1);
  return now + kSecondsPerReceipt + spread;
}

std::string ReadingName(const ChannelNames& names) { return names.Channel() + "/reading"; }
std::string ReceiptsName(const ChannelNames& names) { return names.Channel() + "/receipts"; }

absl::StatusOr<ReadingRecord> LoadReading(const ReadTransaction& tx, const ChannelNames& names) {
  PARLEY_ASSIGN_OR_RETURN(const std::optional<ReadingRecord> record,
                          LoadRecord<ReadingRecord>(tx, RecordClass::kContent, ReadingName(names)));
  return record.value_or(ReadingRecord());
}

absl::StatusOr<ReceiptsRecord> LoadReceipts(const ReadTransaction& tx, const ChannelNames& names) {
  PARLEY_ASSIGN_OR_RETURN(
      std::optional<ReceiptsRecord> record,
      LoadRecord<ReceiptsRecord>(tx, RecordClass::kContent, ReceiptsName(names)));
  return std::move(record).value_or(ReceiptsRecord());
}

// What the others don't know yet of this incarnation; nothing where there is nothing to tell.
absl::StatusOr<std::optional<ReadingRecord>> Untold(ChannelStep& step) {
  PARLEY_ASSIGN_OR_RETURN(const ReadingRecord reading, LoadReading(step.tx(), step.names()));
  const bool has_news = reading.number > reading.told && reading.incarnation == step.incarnation();
  if (!has_news) return std::optional<ReadingRecord>();
  PARLEY_ASSIGN_OR_RETURN(const bool sends, SendsReceipts(step.tx()));
  return sends ? std::optional<ReadingRecord>(reading) : std::nullopt;
}

// What programs tell each other is nothing that somebody reads.
bool IsForPeople(ContentKind kind) {
  switch (kind) {
    case ContentKind::kCheckpoint:
    case ContentKind::kChannelHeads:
    case ContentKind::kCaseSecrets:
    case ContentKind::kParticipantRecord:
    case ContentKind::kCaseChannels:
      return false;
    default:
      return true;
  }
}

// The number of the latest message of somebody else's that is up to there; 0 for none among so many
// of the latest. So receipts never answer receipts.
absl::StatusOr<uint64_t> LatestOfOthers(ChannelStep& step, uint64_t number) {
  constexpr uint64_t kMostLookedAt = 1024;
  const uint64_t last = step.channel().messages;
  for (uint64_t index = last; index > 0 && last - index < kMostLookedAt; --index) {
    PARLEY_ASSIGN_OR_RETURN(const ChannelMessage message,
                            MessageAt(step.tx(), step.names(), index));
    if (message.number <= number && !message.own && IsForPeople(message.kind)) {
      return message.number;
    }
  }
  return uint64_t{0};
}

}  // namespace

absl::StatusOr<bool> SendsReceipts(const ReadTransaction& tx) {
  PARLEY_ASSIGN_OR_RETURN(const std::optional<SettingRecord> record,
                          LoadRecord<SettingRecord>(tx, RecordClass::kContent, kSetting));
  return !record.has_value() || record->off == 0;
}

absl::Status SetSendsReceipts(Transaction& tx, bool sends) {
  SettingRecord record;
  record.off = sends ? 0 : 1;
  return StoreRecord(tx, RecordClass::kContent, kSetting, record);
}

absl::Status NoteReading(Transaction& tx, const ChannelId& id, uint64_t number, uint64_t now) {
  PARLEY_ASSIGN_OR_RETURN(ChannelStep step, ChannelStep::Load(tx, id, now));
  const IncarnationRecord& log = step.log();
  PARLEY_ASSIGN_OR_RETURN(ReadingRecord reading, LoadReading(tx, step.names()));
  if (number <= reading.number) return absl::OkStatus();
  PARLEY_ASSIGN_OR_RETURN(number, LatestOfOthers(step, number));
  if (number <= reading.number) return absl::OkStatus();
  const bool is_first = reading.number <= reading.told || reading.incarnation != step.incarnation();
  if (is_first) reading.due = DueAfter(now);
  reading.number = number;
  // What was read while nobody was to know isn't told when they may know again.
  PARLEY_ASSIGN_OR_RETURN(const bool sends, SendsReceipts(tx));
  if (!sends) reading.told = number;
  // Of an earlier incarnation nothing is told in this one.
  reading.incarnation = number > log.number_base ? step.incarnation() : 0;
  reading.position = number > log.number_base ? number - log.number_base : 0;
  return StoreRecord(tx, RecordClass::kContent, ReadingName(step.names()), reading);
}

absl::StatusOr<uint64_t> ReadSoFar(const ReadTransaction& tx, const ChannelId& id) {
  PARLEY_ASSIGN_OR_RETURN(const ReadingRecord reading, LoadReading(tx, ChannelNames(id)));
  return reading.number;
}

absl::StatusOr<std::vector<ReadUpTo>> ReceiptsOf(const ReadTransaction& tx, const ChannelId& id) {
  PARLEY_ASSIGN_OR_RETURN(ReceiptsRecord record, LoadReceipts(tx, ChannelNames(id)));
  return std::move(record.receipts);
}

absl::StatusOr<bool> ReceiptIsDue(ChannelStep& step) {
  if (step.state().members.size() < 2) return false;
  PARLEY_ASSIGN_OR_RETURN(const std::optional<ReadingRecord> reading, Untold(step));
  return reading.has_value() && step.now() >= reading->due;
}

absl::Status AddReceipt(ChannelStep& step, content::v1::Content& content) {
  content.clear_read_up_to();
  PARLEY_ASSIGN_OR_RETURN(const std::optional<ReadingRecord> reading, Untold(step));
  if (!reading.has_value()) return absl::OkStatus();
  content.mutable_read_up_to()->set_incarnation(reading->incarnation);
  content.mutable_read_up_to()->set_position(reading->position);
  return absl::OkStatus();
}

absl::Status NoteReceiptSent(ChannelStep& step, const content::v1::Content& content) {
  if (!content.has_read_up_to() || content.read_up_to().incarnation() != step.incarnation()) {
    return absl::OkStatus();
  }
  PARLEY_ASSIGN_OR_RETURN(ReadingRecord reading, LoadReading(step.tx(), step.names()));
  const uint64_t told = step.log().number_base + content.read_up_to().position();
  if (told <= reading.told) return absl::OkStatus();
  reading.told = told;
  reading.due = DueAfter(step.now());
  return StoreRecord(step.tx(), RecordClass::kContent, ReadingName(step.names()), reading);
}

absl::Status TakeReceipt(ChannelStep& step, const ParticipantId& author, uint64_t position,
                         const content::v1::Content& content) {
  if (!content.has_read_up_to()) return absl::OkStatus();
  const content::v1::LogPlace& place = content.read_up_to();
  if (place.incarnation() != step.incarnation() || place.position() == 0 ||
      place.position() >= position) {
    return absl::OkStatus();
  }
  PARLEY_ASSIGN_OR_RETURN(ReceiptsRecord record, LoadReceipts(step.tx(), step.names()));
  const uint64_t number = step.log().number_base + place.position();
  const auto own = std::find_if(record.receipts.begin(), record.receipts.end(),
                                [&](const ReadUpTo& one) { return one.participant == author; });
  if (own != record.receipts.end() && own->number >= number) return absl::OkStatus();
  if (own != record.receipts.end()) record.receipts.erase(own);
  std::erase_if(record.receipts, [&](const ReadUpTo& one) {
    return step.state().FindMember(one.participant) == nullptr;
  });
  record.receipts.push_back({author, number, content.claimed_time()});
  return StoreRecord(step.tx(), RecordClass::kContent, ReceiptsName(step.names()), record);
}

}  // namespace parley::client
