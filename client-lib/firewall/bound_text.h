// What of a message is bound to its channel: its words, or the content and the name of the document
// it shares.
//
// Threading: free functions.
#ifndef PARLEY_CLIENT_LIB_FIREWALL_BOUND_TEXT_H_
#define PARLEY_CLIENT_LIB_FIREWALL_BOUND_TEXT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "client-lib/channels/channel_types.h"

namespace parley::client {

struct BoundDocument {
  Bytes root;
  uint64_t size = 0;
};

struct BoundContent {
  std::string text;  // of a document its name; of several texts all
  // Of several texts (an offer's words, conditions, alternatives): each, which a short one counts
  // by.
  std::vector<std::string> parts;
  // Of a document that isn't empty: the tree hash over its content, and its size.
  Bytes document_root;
  uint64_t document_size = 0;
  std::string document_name;
  std::vector<BoundDocument> more_documents;  // of a release of briefs: all
  // By a Disclosure: somebody else's, not the author's own.
  bool carried = false;
  std::string carried_side;  // of an offer's record: whose it is
};

// The kinds of messages that bind anything.
std::vector<ContentKind> BoundKinds();

// Empty for what can't be read, or binds nothing.
BoundContent ReadBound(const ChannelMessage& message);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_FIREWALL_BOUND_TEXT_H_
