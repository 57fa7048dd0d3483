// Finding what was said. The index names messages; what is shown of one, and whether it is a result
// at all, is decided by what Read shows of it.
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "client-lib/api/profile_impl.h"
#include "client-lib/channels/message_log.h"
#include "client-lib/content/parse.h"
#include "client-lib/search/search_index.h"
#include "client-lib/search/searchable.h"
#include "crypto/base/status_macros.h"

namespace parley {

const char* FoundKindName(FoundKind kind) {
  switch (kind) {
    case FoundKind::kText:
      return "text";
    case FoundKind::kDocument:
      return "document";
    case FoundKind::kDisclosure:
      return "disclosure";
    case FoundKind::kNotice:
      return "notice";
    case FoundKind::kAct:
      return "act";
    case FoundKind::kAgreement:
      return "agreement";
    case FoundKind::kOffer:
      return "offer";
  }
  return "unknown";
}

namespace {

using client::CaseContext;
using client::CaseView;
using client::ChannelMessage;
using client::ContentKind;
using client::ReadTransaction;
using client::SearchHit;
using client::SearchIndex;
using client::SearchQuery;

constexpr size_t kExcerptCharacters = 120;

// What a message shows, and what of that is searched.
struct Shown {
  FoundKind kind = FoundKind::kText;
  std::string text;
  // As in SearchResult.
  std::string note = {};
  bool refused = false;
  std::string without_floor = {};
  std::string against_procedure = {};
};

// The cases and channels of a profile, as far as results are in them.
class SearchedCases {
 public:
  SearchedCases(const ReadTransaction& step, std::function<CaseContext(const CaseId&)> context)
      : step_(step), context_(std::move(context)) {}

  // The channels that are wanted, with their cases.
  absl::Status Find(const SearchRequest& request) {
    PARLEY_ASSIGN_OR_RETURN(const std::vector<CaseId> ids, client::CaseRecords::List(step_));
    for (const CaseId& id : ids) {
      if (request.case_id.has_value() && *request.case_id != id) continue;
      if (request.channel.has_value() && request.channel->case_id != id) continue;
      const absl::StatusOr<client::CaseRecord> record = context_(id).Records().Case(step_);
      // One damaged case keeps nobody from searching the others.
      if (absl::IsDataLoss(record.status())) continue;
      PARLEY_RETURN_IF_ERROR(record.status());
      for (const ChannelId& channel : record->channels) {
        if (request.channel.has_value() && request.channel->channel_id != channel) continue;
        case_of_[channel] = id;
      }
    }
    return absl::OkStatus();
  }
  bool IsWanted(const ChannelId& channel) const { return case_of_.contains(channel); }

  // The hit as a result; nothing where what is shown doesn't have what was asked for, or can't be
  // shown because something there is damaged.
  absl::StatusOr<std::optional<SearchResult>> Show(const SearchHit& hit, const SearchQuery& query) {
    if (unreadable_.contains(case_of_.at(hit.channel))) return std::optional<SearchResult>();
    absl::StatusOr<std::optional<SearchResult>> result = TryShow(hit, query);
    if (absl::IsDataLoss(result.status()) || absl::IsNotFound(result.status())) {
      return std::optional<SearchResult>();
    }
    return result;
  }

 private:
  struct OpenedChannel {
    Channel shown;
    client::ChannelState state;
  };
  struct OpenedCase {
    CaseView view;
    ParticipantState own_state = ParticipantState::kApproved;
    client::LoadedRecords loaded;
    std::map<ChannelId, OpenedChannel> channels;
  };

