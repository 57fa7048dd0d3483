#include "client-lib/firewall/bound_text.h"

#include <utility>

#include "client-lib/content/parse.h"
#include "crypto/base/bytes.h"
#include "parley/content/v1/content.pb.h"

namespace parley::client {

std::vector<ContentKind> BoundKinds() {
  return {ContentKind::kText, ContentKind::kDocument, ContentKind::kDisclosure};
}

BoundContent ReadBound(const ChannelMessage& message) {
  BoundContent bound;
  content::v1::Content content;
  if (!ParseFromPeer(content, message.content.Reveal())) return bound;
  if (content.has_text()) {
    bound.text = std::move(*content.mutable_text()->mutable_text());
  } else if (content.has_disclosure()) {
    bound.text = std::move(*content.mutable_disclosure()->mutable_words());
  } else if (content.has_document() && content.document().size() > 0) {
    bound.document_root = crypto::ToBytes(content.document().plaintext_root());
    bound.document_size = content.document().size();
    bound.document_name = content.document().name();
  }
  return bound;
}

}  // namespace parley::client
