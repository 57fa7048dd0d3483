#include "client-lib/firewall/bound_text.h"

#include <utility>

#include "client-lib/content/parse.h"
#include "client-lib/procedure/offer_terms.h"
#include "crypto/base/bytes.h"
#include "parley/content/v1/content.pb.h"

namespace parley::client {

std::vector<ContentKind> BoundKinds() {
  return {
      ContentKind::kText,       ContentKind::kDocument,     ContentKind::kDisclosureAuthorisation,
      ContentKind::kDisclosure, ContentKind::kOffer,        ContentKind::kOfferAnswer,
      ContentKind::kOfferEnd,   ContentKind::kOptionSheet,  ContentKind::kOptionEvaluation,
      ContentKind::kCalendar,   ContentKind::kBriefRelease, ContentKind::kFirewallOverride};
}

namespace {

void SetDocument(const content::v1::Document& document, BoundContent& bound) {
  if (document.size() == 0) return;
  bound.document_root = crypto::ToBytes(document.plaintext_root());
  bound.document_size = document.size();
  bound.document_name = document.name();
}

void SetParts(std::vector<std::string> parts, BoundContent& bound) {
  for (const std::string& part : parts) bound.text += (bound.text.empty() ? "" : "\n") + part;
  bound.parts = std::move(parts);
}

// What a neutral's program tells newcomers of a calendar: the words of those who aren't neutrals
// are theirs, and not the program's owner's.
void SetStanding(const content::v1::CalendarStanding& standing, BoundContent& bound) {
  std::vector<std::string> parts;
  for (const auto& told : standing.entries()) {
    if (IsNeutral(static_cast<Role>(told.changed_by().role()))) continue;
    if (!told.entry().title().empty()) parts.push_back(told.entry().title());
    if (!told.entry().place().empty()) parts.push_back(told.entry().place());
  }
  bound.carried = !parts.empty();
  SetParts(std::move(parts), bound);
}

// Of an offer's record, of a sheet or an evaluation.
std::vector<std::string> PartsOf(const content::v1::Content& content) {
  const std::optional<content::v1::CarriedOffer> record = CarriedOf({}, content);
  if (record.has_value()) return TextsOf(*record);
  std::vector<std::string> parts;
  if (content.has_option_sheet()) {
    parts.push_back(content.option_sheet().title());
    parts.insert(parts.end(), content.option_sheet().options().begin(),
                 content.option_sheet().options().end());
  }
  if (content.has_option_evaluation()) {
    for (const auto& rating : content.option_evaluation().ratings()) parts.push_back(rating.note());
    parts.push_back(content.option_evaluation().note());
  }
  if (content.has_calendar_entry()) {
    parts = {content.calendar_entry().title(), content.calendar_entry().place()};
  }
  std::erase(parts, std::string());
  return parts;
}

}  // namespace

BoundContent ReadBound(const ChannelMessage& message) {
  BoundContent bound;
  content::v1::Content content;
  if (!ParseFromPeer(content, message.content.Reveal())) return bound;
  if (content.has_text()) {
    bound.text = std::move(*content.mutable_text()->mutable_text());
  } else if (content.has_document()) {
    SetDocument(content.document(), bound);
    if (content.document().note().empty()) {
      bound.text = std::move(*content.mutable_document()->mutable_name());
    } else {
      SetParts({content.document().name(), content.document().note()}, bound);
    }
  } else if (content.has_disclosure_authorisation()) {
    bound.text = std::move(*content.mutable_disclosure_authorisation()->mutable_words());
    if (content.disclosure_authorisation().has_offer()) {
      SetParts(TextsOf(content.disclosure_authorisation().offer()), bound);
    }
  } else if (content.has_disclosure()) {
    bound.carried = true;
    bound.text = std::move(*content.mutable_disclosure()->mutable_words());
    if (content.disclosure().has_document()) {
      SetDocument(content.disclosure().document(), bound);
      if (bound.text.empty()) bound.text = content.disclosure().document().name();
    }
    if (content.disclosure().has_offer()) {
      bound.carried_side = content.disclosure().offer().author_side();
      SetParts(TextsOf(content.disclosure().offer()), bound);
    }
  } else if (content.has_brief_release()) {
    bound.carried = true;
    std::vector<std::string> names;
    for (const auto& brief : content.brief_release().briefs()) {
      names.push_back(brief.document().name());
      if (brief.document().size() == 0) continue;
      bound.more_documents.push_back(
          {crypto::ToBytes(brief.document().plaintext_root()), brief.document().size()});
    }
    SetParts(std::move(names), bound);
  } else if (content.has_firewall_override()) {
    bound.text = std::move(*content.mutable_firewall_override()->mutable_reason());
  } else if (content.has_calendar_standing()) {
    SetStanding(content.calendar_standing(), bound);
  } else {
    SetParts(PartsOf(content), bound);
  }
  return bound;
}

}  // namespace parley::client
