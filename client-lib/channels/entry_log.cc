#include "client-lib/channels/entry_log.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "client-lib/channels/hash_history.h"
#include "client-lib/channels/incarnations.h"
#include "client-lib/channels/message_log.h"
#include "client-lib/channels/transcript.h"
#include "client-lib/content/parse.h"
#include "crypto/base/status_macros.h"
#include "crypto/primitives/hash.h"
#include "parley/content/v1/content.pb.h"

namespace parley::client {
namespace {

void SetAuthor(EntryRecord& noted, const RosterMember& author) {
  noted.author = author.participant_id;
  noted.author_name = author.name;
  noted.author_role = static_cast<uint8_t>(author.role);
  noted.author_side = author.side;
}

uint64_t DetailOf(const content::v1::Content& content) {
  if (content.has_document()) return content.document().size();
  if (content.has_case_act()) return content.case_act().act();
  if (content.has_calendar_entry()) {
    return static_cast<uint64_t>(std::max(0, static_cast<int>(content.calendar_entry().kind())));
  }
  if (content.has_calendar_answer()) {
    return content.calendar_answer().answer() == content::v1::CalendarAnswer::ANSWER_DONE
               ? content::v1::CalendarEntry::KIND_REMINDER
               : content::v1::CalendarEntry::KIND_MEETING;
  }
  return 0;
}

void AddChange(EntryRecord& noted, bool joined, const RosterMember& member) {
  noted.changes.push_back({uint8_t{joined}, member.participant_id, member.name,
                           static_cast<uint8_t>(member.role), member.side});
}

bool HasMember(const std::vector<RosterMember>& members, const ParticipantId& id) {
  return std::any_of(members.begin(), members.end(),
                     [&](const RosterMember& member) { return member.participant_id == id; });
}

}  // namespace

void NoteContent(EntryRecord& noted, const RosterMember& author,
                 const content::v1::Content& content, ByteView serialized) {
  noted.kind = EntryKind::kContent;
  SetAuthor(noted, author);
  noted.body = static_cast<uint32_t>(content.body_case());
  noted.detail = DetailOf(content);
  noted.claimed_time = content.claimed_time();
  noted.content_hash = crypto::Sha256({serialized});
}

void NoteCommit(EntryRecord& noted, const RosterMember* committer,
                const std::vector<RosterMember>& before, const std::vector<RosterMember>& after) {
  noted.kind = EntryKind::kCommit;
  if (committer != nullptr) SetAuthor(noted, *committer);
  for (const RosterMember& member : before) {
    if (!HasMember(after, member.participant_id)) AddChange(noted, false, member);
  }
  for (const RosterMember& member : after) {
    if (!HasMember(before, member.participant_id)) AddChange(noted, true, member);
  }
}

absl::Status KeepEntry(ChannelStep& step, const Entry& entry) {
  EntryRecord& noted = step.noted();
  TranscriptLink link = LinkOf(entry);
  noted.generation = link.generation;
  noted.append_id = link.append_id;
  noted.payload_hash = link.payload_hash;
  noted.closing = std::move(link.closing);
  return StoreRecord(step.tx(), RecordClass::kContent,
                     step.names().Entry(step.incarnation(), entry.position), noted);
}

namespace {

// `size`: nothing leaves the entry's detail as it is.
absl::Status ReplaceHash(ChannelStep& step, uint32_t incarnation, uint64_t position, ByteView left,
                         std::optional<uint64_t> size) {
  const std::string name = step.names().Entry(incarnation, position);
  PARLEY_ASSIGN_OR_RETURN(std::optional<EntryRecord> entry,
                          LoadRecord<EntryRecord>(step.tx(), RecordClass::kContent, name));
  if (!entry.has_value()) return absl::OkStatus();
  entry->content_hash = crypto::Sha256({left});
  if (size.has_value()) entry->detail = *size;
  return StoreRecord(step.tx(), RecordClass::kContent, name, *entry);
}

}  // namespace

absl::Status ReplaceContentHash(ChannelStep& step, uint32_t incarnation, uint64_t position,
                                ByteView left, uint64_t size) {
  return ReplaceHash(step, incarnation, position, left, size);
}

absl::Status ForgetContentHash(ChannelStep& step, uint32_t incarnation, uint64_t position,
                               ByteView left) {
  return ReplaceHash(step, incarnation, position, left, std::nullopt);
}

absl::Status KeepOpening(ChannelStep& step) {
  EntryRecord opening;
  opening.kind = EntryKind::kOpening;
  if (const RosterMember* self = step.state().FindMember(step.self().participant_id)) {
    SetAuthor(opening, *self);
  }
  return StoreRecord(step.tx(), RecordClass::kContent, step.names().Entry(step.incarnation(), 0),
                     opening);
}

// ---- Reading ----

absl::StatusOr<std::vector<LoggedIncarnation>> ListIncarnations(const ReadTransaction& tx,
                                                                const ChannelId& channel) {
  const ChannelNames names(channel);
  PARLEY_ASSIGN_OR_RETURN(const ChannelRecord record, LoadChannel(tx, names));
  std::vector<LoggedIncarnation> listed;
  PARLEY_ASSIGN_OR_RETURN(const std::vector<uint32_t> stored,
                          StoredIncarnations(tx, names, record.incarnation));
  for (const uint32_t n : stored) {
    PARLEY_ASSIGN_OR_RETURN(const IncarnationRecord log, LoadIncarnation(tx, names, n));
    const absl::StatusOr<ChannelState> state = ParseChannelState(log.state);
    if (!state.ok()) return absl::DataLossError("a channel's record in the profile is damaged");
    listed.push_back(
        {n, state->mailbox_id, {log.joined_position, log.joined_hash}, {log.position, log.hash}});
  }
  return listed;
}

absl::StatusOr<std::optional<EntryRecord>> LoadEntry(const ReadTransaction& tx,
                                                     const ChannelId& channel, uint32_t incarnation,
                                                     uint64_t position) {
  return LoadRecord<EntryRecord>(tx, RecordClass::kContent,
                                 ChannelNames(channel).Entry(incarnation, position));
}

namespace {

// A stored message, as far as an entry knows it.
struct Said {
  uint64_t index = 0;
  EntryRecord noted;
  bool sound = false;       // its record agrees with its content
  bool taken_back = false;  // of what was said only that is left
  bool destroyed = false;   // nothing is left
};

Said Recompute(const ChannelMessage& message) {
  Said said;
  said.index = message.index;
  content::v1::Content content;
  if (!ParseFromPeer(content, message.content.Reveal())) return said;
  NoteContent(said.noted, message.author, content, message.content.Reveal());
  said.destroyed = message.kind == ContentKind::kDestroyed &&
                   content.body_case() == content::v1::Content::BODY_NOT_SET;
  said.sound = IdFrom<MessageId>(content.message_id()) == message.id &&
               (said.destroyed || KindOf(content) == message.kind) &&
               content.claimed_time() == message.claimed_time;
  said.taken_back =
      content.has_retraction() && content.retraction().message_id() == content.message_id();
  return said;
}

bool IsWhatCame(const Said& said, const EntryRecord& entry) {
  const EntryRecord& noted = said.noted;
  const bool same =
      said.sound && noted.author == entry.author && noted.author_name == entry.author_name &&
      noted.author_role == entry.author_role && noted.author_side == entry.author_side &&
      noted.claimed_time == entry.claimed_time && noted.content_hash == entry.content_hash;
  if (!same) return false;
  if (noted.body == entry.body && noted.detail == entry.detail) return true;
  if (said.destroyed) return true;  // the entry still says what it was
  // Of a text or a document the entry still says that it was one.
  const auto body = static_cast<content::v1::Content::BodyCase>(entry.body);
  return said.taken_back &&
         (body == content::v1::Content::kText || body == content::v1::Content::kDocument);
}

// Recomputes one incarnation's chain.
class ChainVerifier {
 public:
  ChainVerifier(const ReadTransaction& tx, const ChannelId& channel, const LoggedIncarnation& log)
      : tx_(tx),
        channel_(channel),
        log_(log),
        history_([names = ChannelNames(channel), n = log.incarnation](uint64_t block) {
          return names.Hashes(n, block);
        }) {}

