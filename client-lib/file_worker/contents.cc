#include "client-lib/file_worker/contents.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "client-lib/file_worker/big_endian.h"

namespace parley::file_worker {
namespace {

constexpr char kMember = 1;
constexpr char kStopped = 2;
constexpr size_t kNameAt = 1 + 4;
constexpr size_t kAfterName = 8 + 32 + 4;
constexpr size_t kStoppedBytes = 2;
// A name of each archive around it; ZIP gives each 2 bytes for its length.
constexpr size_t kMostName = (size_t{1} << 16) * (kMostArchiveDepth + 1);

uint64_t NumberAt(std::string_view bytes, size_t at, size_t count) {
  uint64_t value = 0;
  for (const char byte : bytes.substr(at, count)) value = value << 8 | static_cast<uint8_t>(byte);
  return value;
}

}  // namespace

bool IsMarkup(std::string_view file) {
  std::string name(file);
  for (char& letter : name) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  constexpr std::string_view kEndings[] = {".xml", ".html", ".htm", ".xhtml", ".svg", ".rels"};
  return std::any_of(std::begin(kEndings), std::end(kEndings),
                     [&name](std::string_view ending) { return name.ends_with(ending); });
}

std::string WithoutTags(std::string_view markup) {
  constexpr size_t kLongestEntity = 10;
  std::string text;
  text.reserve(markup.size());
  for (size_t i = 0; i < markup.size(); ++i) {
    const char closing = markup[i] == '<' ? '>' : markup[i] == '&' ? ';' : '\0';
    // Where nothing closes it, it isn't looked for again and again.
    const std::string_view rest =
        closing == ';' ? markup.substr(0, std::min(markup.size(), i + kLongestEntity + 1)) : markup;
    const size_t end = closing == '\0' ? std::string_view::npos : rest.find(closing, i);
    if (closing == '>' && end == std::string_view::npos) return text.append(markup.substr(i));
    if (end != std::string_view::npos) {
      i = end;
    } else {
      text += markup[i];
    }
  }
  return text;
}

std::string MemberRecord(const PackedFile& member) {
  std::string record(1, kMember);
  record.reserve(kNameAt + member.name.size() + kAfterName + member.text.size());
  AppendNumber(record, member.name.size(), 4);
  record += member.name;
  AppendNumber(record, member.size, 8);
  record.append(member.root.begin(), member.root.end());
  AppendNumber(record, member.text.size(), 4);
  record += member.text;
  return record;
}

std::string StoppedRecord(Stopped reason) { return {kStopped, static_cast<char>(reason)}; }

bool ContentsReader::Take(std::string_view bytes) {
  while (!broken_ && !bytes.empty()) {
    const size_t needed = pending_.empty() ? 1 : Needed();
    if (needed == 0 || stopped_.has_value()) {  // nothing follows that
      broken_ = true;
      break;
    }
    const size_t taken = std::min(needed - pending_.size(), bytes.size());
    pending_.append(bytes.substr(0, taken));
    bytes.remove_prefix(taken);
    const size_t whole = Needed();
    if (whole == 0) {
      broken_ = true;
    } else if (pending_.size() == whole) {
      broken_ = !TakeRecord(pending_);
      pending_.clear();
    }
  }
  return !broken_;
}

// Lengths are looked at before a byte behind them is kept.
size_t ContentsReader::Needed() const {
  if (pending_[0] == kStopped) return kStoppedBytes;
  if (pending_[0] != kMember) return 0;
  if (pending_.size() < kNameAt) return kNameAt;
  const uint64_t name = NumberAt(pending_, 1, 4);
  if (name > kMostName) return 0;
  const size_t text_at = kNameAt + name + kAfterName;
  if (pending_.size() < text_at) return text_at;
  const uint64_t text = NumberAt(pending_, text_at - 4, 4);
  return text > kMostMemberText ? 0 : text_at + text;
}

bool ContentsReader::TakeRecord(std::string_view record) {
  if (record[0] == kStopped) {
    const auto reason = static_cast<uint8_t>(record[1]);
    stopped_ = static_cast<Stopped>(reason);
    return reason >= 1 && reason <= kLastStopped;
  }
  if (++members_ > kMostArchiveMembers) return false;
  PackedFile member;
  const auto name = static_cast<size_t>(NumberAt(record, 1, 4));
  member.name = record.substr(kNameAt, name);
  size_t at = kNameAt + name;
  member.size = NumberAt(record, at, 8);
  at += 8;
  std::copy_n(record.begin() + static_cast<ptrdiff_t>(at), member.root.size(),
              reinterpret_cast<char*>(member.root.data()));
  at += member.root.size() + 4;
  member.text = record.substr(at);
  return visit_(member);
}

}  // namespace parley::file_worker
