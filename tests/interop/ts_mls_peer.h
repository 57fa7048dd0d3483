// The npm package ts-mls as a member of groups, in a process of its own (ts_mls_client.mjs).
//
//   TsMlsPeer peer(PARLEY_NODE, PARLEY_TS_MLS_CLIENT);
//   peer.Must("suite", {"3"});
//   std::string key_package = peer.Must("key-package", {"actor"})[0];   // hexadecimal, as all is
//
// Commands, with what they answer; byte strings are hexadecimal, "-" when empty:
//   suite NUMBER; psk ID SECRET
//   key-package ACTOR -> MESSAGE; create ACTOR GROUP-ID; join ACTOR WELCOME TREE
//   propose ACTOR PUBLIC PROPOSAL -> MESSAGE
//   commit ACTOR PUBLIC TREE-IN-WELCOME PROPOSAL... -> COMMIT WELCOME; accept ACTOR
//   process ACTOR MESSAGE -> "said" TEXT, or "taken"; process-either ACTOR MESSAGE; protect ACTOR
//   TEXT DATA -> MESSAGE view ACTOR -> EPOCH LEAF AUTHENTICATOR EXPORTED TREE-HASH TREE; extensions
//   ACTOR -> TYPES group-info ACTOR -> MESSAGE; join-externally ACTOR GROUP-INFO -> COMMIT
// A PROPOSAL is add=MESSAGE, remove=LEAF, psk=ID, resumption=EPOCH or extensions=TYPE:DATA,...
//
// Threading: like a container's.
#ifndef PARLEY_TESTS_INTEROP_TS_MLS_PEER_H_
#define PARLEY_TESTS_INTEROP_TS_MLS_PEER_H_

#include <cstdio>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace parley::interop {

using Words = std::vector<std::string>;

class TsMlsPeer {
 public:
  TsMlsPeer(const std::string& node, const std::string& script);
  TsMlsPeer(const TsMlsPeer&) = delete;
  TsMlsPeer& operator=(const TsMlsPeer&) = delete;
  ~TsMlsPeer();

  // Errors: Aborted with the reason when the command failed; Unavailable when the process ended.
  absl::StatusOr<Words> Try(const std::string& command, const Words& arguments);
  // The same, which a test expects to succeed.
  Words Must(const std::string& command, const Words& arguments);

 private:
  int child_ = -1;
  FILE* requests_ = nullptr;
  FILE* answers_ = nullptr;
};

}  // namespace parley::interop

#endif  // PARLEY_TESTS_INTEROP_TS_MLS_PEER_H_