  absl::StatusOr<std::optional<SearchResult>> TryShow(const SearchHit& hit,
                                                      const SearchQuery& query) {
    const CaseId id = case_of_.at(hit.channel);
    PARLEY_ASSIGN_OR_RETURN(OpenedCase* const opened, Open(id));
    PARLEY_ASSIGN_OR_RETURN(OpenedChannel* const channel, Open(*opened, id, hit.channel));
    PARLEY_ASSIGN_OR_RETURN(const ChannelMessage message,
                            context_(id).Channel(hit.channel).At(step_, hit.index));
    PARLEY_ASSIGN_OR_RETURN(const std::optional<Shown> shown,
                            TextOf(*opened, *channel, hit.channel, message));
    if (!shown.has_value() || !client::Matches(query, shown->text)) {
      return std::optional<SearchResult>();
    }
    SearchResult result;
    result.channel = {id, hit.channel};
    result.case_title = opened->view.record().title;
    result.channel_name = channel->shown.name;
    result.readers = channel->shown.readers;
    result.channel_status = channel->shown.status;
    result.own_state = opened->own_state;
    result.id = message.id;
    result.position = message.number;
    result.author = opened->view.PersonOf(message.author);
    result.kind = shown->kind;
    result.time = static_cast<int64_t>(message.claimed_time);
    result.excerpt = client::Excerpt(query, shown->text, kExcerptCharacters);
    result.score = hit.score;
    result.note = shown->note;
    result.refused = shown->refused;
    result.without_floor = shown->without_floor;
    result.against_procedure = shown->against_procedure;
    return std::optional<SearchResult>(std::move(result));
  }

  absl::StatusOr<OpenedCase*> Open(const CaseId& id) {
    auto found = opened_.find(id);
    if (found == opened_.end()) {
      absl::StatusOr<CaseView> view = CaseView::Create(step_, context_(id));
      if (absl::IsDataLoss(view.status())) unreadable_.insert(id);
      PARLEY_RETURN_IF_ERROR(view.status());
      PARLEY_ASSIGN_OR_RETURN(const Case shown, client::ViewCase(step_, context_(id)));
      found = opened_.emplace(id, OpenedCase{*std::move(view), shown.own_state, {}, {}}).first;
    }
    return &found->second;
  }

  absl::StatusOr<OpenedChannel*> Open(OpenedCase& opened, const CaseId& id,
                                      const ChannelId& channel) {
    auto found = opened.channels.find(channel);
    if (found == opened.channels.end()) {
      OpenedChannel one;
      PARLEY_ASSIGN_OR_RETURN(one.shown, opened.view.Channel(step_, channel));
      PARLEY_ASSIGN_OR_RETURN(const client::ChannelInfo info,
                              context_(id).Channel(channel).Info(step_));
      one.state = info.state;
      found = opened.channels.emplace(channel, std::move(one)).first;
    }
    return &found->second;
  }

  // What `parley read`, or for acts and agreements `parley case status`, shows of it.
  absl::StatusOr<std::optional<Shown>> TextOf(OpenedCase& opened, const OpenedChannel& channel,
                                              const ChannelId& id, const ChannelMessage& message) {
    if (message.kind == ContentKind::kProcedure) {
      content::v1::Content content;
      if (!opened.view.KeepsProcedureIn(id) ||
          !client::ParseFromPeer(content, message.content.Reveal())) {
        return std::optional<Shown>();
      }
      Shown shown{content.has_agreement_proposal() ? FoundKind::kAgreement : FoundKind::kAct,
                  client::SearchableText(content)};
      shown.note = opened.view.WhyActDoesntCount(message.incarnation, message.position);
      shown.refused = !shown.note.empty();
      return std::optional<Shown>(std::move(shown));
    }
    PARLEY_ASSIGN_OR_RETURN(Message view,
                            opened.view.View(step_, id, channel.state, message, opened.loaded));
    Shown shown;
    shown.text = std::move(view.text);
    shown.note = std::move(view.note);
    shown.refused = view.refused;
    shown.without_floor = std::move(view.without_floor);
    shown.against_procedure = std::move(view.against_procedure);
    switch (view.kind) {
      case MessageKind::kText:
        break;
      case MessageKind::kDocument:
        shown.kind = FoundKind::kDocument;
        break;
      case MessageKind::kDisclosure:
        // Of one that is refused nothing is shown, so nothing is found.
        if (view.refused) return std::optional<Shown>();
        shown.kind = FoundKind::kDisclosure;
        break;
      case MessageKind::kNotice:
        if (view.refused && message.kind == ContentKind::kBriefRelease) {
          return std::optional<Shown>();
        }
        shown.kind = FoundKind::kNotice;
        break;
      case MessageKind::kOffer:
        shown.kind = FoundKind::kOffer;
        break;
      case MessageKind::kRetracted:
      case MessageKind::kDestroyed:
      case MessageKind::kUnknown:
        return std::optional<Shown>();
    }
    if (view.document.has_value()) {
      if (!shown.text.empty()) shown.text += '\n';
      shown.text += view.document->name;
      if (!view.document->note.empty()) shown.text += "\n" + view.document->note;
    }
    return std::optional<Shown>(std::move(shown));
  }

