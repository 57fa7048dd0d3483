// Forwards one connection after the other to a relay, each from the same address and port, as a
// proxy's or a home's are used again and again.
#ifndef PARLEY_SERVER_GRPC_FORWARDER_FOR_TEST_H_
#define PARLEY_SERVER_GRPC_FORWARDER_FOR_TEST_H_

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

namespace parley::server {

class Forwarder {
 public:
  // `from`: an address of the loopback's.
  Forwarder(int relay_port, const char* from)
      : relay_port_(relay_port), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = Loopback(0);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(::listen(listener_, 16), 0);
    port_ = PortOf(listener_);
    from_ = address;
    ::inet_pton(AF_INET, from, &from_.sin_addr);
    thread_ = std::thread([this] { Work(); });
  }
  ~Forwarder() {
    is_over_ = true;
    thread_.join();
    ::close(listener_);
  }
  Forwarder(const Forwarder&) = delete;
  Forwarder& operator=(const Forwarder&) = delete;

  int port() const { return port_; }
  int connections() const { return connections_; }
  // What gRPC calls each of them at the relay; once there was one.
  std::string peer() const {
    std::array<char, INET_ADDRSTRLEN> text{};
    ::inet_ntop(AF_INET, &from_.sin_addr, text.data(), text.size());
    return std::string("ipv4:") + text.data() + ":" + std::to_string(ntohs(from_.sin_port));
  }
  // Whether one is open now.
  bool is_busy() const { return is_busy_; }

 private:
  static sockaddr_in Loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(port));
    return address;
  }
  static int PortOf(int fd) {
    sockaddr_in address{};
    socklen_t size = sizeof(address);
    EXPECT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
    return ntohs(address.sin_port);
  }
  static bool IsReadable(int fd) {
    pollfd ready{fd, POLLIN, 0};
    return ::poll(&ready, 1, 10) == 1;
  }

  void Work() {
    while (!is_over_) {
      if (!IsReadable(listener_)) continue;
      const int client = ::accept(listener_, nullptr, nullptr);
      const int relay = ConnectToRelay();
      ++connections_;
      is_busy_ = true;
      Forward(client, relay);
      ::close(client);
      ::close(relay);
      is_busy_ = false;
    }
  }
  int ConnectToRelay() {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    const linger at_once{1, 0};  // else the port is kept for a minute
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    EXPECT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&from_), sizeof(from_)), 0);
    from_.sin_port = htons(static_cast<uint16_t>(PortOf(fd)));  // the next ones', too
    const sockaddr_in relay = Loopback(relay_port_);
    EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&relay), sizeof(relay)), 0);
    return fd;
  }
  void Forward(int a, int b) {
    std::array<char, 16384> bytes{};
    while (!is_over_) {
      std::array<pollfd, 2> ready = {pollfd{a, POLLIN, 0}, pollfd{b, POLLIN, 0}};
      ::poll(ready.data(), ready.size(), 10);
      for (size_t i = 0; i < 2; ++i) {
        if (ready[i].revents == 0) continue;
        const ssize_t count = ::recv(ready[i].fd, bytes.data(), bytes.size(), 0);
        if (count <= 0) return;
        ssize_t sent = 0;
        while (sent < count) {
          const ssize_t more = ::send(ready[1 - i].fd, bytes.data() + sent,
                                      static_cast<size_t>(count - sent), MSG_NOSIGNAL);
          if (more <= 0) return;
          sent += more;
        }
      }
    }
  }

  const int relay_port_;
  const int listener_;
  int port_ = 0;
  sockaddr_in from_{};
  std::atomic<bool> is_over_ = false;
  std::atomic<bool> is_busy_ = false;
  std::atomic<int> connections_ = 0;
  std::thread thread_;
};

}  // namespace parley::server

#endif  // PARLEY_SERVER_GRPC_FORWARDER_FOR_TEST_H_
