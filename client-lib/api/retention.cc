#include "client-lib/api/retention.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "client-lib/api/retention_leftovers.h"
#include "client-lib/api/retention_rules.h"
#include "client-lib/content/parse.h"
#include "client-lib/firewall/offer_log.h"
#include "client-lib/firewall/passage_index.h"
#include "client-lib/pairing/record_table.h"
#include "client-lib/search/search_index.h"
#include "crypto/base/status_macros.h"

namespace parley::client {
namespace {

using content::v1::Content;

constexpr uint64_t kNoticeSeconds = 24 * 60 * 60;
constexpr size_t kBatch = 256;

// How far a destruction has come.
constexpr uint8_t kAtRest = 0;
constexpr uint8_t kMessages = 1;  // contents are being destroyed
constexpr uint8_t kFiles = 2;     // the profile's files are to be wiped

// "case/<id>/retention".
struct RetentionRecord {
  uint8_t stage = kAtRest;
  uint64_t noticed_at = 0;  // when this device first foresaw that it destroys by itself; 0: not yet
  uint64_t ended_at = 0;    // of which end that was
  uint64_t looked_at = 0;   // when it last looked for what is due
  std::string hold;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.stage, self.noticed_at, self.ended_at, self.looked_at, self.hold);
  }
};

std::string RecordName(const CaseContext& context) {
  return "case/" + context.id.ToString() + "/retention";
}

absl::StatusOr<RetentionRecord> LoadRetention(const ReadTransaction& step,
                                              const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(
      std::optional<RetentionRecord> record,
      GetRecord<RetentionRecord>(step, RecordClass::kKeys, RecordName(context)));
  return record.has_value() ? std::move(*record) : RetentionRecord();
}

absl::Status SaveRetention(Transaction& step, const CaseContext& context,
                           const RetentionRecord& record) {
  return PutRecord(step, RecordClass::kKeys, RecordName(context), record);
}

// A hold that comes while records are being destroyed keeps those that are still there.
absl::Status CheckNotHeld(const ReadTransaction& step, const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(const RetentionRecord record, LoadRetention(step, context));
  if (record.hold.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "nothing is destroyed: this device holds the case's records (" + record.hold +
      "); release them first (parley case retention --release)");
}

absl::Status DestroyIn(const CaseContext& context, const ChannelId& channel,
                       const std::vector<uint64_t>& indices, size_t batch) {
  for (size_t begin = 0; begin < indices.size(); begin += batch) {
    const auto from = indices.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto end =
        indices.begin() + static_cast<std::ptrdiff_t>(std::min(indices.size(), begin + batch));
    PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
    PARLEY_RETURN_IF_ERROR(CheckNotHeld(step, context));
    PARLEY_RETURN_IF_ERROR(
        context.Channel(channel).Destroy(step, std::vector<uint64_t>(from, end)));
    PARLEY_RETURN_IF_ERROR(step.Commit());
  }
  return absl::OkStatus();
}

absl::Status Mark(const CaseContext& context, uint8_t stage) {
  PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
  PARLEY_ASSIGN_OR_RETURN(RetentionRecord record, LoadRetention(step, context));
  record.stage = stage;
  PARLEY_RETURN_IF_ERROR(SaveRetention(step, context, record));
  return step.Commit();
}

// The classes in own reports that wait to be sent.
absl::StatusOr<std::set<std::string>> WaitingReports(const ReadTransaction& step,
                                                     const CaseContext& context,
                                                     const ChannelId& joint) {
  std::set<std::string> classes;
  PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelMessage> unsent,
                          context.Channel(joint).Unsent(step));
  for (const ChannelMessage& message : unsent) {
    Content content;
    if (message.kind != ContentKind::kProcedure ||
        !ParseFromPeer(content, message.content.Reveal()) ||
        content.case_act().act() != static_cast<uint32_t>(CaseAct::kReportDestruction)) {
      continue;
    }
    classes.insert(content.case_act().destroyed().begin(), content.case_act().destroyed().end());
  }
  return classes;
}

