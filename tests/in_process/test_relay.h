// A relay of the real server code in this process: real gRPC, real TLS, a store in memory that
// outlives restarts. For tests of the client library's rooms.
//
//   TestRelay relay;
//   RelayClient::Connect({relay.address(), relay.identity_key()});
//   relay.Stop();  …  relay.Start();      // the same port, the same store
//
// Threading: all from one thread.
#ifndef PARLEY_TESTS_IN_PROCESS_TEST_RELAY_H_
#define PARLEY_TESTS_IN_PROCESS_TEST_RELAY_H_

#include <memory>
#include <string>

#include "crypto/base/bytes.h"
#include "crypto/base/secret.h"

namespace parley::testing {

class TestRelay {
 public:
  static constexpr uint64_t kQuotaBytes = uint64_t{8} << 30;

  // Starts on a free port of 127.0.0.1, with one sponsor.
  explicit TestRelay(uint64_t quota_bytes = kQuotaBytes);
  ~TestRelay();
  TestRelay(const TestRelay&) = delete;
  TestRelay& operator=(const TestRelay&) = delete;

  const std::string& address() const { return address_; }
  const crypto::ByteArray<32>& identity_key() const { return identity_key_; }
  const crypto::Secret& sponsor_token() const { return sponsor_token_; }

  // Ends every connection and stops listening.
  void Stop();
  // Listens again, on the same port.
  void Start();
  // Stops, takes a new TLS key that the same identity vouches for, and starts.
  void RenewTlsKey();
  // Stops, becomes another relay on the same port, and starts.
  void ReplaceIdentity();
  // The sponsor gets another token; the earlier one makes nothing new.
  void RenewSponsorToken();
  // The relay's time moves on (its tokens run out).
  void AdvanceClock(uint64_t seconds);

  // From now on it takes so many calls a second on a connection, and those of ten seconds at once.
  void LimitCalls(uint64_t per_second);

  // Damages what is stored: byte `at` of chunk `index` of the
  // only blob is flipped.
  void FlipChunkByte(uint64_t index, size_t at);
  // Chunks `a` and `b` of the only blob change places.
  void SwapChunks(uint64_t a, uint64_t b);

 private:
  struct State;
  std::unique_ptr<State> state_;
  std::string address_;
  crypto::ByteArray<32> identity_key_{};
  crypto::Secret sponsor_token_;
};

}  // namespace parley::testing

#endif  // PARLEY_TESTS_IN_PROCESS_TEST_RELAY_H_
