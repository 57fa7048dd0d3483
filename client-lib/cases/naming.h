// Which channel counts for a kind and side.
//
// A neutral could plant a second caucus, joint or neutrals' channel: one that the others can't
// change, and that they or the parties take for the real one. So there is one of each:
//
// - On a neutral's device, a caucus or joint channel counts that was named in the neutrals' channel
//   (CaseChannels): the first of those for its kind and side that a neutral has named who takes
//   part still. It is opened only once its name has been read back and is the first, so two
//   neutrals who want to open one at the same time open one. Neutrals in such a channel name it,
//   too: it goes on counting when who opened it has gone. A new neutral goes by what its inviter
//   says.
// - The neutrals' channel, and on others' devices every channel: the one that came first, unless
//   this device was put out of it, or it was given up.
// - A Welcome into another one than counts waits until that one doesn't count any more, and is an
//   alarm.
//
// Threading: functions on a transaction, and plain values.
#ifndef PARLEY_CLIENT_LIB_CASES_NAMING_H_
#define PARLEY_CLIENT_LIB_CASES_NAMING_H_

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "client-lib/cases/case_context.h"

namespace parley::content::v1 {
class CaseChannels;
}  // namespace parley::content::v1

namespace parley::client {

// A channel of the case, with its id.
struct CaseChannel {
  ChannelId id;
  ChannelInfo info;
};

// All channels of the case, in the order in which they came.
absl::StatusOr<std::vector<CaseChannel>> ChannelsOf(const ReadTransaction& step,
                                                    const CaseContext& context);

// Decides which channels count, by what was loaded of the case. Keeps copies.
class ChannelChoice {
 public:
  ChannelChoice(const CaseRecord& record, const std::vector<PersonRecord>& people,
                const std::vector<CaseChannel>& channels);
  static absl::StatusOr<ChannelChoice> Load(const ReadTransaction& step,
                                            const CaseContext& context);

  // The one that counts for the kind and side. It needn't be here yet.
  std::optional<ChannelId> Of(ChannelKind kind, const std::string& side = {}) const;
  bool Counts(const CaseChannel& channel) const;
  // Of the channels here, those that count.
  std::set<ChannelId> All() const;
  // Those that count of what was named, here or not, with who named them.
  std::vector<NamedChannel> Names() const;
  // Who named the channel in the neutrals' channel; null when nobody has.
  const NamedChannel* NameOf(const ChannelId& id) const;
  // Whether somebody is a neutral now, as the neutrals' records have it.
  bool IsNeutralNow(const ParticipantId& id) const;
  // Whether this device has heard which channels count: who created the case always, others from
  // their inviter.
  bool Briefed() const { return briefed_; }

 private:
  struct Known {
    ChannelId id;
    ChannelKind kind;
    std::string side;
    bool over;  // put out of it, or given up
  };

  const Known* FirstHere(ChannelKind kind, const std::string& side) const;

  bool neutral_;
  bool briefed_;
  std::vector<NamedChannel> named_;
  std::vector<Known> here_;
  std::set<ParticipantId> neutrals_;  // who take part
};

// What a Welcome into a channel that isn't here yet comes to.
enum class Coming { kMayCome, kNotYet, kAnotherCounts };
Coming JudgeComing(const ChannelChoice& choice, bool own_is_neutral, const ChannelState& state);

// Takes what a neutral says in the neutrals' channel.
void TakeNames(CaseRecord& record, const content::v1::CaseChannels& names,
               const ParticipantId& author);

// Queues names in the neutrals' channel, or takes them back, and notes that in `record`, which the
// caller stores.
absl::Status PostNames(Transaction& step, const CaseContext& context, const ChannelId& neutrals,
                       CaseRecord& record, const std::vector<NamedChannel>& names,
                       bool withdrawn = false);
// Queues all that count there, for a new neutral.
absl::Status PostAllNames(Transaction& step, const CaseContext& context, const ChannelId& neutrals,
                          const ChannelChoice& choice);

// Whether what this device said of the channel is on its way still.
bool NameWaits(const CaseRecord& record, const ChannelId& id);

// On devices of others than neutrals: gives up channels whose only neutrals were in the joint
// channel once and are there no more. Call it when every active channel has been read to its head.
// Whether anything changed.
absl::StatusOr<bool> GiveUpLostChannels(Transaction& step, const CaseContext& context);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CASES_NAMING_H_