// The classes that this participant hasn't reported yet and of which nothing is left that is due.
absl::StatusOr<std::vector<std::string>> Unreported(const ReadTransaction& step,
                                                    const CaseContext& context,
                                                    const RetentionRules& rules, uint64_t now) {
  PARLEY_ASSIGN_OR_RETURN(const CaseRecord own, context.Records().Case(step));
  std::set<std::string> reported = rules.now().DestroyedBy(own.own_id);
  PARLEY_ASSIGN_OR_RETURN(std::set<std::string> waiting,
                          WaitingReports(step, context, *rules.procedure.joint));
  reported.merge(waiting);
  std::vector<std::string> classes;
  for (const Retention& one : rules.policy.retention) {
    const bool is_due = rules.DueAt(one.period, 0) <= now && IsDestroyable(one.record_class) &&
                        Concerns(one.record_class, own.own_role);
    if (is_due && !reported.contains(one.record_class)) classes.push_back(one.record_class);
  }
  return classes;
}

// The last step: what was made from the contents goes, and the others are told.
absl::Status Conclude(const CaseContext& context, const std::optional<RetentionRules>& rules,
                      const CaseRecord& own, uint64_t now, Destruction& done) {
  PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
  PARLEY_RETURN_IF_ERROR(CheckNotHeld(step, context));
  PARLEY_ASSIGN_OR_RETURN(PassageIndex fingerprints,
                          PassageIndex::Load(step, context.id, own.own_id));
  PARLEY_RETURN_IF_ERROR(fingerprints.Reset(step));
  PARLEY_RETURN_IF_ERROR(SearchIndex::Reset(step));
  if (rules.has_value() && rules->ended) {
    PARLEY_ASSIGN_OR_RETURN(const std::vector<std::string> classes,
                            Unreported(step, context, *rules, now));
    if (!classes.empty()) {
      Content content;
      content.mutable_case_act()->set_act(static_cast<uint32_t>(CaseAct::kReportDestruction));
      for (const std::string& name : classes) content.mutable_case_act()->add_destroyed(name);
      // Who was put out, or has left, tells nobody anything any more.
      const absl::Status told = QueueAct(step, context, content).status();
      if (!absl::IsFailedPrecondition(told)) PARLEY_RETURN_IF_ERROR(told);
      done.reported = told.ok();
      for (const std::string& name : classes) {
        if (std::find(done.classes.begin(), done.classes.end(), name) == done.classes.end()) {
          done.classes.push_back(name);
        }
      }
    }
  }
  PARLEY_ASSIGN_OR_RETURN(RetentionRecord record, LoadRetention(step, context));
  record.stage = kFiles;
  record.looked_at = now;
  PARLEY_RETURN_IF_ERROR(SaveRetention(step, context, record));
  return step.Commit();
}

absl::Status WipeFiles(const CaseContext& context) {
  PARLEY_RETURN_IF_ERROR(context.store->WipeFreed());
  return Mark(context, kAtRest);
}

absl::StatusOr<size_t> DropLeftovers(const CaseContext& context, const CaseRecord& own,
                                     const RetentionRules& rules, uint64_t now) {
  {
    PARLEY_ASSIGN_OR_RETURN(const ReadTransaction read, context.store->Read());
    PARLEY_RETURN_IF_ERROR(CheckNotHeld(read, context));
  }
  PARLEY_ASSIGN_OR_RETURN(size_t dropped, DropTransfers(context, rules, now));
  PARLEY_ASSIGN_OR_RETURN(const size_t carried, DropCarried(context, rules, now));
  dropped += carried;
  for (const ChannelId& id : own.channels) {
    PARLEY_ASSIGN_OR_RETURN(const size_t in_channel, DropUnsent(context, id, rules, now));
    dropped += in_channel;
  }
  return dropped;
}

// Nothing was there to be destroyed or reported: it is looked for again a day later.
absl::Status NoteLooked(const CaseContext& context, uint64_t now) {
  PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
  PARLEY_ASSIGN_OR_RETURN(RetentionRecord record, LoadRetention(step, context));
  record.stage = kAtRest;
  record.looked_at = now;
  PARLEY_RETURN_IF_ERROR(SaveRetention(step, context, record));
  return step.Commit();
}

