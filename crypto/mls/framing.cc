#include "crypto/mls/framing.h"

#include <string>

namespace parley::mls {
namespace {

absl::Status CheckContentType(ContentType type) {
  if (type >= ContentType::kApplication && type <= ContentType::kCommit) return absl::OkStatus();
  return absl::InvalidArgumentError("a message of an unknown content type");
}

template <typename Body, typename Owner>
absl::Status DecodeBody(crypto::Reader& r, Owner& owner) {
  return Decode(r, owner.body.template emplace<Body>());
}

// The fields of an MLSMessage that say what it is.
absl::Status DecodeHeader(crypto::Reader& r, WireFormat& wire_format) {
  ProtocolVersion version{};
  PARLEY_RETURN_IF_ERROR(Decode(r, version));
  if (version != ProtocolVersion::kMls10) {
    return absl::InvalidArgumentError("a message of another protocol version");
  }
  return Decode(r, wire_format);
}

}  // namespace

void EncodeContentBody(crypto::Writer& w, const FramedContent& content) {
  std::visit([&w](const auto& body) { Encode(w, body); }, content.body);
}

absl::Status DecodeContentBody(crypto::Reader& r, ContentType type, FramedContent& content) {
  switch (type) {
    case ContentType::kApplication:
      return DecodeBody<Secret>(r, content);
    case ContentType::kProposal:
      return DecodeBody<Proposal>(r, content);
    case ContentType::kCommit:
      return DecodeBody<Commit>(r, content);
  }
  return CheckContentType(type);
}

void Encode(crypto::Writer& w, const FramedContent& content) {
  Encode(w, content.group_id);
  Encode(w, content.epoch);
  Encode(w, content.sender);
  Encode(w, content.authenticated_data);
  Encode(w, content.content_type());
  EncodeContentBody(w, content);
}

absl::Status Decode(crypto::Reader& r, FramedContent& content) {
  PARLEY_RETURN_IF_ERROR(Decode(r, content.group_id));
  PARLEY_RETURN_IF_ERROR(Decode(r, content.epoch));
  PARLEY_RETURN_IF_ERROR(Decode(r, content.sender));
  PARLEY_RETURN_IF_ERROR(Decode(r, content.authenticated_data));
  ContentType type{};
  PARLEY_RETURN_IF_ERROR(Decode(r, type));
  return DecodeContentBody(r, type, content);
}

void EncodeAuthData(crypto::Writer& w, ContentType type, const FramedContentAuthData& auth) {
  Encode(w, auth.signature);
  if (type == ContentType::kCommit) Encode(w, auth.confirmation_tag);
}

absl::Status DecodeAuthData(crypto::Reader& r, ContentType type, FramedContentAuthData& auth) {
  PARLEY_RETURN_IF_ERROR(Decode(r, auth.signature));
  if (type != ContentType::kCommit) return absl::OkStatus();
  return Decode(r, auth.confirmation_tag);
}

void Encode(crypto::Writer& w, const AuthenticatedContent& content) {
  Encode(w, content.wire_format);
  Encode(w, content.content);
  EncodeAuthData(w, content.content.content_type(), content.auth);
}

absl::Status Decode(crypto::Reader& r, AuthenticatedContent& content) {
  PARLEY_RETURN_IF_ERROR(Decode(r, content.wire_format));
  PARLEY_RETURN_IF_ERROR(Decode(r, content.content));
  return DecodeAuthData(r, content.content.content_type(), content.auth);
}

void Encode(crypto::Writer& w, const PublicMessage& message) {
  Encode(w, message.content);
  EncodeAuthData(w, message.content.content_type(), message.auth);
  if (message.content.sender.IsMember()) Encode(w, message.membership_tag);
}

absl::Status Decode(crypto::Reader& r, PublicMessage& message) {
  PARLEY_RETURN_IF_ERROR(Decode(r, message.content));
  PARLEY_RETURN_IF_ERROR(DecodeAuthData(r, message.content.content_type(), message.auth));
  if (!message.content.sender.IsMember()) return absl::OkStatus();
  return Decode(r, message.membership_tag);
}

void Encode(crypto::Writer& w, const MlsMessage& message) {
  Encode(w, ProtocolVersion::kMls10);
  Encode(w, message.wire_format());
  std::visit([&w](const auto& body) { Encode(w, body); }, message.body);
}

absl::Status Decode(crypto::Reader& r, MlsMessage& message) {
  WireFormat wire_format{};
  PARLEY_RETURN_IF_ERROR(DecodeHeader(r, wire_format));
  switch (wire_format) {
    case WireFormat::kPublicMessage:
      return DecodeBody<PublicMessage>(r, message);
    case WireFormat::kPrivateMessage:
      PARLEY_RETURN_IF_ERROR(DecodeBody<PrivateMessage>(r, message));
      return CheckContentType(std::get<PrivateMessage>(message.body).content_type);
    case WireFormat::kWelcome:
      return DecodeBody<Welcome>(r, message);
    case WireFormat::kGroupInfo:
      return DecodeBody<GroupInfo>(r, message);
    case WireFormat::kKeyPackage:
      return DecodeBody<KeyPackage>(r, message);
  }
  return absl::InvalidArgumentError("a message of an unknown wire format");
}

absl::Status CheckMessageSize(ByteView message) {
  if (message.size() <= kMaxMessageSize) return absl::OkStatus();
  return absl::ResourceExhaustedError("a message of " + std::to_string(message.size()) +
                                      " bytes; at most " + std::to_string(kMaxMessageSize) +
                                      " are accepted");
}

absl::StatusOr<MlsMessage> ParseMessage(ByteView message) {
  PARLEY_RETURN_IF_ERROR(CheckMessageSize(message));
  return crypto::Parse<MlsMessage>(message);
}

absl::StatusOr<MessageHead> PeekMessage(ByteView message) {
  crypto::Reader r(message);
  MessageHead head;
  PARLEY_RETURN_IF_ERROR(DecodeHeader(r, head.wire_format));
  if (head.wire_format < WireFormat::kPublicMessage || head.wire_format > WireFormat::kKeyPackage) {
    return absl::InvalidArgumentError("a message of an unknown wire format");
  }
  if (head.wire_format > WireFormat::kPrivateMessage) return head;
  PARLEY_RETURN_IF_ERROR(Decode(r, head.group_id));
  PARLEY_RETURN_IF_ERROR(Decode(r, head.epoch));
  if (head.wire_format == WireFormat::kPublicMessage) {
    Sender sender;
    ByteView authenticated_data;
    PARLEY_RETURN_IF_ERROR(Decode(r, sender));
    PARLEY_RETURN_IF_ERROR(r.ReadOpaque(authenticated_data));
  }
  PARLEY_RETURN_IF_ERROR(Decode(r, head.content_type));
  PARLEY_RETURN_IF_ERROR(CheckContentType(head.content_type));
  return head;
}

}  // namespace parley::mls
