// What is behind Profile: the store, the relays' connections, and one method for each public call,
// in absl's status types. profile.cc converts.
//
// Threading: safe from any thread; nothing but the connections is kept in memory between calls.
#ifndef PARLEY_CLIENT_LIB_API_PROFILE_IMPL_H_
#define PARLEY_CLIENT_LIB_API_PROFILE_IMPL_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "client-lib/api/carried_shares.h"
#include "client-lib/api/relays.h"
#include "client-lib/api/views.h"
#include "client-lib/cases/case_context.h"
#include "client-lib/cases/case_sync.h"
#include "client-lib/documents/transfer.h"
#include "client-lib/firewall/disclosures.h"
#include "client-lib/procedure/case_procedure.h"
#include "client-lib/store/profile_store.h"
#include "parley/profile.h"

namespace parley {

class __attribute__((visibility("hidden"))) Profile::Impl {
 public:
  using Store = client::ProfileStore;
  using ReadTransaction = client::ReadTransaction;

  static absl::StatusOr<std::shared_ptr<Impl>> Create(const std::string& folder,
                                                      std::string_view name,
                                                      std::optional<std::string_view> passphrase);
  static absl::StatusOr<std::shared_ptr<Impl>> Open(const std::string& folder,
                                                    std::optional<std::string_view> passphrase);

  const std::string& name() const { return name_; }
  absl::Status ChangePassphrase(std::optional<std::string_view> current,
                                std::optional<std::string_view> next);

  // ---- Looking: profile_impl.cc ----
  absl::StatusOr<std::vector<Case>> Cases();
  absl::StatusOr<Case> GetCase(const CaseId& id);
  absl::StatusOr<Case> FindCase(std::string_view text);
  absl::StatusOr<std::vector<Participant>> Participants(const CaseId& id);
  absl::StatusOr<Participant> FindParticipant(const CaseId& id, std::string_view text);
  absl::StatusOr<std::vector<Channel>> Channels(const CaseId& id);
  absl::StatusOr<Channel> GetChannel(const ChannelRef& channel);
  absl::StatusOr<Channel> FindChannel(const CaseId& id, std::string_view text);
  absl::StatusOr<std::vector<Message>> Read(const ChannelRef& channel, const Page& page);
  absl::StatusOr<std::vector<Message>> Unsent(const ChannelRef& channel);
  absl::StatusOr<std::vector<Message>> NeverSent(const ChannelRef& channel);
  absl::StatusOr<std::vector<Document>> Documents(const ChannelRef& channel, const Page& page = {});
  absl::StatusOr<Document> FindDocument(const ChannelRef& channel, std::string_view text);
  absl::StatusOr<std::vector<Alarm>> Alarms(const CaseId& id);

  // ---- Who takes part: profile_impl.cc ----
  absl::StatusOr<CaseId> CreateCase(std::string_view title, std::string_view connection,
                                    const CaseOptions& options);
  absl::StatusOr<Invitation> Invite(const CaseId& id, const InvitationRequest& request);
  absl::StatusOr<CaseId> Join(std::string_view invitation);
  absl::Status Approve(const CaseId& id, const ParticipantId& participant);
  absl::Status MarkCompared(const CaseId& id, const ParticipantId& participant);
  absl::Status MarkSeen(const CaseId& id);
  absl::Status ChangeConnection(const CaseId& id, std::string_view connection);
  absl::Status Remove(const CaseId& id, const ParticipantId& participant);
  absl::Status Leave(const CaseId& id);
  absl::Status Reopen(const ChannelRef& channel);

  // ---- Further channels: further_channels.cc ----
  absl::StatusOr<Channel> CreateChannel(const CaseId& id, const ChannelRequest& request);
  absl::Status Admit(const ChannelRef& channel, const ParticipantId& participant);
  absl::Status Dismiss(const ChannelRef& channel, const ParticipantId& participant);
  absl::Status LeaveTeam(const ChannelRef& channel);
  absl::Status NameSteward(const ChannelRef& channel, const ParticipantId& participant);

