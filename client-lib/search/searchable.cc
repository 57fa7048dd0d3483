#include "client-lib/search/searchable.h"

namespace parley::client {

std::string SearchableText(const content::v1::Content& content) {
  using content::v1::Content;
  switch (content.body_case()) {
    case Content::kText:
      return content.text().text();
    case Content::kDocument:
      return content.document().name();
    case Content::kDisclosureAuthorisation:
      return content.disclosure_authorisation().words() + "\n" +
             content.disclosure_authorisation().document().name();
    case Content::kDisclosure:
      return content.disclosure().words() + "\n" + content.disclosure().document().name();
    case Content::kCaseAct:
      return content.case_act().words();
    case Content::kAgreementProposal:
      return content.agreement_proposal().text() + "\n" + content.agreement_proposal().policy();
    default:
      return {};
  }
}

}  // namespace parley::client