// From whatever stage on. `is_new`: none was interrupted before.
absl::StatusOr<Destruction> Carry(const CaseContext& context, bool is_new) {
  const uint64_t now = context.now_seconds();
  Destruction done;
  std::optional<RetentionRules> rules;
  CaseRecord own;
  std::vector<std::pair<ChannelId, ChannelScan>> scans;
  std::vector<std::string> unreported;
  {
    PARLEY_ASSIGN_OR_RETURN(const ReadTransaction read, context.store->Read());
    PARLEY_ASSIGN_OR_RETURN(own, context.Records().Case(read));
    PARLEY_ASSIGN_OR_RETURN(rules, LoadRules(read, context));
    for (const ChannelId& id : own.channels) {
      if (!rules.has_value() || !rules->ended) break;
      PARLEY_ASSIGN_OR_RETURN(ChannelScan scan, ScanChannel(read, context, id, *rules, now));
      scans.emplace_back(id, std::move(scan));
    }
    if (rules.has_value() && rules->ended) {
      PARLEY_ASSIGN_OR_RETURN(unreported, Unreported(read, context, *rules, now));
    }
  }
  size_t leftovers = 0;
  if (rules.has_value() && rules->ended) {
    PARLEY_ASSIGN_OR_RETURN(leftovers, DropLeftovers(context, own, *rules, now));
  }
  std::set<std::string> classes;
  for (const auto& [id, scan] : scans) {
    for (const auto& [name, counted] : scan.classes) {
      if (counted.due != 0) classes.insert(name);
    }
    done.records += scan.disclosures.size() + scan.others.size();
    for (const auto& [group, indices] : scan.groups) done.records += indices.size();
  }
  done.classes.assign(classes.begin(), classes.end());
  if (is_new && done.records == 0 && leftovers == 0 && unreported.empty()) {
    PARLEY_RETURN_IF_ERROR(NoteLooked(context, now));
    return done;
  }
  for (const auto& [id, scan] : scans) {
    PARLEY_RETURN_IF_ERROR(DestroyIn(context, id, scan.disclosures, kBatch));
    for (const auto& [group, indices] : scan.groups) {
      PARLEY_RETURN_IF_ERROR(DestroyIn(context, id, indices, indices.size()));
    }
  }
  for (const auto& [id, scan] : scans) {
    PARLEY_RETURN_IF_ERROR(DestroyIn(context, id, scan.others, kBatch));
  }
  PARLEY_RETURN_IF_ERROR(Conclude(context, rules, own, now, done));
  PARLEY_RETURN_IF_ERROR(WipeFiles(context));
  return done;
}

Person PersonOf(const Actor& actor, const ParticipantId& self) {
  Person person;
  person.id = actor.id;
  person.name = actor.name;
  person.role = actor.role;
  person.side = actor.side;
  person.self = actor.id == self;
  return person;
}

int64_t ShownTime(uint64_t time) { return time == kNever ? 0 : static_cast<int64_t>(time); }

void ShowClass(const RetentionRules& rules, const Retention& rule, const ParticipantId& self,
               uint64_t now, RetentionClass& shown) {
  shown.name = rule.record_class;
  shown.how_long = rule.how_long;
  shown.destroyable = IsDestroyable(rule.record_class);
  if (rule.record_class == "agreement") {
    shown.note =
        "kept as long as the profile: the rules of the case, this one among them, are read from "
        "it";
  } else if (!shown.destroyable) {
    shown.note = "this program keeps no records of that class: see to them yourself";
  }
  shown.due_at = ShownTime(rules.DueAt(rule.period, 0));
  for (const Actor& person : rules.now().participants()) {
    if (!shown.destroyable || !Concerns(rule.record_class, person.role)) continue;
    if (rules.now().DestroyedBy(person.id).contains(rule.record_class)) {
      shown.destroyed_by.push_back(PersonOf(person, self));
    } else if (rules.DueAt(rule.period, 0) <= now) {
      shown.awaited.push_back(PersonOf(person, self));
    }
  }
}