  // ---- Messages and documents: sending.cc ----
  absl::StatusOr<SentMessage> Send(const ChannelRef& channel, std::string_view text,
                                   const SendOptions& options);
  absl::StatusOr<SentMessage> Retract(const ChannelRef& channel, const MessageId& message);
  absl::Status Unsend(const ChannelRef& channel, const MessageId& message);
  absl::StatusOr<SentMessage> Share(const ChannelRef& channel, const std::string& path,
                                    const ShareOptions& options, const ProgressCallback& progress);
  // documents.cc
  absl::StatusOr<SentMessage> Withdraw(const DocumentRef& document);
  absl::StatusOr<std::vector<RetentionRule>> Retention(const CaseId& id);
  // ---- Retention: retaining.cc ----
  absl::StatusOr<CaseRetention> RecordsKept(const CaseId& id);
  absl::StatusOr<Destruction> DestroyRecords(const CaseId& id);
  absl::Status HoldRecords(const CaseId& id, std::string_view reason);
  // The hash that start-signing names for the item `about`, or that confirm-settlement confirms,
  // where this device has what it is of.
  absl::StatusOr<client::DocumentHash> SettlementOf(const CaseId& id, CaseAct act,
                                                    const MessageId& about);
  // ---- Transfers: transferring.cc ----
  absl::StatusOr<std::vector<Transfer>> Transfers();
  absl::StatusOr<Transfer> FindTransfer(std::string_view text);
  absl::Status PauseTransfer(const MessageId& id);
  absl::Status ResumeTransfer(const MessageId& id, const ProgressCallback& progress);
  absl::Status CancelTransfer(const MessageId& id);
  // ---- Briefs: briefs.cc ----
  absl::StatusOr<SentMessage> SubmitBrief(const CaseId& id, const std::string& path,
                                          const BriefRequest& request,
                                          const ProgressCallback& progress);
  absl::StatusOr<BriefList> Briefs(const CaseId& id);
  absl::StatusOr<SentMessage> ReleaseBriefs(const CaseId& id, const ProgressCallback& progress);

  absl::Status Fetch(const DocumentRef& document, const std::string& target,
                     const FetchOptions& options, const ProgressCallback& progress);

  // ---- What is in documents: document_contents.cc ----
  absl::StatusOr<std::string> Text(const DocumentRef& document);
  absl::StatusOr<TextDifference> Difference(const DocumentRef& older, const DocumentRef& newer);
  absl::StatusOr<std::string> Preview(const DocumentRef& document);

  // ---- Disclosure with leave: disclosing.cc ----
  absl::StatusOr<SentMessage> Authorise(const ChannelRef& channel,
                                        const AuthorisationRequest& request);
  absl::StatusOr<std::vector<Authorisation>> Authorisations(const CaseId& id);
  absl::StatusOr<Authorisation> FindAuthorisation(const CaseId& id, std::string_view text);
  absl::StatusOr<SentMessage> Revoke(const Authorisation& authorisation);
  absl::StatusOr<SentMessage> Disclose(const Authorisation& authorisation,
                                       const ProgressCallback& progress);
  // ---- The procedure: procedure.cc ----
  absl::StatusOr<CaseProgress> Progress(const CaseId& id);
  absl::StatusOr<MessageId> Act(const CaseId& id, CaseAct act, std::string_view words,
                                const MessageId& about);
  absl::StatusOr<std::string> ProposeAgreement(const CaseId& id, std::string_view text,
                                               std::string_view policy);
  absl::Status SignAgreement(const CaseId& id, std::string_view hash);

  // ---- The record: searching.cc, timeline.cc ----
  absl::StatusOr<std::vector<SearchResult>> Search(const SearchRequest& request);
  absl::StatusOr<CaseTimeline> Timeline(const CaseId& id);
  absl::StatusOr<std::vector<ChainCheck>> VerifyTimeline(const CaseId& id);

  // ---- Offers: offering.cc ----
  absl::StatusOr<OfferList> Offers(const CaseId& id);
  absl::StatusOr<Offer> FindOffer(const CaseId& id, std::string_view text);
  absl::StatusOr<SentOffer> MakeOffer(const ChannelRef& channel, const OfferRequest& request);
  absl::StatusOr<SentOffer> AnswerOffer(const Offer& offer, const OfferReply& reply);
  absl::StatusOr<SentOffer> WithdrawOffer(const Offer& offer, uint32_t version,
                                          std::string_view note);
  // ---- Option sheets: options.cc ----
  absl::StatusOr<SentMessage> MakeOptionSheet(const ChannelRef& channel, std::string_view title,
                                              const std::vector<std::string>& options);
  absl::StatusOr<std::vector<OptionSheet>> OptionSheets(const CaseId& id);
  absl::StatusOr<OptionSheet> FindOptionSheet(const CaseId& id, std::string_view text);
  absl::StatusOr<SentMessage> EvaluateOptions(const ChannelRef& channel, const OptionSheet& sheet,
                                              const std::vector<OptionRating>& ratings,
                                              std::string_view note);

