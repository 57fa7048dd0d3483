// Whether one version of a protobuf file can stand in for an earlier one: for the clients and
// relays that were built with that.
//
// Threading: free functions.
#ifndef PARLEY_TESTS_COMPATIBILITY_DESCRIPTORS_H_
#define PARLEY_TESTS_COMPATIBILITY_DESCRIPTORS_H_

#include <google/protobuf/descriptor.pb.h>

#include <string>
#include <vector>

namespace parley {

// A sentence for each thing of `stored` that `current` has in another way or not at all: package,
// services, methods, messages, fields (number, type, label, oneof), enums and their values. What
// `current` has beyond that is no difference.
std::vector<std::string> BreakingChanges(const google::protobuf::FileDescriptorProto& stored,
                                         const google::protobuf::FileDescriptorProto& current);

}  // namespace parley

#endif  // PARLEY_TESTS_COMPATIBILITY_DESCRIPTORS_H_
