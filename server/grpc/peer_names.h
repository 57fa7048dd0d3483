// What a client's address is called: by the acceptor, which counts addresses, and by gRPC, whose
// name of a connection is all that a call knows of it.
//
// Threading: free functions.
#ifndef PARLEY_SERVER_GRPC_PEER_NAMES_H_
#define PARLEY_SERVER_GRPC_PEER_NAMES_H_

#include <sys/socket.h>

#include <string>

namespace parley::server {

// The bytes of an IPv4 address, or of an IPv6 network of 64 bits, since one customer has as many
// addresses there as he likes. `peer`: IPv4 or IPv6.
std::string AddressOf(const sockaddr_storage& peer);

// Exactly what gRPC 1.51 calls it in a call's context, its port included: by another name a
// connection on which a key was shown would be taken for one that isn't there.
std::string GrpcNameOf(const sockaddr_storage& peer);

}  // namespace parley::server

#endif  // PARLEY_SERVER_GRPC_PEER_NAMES_H_
