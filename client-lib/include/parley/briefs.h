// Briefs: what the sides hand in to the neutrals before they talk (docs/documents.md).
#ifndef PARLEY_BRIEFS_H_
#define PARLEY_BRIEFS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "parley/types.h"

namespace parley {

struct BriefRequest {
  BriefKind kind = BriefKind::kExchanged;
  DocumentClass document_class = DocumentClass::kGeneral;
  std::string name = {};  // that readers see; by default the file's own
  std::string note = {};  // for those who read it in the caucus
  // As of ShareOptions: hand a photograph or PDF in as it is.
  bool keep_metadata = false;
};

enum class BriefState : uint8_t {
  kHeld = 0,   // handed in, and with the neutrals
  kReplaced,   // the side has handed in a later one
  kWithdrawn,  // by its author, before it was released
  kReleased,   // by the neutrals, to all sides
};
// "held", "replaced", "withdrawn", "released".
PARLEY_EXPORT const char* BriefStateName(BriefState state);

struct Brief {
  Document document;  // as it was handed in, in its side's caucus
  BriefState state = BriefState::kHeld;
  // Of an exchanged one: the sides that must have handed theirs in before it is released.
  std::vector<std::string> sides;
};

// Briefs that a neutral has released in the joint channel.
struct ReleasedBriefs {
  MessageId id;
  uint64_t position = 0;
  Person by;
  int64_t time = 0;  // the neutral's claim
  std::vector<Document> documents;
  bool refused = false;  // it isn't what was allowed: nothing of it is shown
  std::string note;      // why; or what this profile couldn't check
};

struct BriefList {
  // Of the caucuses that the owner reads, in order: a side sees its own.
  std::vector<Brief> briefs;
  std::vector<ReleasedBriefs> released;
  // For neutrals: the sides in the joint channel that have no exchanged brief with them. When it is
  // empty, and `can_release`, all can be released.
  std::vector<std::string> missing;
  bool can_release = false;
  // A release of the owner's has been stored and hasn't reached the relay: nobody has these briefs
  // by it yet. A later sync, or ReleaseBriefs, sends it.
  bool release_waits = false;
  std::string waits_because;  // what keeps it from going out, beside the connection; or empty
};

}  // namespace parley

#endif  // PARLEY_BRIEFS_H_
