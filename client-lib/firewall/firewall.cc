#include "client-lib/firewall/firewall.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <limits>
#include <tuple>
#include <utility>

#include "client-lib/cases/naming.h"
#include "client-lib/content/parse.h"
#include "client-lib/firewall/bound_text.h"
#include "client-lib/firewall/disclosures.h"
#include "client-lib/firewall/text_check.h"
#include "crypto/base/status_macros.h"

namespace parley::client {
namespace {

// A long text is looked at in slices that overlap by less than a passage.
constexpr size_t kSliceLetters = 512 * 1024;
// A step takes so many entries into the index at most: after a long absence the profile is still
// held shortly each time.
constexpr size_t kEntriesInStep = 200'000;
// The record of an override names no more, so that who floods a channel with pieces of a text
// keeps nobody from overriding: it has to fit into an entry.
constexpr size_t kMostSources = 256;

std::string ListOf(const std::vector<RosterMember>& people) {
  std::string list;
  for (size_t i = 0; i < people.size(); ++i) {
    if (i > 0) list += i + 1 == people.size() ? " and " : ", ";
    list += people[i].name;
  }
  return list;
}

constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();

// The number above which somebody reads the channel's messages: kNever for who isn't in it.
uint64_t ReadsAbove(const ChannelInfo& channel, const RosterMember& reader) {
  const RosterMember* const member = channel.state.FindMember(reader.participant_id);
  if (member == nullptr) return kNever;
  if (IsNeutral(member->role)) return 0;
  for (const MemberSince& since : channel.since) {
    if (since.participant_id == reader.participant_id) return since.number;
  }
  return kNever;
}

// The index of the first message that all of them could read.
absl::StatusOr<uint64_t> FreeFrom(const ReadTransaction& step, const Channel& channel,
                                  const ChannelInfo& info,
                                  const std::vector<RosterMember>& readers) {
  uint64_t above = 0;
  for (const RosterMember& reader : readers) above = std::max(above, ReadsAbove(info, reader));
  if (above == 0) return uint64_t{0};
  if (above == kNever) return kNever;
  MessageQuery query;
  query.after = above;
  query.limit = 1;
  PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelMessage> first, channel.Messages(step, query));
  return first.empty() ? kNever : first[0].index;
}

}  // namespace

// ---- What holds back ----

absl::StatusOr<bool> Firewall::BringNearer(const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
  PARLEY_ASSIGN_OR_RETURN(const CaseRecord record, context.Records().Case(step));
  if (!record.IsNeutral()) return true;
  PARLEY_ASSIGN_OR_RETURN(PassageIndex index, PassageIndex::Load(step, context.id, record.own_id));
  PARLEY_ASSIGN_OR_RETURN(const std::vector<CaseChannel> channels, ChannelsOf(step, context));
  size_t room = kEntriesInStep;
  bool all = true;
  for (auto channel = channels.begin(); all && channel != channels.end(); ++channel) {
    PARLEY_ASSIGN_OR_RETURN(
        all, index.Update(step, context.Channel(channel->id), channel->info.number, room));
  }
  PARLEY_RETURN_IF_ERROR(step.Commit());
  return all;
}

absl::Status Firewall::BringUpToDate(const CaseContext& context) {
  for (bool all = false; !all;) {
    PARLEY_ASSIGN_OR_RETURN(all, BringNearer(context));
  }
  return absl::OkStatus();
}

absl::StatusOr<Firewall> Firewall::Create(Transaction& step, const CaseContext& context,
                                          const ChannelId& to) {
  PARLEY_ASSIGN_OR_RETURN(const CaseRecord record, context.Records().Case(step));
  PARLEY_ASSIGN_OR_RETURN(PassageIndex index, PassageIndex::Load(step, context.id, record.own_id));
  Firewall firewall(context, std::move(index));
  if (!record.IsNeutral()) return firewall;
  PARLEY_ASSIGN_OR_RETURN(const ChannelInfo destination, context.Channel(to).Info(step));
  PARLEY_ASSIGN_OR_RETURN(std::vector<CaseChannel> channels, ChannelsOf(step, context));
  size_t room = std::numeric_limits<size_t>::max();
  for (CaseChannel& channel : channels) {
    PARLEY_RETURN_IF_ERROR(
        firewall.index_.Update(step, context.Channel(channel.id), channel.info.number, room)
            .status());
    PARLEY_ASSIGN_OR_RETURN(const uint64_t from, FreeFrom(step, context.Channel(channel.id),
                                                          channel.info, destination.state.members));
    firewall.free_from_.emplace(channel.id, from);
    // Of the destination nothing is held back; nor where even the first message was read by all.
    if (channel.id == to || from <= 1) continue;
    firewall.held_back_.emplace(channel.id, std::move(channel.info));
  }
  firewall.readers_ = destination.state.members;
  PARLEY_ASSIGN_OR_RETURN(const std::optional<LoadedProcedure> procedure,
                          LoadProcedure(step, context));
  if (procedure.has_value()) firewall.TakeAgreements(*procedure);
  return firewall;
}