  // ---- Sessions: session.cc ----
  absl::StatusOr<std::vector<SessionText>> SessionTexts(const CaseId& id, SessionTextKind kind);
  absl::StatusOr<MessageId> SetSessionText(const CaseId& id, SessionTextKind kind,
                                           std::string_view text, uint32_t number);
  absl::StatusOr<MessageId> AnswerSessionText(const CaseId& id, const MessageId& version,
                                              bool confirmed, std::string_view words);
  absl::StatusOr<Floor> GetFloor(const CaseId& id);
  absl::StatusOr<MessageId> GiveFloor(const CaseId& id, const FloorRequest& request);
  absl::StatusOr<MessageId> AskForFloor(const CaseId& id, bool lower);
  absl::StatusOr<std::vector<Issue>> Issues(const CaseId& id);
  absl::StatusOr<MessageId> AddIssue(const CaseId& id, std::string_view text);
  absl::StatusOr<MessageId> AdmitIssue(const CaseId& id, const MessageId& issue);
  absl::StatusOr<MessageId> RewordIssue(const CaseId& id, const MessageId& issue,
                                        std::string_view text);
  absl::StatusOr<MessageId> DropIssue(const CaseId& id, const MessageId& issue);
  absl::StatusOr<SentMessage> RankIssues(const CaseId& id, const std::vector<MessageId>& issues);
  absl::StatusOr<std::vector<IssueRanking>> IssueRankings(const CaseId& id);
  absl::StatusOr<std::vector<SpeakingShare>> Balance(const CaseId& id);

  // ---- Meetings and reminders: calendar.cc ----
  absl::StatusOr<std::vector<CalendarEntry>> Calendar(const CaseId& id);
  absl::StatusOr<CalendarEntry> FindInCalendar(const CaseId& id, CalendarKind kind,
                                               std::string_view text);
  absl::StatusOr<CalendarEntry> AddToCalendar(const ChannelRef& channel, CalendarKind kind,
                                              const CalendarRequest& request);
  absl::StatusOr<CalendarEntry> ChangeInCalendar(const CalendarEntry& entry,
                                                 const CalendarChange& change);
  absl::StatusOr<CalendarEntry> CancelInCalendar(const CalendarEntry& entry);
  absl::StatusOr<CalendarEntry> AnswerInCalendar(const CalendarEntry& entry, CalendarReply reply);
  absl::StatusOr<std::string> MeetingFile(const CalendarEntry& meeting, bool with_details);

  // ---- Receipts, and what waits: todo.cc ----
  absl::Status NoteRead(const ChannelRef& channel, uint64_t position, uint64_t from);
  // Whether something that others have said stands unread before there.
  absl::StatusOr<bool> HasUnreadBefore(const ChannelRef& channel, uint64_t position);
  absl::StatusOr<std::vector<ReadReceipt>> Receipts(const ChannelRef& channel);
  absl::StatusOr<bool> SendsReceipts();
  absl::Status SetSendsReceipts(bool sends);
  absl::StatusOr<std::vector<TodoItem>> Todo(const CaseId& id);

  // ---- Keeping up: keeping_up.cc ----
  absl::StatusOr<SyncReport> Sync(const SyncOptions& options);
  absl::Status Watch(const CaseId& id, const std::function<void(const Event&)>& on_event,
                     const Cancellation& cancellation);

 private:
  class Watcher;  // keeping_up.cc

  Impl(std::unique_ptr<Store> store, std::string folder, std::string name)
      : store_(std::move(store)),
        folder_(std::move(folder)),
        name_(std::move(name)),
        relays_(*store_) {}

  // For steps without a relay.
  client::CaseContext LocalContext(const CaseId& id);

  // A context, and the connection that it uses for as long as this lives.
  struct Connected {
    std::shared_ptr<client::ConnectedRelay> relay;
    client::CaseContext context;
  };
  // Errors: NotFound; those of connecting.
  absl::StatusOr<Connected> Connect(const CaseId& id,
                                    client::Patience patience = client::Patience::kUsual);
  absl::StatusOr<Connected> ConnectTo(const client::ConnectionInfo& relay, const CaseId& id,
                                      client::Patience patience = client::Patience::kUsual);

