#include "client-lib/firewall/bound_text.h"

#include <utility>

#include "client-lib/content/parse.h"
#include "crypto/base/bytes.h"
#include "parley/content/v1/content.pb.h"

namespace parley::client {

std::vector<ContentKind> BoundKinds() {
  return {ContentKind::kText, ContentKind::kDocument, ContentKind::kDisclosureAuthorisation,
          ContentKind::kDisclosure};
}

namespace {

void SetDocument(const content::v1::Document& document, BoundContent& bound) {
  if (document.size() == 0) return;
  bound.document_root = crypto::ToBytes(document.plaintext_root());
  bound.document_size = document.size();
  bound.document_name = document.name();
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
    bound.text = std::move(*content.mutable_document()->mutable_name());
  } else if (content.has_disclosure_authorisation()) {
    bound.text = std::move(*content.mutable_disclosure_authorisation()->mutable_words());
  } else if (content.has_disclosure()) {
    bound.carried = true;
    bound.text = std::move(*content.mutable_disclosure()->mutable_words());
    if (content.disclosure().has_document()) {
      SetDocument(content.disclosure().document(), bound);
      if (bound.text.empty()) bound.text = content.disclosure().document().name();
    }
  }
  return bound;
}

}  // namespace parley::client