// The next time at which something is due, and what is due already counts as now; kNever for none.
uint64_t NextDue(const RetentionRules& rules, const std::vector<std::string>& unreported,
                 uint64_t now) {
  if (!unreported.empty()) return now;
  uint64_t next = kNever;
  for (const Retention& one : rules.policy.retention) {
    const uint64_t due = rules.DueAt(one.period, 0);
    if (IsDestroyable(one.record_class) && due > now) next = std::min(next, due);
  }
  return next;
}

}  // namespace

absl::StatusOr<CaseRetention> ViewRetention(const ReadTransaction& step,
                                            const CaseContext& context) {
  CaseRetention shown;
  const uint64_t now = context.now_seconds();
  PARLEY_ASSIGN_OR_RETURN(const RetentionRecord record, LoadRetention(step, context));
  shown.hold = record.hold;
  shown.unfinished = record.stage != kAtRest;
  PARLEY_ASSIGN_OR_RETURN(const std::optional<RetentionRules> rules, LoadRules(step, context));
  if (!rules.has_value()) return shown;
  PARLEY_ASSIGN_OR_RETURN(const CaseRecord own, context.Records().Case(step));
  shown.agreed = true;
  shown.ended = rules->ended;
  shown.ended_at = static_cast<int64_t>(rules->ended_at);
  shown.automatic = rules->policy.destroys_when_due;
  for (const Retention& rule : rules->policy.retention) {
    ShowClass(*rules, rule, own.own_id, now, shown.classes.emplace_back());
  }
  for (const ChannelId& id : own.channels) {
    PARLEY_ASSIGN_OR_RETURN(const ChannelScan scan, ScanChannel(step, context, id, *rules, now));
    shown.uncovered += scan.uncovered;
    for (RetentionClass& one : shown.classes) {
      const auto counted = scan.classes.find(one.name);
      if (counted == scan.classes.end()) continue;
      one.records += counted->second.records;
      one.records_due += counted->second.due;
    }
  }
  PARLEY_ASSIGN_OR_RETURN(const std::optional<RetentionNotice> notice,
                          NextDestruction(step, context));
  if (notice.has_value() && notice->by_itself) shown.by_itself_at = notice->at;
  return shown;
}

absl::StatusOr<std::optional<RetentionNotice>> NextDestruction(const ReadTransaction& step,
                                                               const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(const RetentionRecord record, LoadRetention(step, context));
  PARLEY_ASSIGN_OR_RETURN(const std::optional<RetentionRules> rules, LoadRules(step, context));
  if (!rules.has_value() || !rules->ended || !record.hold.empty()) {
    return std::optional<RetentionNotice>();
  }
  const uint64_t now = context.now_seconds();
  PARLEY_ASSIGN_OR_RETURN(const std::vector<std::string> due,
                          Unreported(step, context, *rules, now));
  const uint64_t next = NextDue(*rules, due, now);
  if (next == kNever) return std::optional<RetentionNotice>();
  RetentionNotice notice;
  notice.classes = due;
  notice.by_itself = rules->policy.destroys_when_due;
  const bool is_noticed = record.noticed_at != 0 && record.ended_at == rules->ended_at;
  const uint64_t noticed = is_noticed ? record.noticed_at : now;
  notice.at =
      static_cast<int64_t>(notice.by_itself ? std::max(next, noticed + kNoticeSeconds) : next);
  return std::optional<RetentionNotice>(std::move(notice));
}

absl::StatusOr<Destruction> DestroyDue(const CaseContext& context) {
  bool is_new = false;
  {
    PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
    PARLEY_ASSIGN_OR_RETURN(RetentionRecord record, LoadRetention(step, context));
    PARLEY_ASSIGN_OR_RETURN(const std::optional<RetentionRules> rules, LoadRules(step, context));
    if (!rules.has_value()) {
      return absl::FailedPreconditionError(
          "this case has no agreement to mediate in force that you have signed, so nothing says "
          "how "
          "long anything is kept");
    }
    PARLEY_RETURN_IF_ERROR(CheckNotHeld(step, context));
    if (!rules->ended) {
      return absl::FailedPreconditionError(std::string("nothing is destroyed: the case is ") +
                                           CaseStateName(rules->now().state()) +
                                           ", and the agreement's periods run from its end");
    }
    is_new = record.stage == kAtRest;
    record.stage = kMessages;
    PARLEY_RETURN_IF_ERROR(SaveRetention(step, context, record));
    PARLEY_RETURN_IF_ERROR(step.Commit());
  }
  return Carry(context, is_new);
}

