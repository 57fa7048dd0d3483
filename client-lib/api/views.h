// The public values, made from the records: cases, participants, channels, messages, documents,
// alarms. Nothing here uses the network.
//
// Threading: functions on a transaction.
// Errors: the store's; NotFound for ids that the profile doesn't know.
#ifndef PARLEY_CLIENT_LIB_API_VIEWS_H_
#define PARLEY_CLIENT_LIB_API_VIEWS_H_

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "client-lib/cases/calendar_work.h"
#include "client-lib/cases/case_context.h"
#include "client-lib/cases/neutrals_log.h"
#include "client-lib/cases/procedure_work.h"
#include "client-lib/firewall/brief_log.h"
#include "client-lib/firewall/disclosures.h"
#include "client-lib/firewall/offer_log.h"
#include "parley/content/v1/content.pb.h"
#include "parley/profile.h"
#include "parley/types.h"

namespace parley::client {

class SessionView;

absl::StatusOr<Case> ViewCase(const ReadTransaction& step, const CaseContext& context);

absl::StatusOr<std::vector<Participant>> ViewParticipants(const ReadTransaction& step,
                                                          const CaseContext& context);

absl::StatusOr<std::vector<Alarm>> ViewAlarms(const ReadTransaction& step,
                                              const CaseContext& context);

// What messages of one case are shown by; loaded when it is first needed.
struct LoadedRecords {
  std::optional<Disclosures> disclosures;
  std::optional<BriefLog> briefs;
  std::map<ChannelId, ChannelOffers> offers;      // of each channel
  std::shared_ptr<const SessionView> session;     // for the joint channel's
  std::map<ChannelId, LoadedCalendar> calendars;  // of each channel
};

// With whom the owner has compared safety numbers.
absl::StatusOr<std::set<ParticipantId>> ComparedPeers(const ReadTransaction& step,
                                                      const CaseContext& context);

// Shows persons, channels and messages of one case; knows whom the owner has compared.
class CaseView {
 public:
  static absl::StatusOr<CaseView> Create(const ReadTransaction& step, const CaseContext& context);

  const CaseRecord& record() const { return record_; }

  // In the order: joint, caucuses by side, neutrals, others.
  absl::StatusOr<std::vector<parley::Channel>> Channels(const ReadTransaction& step) const;
  absl::StatusOr<parley::Channel> Channel(const ReadTransaction& step, const ChannelId& id) const;

  // A message as Messages() shows it.
  absl::StatusOr<Message> View(const ReadTransaction& step, const ChannelId& id,
                               const ChannelState& channel, const ChannelMessage& message,
                               LoadedRecords& loaded) const;
  // Whether the acts on the case's state stand in that channel.
  bool KeepsProcedureIn(const ChannelId& id) const {
    return procedure_ != nullptr && procedure_->joint == id;
  }
  // Why everybody passed over the act at that place of the joint channel's log; empty for one that
  // counts, or that isn't known there.
  std::string WhyActDoesntCount(uint32_t incarnation, uint64_t position) const;
  Person PersonOf(const RosterMember& member) const;

  // Messages and documents.
  absl::StatusOr<std::vector<Message>> Messages(const ReadTransaction& step, const ChannelId& id,
                                                const Page& page = {}) const;
  absl::StatusOr<std::vector<Message>> Unsent(const ReadTransaction& step,
                                              const ChannelId& id) const;
  absl::StatusOr<std::vector<Message>> NeverSent(const ReadTransaction& step,
                                                 const ChannelId& id) const;
  absl::StatusOr<std::vector<Document>> Documents(const ReadTransaction& step, const ChannelId& id,
                                                  const Page& page = {}) const;
  // The documents of a release that counts, as they are shown.
  std::vector<Document> ReleasedDocuments(const ChannelId& id, const ReleaseRecord& release) const;
  // A document of a channel's message.
  Document ShowDocument(const Message& message, const content::v1::Document& manifest) const;
  // The manifest of a shared document. Errors: NotFound when this channel has no such document;
  // FailedPrecondition when it was withdrawn, or its time is over.
  absl::StatusOr<content::v1::Document> Manifest(const ReadTransaction& step,
                                                 const DocumentRef& document) const;

 private:
  // The messages of a page that people see.
  absl::StatusOr<std::vector<ChannelMessage>> Shown(const ReadTransaction& step,
                                                    const ChannelId& id, const Page& page) const;
  // The documents that a message shows, behind the others.
  absl::Status AddDocumentsOf(const ReadTransaction& step, const ChannelId& id,
                              const ChannelState& channel, const ChannelMessage& message,
                              LoadedRecords& loaded, std::vector<Document>& documents) const;
  // `hold`: why those wait that have no other reason.
  std::vector<Message> ForPeople(const ChannelId& id, const std::vector<ChannelMessage>& messages,
                                 const std::string& hold) const;
  parley::Channel ShowChannel(const ChannelId& id, const ChannelInfo& info) const;
  Message ShowMessage(const ChannelId& id, const ChannelMessage& message) const;
  // What of documents a record is about (document_view.cc): versions, ends, releases of briefs.
  absl::Status ShowDocuments(const ReadTransaction& step, const ChannelId& id,
                             const ChannelMessage& message, LoadedRecords& loaded,
                             Message& view) const;
  // What of a session concerns a message (session_messages.cc): a record's words, the floor, the
  // message that it quotes. `session`: of the joint channel; null for others.
  absl::Status ShowSession(const ReadTransaction& step, const ChannelId& id,
                           const ChannelMessage& message, const SessionView* session,
                           Message& view) const;
  // A record of the channel's calendar (calendar_view.cc).
  absl::Status ShowCalendar(const ReadTransaction& step, const ChannelId& id,
                            const ChannelMessage& message, LoadedRecords& loaded,
                            Message& view) const;
  absl::StatusOr<QuotedMessage> ShowQuote(const ReadTransaction& step, const ChannelId& id,
                                          const content::v1::Quote& quote) const;
  // Why a message should not have been said; empty for nothing, and without a procedure.
  absl::StatusOr<std::string> AgainstProcedure(const ReadTransaction& step,
                                               const ChannelState& channel,
                                               const ChannelMessage& message) const;

  CaseContext context_;
  CaseRecord record_;
  std::set<ParticipantId> compared_;
  std::shared_ptr<const LoadedProcedure> procedure_;  // null: the case keeps none
  CaucusRule caucus_rule_ = CaucusRule::kClosed;      // by the agreement in force
};

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_API_VIEWS_H_
