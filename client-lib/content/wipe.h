// Wiping protobuf messages that hold secrets: seeds on their way to another device, an invitation's
// keys. What is parsed or built in a message is outside of crypto::Secret for a moment; this ends
// it.
//
// Threading: free functions; the message belongs to the caller's thread.
#ifndef PARLEY_CLIENT_LIB_CONTENT_WIPE_H_
#define PARLEY_CLIENT_LIB_CONTENT_WIPE_H_

#include <google/protobuf/message.h>

namespace parley::client {

// Overwrites the bytes of every string and bytes field with zeros, in the messages within it too,
// and of fields that this version doesn't know. The fields keep their lengths. Buffers that
// protobuf or a moved-from string have given up before are out of reach.
void WipeFields(google::protobuf::Message& message);

// Does so at the end of the scope. The message outlives it.
class ScopedMessageWipe {
 public:
  explicit ScopedMessageWipe(google::protobuf::Message& message) : message_(message) {}
  ~ScopedMessageWipe() { WipeFields(message_); }
  ScopedMessageWipe(const ScopedMessageWipe&) = delete;
  ScopedMessageWipe& operator=(const ScopedMessageWipe&) = delete;

 private:
  google::protobuf::Message& message_;
};

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CONTENT_WIPE_H_