  // Whether the act could be done now; does nothing.
  absl::Status MayAct(const CaseId& id, const content::v1::Content& content);
  // Stores a decision, then carries it out as far as the relay can be reached. `problems` gets what
  // went wrong in the sync, where it isn't null.
  absl::Status Decide(const CaseId& id,
                      const std::function<absl::Status(const client::CaseContext&)>& decide,
                      std::vector<client::CaseProblem>* problems = nullptr);
  // Looks at the rosters for what is still due of a decision about somebody. `put_out`: all of it
  // is an error; otherwise only what something went wrong with.
  absl::Status CheckCarriedOut(const CaseId& id, const ParticipantId& participant, bool put_out,
                               const std::vector<client::CaseProblem>& problems);
  // Syncs, and gives what went wrong with this case as a whole.
  absl::Status SyncAfter(const Connected& connected,
                         std::vector<client::CaseProblem>* problems = nullptr);
  absl::StatusOr<client::CaseRecord> LoadCase(const CaseId& id);

  // After Queue: exchanges with the channel, and tells what became of the message.
  // Drops a message that turned out not to be for all who are in the channel, and says so.
  absl::Status TakeBackGivenUp(const ChannelRef& channel, const MessageId& id);
  // Why a message that waits is held; empty when it isn't.
  absl::StatusOr<std::string> HoldOf(const ChannelRef& channel, const MessageId& id);
  // Beside the connection: that, or why nothing can be sent there; empty for nothing.
  absl::StatusOr<std::string> WhyItWaits(const ChannelRef& channel, const MessageId& id);
  absl::StatusOr<SentMessage> Deliver(const ChannelRef& channel, const MessageId& id,
                                      bool may_stay_queued);
  // Queue and Deliver.
  // Where the text is let through by an override alone: puts the reason into the neutrals' channel,
  // with the id that `content`'s message has from then on. Errors: PermissionDenied for what may
  // not be overridden; Unavailable, and nothing is to be sent, when the relay hasn't taken the
  // record.
  absl::Status RecordOverride(const ChannelRef& channel, const std::string& text,
                              const std::string& reason, content::v1::Content& content);
  absl::StatusOr<SentMessage> QueueAndDeliver(const ChannelRef& channel,
                                              const content::v1::Content& content,
                                              bool may_stay_queued);
  // Share, of a file that may be a brief.
  struct BriefTerms {
    BriefKind kind = BriefKind::kNone;
    std::vector<std::string> sides;
    // When its time is over: of a share that is resumed, which was told so before. 0: not said yet.
    uint64_t expires_at = 0;
  };
  absl::StatusOr<SentMessage> ShareDocument(const ChannelRef& channel, const std::string& path,
                                            const ShareOptions& options, const BriefTerms& brief,
                                            const ProgressCallback& progress);
  // Sets what the options say of a document, beside its content. documents.cc.
  absl::Status SetTerms(const ReadTransaction& step, const ChannelRef& channel,
                        const ShareOptions& options, const BriefTerms& brief,
                        content::v1::Document& manifest);
  // briefs.cc.
  using ReleaseJob = client::ReleaseJob;
  absl::StatusOr<content::v1::BriefRelease> CarryBriefs(const CaseId& id, const ReleaseJob& job,
                                                        const ProgressCallback& progress);
  absl::Status MarkBriefs(const CaseId& id, const ReleaseJob& job);
  absl::StatusOr<ReleaseJob> PrepareRelease(const CaseId& id);
  absl::Status AbandonUploads(const CaseId& id, const ReleaseJob& job);
  // An own release that is queued.
  absl::StatusOr<std::optional<MessageId>> ReleaseThatWaits(const client::ReadTransaction& read,
                                                            const ChannelRef& joint);
  // Sends a release that was queued. Errors: also FailedPrecondition for one that then doesn't
  // count.
  absl::StatusOr<SentMessage> DeliverRelease(const ChannelRef& joint, const MessageId& release);
  // A file that is at the relay; the message of that id is to carry the manifest, and whoever
  // queues it then deletes the share's record.
  struct Uploaded {
    MessageId message_id;
    content::v1::Document manifest;
  };
  // `name`: of the share's record, by which an interrupted one goes on. `message_id`: of a new one.
  absl::StatusOr<Uploaded> Upload(const Connected& connected, const std::string& name,
                                  const std::optional<MessageId>& message_id,
                                  client::UploadRequest request, const ProgressCallback& progress);
  // Errors: NotFound; PermissionDenied for a disclosure that is refused.
  absl::StatusOr<content::v1::Document> LoadManifest(const DocumentRef& document);
  // Marks it as used, and gives the id that the disclosure has.
  absl::StatusOr<MessageId> UseAuthorisation(const Authorisation& authorisation);
  // What is left to do of a disclosure. Errors: FailedPrecondition when it is done, or may not be.
  enum class DisclosureStage { kNew, kWaits };
  absl::StatusOr<DisclosureStage> StageOf(const client::AuthorisationRecord& record,
                                          const ChannelRef& audience);
  // Fetches the document that was authorised into a file, which is not there when that fails.
  absl::Status FetchAuthorised(const client::AuthorisationRecord& record,
                               const Connected& connected, const std::string& path,
                               const ProgressCallback& progress);
  // Brings that file to the relay, as a share of its own.
  absl::StatusOr<content::v1::Document> ShareAnew(const client::AuthorisationRecord& record,
                                                  const Connected& connected,
                                                  const std::string& path,
                                                  const ProgressCallback& progress);
  // Errors: FailedPrecondition when nothing can be sent to the channel, saying why.
  absl::Status CheckWritable(const ChannelRef& channel);