namespace {

// Notes that the destruction was foreseen. What else the record says may have changed meanwhile.
absl::Status NoteForeseen(const CaseContext& context, uint64_t ended_at, uint64_t now) {
  PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
  PARLEY_ASSIGN_OR_RETURN(RetentionRecord record, LoadRetention(step, context));
  if (record.stage != kAtRest) return absl::OkStatus();
  record.noticed_at = now;
  record.ended_at = ended_at;
  PARLEY_RETURN_IF_ERROR(SaveRetention(step, context, record));
  return step.Commit();
}

// Begins one, unless somebody has held the records, or begun it, meanwhile.
absl::StatusOr<bool> BeginByItself(const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
  PARLEY_ASSIGN_OR_RETURN(RetentionRecord record, LoadRetention(step, context));
  if (record.stage != kAtRest || !record.hold.empty()) return false;
  record.stage = kMessages;
  PARLEY_RETURN_IF_ERROR(SaveRetention(step, context, record));
  PARLEY_RETURN_IF_ERROR(step.Commit());
  return true;
}

}  // namespace

absl::StatusOr<bool> TendRetention(const CaseContext& context) {
  const uint64_t now = context.now_seconds();
  RetentionRecord record;
  bool may_look = false;
  {
    PARLEY_ASSIGN_OR_RETURN(const ReadTransaction read, context.store->Read());
    PARLEY_ASSIGN_OR_RETURN(record, LoadRetention(read, context));
    if (!record.hold.empty()) return false;
    PARLEY_ASSIGN_OR_RETURN(const std::optional<RetentionRules> rules, LoadRules(read, context));
    if (record.stage == kAtRest) {
      if (!rules.has_value() || !rules->ended || !rules->policy.destroys_when_due) return false;
      PARLEY_ASSIGN_OR_RETURN(const std::vector<std::string> due,
                              Unreported(read, context, *rules, now));
      if (record.ended_at != rules->ended_at) {
        record.noticed_at = 0;
        record.ended_at = rules->ended_at;
      }
      const uint64_t next = NextDue(*rules, due, now);
      const bool is_near = next != kNever && next <= now + kNoticeSeconds;
      may_look = record.noticed_at != 0 && record.noticed_at + kNoticeSeconds <= now &&
                 record.looked_at + kNoticeSeconds <= now;
      if (!may_look && (record.noticed_at != 0 || !is_near)) return false;
    }
  }
  if (record.stage == kFiles) {
    PARLEY_RETURN_IF_ERROR(WipeFiles(context));
    return false;
  }
  const bool is_new = record.stage == kAtRest;
  if (is_new && !may_look) {
    PARLEY_RETURN_IF_ERROR(NoteForeseen(context, record.ended_at, now));
    return false;
  }
  if (is_new) {
    PARLEY_ASSIGN_OR_RETURN(const bool begins, BeginByItself(context));
    if (!begins) return false;
  }
  PARLEY_ASSIGN_OR_RETURN(const Destruction done, Carry(context, is_new));
  return done.reported;
}

// Also while a destruction is interrupted: it stays so until the hold ends.
absl::Status HoldRetention(const CaseContext& context, const std::string& reason) {
  PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
  PARLEY_ASSIGN_OR_RETURN(RetentionRecord record, LoadRetention(step, context));
  record.hold = reason;
  PARLEY_RETURN_IF_ERROR(SaveRetention(step, context, record));
  return step.Commit();
}

absl::StatusOr<bool> IsDestroying(const ReadTransaction& step, const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(const RetentionRecord record, LoadRetention(step, context));
  return record.stage != kAtRest;
}

}  // namespace parley::client
