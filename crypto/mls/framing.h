// Message framing (RFC 9420 section 6): contents, who signs them, and the two wrappers in which
// they travel.
//
// FramedContent → AuthenticatedContent (signed) → PublicMessage or PrivateMessage → MLSMessage.
// How to go from one to the next: message_protection.h.
#ifndef PARLEY_CRYPTO_MLS_FRAMING_H_
#define PARLEY_CRYPTO_MLS_FRAMING_H_

#include <tuple>
#include <variant>

#include "crypto/mls/commit.h"
#include "crypto/mls/group.h"
#include "crypto/mls/group_context.h"
#include "crypto/mls/welcome.h"

namespace parley::mls {

// struct {
//     opaque group_id<V>;
//     uint64 epoch;
//     Sender sender;
//     opaque authenticated_data<V>;
//     ContentType content_type;
//     select (FramedContent.content_type) {
//         case application: opaque application_data<V>;
//         case proposal:    Proposal proposal;
//         case commit:      Commit commit;
//     };
// } FramedContent;
struct FramedContent {
  Bytes group_id;
  uint64_t epoch = 0;
  Sender sender;
  Bytes authenticated_data;
  // Application data is what the whole thing is for: it is kept as a secret.
  std::variant<Secret, Proposal, Commit> body;

  ContentType content_type() const { return static_cast<ContentType>(body.index() + 1); }
};

void Encode(crypto::Writer& w, const FramedContent& content);
absl::Status Decode(crypto::Reader& r, FramedContent& content);

// The select of FramedContent alone, for a known type.
void EncodeContentBody(crypto::Writer& w, const FramedContent& content);
absl::Status DecodeContentBody(crypto::Reader& r, ContentType type, FramedContent& content);

// struct {
//     opaque signature<V>;          SignWithLabel(., "FramedContentTBS", FramedContentTBS)
//     select (FramedContent.content_type) {
//         case commit:      MAC confirmation_tag;
//         case application:
//         case proposal:    struct{};
//     };
// } FramedContentAuthData;
struct FramedContentAuthData {
  Bytes signature;
  Bytes confirmation_tag;  // of a commit
};

void EncodeAuthData(crypto::Writer& w, ContentType type, const FramedContentAuthData& auth);
absl::Status DecodeAuthData(crypto::Reader& r, ContentType type, FramedContentAuthData& auth);

// struct {
//     WireFormat wire_format;
//     FramedContent content;
//     FramedContentAuthData auth;
// } AuthenticatedContent;
struct AuthenticatedContent {
  WireFormat wire_format = WireFormat::kPrivateMessage;
  FramedContent content{};
  FramedContentAuthData auth{};
};

void Encode(crypto::Writer& w, const AuthenticatedContent& content);
absl::Status Decode(crypto::Reader& r, AuthenticatedContent& content);

// struct {
//     FramedContent content;
//     FramedContentAuthData auth;
//     select (PublicMessage.content.sender.sender_type) {
//         case member: MAC membership_tag;
//         case external:
//         case new_member_commit:
//         case new_member_proposal: struct{};
//     };
// } PublicMessage;
struct PublicMessage {
  FramedContent content{};
  FramedContentAuthData auth{};
  Bytes membership_tag{};
};

void Encode(crypto::Writer& w, const PublicMessage& message);
absl::Status Decode(crypto::Reader& r, PublicMessage& message);

// struct {
//     opaque group_id<V>;
//     uint64 epoch;
//     ContentType content_type;
//     opaque authenticated_data<V>;
//     opaque encrypted_sender_data<V>;
//     opaque ciphertext<V>;
// } PrivateMessage;
struct PrivateMessage {
  Bytes group_id{};
  uint64_t epoch = 0;
  ContentType content_type{};
  Bytes authenticated_data{};
  Bytes encrypted_sender_data{};
  Bytes ciphertext{};
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.group_id, self.epoch, self.content_type, self.authenticated_data,
                    self.encrypted_sender_data, self.ciphertext);
  }
};

// struct {
//     ProtocolVersion version = mls10;
//     WireFormat wire_format;
//     select (MLSMessage.wire_format) {
//         case mls_public_message:  PublicMessage public_message;
//         case mls_private_message: PrivateMessage private_message;
//         case mls_welcome:         Welcome welcome;
//         case mls_group_info:      GroupInfo group_info;
//         case mls_key_package:     KeyPackage key_package;
//     };
// } MLSMessage;
struct MlsMessage {
  std::variant<PublicMessage, PrivateMessage, Welcome, GroupInfo, KeyPackage> body;

  WireFormat wire_format() const { return static_cast<WireFormat>(body.index() + 1); }
};

void Encode(crypto::Writer& w, const MlsMessage& message);
// Errors: InvalidArgument for another version or an unknown wire format.
absl::Status Decode(crypto::Reader& r, MlsMessage& message);

// A message that a peer has sent. Errors: ResourceExhausted over kMaxMessageSize; InvalidArgument.
absl::StatusOr<MlsMessage> ParseMessage(ByteView message);
// Errors: ResourceExhausted over kMaxMessageSize. For what a peer sends beside a message.
absl::Status CheckMessageSize(ByteView message);

}  // namespace parley::mls

#endif  // PARLEY_CRYPTO_MLS_FRAMING_H_
