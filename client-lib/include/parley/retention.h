// How long a case's records are kept, as its agreement to mediate has it, and their destruction.
//
//   const parley::CaseRetention kept = *profile.Retain(case_id);
//   for (const parley::RetentionClass& one : kept.classes) { … one.records_due … }
//   profile.Destroy(case_id);                        // what isn't to be kept any longer
//
// A period counts from when this device has heard that the case has ended, and of what is said
// later from when that came; by this device's clock, which nobody else has a hand in. Destroyed is
// what this profile holds: words, documents' keys, what is found by them; and own files at the
// relay. What stays is the timeline: who did what when. Files that were fetched, backups and what
// others' devices hold are out of reach.
#ifndef PARLEY_RETENTION_H_
#define PARLEY_RETENTION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "parley/export.h"
#include "parley/ids.h"
#include "parley/types.h"

namespace parley {

// "keep CLASS: HOW LONG" of the agreement in force, and what there is of that class.
struct RetentionClass {
  std::string name;      // "notes", "messages", …
  std::string how_long;  // as the policy has it
  // Whether this program has records of such a class that it destroys. If not, `note` says why.
  bool destroyable = false;
  std::string note;
  // When what was said before the case's end is due; 0: never, or the case goes on.
  int64_t due_at = 0;
  uint64_t records = 0;      // that this profile holds
  uint64_t records_due = 0;  // that it isn't to hold any longer
  // Whose programs have said that they have destroyed theirs; and who is awaited, once it is due.
  std::vector<Person> destroyed_by;
  std::vector<Person> awaited;
};

struct CaseRetention {
  bool agreed = false;   // there is an agreement with a policy; otherwise the rest is empty
  bool ended = false;    // nothing is due before
  int64_t ended_at = 0;  // when this device has heard of it
  // "destroy: when due": this program does it by itself when it syncs, a day after it has said so
  // at the earliest.
  bool automatic = false;
  int64_t by_itself_at = 0;  // when it would next; 0: not foreseen
  std::string hold;          // why nothing is destroyed on this device; empty: no hold
  bool unfinished = false;   // a destruction was interrupted: the next sync, or Destroy, goes on
  std::vector<RetentionClass> classes;
  uint64_t uncovered = 0;  // records of which the policy says nothing: they are kept
};

struct Destruction {
  std::vector<std::string> classes;  // in which there was something, or that are reported now
  uint64_t records = 0;
  // Whether the others were told, by a record of the case (report-destruction).
  bool reported = false;
};

}  // namespace parley

#endif  // PARLEY_RETENTION_H_
