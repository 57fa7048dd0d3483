// Profile: the public calls. Each converts what Impl gives, and lets no exception pass.
#include "parley/profile.h"

#include "client-lib/api/profile_impl.h"
#include "client-lib/api/status_conversion.h"

namespace parley {

using client::Guarded;

Profile::Profile(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Profile::Profile(Profile&&) noexcept = default;
Profile& Profile::operator=(Profile&&) noexcept = default;
Profile::~Profile() = default;

Result<Profile> Profile::Create(const std::string& folder, std::string_view name,
                                std::optional<std::string_view> passphrase) {
  Result<std::shared_ptr<Impl>> impl =
      Guarded([&] { return Impl::Create(folder, name, passphrase); });
  if (!impl.ok()) return impl.status();
  return Profile(std::move(*impl));
}

Result<Profile> Profile::Open(const std::string& folder,
                              std::optional<std::string_view> passphrase) {
  Result<std::shared_ptr<Impl>> impl = Guarded([&] { return Impl::Open(folder, passphrase); });
  if (!impl.ok()) return impl.status();
  return Profile(std::move(*impl));
}

Result<bool> Profile::IsLocked(const std::string& folder) {
  return Guarded([&] { return client::ProfileStore::IsLocked(folder); });
}

std::string Profile::name() const { return impl_->name(); }

Status Profile::ChangePassphrase(std::optional<std::string_view> current,
                                 std::optional<std::string_view> next) {
  return Guarded([&] { return impl_->ChangePassphrase(current, next); });
}

Result<CaseId> Profile::CreateCase(std::string_view title, std::string_view connection,
                                   const CaseOptions& options) {
  return Guarded([&] { return impl_->CreateCase(title, connection, options); });
}

Result<std::vector<Case>> Profile::Cases() const {
  return Guarded([&] { return impl_->Cases(); });
}

Result<Case> Profile::GetCase(const CaseId& id) const {
  return Guarded([&] { return impl_->GetCase(id); });
}

Result<Case> Profile::FindCase(std::string_view text) const {
  return Guarded([&] { return impl_->FindCase(text); });
}

Result<Invitation> Profile::Invite(const CaseId& id, const InvitationRequest& request) {
  return Guarded([&] { return impl_->Invite(id, request); });
}

Result<CaseId> Profile::Join(std::string_view invitation) {
  return Guarded([&] { return impl_->Join(invitation); });
}

Result<std::vector<Participant>> Profile::Participants(const CaseId& id) const {
  return Guarded([&] { return impl_->Participants(id); });
}

Result<Participant> Profile::FindParticipant(const CaseId& id, std::string_view text) const {
  return Guarded([&] { return impl_->FindParticipant(id, text); });
}

Status Profile::Approve(const CaseId& id, const ParticipantId& participant) {
  return Guarded([&] { return impl_->Approve(id, participant); });
}

Status Profile::MarkCompared(const CaseId& id, const ParticipantId& participant) {
  return Guarded([&] { return impl_->MarkCompared(id, participant); });
}

Status Profile::Remove(const CaseId& id, const ParticipantId& participant) {
  return Guarded([&] { return impl_->Remove(id, participant); });
}

Status Profile::Leave(const CaseId& id) {
  return Guarded([&] { return impl_->Leave(id); });
}

Status Profile::Admit(const ChannelRef& channel, const ParticipantId& participant) {
  return Guarded([&] { return impl_->Admit(channel, participant); });
}

Result<std::vector<Channel>> Profile::Channels(const CaseId& id) const {
  return Guarded([&] { return impl_->Channels(id); });
}

Result<Channel> Profile::GetChannel(const ChannelRef& channel) const {
  return Guarded([&] { return impl_->GetChannel(channel); });
}

Result<Channel> Profile::FindChannel(const CaseId& id, std::string_view text) const {
  return Guarded([&] { return impl_->FindChannel(id, text); });
}

Status Profile::Dismiss(const ChannelRef& channel, const ParticipantId& participant) {
  return Guarded([&] { return impl_->Dismiss(channel, participant); });
}

Result<Channel> Profile::CreateChannel(const CaseId& id, const ChannelRequest& request) {
  return Guarded([&] { return impl_->CreateChannel(id, request); });
}

Status Profile::LeaveTeam(const ChannelRef& channel) {
  return Guarded([&] { return impl_->LeaveTeam(channel); });
}

Status Profile::NameSteward(const ChannelRef& channel, const ParticipantId& participant) {
  return Guarded([&] { return impl_->NameSteward(channel, participant); });
}

Status Profile::Reopen(const ChannelRef& channel) {
  return Guarded([&] { return impl_->Reopen(channel); });
}

Result<SentMessage> Profile::Send(const ChannelRef& channel, std::string_view text,
                                  const SendOptions& options) {
  return Guarded([&] { return impl_->Send(channel, text, options); });
}

Result<SentMessage> Profile::Retract(const ChannelRef& channel, const MessageId& message) {
  return Guarded([&] { return impl_->Retract(channel, message); });
}

Status Profile::Unsend(const ChannelRef& channel, const MessageId& message) {
  return Guarded([&] { return impl_->Unsend(channel, message); });
}

Result<std::vector<Message>> Profile::Read(const ChannelRef& channel, uint64_t after) const {
  return ReadPage(channel, {.after = after});
}

Result<std::vector<Message>> Profile::ReadPage(const ChannelRef& channel, const Page& page) const {
  return Guarded([&] { return impl_->Read(channel, page); });
}

Result<std::vector<Message>> Profile::Unsent(const ChannelRef& channel) const {
  return Guarded([&] { return impl_->Unsent(channel); });
}

Result<std::vector<Message>> Profile::NeverSent(const ChannelRef& channel) const {
  return Guarded([&] { return impl_->NeverSent(channel); });
}

Result<SentMessage> Profile::Share(const ChannelRef& channel, const std::string& path,
                                   const ShareOptions& options, const ProgressCallback& progress) {
  return Guarded([&] { return impl_->Share(channel, path, options, progress); });
}

Result<std::string> Profile::Text(const DocumentRef& document) {
  return Guarded([&] { return impl_->Text(document); });
}

Result<TextDifference> Profile::Difference(const DocumentRef& older, const DocumentRef& newer) {
  return Guarded([&] { return impl_->Difference(older, newer); });
}

Result<std::string> Profile::Preview(const DocumentRef& document) const {
  return Guarded([&] { return impl_->Preview(document); });
}

Result<std::vector<Document>> Profile::Documents(const ChannelRef& channel,
                                                 const Page& page) const {
  return Guarded([&] { return impl_->Documents(channel, page); });
}

Result<Document> Profile::FindDocument(const ChannelRef& channel, std::string_view text) const {
  return Guarded([&] { return impl_->FindDocument(channel, text); });
}

Status Profile::Fetch(const DocumentRef& document, const std::string& target,
                      const FetchOptions& options, const ProgressCallback& progress) {
  return Guarded([&] { return impl_->Fetch(document, target, options, progress); });
}

Result<SentMessage> Profile::Withdraw(const DocumentRef& document) {
  return Guarded([&] { return impl_->Withdraw(document); });
}

Result<std::vector<RetentionRule>> Profile::Retention(const CaseId& id) const {
  return Guarded([&] { return impl_->Retention(id); });
}

Result<CaseRetention> Profile::RecordsKept(const CaseId& id) const {
  return Guarded([&] { return impl_->RecordsKept(id); });
}

Result<Destruction> Profile::DestroyRecords(const CaseId& id) {
  return Guarded([&] { return impl_->DestroyRecords(id); });
}

Status Profile::HoldRecords(const CaseId& id, std::string_view reason) {
  return Guarded([&] { return impl_->HoldRecords(id, reason); });
}

Result<std::vector<Transfer>> Profile::Transfers() const {
  return Guarded([&] { return impl_->Transfers(); });
}

Result<Transfer> Profile::FindTransfer(std::string_view text) const {
  return Guarded([&] { return impl_->FindTransfer(text); });
}

Status Profile::PauseTransfer(const MessageId& id) {
  return Guarded([&] { return impl_->PauseTransfer(id); });
}

Status Profile::ResumeTransfer(const MessageId& id, const ProgressCallback& progress) {
  return Guarded([&] { return impl_->ResumeTransfer(id, progress); });
}

Status Profile::CancelTransfer(const MessageId& id) {
  return Guarded([&] { return impl_->CancelTransfer(id); });
}

Result<SentMessage> Profile::SubmitBrief(const CaseId& id, const std::string& path,
                                         const BriefRequest& request,
                                         const ProgressCallback& progress) {
  return Guarded([&] { return impl_->SubmitBrief(id, path, request, progress); });
}

Result<BriefList> Profile::Briefs(const CaseId& id) const {
  return Guarded([&] { return impl_->Briefs(id); });
}

Result<SentMessage> Profile::ReleaseBriefs(const CaseId& id, const ProgressCallback& progress) {
  return Guarded([&] { return impl_->ReleaseBriefs(id, progress); });
}

Result<SentMessage> Profile::Authorise(const ChannelRef& channel,
                                       const AuthorisationRequest& request) {
  return Guarded([&] { return impl_->Authorise(channel, request); });
}

Result<std::vector<Authorisation>> Profile::Authorisations(const CaseId& id) const {
  return Guarded([&] { return impl_->Authorisations(id); });
}

Result<Authorisation> Profile::FindAuthorisation(const CaseId& id, std::string_view text) const {
  return Guarded([&] { return impl_->FindAuthorisation(id, text); });
}

Result<SentMessage> Profile::Revoke(const Authorisation& authorisation) {
  return Guarded([&] { return impl_->Revoke(authorisation); });
}

Result<SentMessage> Profile::Disclose(const Authorisation& authorisation,
                                      const ProgressCallback& progress) {
  return Guarded([&] { return impl_->Disclose(authorisation, progress); });
}

Result<std::vector<SearchResult>> Profile::Search(const SearchRequest& request) const {
  return Guarded([&] { return impl_->Search(request); });
}

Result<CaseTimeline> Profile::Timeline(const CaseId& id) const {
  return Guarded([&] { return impl_->Timeline(id); });
}

Result<std::vector<ChainCheck>> Profile::VerifyTimeline(const CaseId& id) const {
  return Guarded([&] { return impl_->VerifyTimeline(id); });
}

Result<SyncReport> Profile::Sync(const SyncOptions& options) {
  return Guarded([&] { return impl_->Sync(options); });
}

Status Profile::Watch(const CaseId& id, const std::function<void(const Event&)>& on_event,
                      const Cancellation& cancellation) {
  return Guarded([&] { return impl_->Watch(id, on_event, cancellation); });
}

Result<std::vector<Alarm>> Profile::Alarms(const CaseId& id) const {
  return Guarded([&] { return impl_->Alarms(id); });
}

Status Profile::ChangeConnection(const CaseId& id, std::string_view connection) {
  return Guarded([&] { return impl_->ChangeConnection(id, connection); });
}

Status Profile::MarkSeen(const CaseId& id) {
  return Guarded([&] { return impl_->MarkSeen(id); });
}

Result<CaseProgress> Profile::Progress(const CaseId& id) const {
  return Guarded([&] { return impl_->Progress(id); });
}

Result<MessageId> Profile::Act(const CaseId& id, CaseAct act, std::string_view words,
                               const MessageId& about) {
  return Guarded([&] { return impl_->Act(id, act, words, about); });
}

Result<std::string> Profile::ProposeAgreement(const CaseId& id, std::string_view text,
                                              std::string_view policy) {
  return Guarded([&] { return impl_->ProposeAgreement(id, text, policy); });
}

Status Profile::SignAgreement(const CaseId& id, std::string_view hash) {
  return Guarded([&] { return impl_->SignAgreement(id, hash); });
}

Result<OfferList> Profile::Offers(const CaseId& id) const {
  return Guarded([&] { return impl_->Offers(id); });
}

Result<Offer> Profile::FindOffer(const CaseId& id, std::string_view text) const {
  return Guarded([&] { return impl_->FindOffer(id, text); });
}

Result<SentOffer> Profile::MakeOffer(const ChannelRef& channel, const OfferRequest& request) {
  return Guarded([&] { return impl_->MakeOffer(channel, request); });
}

Result<SentOffer> Profile::AnswerOffer(const Offer& offer, const OfferReply& reply) {
  return Guarded([&] { return impl_->AnswerOffer(offer, reply); });
}

Result<SentOffer> Profile::WithdrawOffer(const Offer& offer, uint32_t version,
                                         std::string_view note) {
  return Guarded([&] { return impl_->WithdrawOffer(offer, version, note); });
}

Result<SentMessage> Profile::MakeOptionSheet(const ChannelRef& channel, std::string_view title,
                                             const std::vector<std::string>& options) {
  return Guarded([&] { return impl_->MakeOptionSheet(channel, title, options); });
}

Result<std::vector<OptionSheet>> Profile::OptionSheets(const CaseId& id) const {
  return Guarded([&] { return impl_->OptionSheets(id); });
}

Result<OptionSheet> Profile::FindOptionSheet(const CaseId& id, std::string_view text) const {
  return Guarded([&] { return impl_->FindOptionSheet(id, text); });
}

Result<SentMessage> Profile::EvaluateOptions(const ChannelRef& channel, const OptionSheet& sheet,
                                             const std::vector<OptionRating>& ratings,
                                             std::string_view note) {
  return Guarded([&] { return impl_->EvaluateOptions(channel, sheet, ratings, note); });
}

}  // namespace parley
