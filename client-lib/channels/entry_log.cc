#include "client-lib/channels/entry_log.h"

#include <algorithm>
#include <map>
#include <utility>

#include "client-lib/channels/hash_history.h"
#include "client-lib/channels/message_log.h"
#include "client-lib/channels/transcript.h"
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

absl::Status ReplaceContentHash(ChannelStep& step, uint32_t incarnation, uint64_t position,
                                ByteView left) {
  const std::string name = step.names().Entry(incarnation, position);
  PARLEY_ASSIGN_OR_RETURN(std::optional<EntryRecord> entry,
                          LoadRecord<EntryRecord>(step.tx(), RecordClass::kContent, name));
  if (!entry.has_value()) return absl::OkStatus();
  entry->content_hash = crypto::Sha256({left});
  entry->detail = 0;  // a document's exact size
  return StoreRecord(step.tx(), RecordClass::kContent, name, *entry);
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
  for (uint32_t n = 1; n <= record.incarnation; ++n) {
    PARLEY_ASSIGN_OR_RETURN(const bool there, tx.Has(RecordClass::kContent, names.Incarnation(n)));
    if (!there) continue;
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
    for (uint64_t index = 1; index <= channel.messages; ++index) {
      absl::StatusOr<ChannelMessage> message = MessageAt(tx_, names, index);
      // It is missed at its entry.
      if (absl::IsDataLoss(message.status())) {
        ++unreadable_;
        continue;
      }
      PARLEY_RETURN_IF_ERROR(message.status());
      if (message->incarnation != log_.incarnation) continue;
      if (message->position <= log_.joined.position) continue;
      messages_[message->position] = {message->author.participant_id,
                                      crypto::Sha256({message->content.Reveal()})};
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

  absl::StatusOr<std::string> CheckMessage(uint64_t at, const EntryRecord& entry) {
    const auto message = messages_.find(at);
    if (message == messages_.end()) {
      // A repeated message is kept once, so that by itself is nothing; an unreadable one is.
      if (entry.kind == EntryKind::kContent && unreadable_ > 0) {
        return std::string("what was said there can't be opened");
      }
      return std::string();
    }
    const bool same = entry.kind == EntryKind::kContent && message->second.author == entry.author &&
                      message->second.hash == entry.content_hash;
    messages_.erase(message);
    return same ? std::string() : std::string("what is kept of what was said isn't what came");
  }

  struct Said {
    ParticipantId author;
    crypto::ByteArray<32> hash{};
  };

  const ReadTransaction& tx_;
  const ChannelId& channel_;
  const LoggedIncarnation& log_;
  HashHistory history_;
  std::map<uint64_t, Said> messages_;
  uint64_t unreadable_ = 0;
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
