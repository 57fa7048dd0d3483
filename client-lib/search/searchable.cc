#include "client-lib/search/searchable.h"

namespace parley::client {
namespace {

using content::v1::Content;

void AddLine(std::string& text, const std::string& line) {
  if (!line.empty()) text += (text.empty() ? "" : "\n") + line;
}

std::string TextOfOffer(const content::v1::Offer& offer) {
  content::v1::OfferTerms terms;
  if (!terms.ParseFromString(offer.terms())) return {};
  std::string text = terms.text();
  AddLine(text, terms.amount());
  for (const std::string& condition : terms.conditions()) AddLine(text, condition);
  for (const std::string& alternative : terms.alternatives()) AddLine(text, alternative);
  return text;
}

std::string TextOfRelease(const content::v1::BriefRelease& release) {
  std::string text;
  for (const auto& brief : release.briefs()) AddLine(text, brief.document().name());
  return text;
}

std::string TextOfOptions(const content::v1::OptionSheet& sheet) {
  std::string text = sheet.title();
  for (const std::string& option : sheet.options()) AddLine(text, option);
  return text;
}

std::string TextOfEvaluation(const content::v1::OptionEvaluation& evaluation) {
  std::string text = evaluation.note();
  for (const auto& rating : evaluation.ratings()) AddLine(text, rating.note());
  return text;
}

}  // namespace

std::string SearchableText(const content::v1::Content& content) {
  switch (content.body_case()) {
    case Content::kText:
      return content.text().text();
    case Content::kDocument:
      return content.document().note().empty()
                 ? content.document().name()
                 : content.document().name() + "\n" + content.document().note();
    case Content::kBriefRelease:
      return TextOfRelease(content.brief_release());
    case Content::kDisclosureAuthorisation:
      return content.disclosure_authorisation().words() + "\n" +
             content.disclosure_authorisation().document().name();
    case Content::kDisclosure:
      return content.disclosure().words() + "\n" + content.disclosure().document().name();
    case Content::kCaseAct:
      return content.case_act().words();
    case Content::kAgreementProposal:
      return content.agreement_proposal().text() + "\n" + content.agreement_proposal().policy();
    case Content::kOffer:
      return TextOfOffer(content.offer());
    case Content::kOfferAnswer:
      return content.offer_answer().note();
    case Content::kOfferEnd:
      return content.offer_end().note();
    case Content::kOptionSheet:
      return TextOfOptions(content.option_sheet());
    case Content::kOptionEvaluation:
      return TextOfEvaluation(content.option_evaluation());
    case Content::kSessionText:
      return content.session_text().text();
    case Content::kSessionAnswer:
      return content.session_answer().words();
    case Content::kIssue:
      return content.issue().text();
    case Content::kCalendarEntry:
      return content.calendar_entry().title() + "\n" + content.calendar_entry().place();
    default:
      return {};
  }
}

}  // namespace parley::client
