// One look of the firewall at one text. Internal to firewall.cc.
//
// Threading: belongs to its transaction's thread. Lifetime: not beyond the firewall, the
// transaction and the letters that it was made of.
#ifndef PARLEY_CLIENT_LIB_FIREWALL_TEXT_CHECK_H_
#define PARLEY_CLIENT_LIB_FIREWALL_TEXT_CHECK_H_

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client-lib/firewall/bound_text.h"
#include "client-lib/firewall/firewall.h"
#include "client-lib/firewall/passages.h"

namespace parley::client {

// Which of the text's passages stand in channels that hold back, less those that everybody
// concerned has read elsewhere.
class Firewall::TextCheck {
 public:
  // `passes_over`: nothing is compared with what may be carried by who overrides. It then covers
  // nothing that others said, too.
  TextCheck(const Firewall& firewall, const ReadTransaction& step, LettersView letters,
            bool passes_over)
      : firewall_(firewall),
        step_(step),
        letters_(letters),
        finder_(letters),
        passes_over_(passes_over) {}

  // The sources that are repeated, in the order of channels and numbers; of several with the same
  // words the first.
  absl::StatusOr<std::vector<Source>> Run();

 private:
  using Places = std::map<ChannelId, std::set<uint64_t>>;
  // A short message, or a short text of one that has several.
  struct Whole {
    Letters letters;
    bool is_free = false;
  };
  struct Hit {
    Source source;
    std::vector<bool> places;  // where passages of the source begin in the text
    std::vector<Whole> wholes;
  };

  bool IsHeldBack(const Hit& hit) const;
  void Compare(const ChannelId& channel, ChannelMessage message);
  // The short texts of the message that stand in this one and weren't found yet.
  std::vector<Whole> NewWholes(const BoundContent& bound, const Letters& all) const;
  // Whether no hit before has them all: then there are never more hits than letters.
  bool AddsPlaces(const std::vector<bool>& places);
  // Calls `compare` with the newest messages of each channel, in order.
  template <typename F>
  absl::Status ForEach(const Places& places, const F& compare) const;
  // Sorts what the index has into what is held back, one's own sayings excepted, and what is free.
  PassageIndex::Found Sorted(Places& held, Places& free) const;
  absl::Status CompareHeld(const Places& held);
  absl::Status FindPassages();
  absl::Status FindShort();
  // What everybody concerned has read; only needed when something was found. Who shares a passage
  // with the text shares a fingerprint, so that the index has them.
  absl::Status SetFree();
  bool WaitsForShort() const;
  // A short message may stand anywhere in a longer one: reads the channel until it is found.
  absl::Status SetShortFree(const ChannelId& id, uint64_t from);

  const Firewall& firewall_;
  const ReadTransaction& step_;
  const LettersView letters_;
  const PassageFinder finder_;
  const bool passes_over_;
  std::vector<Hit> hits_;
  Places free_;  // messages that share a fingerprint with the text
  std::vector<bool> covered_;
  std::vector<bool> free_places_;
};

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_FIREWALL_TEXT_CHECK_H_
