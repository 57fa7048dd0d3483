// The difference of two texts: by lines, then, where lines were replaced, by words. Both texts are
// from files that may be attacks, so that the work is bounded: by the processor time that this
// process has, and by sizes over which lines are compared whole.
#include <algorithm>
#include <cctype>
#include <dtl/dtl.hpp>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "client-lib/file_worker/program/jobs.h"

namespace parley::file_worker {
namespace {

using Tokens = std::vector<std::string_view>;
using Numbers = std::vector<int>;

enum Kind : uint8_t { kSame = 0, kRemoved = 1, kAdded = 2 };

// Over this the words of replaced lines aren't compared.
constexpr size_t kMostWords = 4'000;
// And where less than this part of them is the same, a reader is better off with the lines.
constexpr size_t kLeastSamePart = 3;

Tokens LinesOf(std::string_view text) {
  Tokens lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return lines;
}

// Letters and digits together, runs of blanks together, each other character alone. Bytes over 0x7f
// count as letters, so that no character is divided.
int ClassOf(char character) {
  const auto byte = static_cast<unsigned char>(character);
  if (byte >= 0x80 || std::isalnum(byte) != 0) return 0;
  return byte == ' ' || byte == '\t' ? 1 : 2;
}

Tokens WordsOf(std::string_view text) {
  Tokens words;
  while (!text.empty()) {
    size_t end = 1;
    const int kind = ClassOf(text[0]);
    while (kind != 2 && end < text.size() && ClassOf(text[end]) == kind) ++end;
    words.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return words;
}

class Pieces {
 public:
  void Add(Kind kind, size_t bytes) {
    if (bytes == 0) return;
    if (!pieces_.empty() && pieces_.back().first == kind) {
      pieces_.back().second += bytes;
    } else {
      pieces_.emplace_back(kind, bytes);
    }
  }
  std::string Serialize() const {
    std::string data;
    for (const auto& [kind, bytes] : pieces_) {
      data.push_back(static_cast<char>(kind));
      for (int i = 3; i >= 0; --i) data.push_back(static_cast<char>(bytes >> (8 * i) & 0xff));
    }
    return data;
  }

 private:
  std::vector<std::pair<Kind, size_t>> pieces_;
};

struct Step {
  Kind kind;
  size_t bytes;
};

// The steps from one list of tokens to the other.
std::vector<Step> Compare(const Tokens& older, const Tokens& newer) {
  std::unordered_map<std::string_view, int> numbers;
  const auto number = [&](const Tokens& tokens) {
    Numbers result;
    result.reserve(tokens.size());
    for (const std::string_view token : tokens) {
      result.push_back(numbers.try_emplace(token, static_cast<int>(numbers.size())).first->second);
    }
    return result;
  };
  const Numbers a = number(older);
  const Numbers b = number(newer);
  dtl::Diff<int, Numbers> diff(a, b);
  diff.compose();
  std::vector<Step> steps;
  size_t in_older = 0;
  size_t in_newer = 0;
  const auto sequence = diff.getSes().getSequence();
  for (const auto& [token, info] : sequence) {
    switch (info.type) {
      case dtl::SES_DELETE:
        steps.push_back({kRemoved, older.at(in_older++).size()});
        break;
      case dtl::SES_ADD:
        steps.push_back({kAdded, newer.at(in_newer++).size()});
        break;
      default:
        steps.push_back({kSame, older.at(in_older++).size()});
        ++in_newer;
    }
  }
  return steps;
}

// Lines that were replaced by others.
void AddReplaced(Pieces& pieces, std::string_view older, std::string_view newer) {
  const Tokens a = WordsOf(older);
  const Tokens b = WordsOf(newer);
  if (!a.empty() && !b.empty() && a.size() <= kMostWords && b.size() <= kMostWords) {
    const std::vector<Step> steps = Compare(a, b);
    size_t same = 0;
    for (const Step& step : steps) same += step.kind == kSame ? step.bytes : 0;
    if (same * kLeastSamePart >= std::max(older.size(), newer.size())) {
      // What goes comes before what replaces it.
      size_t added = 0;
      for (const Step& step : steps) {
        if (step.kind == kSame) pieces.Add(kAdded, std::exchange(added, 0));
        if (step.kind == kAdded) {
          added += step.bytes;
        } else {
          pieces.Add(step.kind, step.bytes);
        }
      }
      pieces.Add(kAdded, added);
      return;
    }
  }
  pieces.Add(kRemoved, older.size());
  pieces.Add(kAdded, newer.size());
}

}  // namespace

JobResult DifferenceOf(std::string_view texts, size_t older_bytes) {
  if (older_bytes > texts.size()) return Failed(Failure::kNotReadable);
  const std::string_view older = texts.substr(0, older_bytes);
  const std::string_view newer = texts.substr(older_bytes);
  const std::vector<Step> steps = Compare(LinesOf(older), LinesOf(newer));
  Pieces pieces;
  size_t in_older = 0;
  size_t in_newer = 0;
  size_t removed = 0;  // lines that were replaced, up to here
  size_t added = 0;
  const auto finish_replaced = [&] {
    AddReplaced(pieces, older.substr(in_older, removed), newer.substr(in_newer, added));
    in_older += std::exchange(removed, 0);
    in_newer += std::exchange(added, 0);
  };
  for (const Step& step : steps) {
    if (step.kind == kRemoved) removed += step.bytes;
    if (step.kind == kAdded) added += step.bytes;
    if (step.kind != kSame) continue;
    finish_replaced();
    pieces.Add(kSame, step.bytes);
    in_older += step.bytes;
    in_newer += step.bytes;
  }
  finish_replaced();
  JobResult result;
  result.data = pieces.Serialize();
  return result;
}

}  // namespace parley::file_worker