  // For what people say: makes sure that the agreement to mediate allows it, and notes in `content`
  // under which one it is said. Nothing for a case without a procedure.
  // Errors: FailedPrecondition with what is missing, and from whom.
  absl::Status SayUnderProcedure(const ChannelRef& channel, content::v1::Content& content);

  // Merges the segments of the index for searching; before that, unless `merge_only`, takes in what
  // is missing there. `index_damaged` is set where a DataLoss is the index's.
  absl::Status TendIndex(bool merge_only, bool& index_damaged);

  // Queues an offer's record where its channel's book takes it, and gives the message id and, of an
  // offer, its hash. offering.cc.
  struct QueuedOffer {
    MessageId id;
    std::string hash;
  };
  absl::StatusOr<QueuedOffer> QueueOffer(const ChannelRef& channel,
                                         const content::v1::Content& content);
  // Queues it once the firewall has looked at the texts of it. options.cc.
  absl::StatusOr<MessageId> QueueChecked(const ChannelRef& channel,
                                         const content::v1::Content& content,
                                         const std::vector<std::string>& texts);
  // Queues a record of the channel's calendar where it would count, sends it, and gives the entry
  // as it stands then. `texts`: what people wrote in it.
  absl::StatusOr<CalendarEntry> RecordInCalendar(const ChannelRef& channel, const MessageId& entry,
                                                 content::v1::Content content,
                                                 const std::vector<std::string>& texts);
  // Reads what the channel has at the relay, as far as that can be reached.
  void CatchUp(const ChannelRef& channel);
  // Lets neutrals carry the record to these sides' caucuses.
  void GiveLeave(const ChannelRef& channel, const std::vector<std::string>& sides,
                 const std::string& what, SentOffer& made);
  // Of what a neutral is to carry: whether it would count in the audience's channel.
  absl::Status CheckCarrying(const client::AuthorisationRecord& record, const ChannelRef& audience);
  // The first half of it: whether it is what stands where it was made.
  absl::Status CheckStands(const client::AuthorisationRecord& record, const CaseId& id);
  // The same of what waits to be sent, which is dropped if it isn't.
  absl::Status CheckWaiting(const client::AuthorisationRecord& record, const ChannelRef& audience);
  // The offer as its channel shows it now.
  absl::StatusOr<Offer> OfferNow(const Offer& offer);
  // Sends an answer or an end, and looks whether it counted.
  absl::StatusOr<SentOffer> SendAboutOffer(const Offer& offer, uint32_t version,
                                           const content::v1::Content& content,
                                           const std::string& deed);

  // Checks what a neutral writes against the caucuses, and queues the record.
  absl::StatusOr<MessageId> RecordInSession(const CaseId& id, const content::v1::Content& content,
                                            std::string_view text);

  absl::StatusOr<bool> SyncOnce(const SyncOptions& options, SyncReport& report);
  absl::Status WaitForNews(const SyncOptions& options, double seconds);

  std::unique_ptr<Store> store_;
  std::string folder_;
  std::string name_;
  client::Relays relays_;
};

}  // namespace parley

#endif  // PARLEY_CLIENT_LIB_API_PROFILE_IMPL_H_
