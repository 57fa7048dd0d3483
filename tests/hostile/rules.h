// What the hostile relay is told to do: a list of rules, each one kind of misbehaviour.
//
// A rule is a line of text: `alter mailbox=<hex> position=7`. Arguments that all kinds take:
//   mailbox=HEX   only this mailbox (by default every one)
//   blob=HEX      only this blob
//   position=N    where in the log
//   times=N       how often (by default without end)
// The kinds are in the tables of log_mutators.cc and blob_mutators.cc, and in proxy_service.cc for
// what is done to calls.
//
// Threading: safe from any thread.
#ifndef PARLEY_TESTS_HOSTILE_RULES_H_
#define PARLEY_TESTS_HOSTILE_RULES_H_

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace parley::hostile {

class Rule {
 public:
  // Nothing for a line that isn't a kind and `name=value` pairs.
  static std::shared_ptr<Rule> Parse(std::string_view line);

  const std::string& kind() const { return kind_; }
  // The argument, or `otherwise`.
  uint64_t Number(const std::string& name, uint64_t otherwise) const;
  std::string Text(const std::string& name) const;
  // An argument in hexadecimal, as raw bytes; empty when it is missing.
  std::string Raw(const std::string& name) const;

  // Whether the rule is about this object (of 32 raw bytes), and not used up.
  bool Concerns(const std::string& argument, const std::string& object_id) const;

  // Counts that the rule was carried out.
  void Hit() { ++hits_; }
  uint64_t hits() const { return hits_; }

 private:
  Rule() = default;

  std::string kind_;
  std::map<std::string, std::string> arguments_;
  uint64_t hits_ = 0;
};

class Rules {
 public:
  void Add(std::shared_ptr<Rule> rule);
  // From now on the relay behaves.
  void Clear();
  // How often rules were carried out since the last Clear().
  uint64_t hits() const;

  // Rules in force for this object, in the order in which they were given. `argument` is "mailbox"
  // or "blob".
  std::vector<std::shared_ptr<Rule>> For(const std::string& argument,
                                         const std::string& object_id) const;
  // The first of that kind, or null; counted as carried out.
  std::shared_ptr<Rule> Take(std::string_view kind, const std::string& argument,
                             const std::string& object_id);

 private:
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<Rule>> rules_;
};

}  // namespace parley::hostile

#endif  // PARLEY_TESTS_HOSTILE_RULES_H_