void Firewall::TakeAgreements(const LoadedProcedure& procedure) {
  const std::optional<ConfidentialityPolicy> policy = PolicyOf(procedure);
  if (!policy.has_value()) return;
  rule_ = policy->caucus;
  if (rule_ != CaucusRule::kOpen) return;
  signers_ = procedure.log.procedure().in_force()->signers;
  std::map<MessageId, bool> is_open;  // by proposal
  for (const ProcedureLog::Step& one : procedure.log.steps()) {
    if (!one.refused.empty()) continue;
    const CaseProcedure::Proposal* const then = one.afterwards.in_force();
    bool opens = false;
    if (then != nullptr) {
      const auto [known, is_new] = is_open.try_emplace(then->record, false);
      const content::v1::AgreementProposal* const text = procedure.log.TextOf(then->record);
      if (is_new && text != nullptr) {
        const absl::StatusOr<ConfidentialityPolicy> had = ParsePolicy(text->policy());
        known->second = had.ok() && had->caucus == CaucusRule::kOpen;
      }
      opens = known->second;
    }
    if (was_open_.empty() || was_open_.back().second != opens) {
      was_open_.emplace_back(one.record.at, opens);
    }
  }
}

bool Firewall::IsHeld(const ChannelId& channel, uint64_t index) const {
  return held_back_.contains(channel) && !IsFree(channel, index);
}

bool Firewall::IsFree(const ChannelId& channel, uint64_t index) const {
  const auto from = free_from_.find(channel);
  return from != free_from_.end() && index >= from->second;
}

absl::Status Firewall::AllowOverride() {
  if (rule_ != CaucusRule::kOpen) {
    return absl::PermissionDeniedError(
        "the firewall can be overridden only where the agreement to mediate says \"caucus: open\", "
        "and this case's doesn't. Nothing was sent");
  }
  overrides_ = true;
  return absl::OkStatus();
}

void Firewall::NameOverridden(content::v1::FirewallOverride& record) const {
  std::vector<content::v1::OverriddenSource> sources;
  for (const Source& source : overridden_) {
    const ChannelState& said_in = held_back_.at(source.channel).state;
    content::v1::OverriddenSource& one = sources.emplace_back();
    one.set_kind(static_cast<content::v1::ChannelKind>(said_in.kind));
    one.set_side(said_in.side);
    one.set_author_id(ToField(source.message.author.participant_id));
    one.set_author_name(source.message.author.name);
    one.set_message_id(ToField(source.message.id));
    *one.mutable_place() = ToField(LogPlace{source.message.incarnation, source.message.position});
  }
  // In no order that depends on channels' ids.
  std::stable_sort(sources.begin(), sources.end(), [](const auto& a, const auto& b) {
    return std::make_tuple(std::cref(a.side()), PlaceFrom(a.place())) <
           std::make_tuple(std::cref(b.side()), PlaceFrom(b.place()));
  });
  const size_t named = std::min(sources.size(), kMostSources);
  for (size_t i = 0; i < named; ++i) *record.add_sources() = std::move(sources[i]);
  record.set_further_sources(static_cast<uint32_t>(sources.size() - named));
}

// Who agreed to open caucuses, then as now, has said it in the open; nobody else has.
bool Firewall::MayBeCarried(const ChannelId& channel, const ChannelMessage& message) const {
  if (rule_ != CaucusRule::kOpen || message.kind != ContentKind::kText ||
      held_back_.at(channel).state.kind != ChannelKind::kCaucus ||
      !signers_.contains(message.author.participant_id)) {
    return false;
  }
  content::v1::Content content;
  if (!ParseFromPeer(content, message.content.Reveal()) || content.reserved() ||
      !content.has_case_position()) {
    return false;
  }
  const JointPosition at{content.case_position().incarnation(),
                         content.case_position().at().position()};
  bool was_open = false;
  for (const auto& [since, opens] : was_open_) {
    if (since > at) break;
    was_open = opens;
  }
  return was_open;
}