  absl::StatusOr<ChainFinding> Run() {
    PARLEY_RETURN_IF_ERROR(LoadMessages());
    if (finding_.broken_at != 0) return finding_;
    hash_ = log_.joined.hash;
    if (log_.joined.position == 0 && hash_ != TranscriptStart(log_.mailbox_id)) {
      return Broken(0, "the chain doesn't begin with its mailbox");
    }
    for (uint64_t at = log_.joined.position + 1; at <= log_.head.position; ++at) {
      absl::StatusOr<std::string> problem = Step(at);
      // What can't be opened is a place where the chain breaks.
      if (absl::IsDataLoss(problem.status())) problem = std::string(problem.status().message());
      PARLEY_RETURN_IF_ERROR(problem.status());
      if (!problem->empty()) return Broken(at, *std::move(problem));
    }
    if (hash_ != log_.head.hash) return Broken(log_.head.position, "the head is another one");
    if (!messages_.empty()) {
      return Broken(messages_.begin()->first, "a message stands where the log has no entry");
    }
    PARLEY_RETURN_IF_ERROR(LeaveToOthers());
    if (!unreadable_.empty()) {
      return Broken(unreadable_.begin()->second.after + 1,
                    "a message there, or soon after, can't be opened");
    }
    return finding_;
  }

 private:
  ChainFinding Broken(uint64_t at, std::string problem) {
    finding_.broken_at = at;
    finding_.problem = std::move(problem);
    return finding_;
  }

