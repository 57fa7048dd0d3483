// Protobuf messages that came from somebody else.
//
// protobuf refuses a `string` that isn't UTF-8, and complains on standard error when it does. Its
// log handler belongs to the whole process: libparley shares protobuf with the program that embeds
// it, which may have set one of its own. So strings are looked at before protobuf sees them.
//
// Threading: free functions.
#ifndef PARLEY_CLIENT_LIB_CONTENT_PARSE_H_
#define PARLEY_CLIENT_LIB_CONTENT_PARSE_H_

#include "crypto/base/bytes.h"
#include "google/protobuf/message.h"

namespace parley::client {

// Reads `bytes` into `message`. Takes exactly what message.ParseFromArray() takes, but prints
// nothing. False for anything else; `message` then holds nothing of use.
[[nodiscard]] bool ParseFromPeer(google::protobuf::Message& message, crypto::ByteView bytes);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CONTENT_PARSE_H_
