// The relay's counterpart: a server that does nothing with the same bytes, over the same TLS
// (proto/parley/bench/v1/bare.proto).
#ifndef PARLEY_TOOLS_PARLEY_BENCH_BARE_SERVER_H_
#define PARLEY_TOOLS_PARLEY_BENCH_BARE_SERVER_H_

#include <memory>
#include <string>

#include "parley/bench/v1/bare.grpc.pb.h"
#include "tools/parley-bench/child_process.h"

namespace parley::bench {

// Serves on a free port of 127.0.0.1, prints the address, and returns 0 after SIGTERM.
int RunBareServer();

// This program as a child that does so.
class BareServer {
 public:
  BareServer();
  const std::string& address() const { return address_; }
  pid_t pid() const { return process_.pid(); }

 private:
  ChildProcess process_;
  std::string address_;
};

using BareStub = v1::Bare::Stub;

}  // namespace parley::bench

#endif  // PARLEY_TOOLS_PARLEY_BENCH_BARE_SERVER_H_
