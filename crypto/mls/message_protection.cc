#include "crypto/mls/message_protection.h"

#include <algorithm>

#include "crypto/primitives/random.h"

namespace parley::mls {
namespace {

constexpr std::string_view kContentLabel = "FramedContentTBS";

// Section 6.1:
// struct {
//     ProtocolVersion version = mls10;
//     WireFormat wire_format;
//     FramedContent content;
//     select (FramedContentTBS.content.sender.sender_type) {
//         case member:
//         case new_member_commit:   GroupContext context;
//         case external:
//         case new_member_proposal: struct{};
//     };
// } FramedContentTBS;
//
// Its last part:
void EncodeContextFor(crypto::Writer& w, const Sender& sender, const GroupContext& context) {
  if (sender.IsMember() || sender.type == SenderType::kNewMemberCommit) Encode(w, context);
}

// Section 6.2:
// struct {
//     FramedContentTBS content_tbs;
//     FramedContentAuthData auth;
// } AuthenticatedContentTBM;
void EncodeToBeMacked(crypto::Writer& w, const AuthenticatedContent& content,
                      const GroupContext& context) {
  Encode(w, ProtocolVersion::kMls10);
  Encode(w, content.wire_format);
  Encode(w, content.content);
  EncodeContextFor(w, content.content.sender, context);
  EncodeAuthData(w, content.content.content_type(), content.auth);
}

// Section 6.3.2:
// struct {
//     opaque group_id<V>;
//     uint64 epoch;
//     ContentType content_type;
// } SenderDataAAD;
Bytes SenderDataAad(const PrivateMessage& message) {
  crypto::Writer w;
  Encode(w, message.group_id);
  Encode(w, message.epoch);
  Encode(w, message.content_type);
  return std::move(w).Take();
}

// Section 6.3.1:
// struct {
//     opaque group_id<V>;
//     uint64 epoch;
//     ContentType content_type;
//     opaque authenticated_data<V>;
// } PrivateContentAAD;
Bytes ContentAad(const PrivateMessage& message) {
  crypto::Writer w;
  Encode(w, message.group_id);
  Encode(w, message.epoch);
  Encode(w, message.content_type);
  Encode(w, message.authenticated_data);
  return std::move(w).Take();
}

// Section 6.3.1: the reuse guard is XORed with the first four bytes of the nonce.
Secret GuardedNonce(const MessageKey& key, const std::array<uint8_t, 4>& guard) {
  Secret nonce = key.nonce.Clone();
  for (size_t i = 0; i < guard.size(); ++i) nonce.RevealMutable()[i] ^= guard[i];
  return nonce;
}

}  // namespace

SignedBytes::SignedBytes(WireFormat wire_format, const FramedContent& content,
                         const GroupContext& context) {
  WriteLabel(bytes_, kContentLabel);
  const size_t start = bytes_.size();
  Encode(bytes_, ProtocolVersion::kMls10);
  const size_t framed = bytes_.size();
  Encode(bytes_, wire_format);
  Encode(bytes_, content);
  framed_size_ = bytes_.size() - framed;
  EncodeContextFor(bytes_, content.sender, context);
  const size_t behind = bytes_.size() - framed;
  bytes_.PrefixVectorLength(start);
  framed_start_ = bytes_.size() - behind;
}

Bytes SignContent(const SignatureKey& key, WireFormat wire_format, const FramedContent& content,
                  const GroupContext& context) {
  return SignedBytes(wire_format, content, context).Sign(key);
}

Bytes SignedBytes::Sign(const SignatureKey& key) const { return key.Sign(bytes_.view()); }

absl::Status SignedBytes::Verify(ByteView signature_key, ByteView signature) const {
  return crypto::VerifySignature(signature_key, bytes_.view(), signature);
}

PublicMessage ProtectPublic(const CipherSuite& suite, const MembershipKey& key,
                            const GroupContext& context, AuthenticatedContent&& content) {
  PublicMessage message;
  if (content.content.sender.IsMember()) {
    crypto::Writer w;
    EncodeToBeMacked(w, content, context);
    message.membership_tag = Mac(suite, key.value, w.view());
  }
  message.content = std::move(content.content);
  message.auth = std::move(content.auth);
  return message;
}

absl::Status CheckMayBePublic(ContentType type) {
  // Section 6: "Applications MUST use PrivateMessage to encrypt application messages".
  if (type != ContentType::kApplication) return absl::OkStatus();
  return absl::InvalidArgumentError("application data in a PublicMessage");
}

absl::StatusOr<AuthenticatedContent> UnprotectPublic(const CipherSuite& suite,
                                                     const MembershipKey& key,
                                                     const GroupContext& context,
                                                     PublicMessage&& message) {
  PARLEY_RETURN_IF_ERROR(CheckMayBePublic(message.content.content_type()));
  AuthenticatedContent content{.wire_format = WireFormat::kPublicMessage,
                               .content = std::move(message.content),
                               .auth = std::move(message.auth)};
  if (content.content.sender.IsMember()) {
    crypto::Writer w;
    EncodeToBeMacked(w, content, context);
    PARLEY_RETURN_IF_ERROR(VerifyMac(suite, key.value, w.view(), message.membership_tag));
  }
  return content;
}

MessageKey SenderDataKey(const CipherSuite& suite, const SenderDataSecret& secret,
                         const Bytes& ciphertext) {
  // "ciphertext_sample = ciphertext[0..KDF.Nh-1]"
  const ByteView sample(ciphertext.data(), std::min(ciphertext.size(), suite.hash_size()));
  return {ExpandWithLabel(suite, secret.value, "key", sample, suite.key_size()),
          ExpandWithLabel(suite, secret.value, "nonce", sample, suite.nonce_size())};
}

PrivateMessage ProtectPrivate(const CipherSuite& suite, const SenderDataSecret& sender_data_secret,
                              const FoundKey& key, const AuthenticatedContent& content,
                              size_t padding) {
  PrivateMessage message{.group_id = content.content.group_id,
                         .epoch = content.content.epoch,
                         .content_type = content.content.content_type(),
                         .authenticated_data = content.content.authenticated_data};
  // Section 6.3.1:
  // struct {
  //     select (PrivateMessage.content_type) { … the content … };
  //     FramedContentAuthData auth;
  //     opaque padding[length_of_padding];
  // } PrivateMessageContent;
  crypto::Writer plaintext;
  EncodeContentBody(plaintext, content.content);
  EncodeAuthData(plaintext, message.content_type, content.auth);
  plaintext.WriteRaw(Bytes(padding, 0));

  const SenderData sender{.leaf_index = key.leaf.value,
                          .generation = key.generation,
                          .reuse_guard = crypto::RandomArray<4>()};
  message.ciphertext = crypto::Seal(suite.aead, key.key.key.Reveal(),
                                    GuardedNonce(key.key, sender.reuse_guard).Reveal(),
                                    ContentAad(message), plaintext.view());
  const MessageKey sender_key = SenderDataKey(suite, sender_data_secret, message.ciphertext);
  message.encrypted_sender_data =
      crypto::Seal(suite.aead, sender_key.key.Reveal(), sender_key.nonce.Reveal(),
                   SenderDataAad(message), crypto::Serialize(sender));
  return message;
}

absl::StatusOr<SenderData> OpenSenderData(const CipherSuite& suite,
                                          const SenderDataSecret& sender_data_secret,
                                          const PrivateMessage& message) {
  const MessageKey key = SenderDataKey(suite, sender_data_secret, message.ciphertext);
  PARLEY_ASSIGN_OR_RETURN(const Bytes plaintext,
                          crypto::Open(suite.aead, key.key.Reveal(), key.nonce.Reveal(),
                                       SenderDataAad(message), message.encrypted_sender_data));
  return crypto::Parse<SenderData>(plaintext);
}

namespace {

// A decrypted PrivateMessageContent. Only what members say to each other is kept in locked memory:
// of a commit or a proposal nothing is a secret that isn't encrypted once more inside it, and
// locking the pages of a long commit takes as long as decrypting it.
struct OpenedContent {
  Secret application;
  Bytes handshake;
  ByteView view() const { return handshake.empty() ? application.Reveal() : ByteView(handshake); }
};

absl::StatusOr<OpenedContent> Open(const CipherSuite& suite, const SenderData& sender,
                                   const MessageKey& key, const PrivateMessage& message) {
  const Secret nonce = GuardedNonce(key, sender.reuse_guard);
  const Bytes aad = ContentAad(message);
  OpenedContent opened;
  if (message.content_type == ContentType::kApplication) {
    PARLEY_ASSIGN_OR_RETURN(
        opened.application,
        crypto::OpenSecret(suite.aead, key.key.Reveal(), nonce.Reveal(), aad, message.ciphertext));
  } else {
    PARLEY_ASSIGN_OR_RETURN(
        opened.handshake,
        crypto::Open(suite.aead, key.key.Reveal(), nonce.Reveal(), aad, message.ciphertext));
  }
  return opened;
}

}  // namespace

absl::StatusOr<AuthenticatedContent> UnprotectPrivate(const CipherSuite& suite,
                                                      const SenderData& sender,
                                                      const MessageKey& key,
                                                      const PrivateMessage& message) {
  PARLEY_ASSIGN_OR_RETURN(const OpenedContent plaintext, Open(suite, sender, key, message));
  AuthenticatedContent content{.wire_format = WireFormat::kPrivateMessage};
  content.content.group_id = message.group_id;
  content.content.epoch = message.epoch;
  content.content.sender = Sender::Member(sender.leaf());
  content.content.authenticated_data = message.authenticated_data;
  crypto::Reader r(plaintext.view());
  PARLEY_RETURN_IF_ERROR(DecodeContentBody(r, message.content_type, content.content));
  PARLEY_RETURN_IF_ERROR(DecodeAuthData(r, message.content_type, content.auth));
  // Section 6.3.1: "The padding field … MUST be filled with all zero bytes."
  const ByteView padding = r.rest();
  if (std::any_of(padding.begin(), padding.end(), [](uint8_t byte) { return byte != 0; })) {
    return absl::InvalidArgumentError("a message with padding that isn't zero");
  }
  return content;
}

RatchetType RatchetFor(ContentType type) {
  return type == ContentType::kApplication ? RatchetType::kApplication : RatchetType::kHandshake;
}

ProposalRef MakeProposalRef(const CipherSuite& suite, const AuthenticatedContent& content) {
  return RefHash(suite, "MLS 1.0 Proposal Reference", crypto::Serialize(content));
}

}  // namespace parley::mls
