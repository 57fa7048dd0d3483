// Documents: versions, classes, briefs, ends (docs/documents.md).
#ifndef PARLEY_DOCUMENTS_H_
#define PARLEY_DOCUMENTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parley/export.h"
#include "parley/ids.h"

namespace parley {

// The numbers are those of the protocol.
enum class DocumentClass : uint8_t {
  kGeneral = 0,
  kFinancial = 1,
  kPrivileged = 2,
  kSettlement = 3,
};
// "general", "financial", "privileged", "settlement".
PARLEY_EXPORT const char* DocumentClassName(DocumentClass document_class);
// Nothing for other words.
PARLEY_EXPORT std::optional<DocumentClass> DocumentClassOf(std::string_view name);

enum class DocumentState : uint8_t {
  kAvailable = 0,
  kWithdrawn = 1,  // by its author
  kExpired = 2,
};
// "available", "withdrawn", "expired".
PARLEY_EXPORT const char* DocumentStateName(DocumentState state);

enum class BriefKind : uint8_t {
  kNone = 0,
  kExchanged = 1,     // for all sides, once all have handed theirs in
  kMediatorOnly = 2,  // for the neutrals
};
// "", "exchanged", "mediator-only".
PARLEY_EXPORT const char* BriefKindName(BriefKind kind);

// "keep CLASS: HOW LONG" of the agreement's policy.
struct RetentionRule {
  std::string record_class;
  std::string how_long;
};

// Where a document stands among the versions of one.
struct VersionInfo {
  uint32_t number = 1;  // in the log's order, the same for everybody who has read the earlier ones
  uint32_t latest = 1;  // of the chain's latest version
  MessageId first;      // the chain's first document, as far as this profile has it
  // What else is to be said: that it names another side's document, or one that isn't there, and so
  // stands alone; that it was made from another than the version before. Empty for nothing.
  std::string note;
};

}  // namespace parley

#endif  // PARLEY_DOCUMENTS_H_
