// Floods of TLS handshakes, finished ones, from many addresses together, each within its own
// bounds: each costs the relay as much as fifty calls, and who makes them needs no key.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include "server/crash_test/attack_scene_for_test.h"

namespace parley::server {
namespace {

using std::chrono::steady_clock;

// Of the loopback's, by their last three bytes.
struct LoopbackAddress {
  uint32_t number;
};

// Makes connections to the relay, one after the other, and finishes their handshakes.
class Handshaker {
 public:
  explicit Handshaker(int port)
      : port_(port), context_(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free) {
    ::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to connections that the relay has closed
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_3_VERSION);
    const unsigned char alpn[] = {2, 'h', '2'};
    SSL_CTX_set_alpn_protos(context_.get(), alpn, sizeof(alpn));
  }
  ~Handshaker() {
    for (const int fd : kept_) ::close(fd);
  }
  Handshaker(const Handshaker&) = delete;
  Handshaker& operator=(const Handshaker&) = delete;

  // Whether that went well. Of those that did the last `keep` stay open.
  bool Finish(LoopbackAddress from, size_t keep) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    const timeval patience{20, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl((uint32_t{127} << 24) + from.number);
    EXPECT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(port_));
    EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context_.get()), &SSL_free);
    SSL_set_fd(ssl.get(), fd);
    const bool is_finished = SSL_connect(ssl.get()) == 1;
    if (!is_finished || keep == 0) {
      ::close(fd);
      return is_finished;
    }
    kept_.push_back(fd);
    if (kept_.size() > keep) {
      ::close(kept_.front());
      kept_.pop_front();
    }
    return true;
  }

 private:
  const int port_;
  const std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_;
  std::deque<int> kept_;
};

// Of 200 at once half are for strangers, then 20 a second. The attackers hold some, close others at
// once, and never come twice from an address within a second. Meanwhile a member's connection goes
// on, and whoever comes from where it is gets in at the first try.
TEST(HandshakeAttackTest, HandshakesOfManyAddressesAreBoundedAndMembersComeIn) {
  Scene scene("handshake-flood", {"--connections-per-second", "20"});
  const Mailbox mailbox;
  ASSERT_TRUE(scene.Create(scene.stub(), mailbox).ok());
  const std::string token = scene.AppendToken(mailbox);
  std::atomic<int> finished = 0;
  std::atomic<int> refused = 0;
  std::atomic<bool> is_over = false;
  const auto begin = steady_clock::now();
  std::vector<std::thread> attackers;
  for (uint32_t t = 0; t < 3; ++t) {
    attackers.emplace_back([&, t] {
      Handshaker handshaker(scene.relay().port());
      for (uint32_t i = 0; !is_over; ++i) {
        const LoopbackAddress from{((t + 1) << 16) + (i % 200 << 8) + 1 + i / 200 % 200};
        ++(handshaker.Finish(from, t == 0 ? 0 : 40) ? finished : refused);
      }
    });
  }
  constexpr int kManyRefused = 300;
  const auto elapsed = [&] {
    return std::chrono::duration<double>(steady_clock::now() - begin).count();
  };
  while (elapsed() < 5 || (refused < kManyRefused && elapsed() < 60)) {
    EXPECT_TRUE(Scene::Append(scene.stub(), Scene::AppendRequest(mailbox, token, "a word")).ok());
    scene.ExpectServesOthers();
  }
  const double took = elapsed();
  is_over = true;
  for (std::thread& attacker : attackers) attacker.join();
  EXPECT_GE(finished, 80);
  EXPECT_LE(finished, 100 + 20 * took + 20);
  EXPECT_GE(refused, kManyRefused);
  EXPECT_LT(scene.GrowthKib(), kMostGrowthKib);
  // Strangers get in again as soon as others leave them something.
  Handshaker stranger(scene.relay().port());
  bool is_in = false;
  for (int i = 0; i < 100 && !is_in; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    is_in = stranger.Finish({0x070707}, 0);
  }
  EXPECT_TRUE(is_in);
}

}  // namespace
}  // namespace parley::server