  const ReadTransaction& step_;
  std::function<CaseContext(const CaseId&)> context_;
  std::map<ChannelId, CaseId> case_of_;
  std::map<CaseId, OpenedCase> opened_;
  std::set<CaseId> unreadable_;  // whose records are damaged
};

}  // namespace

absl::Status Profile::Impl::TendIndex(bool merge_only, bool& index_damaged) {
  const auto ends =
      [merge_only](const ReadTransaction& step) -> absl::StatusOr<std::vector<client::ChannelEnd>> {
    if (merge_only) return std::vector<client::ChannelEnd>();
    return client::ChannelEnds(step);
  };
  const auto note = [&](const absl::Status& status) {
    if (absl::IsDataLoss(status)) index_damaged = true;
    return status;
  };
  for (;;) {
    {
      PARLEY_ASSIGN_OR_RETURN(const ReadTransaction read, store_->Read());
      PARLEY_ASSIGN_OR_RETURN(const std::vector<client::ChannelEnd> channels, ends(read));
      const absl::StatusOr<std::optional<SearchIndex>> loaded = SearchIndex::Load(read);
      PARLEY_RETURN_IF_ERROR(note(loaded.status()));
      const std::optional<SearchIndex>& index = *loaded;
      if (!index.has_value() && merge_only) return absl::OkStatus();
      if (index.has_value() && index->IsComplete(channels) && !index->IsMergeDue()) {
        return absl::OkStatus();
      }
    }
    PARLEY_ASSIGN_OR_RETURN(client::Transaction step, store_->Begin());
    PARLEY_ASSIGN_OR_RETURN(const std::vector<client::ChannelEnd> channels, ends(step));
    PARLEY_RETURN_IF_ERROR(
        note(SearchIndex::CatchUp(step, channels, client::SearchableTexts(step)).status()));
    PARLEY_RETURN_IF_ERROR(step.Commit());
  }
}

absl::StatusOr<std::vector<SearchResult>> Profile::Impl::Search(const SearchRequest& request) {
  const SearchQuery query = client::ParseSearchQuery(request.text);
  if (query.empty()) {
    return absl::InvalidArgumentError("there is no word in what to search for");
  }
  bool index_damaged = false;
  const auto look = [&]() -> absl::StatusOr<std::vector<SearchResult>> {
    PARLEY_RETURN_IF_ERROR(TendIndex(/*merge_only=*/false, index_damaged));
    PARLEY_ASSIGN_OR_RETURN(const ReadTransaction read, store_->Read());
    SearchedCases cases(read, [this](const CaseId& id) { return LocalContext(id); });
    PARLEY_RETURN_IF_ERROR(cases.Find(request));
    PARLEY_ASSIGN_OR_RETURN(const std::optional<SearchIndex> index, SearchIndex::Load(read));
    std::vector<SearchResult> results;
    if (!index.has_value()) return results;
    absl::StatusOr<std::vector<SearchHit>> hits = index->Find(
        read, query, [&](const ChannelId& id) { return cases.IsWanted(id); },
        client::SearchableTexts(read));
    if (absl::IsDataLoss(hits.status())) index_damaged = true;
    PARLEY_RETURN_IF_ERROR(hits.status());
    client::Ranking ranking(*std::move(hits));
    while (results.size() < request.limit) {
      const std::optional<SearchHit> hit = ranking.Next();
      if (!hit.has_value()) break;
      PARLEY_ASSIGN_OR_RETURN(std::optional<SearchResult> result, cases.Show(*hit, query));
      if (result.has_value()) results.push_back(std::move(*result));
    }
    return results;
  };
  absl::StatusOr<std::vector<SearchResult>> results = look();
  if (results.ok() || !index_damaged) return results;
  // A damaged index is made anew. What else may be damaged is left alone.
  {
    PARLEY_ASSIGN_OR_RETURN(client::Transaction step, store_->Begin());
    PARLEY_RETURN_IF_ERROR(SearchIndex::Reset(step));
    PARLEY_RETURN_IF_ERROR(step.Commit());
  }
  return look();
}

}  // namespace parley
