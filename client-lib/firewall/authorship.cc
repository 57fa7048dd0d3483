#include "client-lib/firewall/authorship.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "client-lib/firewall/bound_text.h"
#include "client-lib/firewall/folded_letters.h"
#include "client-lib/firewall/passages.h"
#include "crypto/base/status_macros.h"

namespace parley::client {
namespace {

constexpr size_t kMessagesAtOnce = 256;

// One item, compared with what was said before it, in the log's order.
class Comparison {
 public:
  explicit Comparison(const OwnSaying& saying)
      : item_(*saying.item), content_(ReadBound(*saying.item)), for_side_(saying.for_side) {
    const Letters all = FoldedLetters(content_.text);
    const Letters words = FoldedLetters(content_.parts.empty() ? saying.words : content_.text);
    if (words.empty()) return;
    size_t begin = FindWhole(all, words);
    size_t length = words.size();
    if (begin == all.size()) {  // letters that fold together at its ends
      begin = 0;
      length = all.size();
    }
    // With what stands around them: a passage can't be carried in pieces that are none.
    const size_t around = std::min(begin, kPassageLetters - 1);
    const size_t end = std::min(all.size(), begin + length + kPassageLetters - 1);
    letters_.assign(all.begin() + static_cast<ptrdiff_t>(begin - around),
                    all.begin() + static_cast<ptrdiff_t>(end));
    begin_ = around;
    end_ = around + length;
    own_.assign(letters_.size(), false);
    finder_ = std::make_unique<PassageFinder>(letters_);
  }

  bool found() const { return found_.has_value(); }
  std::optional<EarlierSaying> Take() { return std::move(found_); }

  void Look(const ChannelMessage& message, const BoundContent& bound, const Letters& other) {
    if (found() || message.number >= item_.number) return;
    const bool by_author =
        message.author.participant_id == item_.author.participant_id && !bound.carried;
    if (by_author || BySide(message, bound)) {
      if (finder_ != nullptr) finder_->Mark(other, own_);
      return;
    }
    const bool may_take_over =
        IsNeutral(message.author.role) && !bound.carried && !IsNeutral(item_.author.role);
    if (may_take_over || !Has(message, bound, other)) return;
    found_.emplace(EarlierSaying{message.author, message.number});
  }

 private:
  // Of an offer's record: whether its side said the other, or was told it by whom this is for.
  bool BySide(const ChannelMessage& message, const BoundContent& bound) const {
    if (content_.parts.empty()) return false;
    if (bound.carried) return !for_side_.empty() && bound.carried_side == for_side_;
    const bool speaks =
        message.author.role == Role::kParty || message.author.role == Role::kCounsel;
    return speaks && !item_.author.side.empty() && message.author.side == item_.author.side;
  }

  bool Has(const ChannelMessage& message, const BoundContent& bound, const Letters& other) const {
    if (!content_.document_root.empty() && content_.document_size == bound.document_size &&
        content_.document_root == bound.document_root) {
      return true;
    }
    if (finder_ == nullptr) return false;
    if (other.size() >= kPassageLetters) return HasPassage(other);
    const bool is_courtesy = IsNeutral(message.author.role) && !bound.carried;
    return !is_courtesy && CountsAsWhole(other) && HasWhole(other);
  }

  bool HasPassage(const Letters& other) const {
    std::vector<bool> places(letters_.size(), false);
    finder_->Mark(other, places);
    for (size_t i = 0; i < end_; ++i) {
      if (places[i] && !own_[i] && i + kPassageLetters > begin_) return true;
    }
    return false;
  }

  // Whether the whole of it stands where the words are, or over their edge.
  bool HasWhole(const Letters& other) const {
    const LettersView all(letters_);
    const size_t first = begin_ - std::min(begin_, other.size() - 1);
    const size_t last = std::min(all.size(), end_ + other.size() - 1);
    const LettersView part = all.subspan(first, last - first);
    return FindWhole(part, other) != part.size();
  }

  const ChannelMessage& item_;
  const BoundContent content_;
  const std::string for_side_;
  Letters letters_;  // the words, and what stands around them
  size_t begin_ = 0;
  size_t end_ = 0;
  std::unique_ptr<PassageFinder> finder_;
  std::vector<bool> own_;  // passages that the author said before anybody else
  std::optional<EarlierSaying> found_;
};

}  // namespace

absl::StatusOr<std::vector<std::optional<EarlierSaying>>> SaidBefore(
    const ReadTransaction& step, const Channel& channel, const std::vector<OwnSaying>& sayings) {
  std::vector<Comparison> comparisons;
  comparisons.reserve(sayings.size());
  uint64_t last = 0;
  for (const OwnSaying& saying : sayings) {
    comparisons.emplace_back(saying);
    last = std::max(last, saying.item->number);
  }
  MessageQuery query;
  query.limit = kMessagesAtOnce;
  query.kinds = BoundKinds();
  for (bool more = !sayings.empty(); more;) {
    PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelMessage> messages,
                            channel.Messages(step, query));
    more = messages.size() == kMessagesAtOnce && messages.back().number < last;
    for (const ChannelMessage& message : messages) {
      query.after = message.number;
      if (message.number >= last) break;
      const BoundContent bound = ReadBound(message);
      const Letters other = FoldedLetters(bound.text);
      for (Comparison& comparison : comparisons) comparison.Look(message, bound, other);
    }
  }
  std::vector<std::optional<EarlierSaying>> found;
  for (Comparison& comparison : comparisons) found.push_back(comparison.Take());
  return found;
}

}  // namespace parley::client
