// A case of many sides: opened, joined and approved by real calls over a relay, and then filled
// through the store, as if all of it had been received.
//
// Threading: one thread.
// Errors: Failure (must.h).
#ifndef PARLEY_TOOLS_PARLEY_BENCH_LARGE_CASE_H_
#define PARLEY_TOOLS_PARLEY_BENCH_LARGE_CASE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "client-lib/store/profile_store.h"
#include "parley/profile.h"
#include "tools/parley-bench/language.h"

namespace parley::bench {

// A mediator, a co-mediator, a party and a counsel of each side, and further counsel up to
// `people`.
struct CaseSize {
  size_t sides = 20;
  size_t people = 50;
};

// What is put into a channel.
struct Filling {
  size_t messages = 0;   // with the documents
  size_t documents = 0;  // spread evenly among them
};

struct Filled {
  double micros = 0;  // that a message took
  uint64_t last = 0;  // the number of the last one
};

class LargeCase {
 public:
  // Each participant gets a profile of their own in `folder`, which is made. Only the mediator's
  // and the first side's party's know all of their channels afterwards.
  LargeCase(const std::string& folder, const std::string& connection, const CaseSize& size);

  const CaseId& id() const { return id_; }
  const std::string& mediator() const { return mediator_; }  // their profiles' folders
  const std::string& party() const { return party_; }

  // Puts messages of all of its participants into a channel as that profile has it.
  Filled Fill(const std::string& profile, const std::string& channel, const Filling& filling);

 private:
  struct Person {
    std::string name;
    Role role = Role::kUnknown;
    std::string side;
  };
  static std::vector<Person> PeopleOf(const CaseSize& size);
  void Join(const std::string& folder, const std::vector<Person>& people);
  void ApproveAll();

  CaseId id_;
  std::string mediator_;
  std::string party_;
  Language language_;
};

}  // namespace parley::bench

#endif  // PARLEY_TOOLS_PARLEY_BENCH_LARGE_CASE_H_
