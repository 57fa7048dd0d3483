// Option sheets: Profile::Impl's part.
#include <algorithm>
#include <set>
#include <utility>

#include "client-lib/api/offer_view.h"
#include "client-lib/api/profile_impl.h"
#include "client-lib/api/status_conversion.h"
#include "client-lib/content/folded_text.h"
#include "client-lib/content/utf8.h"
#include "client-lib/firewall/firewall.h"

namespace parley {
namespace {

using client::ReadTransaction;
using client::Transaction;

constexpr uint32_t kMostPoints = 10;

}  // namespace

absl::StatusOr<MessageId> Profile::Impl::QueueChecked(const ChannelRef& channel,
                                                      const content::v1::Content& content,
                                                      const std::vector<std::string>& texts) {
  const client::CaseContext context = LocalContext(channel.case_id);
  PARLEY_RETURN_IF_ERROR(client::Firewall::BringUpToDate(context));
  PARLEY_ASSIGN_OR_RETURN(Transaction step, store_->Begin());
  PARLEY_ASSIGN_OR_RETURN(const client::Firewall firewall,
                          client::Firewall::Create(step, context, channel.channel_id));
  // Each by itself, and all together: what is cut in pieces is still a passage.
  std::string all;
  for (const std::string& text : texts) {
    PARLEY_RETURN_IF_ERROR(firewall.CheckText(step, text));
    all += text + "\n";
  }
  PARLEY_RETURN_IF_ERROR(firewall.CheckText(step, all));
  PARLEY_ASSIGN_OR_RETURN(
      const MessageId id,
      context.Channel(channel.channel_id).Queue(step, content, firewall.AllowedReaders()));
  PARLEY_RETURN_IF_ERROR(step.Commit());
  return id;
}

absl::StatusOr<SentMessage> Profile::Impl::MakeOptionSheet(
    const ChannelRef& channel, std::string_view title, const std::vector<std::string>& options) {
  PARLEY_RETURN_IF_ERROR(CheckWritable(channel));
  content::v1::Content content;
  content::v1::OptionSheet& sheet = *content.mutable_option_sheet();
  sheet.set_title(std::string(title));
  for (const std::string& option : options) sheet.add_options(option);
  PARLEY_RETURN_IF_ERROR(client::CheckSheet(sheet));
  PARLEY_RETURN_IF_ERROR(SayUnderProcedure(channel, content));
  std::vector<std::string> texts = options;
  texts.insert(texts.begin(), std::string(title));
  PARLEY_ASSIGN_OR_RETURN(const MessageId id, QueueChecked(channel, content, texts));
  return Deliver(channel, id, /*may_stay_queued=*/false);
}

absl::StatusOr<std::vector<OptionSheet>> Profile::Impl::OptionSheets(const CaseId& id) {
  PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
  return client::ViewOptionSheets(read, LocalContext(id));
}

absl::StatusOr<OptionSheet> Profile::Impl::FindOptionSheet(const CaseId& id,
                                                           std::string_view text) {
  PARLEY_ASSIGN_OR_RETURN(std::vector<OptionSheet> sheets, OptionSheets(id));
  const std::string beginning = client::Folded(text);
  std::erase_if(sheets, [&](const OptionSheet& sheet) {
    return beginning.empty() || !sheet.id.starts_with(beginning);
  });
  if (sheets.empty()) {
    return absl::NotFoundError("there is no option sheet \"" + std::string(text) +
                               "\"; \"parley options list\" shows those that there are");
  }
  if (sheets.size() > 1) {
    return client::AmbiguousError("\"" + std::string(text) +
                                  "\" fits several option sheets; write more of the id");
  }
  return std::move(sheets.front());
}

absl::StatusOr<SentMessage> Profile::Impl::EvaluateOptions(const ChannelRef& channel,
                                                           const OptionSheet& sheet,
                                                           const std::vector<OptionRating>& ratings,
                                                           std::string_view note) {
  PARLEY_RETURN_IF_ERROR(CheckWritable(channel));
  PARLEY_ASSIGN_OR_RETURN(const client::CaseRecord own, LoadCase(channel.case_id));
  PARLEY_ASSIGN_OR_RETURN(const Channel here, GetChannel(channel));
  if (own.own_side.empty()) {
    return absl::PermissionDeniedError("options are evaluated by the sides, each for itself");
  }
  const bool is_own_sides =
      (here.kind == ChannelKind::kCaucus || here.kind == ChannelKind::kTeam) &&
      here.side == own.own_side;
  if (!is_own_sides) {
    return absl::PermissionDeniedError(
        "what a side thinks of options stays in its own caucus; "
        "others read " +
        here.name + ". Nothing was sent");
  }
  content::v1::Content content;
  content::v1::OptionEvaluation& evaluation = *content.mutable_option_evaluation();
  const absl::StatusOr<crypto::Bytes> hash = crypto::FromHex(sheet.id);
  if (!hash.ok()) return absl::NotFoundError("there is no such option sheet");
  evaluation.set_sheet_hash(crypto::ToString(*hash));
  std::set<uint32_t> seen;
  std::vector<std::string> texts{std::string(note)};
  for (const OptionRating& rating : ratings) {
    const bool known = rating.option >= 1 && rating.option <= sheet.options.size();
    if (!known || !seen.insert(rating.option).second) {
      return absl::InvalidArgumentError("the sheet has no option " + std::to_string(rating.option) +
                                        ", or it is rated twice");
    }
    if (rating.points > kMostPoints) {
      return absl::InvalidArgumentError("an option gets 0 to 10 points");
    }
    content::v1::OptionEvaluation::Rating& said = *evaluation.add_ratings();
    said.set_option(rating.option);
    said.set_points(rating.points);
    said.set_note(rating.note);
    texts.push_back(rating.note);
  }
  if (ratings.empty() && note.empty()) {
    return absl::InvalidArgumentError("say what you think of an option at least");
  }
  for (const std::string& text : texts) {
    if (text.size() > client::kMostOfferPart || !client::IsWellFormedUtf8(text)) {
      return absl::InvalidArgumentError("a note is no text in UTF-8 of at most 4 KiB");
    }
  }
  evaluation.set_note(std::string(note));
  PARLEY_RETURN_IF_ERROR(SayUnderProcedure(channel, content));
  PARLEY_ASSIGN_OR_RETURN(const MessageId id, QueueChecked(channel, content, texts));
  return Deliver(channel, id, /*may_stay_queued=*/false);
}

}  // namespace parley
