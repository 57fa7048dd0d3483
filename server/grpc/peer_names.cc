#include "server/grpc/peer_names.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <array>

namespace parley::server {

std::string AddressOf(const sockaddr_storage& peer) {
  if (peer.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(peer);
    return std::string(reinterpret_cast<const char*>(&v4.sin_addr), sizeof(v4.sin_addr));
  }
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(peer);
  const bool mapped = IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr);
  return std::string(reinterpret_cast<const char*>(&v6.sin6_addr) + (mapped ? 12 : 0),
                     mapped ? 4 : 8);
}

std::string GrpcNameOf(const sockaddr_storage& peer) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const auto& v4 = reinterpret_cast<const sockaddr_in&>(peer);
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(peer);
  const std::string port = std::to_string(ntohs(v4.sin_port));  // the same place in both
  const bool mapped = peer.ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr);
  if (peer.ss_family == AF_INET || mapped) {
    const void* bytes = mapped ? static_cast<const void*>(&v6.sin6_addr.s6_addr[12])
                               : static_cast<const void*>(&v4.sin_addr);
    ::inet_ntop(AF_INET, bytes, text.data(), text.size());
    return std::string("ipv4:") + text.data() + ":" + port;
  }
  ::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
  std::string host = text.data();
  // Of an address that holds on one link alone, which link; the % itself is written as %25.
  if (v6.sin6_scope_id != 0) host += "%25" + std::to_string(v6.sin6_scope_id);
  return "ipv6:%5B" + host + "%5D:" + port;
}

}  // namespace parley::server
