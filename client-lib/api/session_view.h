// What leads a session, as the public values show it. Nothing here uses the network.
//
// Threading: functions on a transaction.
// Errors: the store's; NotFound for an unknown case.
#ifndef PARLEY_CLIENT_LIB_API_SESSION_VIEW_H_
#define PARLEY_CLIENT_LIB_API_SESSION_VIEW_H_

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client-lib/cases/session_work.h"
#include "parley/session.h"

namespace parley::client {

class SessionView {
 public:
  // `procedure`: as for LoadSession.
  static absl::StatusOr<SessionView> Create(const ReadTransaction& step, const CaseContext& context,
                                            const LoadedProcedure* procedure = nullptr);

  std::vector<SessionText> Texts(SessionTextKind kind) const;
  Floor ShowFloor() const;
  std::vector<Issue> Issues() const;

  // A record in words, without what others may read elsewhere; empty for one that isn't shown.
  static std::string Describe(const content::v1::Content& content);
  // Why the record there doesn't count; empty: it does, or that isn't known here.
  std::string RefusalAt(const JointPosition& at) const;
  // Why the author of a message there should have waited; empty for nothing. `seen`: how far they
  // had read.
  std::string WithoutFloor(const Actor& author, const JointPosition& at,
                           const JointPosition& seen) const;
  // Why an own message for the joint channel waits; empty when it isn't held.
  std::string Hold() const;

  // Null before this device is in the joint channel.
  const LoadedSession* session() const { return session_.get(); }

 private:
  Person Show(const Actor& actor) const;

  std::shared_ptr<const LoadedSession> session_;
  std::set<ParticipantId> compared_;
  ParticipantId self_;
};

// Whether nothing is shown at its place: what programs tell each other, and the record of a
// retraction (what it took back shows that).
bool IsSilent(const ChannelMessage& message);

// Records that were passed over.
absl::Status AddSessionAlarms(const ReadTransaction& step, const CaseContext& context,
                              std::vector<Alarm>& alarms);

// What each of `readers`, and whoever else has written any of `messages`, has said in them.
std::vector<SpeakingShare> ShowBalance(const std::vector<Person>& readers,
                                       const std::vector<Message>& messages);

// The side's caucus on this device. Errors: NotFound when it isn't in one.
absl::StatusOr<ChannelId> CaucusOf(const ReadTransaction& step, const CaseContext& context,
                                   const std::string& side);
// Each side's latest ranking, of the caucuses that this device is in.
absl::StatusOr<std::vector<IssueRanking>> ViewRankings(const ReadTransaction& step,
                                                       const CaseContext& context);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_API_SESSION_VIEW_H_