  // The contents that are stored of this incarnation, by position.
  absl::Status LoadMessages() {
    const ChannelNames names(channel_);
    PARLEY_ASSIGN_OR_RETURN(const ChannelRecord channel, LoadChannel(tx_, names));
    uint32_t last_incarnation = 0;
    uint64_t last_position = 0;
    std::vector<uint64_t> before_all;  // unreadable ones that nothing readable comes before
    for (uint64_t index = 1; index <= channel.messages; ++index) {
      const absl::StatusOr<ChannelMessage> message = MessageAt(tx_, names, index);
      if (absl::IsDataLoss(message.status())) {
        if (last_incarnation == 0) before_all.push_back(index);
        if (last_incarnation == log_.incarnation) unreadable_[index] = {last_position};
        damaged_.insert(index);
        // More than there can be: the number itself is wrong.
        if (damaged_.size() > kMostDamaged) {
          Broken(last_position + 1, "more messages are missing than can have come");
          return absl::OkStatus();
        }
        continue;
      }
      PARLEY_RETURN_IF_ERROR(message.status());
      if (last_incarnation == 0 && message->incarnation == log_.incarnation) {
        for (const uint64_t earlier : before_all) unreadable_[earlier] = {log_.joined.position};
      }
      last_incarnation = message->incarnation;
      last_position = message->position;
      if (message->incarnation != log_.incarnation) continue;
      if (message->position <= log_.joined.position) continue;
      if (!messages_.emplace(message->position, Recompute(*message)).second) {
        Broken(message->position, "two messages stand at one place");
        return absl::OkStatus();
      }
    }
    if (last_incarnation == 0) {
      for (const uint64_t index : before_all) unreadable_[index] = {log_.joined.position};
    }
    return absl::OkStatus();
  }

  // Those damaged messages that another incarnation's entries name are theirs.
  absl::Status LeaveToOthers() {
    if (unreadable_.empty()) return absl::OkStatus();
    PARLEY_ASSIGN_OR_RETURN(const std::vector<LoggedIncarnation> all,
                            ListIncarnations(tx_, channel_));
    for (const LoggedIncarnation& other : all) {
      if (other.incarnation == log_.incarnation) continue;
      for (uint64_t at = other.joined.position + 1; at <= other.head.position; ++at) {
        const auto entry = LoadEntry(tx_, channel_, other.incarnation, at);
        // Its own check says so.
        if (absl::IsDataLoss(entry.status())) continue;
        PARLEY_RETURN_IF_ERROR(entry.status());
        if (entry->has_value()) unreadable_.erase((*entry)->message);
      }
    }
    return absl::OkStatus();
  }

  // What is wrong with the entry; empty for nothing.
  absl::StatusOr<std::string> Step(uint64_t at) {
    PARLEY_ASSIGN_OR_RETURN(const std::optional<TranscriptHash> stored, history_.Get(tx_, at));
    PARLEY_ASSIGN_OR_RETURN(const std::optional<EntryRecord> entry,
                            LoadEntry(tx_, channel_, log_.incarnation, at));
    if (!stored.has_value()) return std::string("its hash is missing");
    if (!entry.has_value()) {
      // Earlier versions kept the hash alone.
      if (recorded_) return std::string("the entry is missing");
      ++finding_.not_recorded;
      messages_.erase(at);
      hash_ = *stored;
      return std::string();
    }
    recorded_ = true;
    hash_ = TranscriptStep(hash_, TranscriptLink{at, entry->generation, entry->append_id,
                                                 entry->payload_hash, entry->closing});
    if (hash_ != *stored) return std::string("the hash isn't that of the entry and those before");
    return CheckMessage(at, *entry);
  }

  // The message that the entry names, and none else.
  std::string CheckMessage(uint64_t at, const EntryRecord& entry) {
    const auto message = messages_.find(at);
    const bool named = entry.kind == EntryKind::kContent && entry.message != 0;
    if (message == messages_.end()) {
      if (!named) return {};
      unreadable_.erase(entry.message);
      return damaged_.contains(entry.message) ? "what was said there can't be opened"
                                              : "what was said there is missing";
    }
    const Said said = std::move(message->second);
    messages_.erase(message);
    if (!named) return "a message stands where none was kept";
    const bool same = said.index == entry.message && IsWhatCame(said, entry);
    return same ? "" : "what is kept of what was said isn't what came";
  }

  struct Unreadable {
    uint64_t after = 0;  // the position of the message before it
  };
  // A profile with more of them has worse to tell.
  static constexpr size_t kMostDamaged = 10'000;

  const ReadTransaction& tx_;
  const ChannelId& channel_;
  const LoggedIncarnation& log_;
  HashHistory history_;
  std::map<uint64_t, Said> messages_;
  std::set<uint64_t> damaged_;                 // indexes, of all incarnations
  std::map<uint64_t, Unreadable> unreadable_;  // those that may be this one's
  bool recorded_ = false;
  TranscriptHash hash_{};
  ChainFinding finding_;
};

}  // namespace

absl::StatusOr<ChainFinding> VerifyChain(const ReadTransaction& tx, const ChannelId& channel,
                                         const LoggedIncarnation& log) {
  return ChainVerifier(tx, channel, log).Run();
}

}  // namespace parley::client
