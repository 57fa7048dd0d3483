// Disclosure with leave: Profile::Impl's part.
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <functional>
#include <utility>

#include "client-lib/api/carried_files.h"
#include "client-lib/api/carried_shares.h"
#include "client-lib/api/find.h"
#include "client-lib/api/profile_impl.h"
#include "client-lib/api/status_conversion.h"
#include "client-lib/api/transfer_progress.h"
#include "client-lib/api/views.h"
#include "client-lib/channels/blobs_due.h"
#include "client-lib/channels/names.h"
#include "client-lib/content/folded_text.h"
#include "client-lib/content/parse.h"
#include "client-lib/firewall/authorship.h"
#include "client-lib/firewall/disclosures.h"
#include "client-lib/procedure/offer_terms.h"

namespace parley {
namespace {

using client::AuthorisationRecord;
using client::CaseContext;
using client::CaseView;
using client::ReadTransaction;
using client::Transaction;

struct Audience {
  ChannelKind kind = ChannelKind::kUnknown;
  std::string side;
};

// "joint", "caucus:Northline": as the case spells it. The owner needn't be in that channel.
absl::StatusOr<Audience> ReadAudience(const std::vector<Participant>& participants,
                                      std::string_view text) {
  const std::string folded = client::Folded(text);
  for (const ChannelKind kind :
       {ChannelKind::kJoint, ChannelKind::kNeutrals, ChannelKind::kCounsel}) {
    if (folded == ChannelKindName(kind)) return Audience{kind, ""};
  }
  std::string sides;
  for (const Participant& participant : participants) {
    if (participant.side.empty()) continue;
    const std::string name = std::string("caucus:") + participant.side;
    if (folded == client::Folded(name)) return Audience{ChannelKind::kCaucus, participant.side};
    if (sides.find(name) == std::string::npos) sides += ", " + name;
  }
  return absl::NotFoundError("\"" + std::string(text) +
                             "\" is no audience of this case; there are: joint" + sides);
}

Authorisation Shown(const client::CaseView& view, const AuthorisationRecord& record) {
  Authorisation shown;
  shown.id = record.id;
  shown.channel = {view.record().id, record.channel};
  shown.channel_name = record.channel_name;
  shown.position = record.number;
  shown.author = view.PersonOf(record.author);
  shown.item = record.item;
  shown.words = record.words;
  if (record.document.has_value()) {
    shown.document_name = client::SafeFileName(record.document->name());
    shown.document_size = record.document->size();
  }
  if (record.offer.has_value()) shown.offer = client::DescribeCarried(*record.offer);
  shown.audience = record.Audience();
  shown.anonymous = record.anonymous;
  shown.expires_at = static_cast<int64_t>(record.expires_at);
  shown.state = record.state;
  if (record.used_by.has_value()) shown.used_by = record.used_by->name;
  return shown;
}

absl::StatusOr<AuthorisationRecord> Load(const ReadTransaction& step, const CaseContext& context,
                                         const Authorisation& authorisation) {
  PARLEY_ASSIGN_OR_RETURN(const client::Disclosures all, client::Disclosures::Load(step, context));
  const AuthorisationRecord* const record =
      all.Find(authorisation.channel.channel_id, authorisation.author.id, authorisation.id);
  // What the caller holds is only a name: the audience can't be put in its place.
  if (record == nullptr || record->Audience() != authorisation.audience) {
    return absl::NotFoundError("there is no such authorisation");
  }
  return *record;
}

absl::Status NotOpen(const AuthorisationRecord& record) {
  std::string why = AuthorisationStateName(record.state);
  if (record.used_by.has_value()) why += " by " + record.used_by->name;
  return absl::FailedPreconditionError("the authorisation isn't open any more: it is " + why +
                                       "; nothing was sent");
}

// What a text, document or offer's record of one's own becomes in an authorisation.
absl::Status SetItem(const client::RosterMember& author, const content::v1::Content& item,
                     const std::string& words, content::v1::DisclosureAuthorisation& given) {
  std::optional<content::v1::CarriedOffer> record =
      client::CarriedOf({author.participant_id, author.name, author.role, author.side}, item);
  if (record.has_value()) {
    if (!words.empty()) {
      return absl::InvalidArgumentError(
          "that is an offer, or an answer to one: it can be authorised as a whole only, without "
          "words");
    }
    *given.mutable_offer() = std::move(*record);
    return absl::OkStatus();
  }
  if (item.has_document()) {
    if (!words.empty()) {
      return absl::InvalidArgumentError(
          "that is a document: it can be authorised as a whole only, without words");
    }
    content::v1::AuthorisedDocument& document = *given.mutable_document();
    document.set_name(item.document().name());
    document.set_media_type(item.document().media_type());
    document.set_size(item.document().size());
    document.set_plaintext_root(item.document().plaintext_root());
    return absl::OkStatus();
  }
  if (!item.has_text()) {
    return absl::InvalidArgumentError(
        "only a message, a document or an offer's record can be authorised");
  }
  const std::string& text = item.text().text();
  given.set_words(words.empty() ? text : words);
  if (client::IsBlank(given.words()) || !client::IsUtf8(given.words()) ||
      text.find(given.words()) == std::string::npos) {
    return absl::InvalidArgumentError("the message doesn't have exactly these words");
  }
  if (given.words().size() > client::kMostAuthorisedBytes) {
    return absl::ResourceExhaustedError("these words are too many; authorise a part of them");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SentMessage> Profile::Impl::QueueAndDeliver(const ChannelRef& channel,
                                                           const content::v1::Content& content,
                                                           bool may_stay_queued) {
  PARLEY_RETURN_IF_ERROR(CheckWritable(channel));
  MessageId id;
  {
    PARLEY_ASSIGN_OR_RETURN(Transaction step, store_->Begin());
    PARLEY_ASSIGN_OR_RETURN(
        id, LocalContext(channel.case_id).Channel(channel.channel_id).Queue(step, content));
    PARLEY_RETURN_IF_ERROR(step.Commit());
  }
  return Deliver(channel, id, may_stay_queued);
}

absl::StatusOr<SentMessage> Profile::Impl::Authorise(const ChannelRef& channel,
                                                     const AuthorisationRequest& request) {
  PARLEY_ASSIGN_OR_RETURN(const std::vector<Participant> people, Participants(channel.case_id));
  PARLEY_ASSIGN_OR_RETURN(const Audience audience, ReadAudience(people, request.audience));
  PARLEY_ASSIGN_OR_RETURN(const Channel here, GetChannel(channel));
  if (here.kind == audience.kind && here.side == audience.side) {
    return absl::InvalidArgumentError(here.name + " has read it already");
  }
  if (here.kind == ChannelKind::kJoint || here.kind == ChannelKind::kTeam) {
    return absl::InvalidArgumentError(here.kind == ChannelKind::kJoint
                                          ? "everybody has read what was said in the joint channel"
                                          : "no neutral reads " + here.name +
                                                ": say it in your caucus, and authorise it there");
  }
  content::v1::Content content;
  content::v1::DisclosureAuthorisation& given = *content.mutable_disclosure_authorisation();
  {
    PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
    const CaseContext context = LocalContext(channel.case_id);
    PARLEY_ASSIGN_OR_RETURN(const client::CaseRecord own, context.Records().Case(read));
    PARLEY_ASSIGN_OR_RETURN(
        const std::optional<client::ChannelMessage> item,
        context.Channel(channel.channel_id).Find(read, own.own_id, request.item));
    if (!item.has_value()) {
      PARLEY_ASSIGN_OR_RETURN(CaseView view, CaseView::Create(read, context));
      PARLEY_ASSIGN_OR_RETURN(const std::vector<Message> messages,
                              view.Messages(read, channel.channel_id));
      for (const Message& message : messages) {
        if (message.id != request.item) continue;
        return absl::PermissionDeniedError("that is " + message.author.name +
                                           "'s message: only who said it can let it be told");
      }
      return absl::NotFoundError(here.name + " has no such message");
    }
    content::v1::Content said;
    if (!client::ParseFromPeer(said, item->content.Reveal())) {
      return absl::DataLossError("the message can't be read");
    }
    PARLEY_RETURN_IF_ERROR(SetItem(item->author, said, request.words, given));
    if (given.has_offer() && (audience.kind != ChannelKind::kCaucus || request.anonymous)) {
      return absl::InvalidArgumentError(
          "an offer, or an answer to one, is carried to another side's caucus, and as its "
          "author's; "
          "in the joint channel you make it yourself");
    }
    PARLEY_ASSIGN_OR_RETURN(const auto before,
                            client::SaidBefore(read, context.Channel(channel.channel_id),
                                               {{&*item, given.words(), audience.side}}));
    if (before.front().has_value()) {
      return absl::PermissionDeniedError(
          before.front()->author.name + " said that before, in " + here.name + " (" +
          std::to_string(before.front()->number) +
          "): only they can let it be told; choose words that are your own");
    }
    *given.mutable_item_place() =
        client::ToField(client::LogPlace{item->incarnation, item->position});
  }
  given.set_item_message_id(client::ToField(request.item));
  given.set_audience_kind(static_cast<content::v1::ChannelKind>(audience.kind));
  given.set_audience_side(audience.side);
  given.set_anonymous(request.anonymous);
  if (request.valid_for_seconds > 0) {
    given.set_expires_at(static_cast<uint64_t>(std::time(nullptr)) +
                         static_cast<uint64_t>(request.valid_for_seconds));
  }
  PARLEY_RETURN_IF_ERROR(SayUnderProcedure(channel, content));
  return QueueAndDeliver(channel, content, /*may_stay_queued=*/false);
}

absl::StatusOr<std::vector<Authorisation>> Profile::Impl::Authorisations(const CaseId& id) {
  PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
  const CaseContext context = LocalContext(id);
  PARLEY_ASSIGN_OR_RETURN(const client::CaseView view, client::CaseView::Create(read, context));
  PARLEY_ASSIGN_OR_RETURN(const client::Disclosures all, client::Disclosures::Load(read, context));
  std::vector<Authorisation> shown;
  for (const AuthorisationRecord& one : all.authorisations()) shown.push_back(Shown(view, one));
  return shown;
}

absl::StatusOr<Authorisation> Profile::Impl::FindAuthorisation(const CaseId& id,
                                                               std::string_view text) {
  PARLEY_ASSIGN_OR_RETURN(std::vector<Authorisation> all, Authorisations(id));
  const std::string beginning = client::Folded(text);
  std::vector<Authorisation> fitting;
  for (Authorisation& one : all) {
    if (!beginning.empty() && one.id.ToString().starts_with(beginning)) {
      fitting.push_back(std::move(one));
    }
  }
  if (fitting.empty()) {
    return absl::NotFoundError("there is no authorisation \"" + std::string(text) +
                               "\"; \"parley authorisations\" shows those that there are");
  }
  // Somebody may have given an own one the id of another's: one's own, then those in use, first.
  const auto keep = [&](const std::function<bool(const Authorisation&)>& wanted) {
    const bool same_id = std::all_of(fitting.begin(), fitting.end(), [&](const Authorisation& one) {
      return one.id == fitting.front().id;
    });
    if (!same_id || std::none_of(fitting.begin(), fitting.end(), wanted)) return;
    std::erase_if(fitting, [&](const Authorisation& one) { return !wanted(one); });
  };
  keep([](const Authorisation& one) { return one.author.self; });
  keep([](const Authorisation& one) { return one.state == AuthorisationState::kOpen; });
  if (fitting.size() > 1) {
    return client::AmbiguousError("\"" + std::string(text) +
                                  "\" fits several authorisations; write more of the id");
  }
  return std::move(fitting.front());
}

absl::StatusOr<SentMessage> Profile::Impl::Revoke(const Authorisation& authorisation) {
  const CaseContext context = LocalContext(authorisation.channel.case_id);
  content::v1::Content content;
  {
    PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
    PARLEY_ASSIGN_OR_RETURN(const AuthorisationRecord record, Load(read, context, authorisation));
    PARLEY_ASSIGN_OR_RETURN(const client::CaseRecord own, context.Records().Case(read));
    if (record.author.participant_id != own.own_id) {
      return absl::PermissionDeniedError("only " + record.author.name +
                                         ", who gave it, can take it back");
    }
    if (record.state != AuthorisationState::kOpen) return NotOpen(record);
    *content.mutable_authorisation_end()->mutable_authorisation_place() =
        client::ToField(record.place);
  }
  content.mutable_authorisation_end()->set_authorisation_id(client::ToField(authorisation.id));
  content.mutable_authorisation_end()->set_reason(content::v1::AuthorisationEnd::REASON_REVOKED);
  PARLEY_ASSIGN_OR_RETURN(SentMessage sent, QueueAndDeliver(authorisation.channel, content, true));
  PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
  PARLEY_ASSIGN_OR_RETURN(const AuthorisationRecord record, Load(read, context, authorisation));
  if (record.state == AuthorisationState::kUsed) return NotOpen(record);  // just before
  return sent;
}

absl::StatusOr<MessageId> Profile::Impl::UseAuthorisation(const Authorisation& authorisation) {
  const ChannelRef& caucus = authorisation.channel;
  const CaseContext context = LocalContext(caucus.case_id);
  PARLEY_ASSIGN_OR_RETURN(Connected connected, Connect(caucus.case_id));
  PARLEY_RETURN_IF_ERROR(client::ExchangeChannel(connected.context, caucus.channel_id).status());
  const MessageId disclosure = client::RandomId<MessageId>();
  content::v1::Content content;
  content::v1::LogPlace place;
  bool expired = false;
  {
    PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
    PARLEY_ASSIGN_OR_RETURN(const AuthorisationRecord record, Load(read, context, authorisation));
    PARLEY_ASSIGN_OR_RETURN(const client::CaseRecord own, context.Records().Case(read));
    const bool mine = record.used_by.has_value() && record.used_by->participant_id == own.own_id;
    if (mine) return record.disclosure;
    if (record.state != AuthorisationState::kOpen) return NotOpen(record);
    expired = record.expires_at != 0 && record.expires_at <= context.now_seconds();
    place = client::ToField(record.place);
  }
  if (expired) {
    content.mutable_authorisation_end()->set_authorisation_id(client::ToField(authorisation.id));
    content.mutable_authorisation_end()->set_reason(content::v1::AuthorisationEnd::REASON_EXPIRED);
    *content.mutable_authorisation_end()->mutable_authorisation_place() = std::move(place);
  } else {
    content.mutable_disclosure_use()->set_authorisation_id(client::ToField(authorisation.id));
    content.mutable_disclosure_use()->set_disclosure_message_id(client::ToField(disclosure));
    *content.mutable_disclosure_use()->mutable_authorisation_place() = std::move(place);
  }
  PARLEY_ASSIGN_OR_RETURN(const SentMessage sent, QueueAndDeliver(caucus, content, true));
  if (sent.queued) {
    return absl::UnavailableError(
        "the relay can't be reached, and nothing was disclosed; repeat it when it can");
  }
  PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
  PARLEY_ASSIGN_OR_RETURN(const AuthorisationRecord record, Load(read, context, authorisation));
  if (record.state != AuthorisationState::kUsed || record.disclosure != disclosure) {
    return NotOpen(record);  // somebody was faster, or it has expired
  }
  return disclosure;
}

namespace {

// The manifest of the document that was authorised, as its author shared it.
absl::StatusOr<content::v1::Document> ManifestOf(const ReadTransaction& step,
                                                 const CaseContext& context,
                                                 const AuthorisationRecord& record) {
  PARLEY_ASSIGN_OR_RETURN(
      const std::optional<client::ChannelMessage> item,
      context.Channel(record.channel).Find(step, record.author.participant_id, record.item));
  content::v1::Content content;
  const bool is_there = item.has_value() &&
                        client::ParseFromPeer(content, item->content.Reveal()) &&
                        content.has_document();
  if (is_there && content.document().ended() != content::v1::DocumentEnd::REASON_UNSPECIFIED) {
    return absl::FailedPreconditionError("the document was withdrawn, or its time is over");
  }
  if (is_there) return std::move(*content.mutable_document());
  return absl::NotFoundError("the document was shared in " + record.channel_name +
                             " before you came into it; another neutral has to disclose it");
}

}  // namespace

namespace {

// Whether the document's new share is still there: it is destroyed with what it was made of, as an
// agreement has it, and gone when another process has just disclosed it.
absl::Status CheckCarried(const ReadTransaction& step, const AuthorisationRecord& record) {
  PARLEY_ASSIGN_OR_RETURN(const bool is_there, step.Has(client::RecordClass::kKeys,
                                                        client::DisclosureShareName(record)));
  PARLEY_ASSIGN_OR_RETURN(const std::vector<MessageId> due, client::BlobsDue(step, record.channel));
  const bool is_deleted = std::find(due.begin(), due.end(), record.disclosure) != due.end();
  if (is_there && !is_deleted) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "the document isn't there any more: another command has disclosed it meanwhile, or it was "
      "destroyed as the agreement to mediate has it; by this one nothing was disclosed");
}

}  // namespace

absl::Status Profile::Impl::FetchAuthorised(const AuthorisationRecord& record,
                                            const Connected& connected, const std::string& path,
                                            const ProgressCallback& progress) {
  content::v1::Document manifest;
  {
    PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
    PARLEY_ASSIGN_OR_RETURN(manifest, ManifestOf(read, connected.context, record));
  }
  client::Transfers::DownloadOptions options;
  options.overwrite = true;
  options.retry_for = kTransferRetryFor;
  Reporter reporter(progress);
  reporter.SetUp(options);
  const absl::Status fetched =
      client::Transfers(*store_).Download(*connected.relay->client, manifest, path, options);
  if (!fetched.ok()) unlink((path + ".parley-part").c_str());
  return fetched;
}

absl::StatusOr<content::v1::Document> Profile::Impl::ShareAnew(const AuthorisationRecord& record,
                                                               const Connected& connected,
                                                               const std::string& path,
                                                               const ProgressCallback& progress) {
  client::UploadRequest request;
  request.path = path;
  request.name = record.document->name();
  request.media_type = record.document->media_type();
  PARLEY_ASSIGN_OR_RETURN(Uploaded uploaded, Upload(connected, client::DisclosureShareName(record),
                                                    record.disclosure, request, progress));
  uploaded.manifest.set_name(record.document->name());
  {
    PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
    const auto original = ManifestOf(read, connected.context, record);
    if (original.ok()) uploaded.manifest.set_document_class(original->document_class());
  }
  if (uploaded.manifest.plaintext_root() != record.document->plaintext_root()) {
    return absl::DataLossError("the document isn't the one that was authorised; nothing was sent");
  }
  return std::move(uploaded.manifest);
}

absl::StatusOr<Profile::Impl::DisclosureStage> Profile::Impl::StageOf(
    const AuthorisationRecord& record, const ChannelRef& audience) {
  PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
  const CaseContext context = LocalContext(audience.case_id);
  PARLEY_ASSIGN_OR_RETURN(const client::CaseRecord own, context.Records().Case(read));
  const bool mine = record.used_by.has_value() && record.used_by->participant_id == own.own_id;
  if (!mine) {
    if (record.state != AuthorisationState::kOpen) return NotOpen(record);
    return DisclosureStage::kNew;
  }
  const client::Channel channel = context.Channel(audience.channel_id);
  PARLEY_ASSIGN_OR_RETURN(const std::optional<client::ChannelMessage> there,
                          channel.Find(read, own.own_id, record.disclosure));
  if (there.has_value()) return NotOpen(record);
  PARLEY_ASSIGN_OR_RETURN(const std::vector<client::ChannelMessage> waiting, channel.Unsent(read));
  const bool waits = std::any_of(
      waiting.begin(), waiting.end(),
      [&](const client::ChannelMessage& message) { return message.id == record.disclosure; });
  return waits ? DisclosureStage::kWaits : DisclosureStage::kNew;
}

absl::StatusOr<SentMessage> Profile::Impl::Disclose(const Authorisation& authorisation,
                                                    const ProgressCallback& progress) {
  const CaseId& id = authorisation.channel.case_id;
  PARLEY_ASSIGN_OR_RETURN(const client::CaseRecord own, LoadCase(id));
  if (!own.IsNeutral()) {
    return absl::PermissionDeniedError("only a neutral carries words from one channel to another");
  }
  absl::StatusOr<Channel> audience = FindChannel(id, authorisation.audience);
  if (!audience.ok() || audience->name != authorisation.audience) {
    return absl::NotFoundError("you have no channel " + authorisation.audience +
                               " to disclose it in");
  }
  PARLEY_RETURN_IF_ERROR(CheckWritable(audience->ref));
  content::v1::Content content;
  PARLEY_RETURN_IF_ERROR(SayUnderProcedure(audience->ref, content));  // before leave is used up
  AuthorisationRecord record;
  const auto load = [&]() -> absl::Status {
    PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
    PARLEY_ASSIGN_OR_RETURN(record, Load(read, LocalContext(id), authorisation));
    return absl::OkStatus();
  };
  PARLEY_RETURN_IF_ERROR(load());
  PARLEY_ASSIGN_OR_RETURN(const DisclosureStage stage, StageOf(record, audience->ref));
  if (stage == DisclosureStage::kWaits) {
    if (record.offer.has_value()) PARLEY_RETURN_IF_ERROR(CheckWaiting(record, audience->ref));
    return Deliver(audience->ref, record.disclosure, /*may_stay_queued=*/true);
  }
  if (record.offer.has_value()) {
    PARLEY_RETURN_IF_ERROR(CheckCarrying(record, audience->ref));
  }
  // What can't be had any more isn't used up.
  std::optional<client::CarriedFiles> files;  // to the end: nobody destroys what is being carried
  std::optional<client::PlainCopy> copy;
  if (record.document.has_value()) {
    PARLEY_ASSIGN_OR_RETURN(const Connected connected, Connect(id));
    PARLEY_ASSIGN_OR_RETURN(client::CarriedFiles held, client::CarriedFiles::Hold(folder_));
    files.emplace(std::move(held));
    const std::string path = files->PathOf(record.id.ToString());
    PARLEY_RETURN_IF_ERROR(FetchAuthorised(record, connected, path, progress));
    PARLEY_ASSIGN_OR_RETURN(client::PlainCopy taken, client::PlainCopy::Take(path));
    copy.emplace(std::move(taken));
  }
  PARLEY_RETURN_IF_ERROR(UseAuthorisation(authorisation).status());
  PARLEY_RETURN_IF_ERROR(load());
  if (record.offer.has_value()) {
    // It may have been withdrawn while the leave was being marked as used.
    PARLEY_RETURN_IF_ERROR(CheckCarrying(record, audience->ref));
  }
  content.set_message_id(client::ToField(record.disclosure));
  content::v1::Disclosure& said = *content.mutable_disclosure();
  said.set_authorisation_id(client::ToField(record.id));
  said.set_anonymous(record.anonymous);
  if (!record.anonymous) {
    said.set_from_participant_id(client::ToField(record.author.participant_id));
    said.set_from_name(record.author.name);
  }
  if (!record.document.has_value()) {
    if (record.offer.has_value()) {
      *said.mutable_offer() = *record.offer;
    } else {
      said.set_words(record.words);
    }
    return QueueAndDeliver(audience->ref, content, /*may_stay_queued=*/true);
  }
  PARLEY_ASSIGN_OR_RETURN(Connected connected, Connect(id));
  PARLEY_ASSIGN_OR_RETURN(*said.mutable_document(),
                          ShareAnew(record, connected, copy->path(), progress));
  {
    PARLEY_ASSIGN_OR_RETURN(Transaction step, store_->Begin());
    PARLEY_RETURN_IF_ERROR(CheckCarried(step, record));
    PARLEY_RETURN_IF_ERROR(
        connected.context.Channel(audience->ref.channel_id).Queue(step, content).status());
    PARLEY_RETURN_IF_ERROR(client::Transfers(*store_).KeepBlob(step, record.disclosure.ToString()));
    PARLEY_RETURN_IF_ERROR(
        step.Delete(client::RecordClass::kKeys, client::DisclosureShareName(record)));
    PARLEY_RETURN_IF_ERROR(step.Commit());
  }
  return Deliver(audience->ref, record.disclosure, /*may_stay_queued=*/true);
}

}  // namespace parley