std::string Firewall::Advice(const Source& source) const {
  if (held_back_.at(source.channel).state.kind != ChannelKind::kCaucus) return {};
  if (rule_ == CaucusRule::kMustShareFacts) {
    return " The agreement to mediate has facts shared that are told in caucus: of a fact its "
           "author "
           "owes the authorisation";
  }
  if (rule_ != CaucusRule::kOpen) return {};
  if (source.message.kind != ContentKind::kText) {
    return " The agreement has caucuses open, for words that were said there; not for this";
  }
  return !MayBeCarried(source.channel, source.message)
             ? " The agreement has caucuses open, but this was reserved, or said before its author "
               "agreed to that"
             : " The agreement has caucuses open: with a reason, which stays in the neutrals' "
               "record, it can be sent all the same (--override)";
}

absl::Status Firewall::Refusal(const Source& source, const std::string& what,
                               const std::string& repeats) const {
  const ChannelInfo& holding = held_back_.at(source.channel);
  const std::string name = DescribeChannel(holding.state.kind, holding.state.side);
  const ChannelMessage& message = source.message;
  std::vector<RosterMember> strangers;   // who don't read the channel
  std::vector<RosterMember> latecomers;  // who didn't then
  for (const RosterMember& reader : readers_) {
    const uint64_t above = ReadsAbove(holding, reader);
    if (above == kNever) {
      strangers.push_back(reader);
    } else if (message.number <= above) {
      latecomers.push_back(reader);
    }
  }
  const bool late = strangers.empty();
  const std::vector<RosterMember>& outsiders = late ? latecomers : strangers;
  const std::string author = message.own ? "you" : Describe(message.author);
  const bool carried = ReadBound(message).carried;
  const std::string did = carried ? author + " disclosed with leave" : author + " confided";
  const std::string ask =
      carried ? "have its author say it there, or authorise it for them"
              : "have " + message.author.name + " say it there, or authorise it for them";
  const std::string advice = Advice(source);
  const bool several = outsiders.size() > 1;
  const std::string doesnt =
      late ? " could not read that channel then"
           : (several ? " don't read that channel" : " doesn't read that channel");
  return absl::PermissionDeniedError(
      what + " is held back: it " + repeats + " what " + did + " in " + name + " (" +
      std::to_string(message.number) + "), and " + ListOf(outsiders) + doesnt +
      ". Nothing was sent; leave it out, or " + ask + (advice.empty() ? "" : "." + advice));
}

// ---- Texts ----

absl::Status Firewall::CheckLetters(const ReadTransaction& step, LettersView letters,
                                    const std::string& what) const {
  if (letters.size() < kShortLetters) return absl::OkStatus();
  PARLEY_ASSIGN_OR_RETURN(const std::vector<Source> sources,
                          TextCheck(*this, step, letters, overrides_).Run());
  if (!sources.empty()) return Refusal(sources.front(), what, "repeats, word for word,");
  if (!overrides_) return absl::OkStatus();
  PARLEY_ASSIGN_OR_RETURN(std::vector<Source> carried,
                          TextCheck(*this, step, letters, /*passes_over=*/false).Run());
  // A long text is looked at in several slices, of which more than one may repeat the same.
  for (Source& source : carried) {
    const bool is_known =
        std::any_of(overridden_.begin(), overridden_.end(), [&](const Source& known) {
          return known.channel == source.channel && known.message.index == source.message.index;
        });
    if (!is_known) overridden_.push_back(std::move(source));
  }
  return absl::OkStatus();
}

absl::Status Firewall::CheckText(const ReadTransaction& step, std::string_view text,
                                 const std::string& what) const {
  if (!IsNeeded()) return absl::OkStatus();
  const Letters letters = FoldedLetters(text);
  const LettersView all(letters);
  for (size_t begin = 0;; begin += kSliceLetters - (kPassageLetters - 1)) {
    const size_t length = std::min(kSliceLetters, all.size() - begin);
    PARLEY_RETURN_IF_ERROR(CheckLetters(step, all.subspan(begin, length), what));
    if (begin + length == all.size()) return absl::OkStatus();
  }
}

