// Documents on their way from one channel to another, as the profile keeps them until they are
// there: so that a release of briefs, or a disclosure, that was interrupted goes on with the same
// ids. Records of class keys.
//
// Threading: plain values.
#ifndef PARLEY_CLIENT_LIB_API_CARRIED_SHARES_H_
#define PARLEY_CLIENT_LIB_API_CARRIED_SHARES_H_

#include <string>
#include <tuple>
#include <vector>

#include "client-lib/firewall/disclosures.h"
#include "parley/ids.h"

namespace parley::client {

// A release under way.
struct ReleaseJob {
  struct One {
    ChannelId caucus;
    ParticipantId author;
    MessageId brief;
    MessageId document;  // its new share
    template <typename F>
    static auto Fields(F& self) {
      return std::tie(self.caucus, self.author, self.brief, self.document);
    }
  };
  MessageId release;
  std::vector<One> briefs;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.release, self.briefs);
  }
};

inline std::string ReleaseJobName(const CaseId& id) { return "brief-release/" + id.ToString(); }
// The record of one brief's new share.
inline std::string ReleaseShareName(const MessageId& document) {
  return "share/brief/" + document.ToString();
}

// The record of the share that carries a document, whose message is `record.disclosure`.
inline std::string DisclosureShareName(const AuthorisationRecord& record) {
  return "share/disclosure/" + record.channel.ToString() + "/" +
         record.author.participant_id.ToString() + "/" + record.id.ToString();
}

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_API_CARRIED_SHARES_H_
