#include "tests/hostile/rules.h"

#include <cstdlib>
#include <sstream>
#include <utility>

#include "crypto/base/bytes.h"

namespace parley::hostile {

std::shared_ptr<Rule> Rule::Parse(std::string_view line) {
  std::istringstream words{std::string(line)};
  auto rule = std::shared_ptr<Rule>(new Rule());
  if (!(words >> rule->kind_)) return nullptr;
  std::string word;
  while (words >> word) {
    const size_t sign = word.find('=');
    if (sign == std::string::npos) return nullptr;
    rule->arguments_[word.substr(0, sign)] = word.substr(sign + 1);
  }
  return rule;
}

uint64_t Rule::Number(const std::string& name, uint64_t otherwise) const {
  const auto found = arguments_.find(name);
  return found == arguments_.end() ? otherwise : std::strtoull(found->second.c_str(), nullptr, 10);
}

std::string Rule::Text(const std::string& name) const {
  const auto found = arguments_.find(name);
  return found == arguments_.end() ? "" : found->second;
}

std::string Rule::Raw(const std::string& name) const {
  const auto bytes = crypto::FromHex(Text(name));
  return bytes.ok() ? crypto::ToString(*bytes) : "";
}

bool Rule::Concerns(const std::string& argument, const std::string& object_id) const {
  if (hits_ >= Number("times", UINT64_MAX)) return false;
  const std::string wanted = Raw(argument);
  return wanted.empty() || wanted == object_id;
}

void Rules::Add(std::shared_ptr<Rule> rule) {
  const std::lock_guard lock(mutex_);
  rules_.push_back(std::move(rule));
}

void Rules::Clear() {
  const std::lock_guard lock(mutex_);
  rules_.clear();
}

uint64_t Rules::hits() const {
  const std::lock_guard lock(mutex_);
  uint64_t sum = 0;
  for (const auto& rule : rules_) sum += rule->hits();
  return sum;
}

std::vector<std::shared_ptr<Rule>> Rules::For(const std::string& argument,
                                              const std::string& object_id) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Rule>> found;
  for (const auto& rule : rules_) {
    if (rule->Concerns(argument, object_id)) found.push_back(rule);
  }
  return found;
}

std::shared_ptr<Rule> Rules::Take(std::string_view kind, const std::string& argument,
                                  const std::string& object_id) {
  const std::lock_guard lock(mutex_);
  for (const auto& rule : rules_) {
    if (rule->kind() != kind || !rule->Concerns(argument, object_id)) continue;
    rule->Hit();
    return rule;
  }
  return nullptr;
}

}  // namespace parley::hostile