absl::Status Firewall::CheckText(const ReadTransaction& step, std::string_view text) const {
  return CheckText(step, text, "the text");
}

// ---- Documents ----

absl::Status Firewall::CheckDocument(const ReadTransaction& step, crypto::ByteView plaintext_root,
                                     uint64_t size, const std::string& what) const {
  if (!IsNeeded() || size == 0) return absl::OkStatus();
  std::set<IndexedPlace> places;
  PARLEY_RETURN_IF_ERROR(
      index_.FindDocuments(step, DocumentFingerprint(plaintext_root),
                           [&](const IndexedPlace& place) { places.insert(place); }));
  std::optional<Source> held;
  std::set<ChannelId> own_first;  // who sends a file back that the owner shared confides nothing
  for (const IndexedPlace& place : places) {
    const bool is_free = IsFree(place.channel, place.index);
    const bool decides = is_free || (!held.has_value() && IsHeld(place.channel, place.index) &&
                                     !own_first.contains(place.channel));
    if (!decides) continue;
    PARLEY_ASSIGN_OR_RETURN(ChannelMessage message,
                            context_.Channel(place.channel).At(step, place.index));
    const BoundContent content = ReadBound(message);
    const auto is_it = [&](crypto::ByteView root, uint64_t its_size) {
      return its_size == size && crypto::PublicEquals(root, plaintext_root);
    };
    const bool has_it =
        is_it(content.document_root, content.document_size) ||
        std::any_of(content.more_documents.begin(), content.more_documents.end(),
                    [&](const BoundDocument& one) { return is_it(one.root, one.size); });
    if (!has_it) continue;
    if (is_free) return absl::OkStatus();
    if (place.own_saying) {
      own_first.insert(place.channel);
    } else {
      held.emplace(Source{place.channel, std::move(message)});
    }
  }
  if (!held.has_value()) return absl::OkStatus();
  return Refusal(*held, what,
                 "is the same as \"" + ReadBound(held->message).document_name + "\", which is");
}

absl::Status Firewall::CheckDocument(const ReadTransaction& step, crypto::ByteView plaintext_root,
                                     uint64_t size) const {
  return CheckDocument(step, plaintext_root, size, "the file");
}

absl::Status Firewall::CheckNames(const ReadTransaction& step, const DocumentNames& names) const {
  PARLEY_RETURN_IF_ERROR(CheckText(step, names.name, "the document's name"));
  return CheckText(step, names.media_type, "the document's media type");
}

absl::StatusOr<std::optional<crypto::TreeHash>> Firewall::CheckFile(const CaseContext& context,
                                                                    const ChannelId& to,
                                                                    const std::string& path,
                                                                    const DocumentNames& names) {
  PARLEY_RETURN_IF_ERROR(BringUpToDate(context));
  std::optional<Firewall> firewall;
  {
    PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
    PARLEY_ASSIGN_OR_RETURN(firewall, Create(step, context, to));
    PARLEY_RETURN_IF_ERROR(step.Commit());
  }
  {
    PARLEY_ASSIGN_OR_RETURN(const ReadTransaction step, context.store->Read());
    PARLEY_RETURN_IF_ERROR(firewall->CheckNames(step, names));
  }
  std::optional<crypto::TreeHash> root;
  if (!firewall->IsNeeded()) return root;
  PARLEY_RETURN_IF_ERROR(VisitFile(path, [&](const FilePiece& piece) -> absl::Status {
    if (piece.inside.empty()) root = piece.root;
    PARLEY_ASSIGN_OR_RETURN(const ReadTransaction step, context.store->Read());
    return firewall->CheckPiece(step, piece);
  }));
  return root;
}

absl::Status Firewall::CheckPiece(const ReadTransaction& step, const FilePiece& piece) const {
  const std::string what =
      piece.inside.empty() ? "the file" : "\"" + piece.inside + "\" in the file";
  PARLEY_RETURN_IF_ERROR(CheckDocument(step, piece.root, piece.size, what));
  PARLEY_RETURN_IF_ERROR(CheckText(step, piece.inside, "the name of " + what));
  return piece.text.empty() ? absl::OkStatus() : CheckText(step, piece.text, what);
}

}  // namespace parley::client
