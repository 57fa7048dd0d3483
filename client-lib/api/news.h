// What has changed in a case since one looked last, as events.
//
// Threading: one thread.
#ifndef PARLEY_CLIENT_LIB_API_NEWS_H_
#define PARLEY_CLIENT_LIB_API_NEWS_H_

#include <functional>
#include <map>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "client-lib/cases/case_context.h"
#include "parley/types.h"

namespace parley::client {

class CaseView;

class News {
 public:
  // `context` needs no relay.
  explicit News(CaseContext context) : context_(std::move(context)) {}

  // What is there now isn't news.
  absl::Status Start();
  // Reports what has come since the last call. Callbacks come with no transaction open.
  absl::Status Report(const std::function<void(const Event&)>& on_event);

 private:
  struct ChannelFace {
    ChannelStatus status{};
    std::string readers;
    friend bool operator==(const ChannelFace&, const ChannelFace&) = default;
  };
  absl::Status Collect(std::vector<Event>& events);
  // What was shown, and has been taken back since the last call.
  absl::Status CollectRetracted(const ReadTransaction& read, const CaseView& view,
                                const ChannelRef& channel, std::vector<Event>& events);
  void CompareParticipants(const std::vector<Participant>& participants,
                           std::vector<Event>& events);
  void CompareChannel(const parley::Channel& channel, std::vector<Event>& events);
  Event Make(EventKind kind, std::string text) const;

  CaseContext context_;
  std::map<ParticipantId, ParticipantState> people_;
  std::map<ChannelId, ChannelFace> channels_;
  std::map<ChannelId, uint64_t> read_up_to_;
  std::map<ChannelId, uint64_t> retractions_up_to_;
  std::set<std::string> alarms_;
};

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_API_NEWS_H_
