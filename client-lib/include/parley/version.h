// The library's own version and that of the protocol.
#ifndef PARLEY_VERSION_H_
#define PARLEY_VERSION_H_

#include "parley/export.h"

namespace parley {

// The version of these headers. Equal major versions are compatible.
inline constexpr int kVersionMajor = 0;
inline constexpr int kVersionMinor = 1;
inline constexpr int kVersionPatch = 0;

// The newest protocol version that this library speaks with relays and other clients.
inline constexpr unsigned kProtocolVersion = 1;

// The version of the library that is loaded, as "0.1.0". Lives as long as the program.
PARLEY_EXPORT const char* LibraryVersion();

}  // namespace parley

#endif  // PARLEY_VERSION_H_
