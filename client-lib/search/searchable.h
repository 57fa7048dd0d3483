// What of a content is found by a search: what people wrote.
//
// Threading: free functions.
#ifndef PARLEY_CLIENT_LIB_SEARCH_SEARCHABLE_H_
#define PARLEY_CLIENT_LIB_SEARCH_SEARCHABLE_H_

#include <string>

#include "parley/content/v1/content.pb.h"

namespace parley::client {

// The words of a text, an act, an authorisation, a disclosure, an offer, an option sheet, what
// leads a session; a document's name; an agreement with its policy. Empty for all else.
std::string SearchableText(const content::v1::Content& content);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_SEARCH_SEARCHABLE_H_
