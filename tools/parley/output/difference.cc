#include "tools/parley/output/difference.h"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/parley/output/text.h"

namespace parley::cli {
namespace {

constexpr size_t kAround = 3;

struct Line {
  std::vector<TextPiece> pieces;  // without the line's end

  bool IsOnly(PieceKind kind) const {
    return std::all_of(pieces.begin(), pieces.end(),
                       [kind](const TextPiece& piece) { return piece.kind == kind; });
  }
};

// A removed or added end of line ends the line, too.
std::vector<Line> LinesOf(const TextDifference& difference) {
  std::vector<Line> lines;
  Line line;
  for (const TextPiece& piece : difference.pieces) {
    std::string_view text = piece.text;
    while (!text.empty()) {
      const size_t end = text.find('\n');
      line.pieces.push_back({piece.kind, std::string(text.substr(0, end))});
      if (end == std::string_view::npos) break;
      lines.push_back(std::move(line));
      line = Line();
      text.remove_prefix(end + 1);
    }
  }
  if (!line.pieces.empty()) lines.push_back(std::move(line));
  return lines;
}

std::string Shown(const Line& line) {
  const bool is_whole = line.IsOnly(PieceKind::kSame) || line.IsOnly(PieceKind::kRemoved) ||
                        line.IsOnly(PieceKind::kAdded);
  const PieceKind kind = line.pieces.front().kind;
  std::string shown = "~ ";
  if (is_whole) shown = kind == PieceKind::kSame ? "  " : kind == PieceKind::kRemoved ? "- " : "+ ";
  for (const TextPiece& piece : line.pieces) {
    const bool is_marked = !is_whole && piece.kind != PieceKind::kSame && !piece.text.empty();
    const bool is_removed = piece.kind == PieceKind::kRemoved;
    if (is_marked) shown += is_removed ? "[-" : "{+";
    std::string text = piece.text;
    std::replace(text.begin(), text.end(), '\t', ' ');
    shown += Harmless(text);
    if (is_marked) shown += is_removed ? "-]" : "+}";
  }
  return shown + "\n";
}

}  // namespace

std::string DifferenceText(const TextDifference& difference) {
  const std::vector<Line> lines = LinesOf(difference);
  std::vector<bool> is_near(lines.size(), false);
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].IsOnly(PieceKind::kSame)) continue;
    const size_t from = i - std::min(i, kAround);
    const size_t to = std::min(lines.size(), i + kAround + 1);
    std::fill(is_near.begin() + static_cast<ptrdiff_t>(from),
              is_near.begin() + static_cast<ptrdiff_t>(to), true);
  }
  if (std::find(is_near.begin(), is_near.end(), true) == is_near.end()) return "";
  std::string text;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (is_near[i]) {
      text += Shown(lines[i]);
    } else if (i == 0 || is_near[i - 1]) {
      text += "...\n";
    }
  }
  return text;
}

}  // namespace parley::cli
