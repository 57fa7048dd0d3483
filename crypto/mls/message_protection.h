// From contents to messages and back (RFC 9420 section 6): signatures, membership tags, encryption.
//
// Threading: free functions without shared state.
#ifndef PARLEY_CRYPTO_MLS_MESSAGE_PROTECTION_H_
#define PARLEY_CRYPTO_MLS_MESSAGE_PROTECTION_H_

#include <array>

#include "crypto/mls/framing.h"
#include "crypto/mls/key_schedule.h"
#include "crypto/mls/secret_tree.h"

namespace parley::mls {

// What the signature of section 6.1 covers: `content` as it will travel in `wire_format`. `context`
// is the epoch's; it is signed too where the sender is a member or joins by this commit. The
// transcript takes a part of the same bytes, so that a commit, which may be long, is written once.
//
// Secrets: the bytes hold an application message's text, and are wiped.
class SignedBytes {
 public:
  SignedBytes(WireFormat wire_format, const FramedContent& content, const GroupContext& context);

  Bytes Sign(const SignatureKey& key) const;
  // Errors: Unauthenticated.
  absl::Status Verify(ByteView signature_key, ByteView signature) const;

  // The wire format and the content: what ConfirmedTranscriptHash takes.
  ByteView framed() const { return bytes_.view().subspan(framed_start_, framed_size_); }

 private:
  crypto::Writer bytes_;  // SignContent of section 5.1.2
  size_t framed_start_ = 0;
  size_t framed_size_ = 0;
};

// SignedBytes(…).Sign(key).
Bytes SignContent(const SignatureKey& key, WireFormat wire_format, const FramedContent& content,
                  const GroupContext& context);

// Section 6.2. Requires: signed for wire format mls_public_message.
PublicMessage ProtectPublic(const CipherSuite& suite, const MembershipKey& key,
                            const GroupContext& context, AuthenticatedContent&& content);
// Whether what a PublicMessage says of itself may be in one.
// Errors: InvalidArgument for application data, which must be encrypted.
absl::Status CheckMayBePublic(ContentType type);
// The content of a PublicMessage, its membership tag verified where the sender is a member. The
// signature isn't looked at.
// Errors: Unauthenticated; those of CheckMayBePublic.
absl::StatusOr<AuthenticatedContent> UnprotectPublic(const CipherSuite& suite,
                                                     const MembershipKey& key,
                                                     const GroupContext& context,
                                                     PublicMessage&& message);

// struct {
//     uint32 leaf_index;
//     uint32 generation;
//     opaque reuse_guard[4];
// } SenderData;
struct SenderData {
  uint32_t leaf_index = 0;
  uint32_t generation = 0;
  std::array<uint8_t, 4> reuse_guard{};
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.leaf_index, self.generation, self.reuse_guard);
  }
  LeafIndex leaf() const { return LeafIndex(leaf_index); }
};

// Section 6.3.2: key and nonce for a message's sender data, from a sample of its ciphertext.
MessageKey SenderDataKey(const CipherSuite& suite, const SenderDataSecret& secret,
                         const Bytes& ciphertext);

// Section 6.3: encrypts signed content under a key that was taken from the sender's ratchet.
// `padding` zero bytes go inside.
PrivateMessage ProtectPrivate(const CipherSuite& suite, const SenderDataSecret& sender_data_secret,
                              const FoundKey& key, const AuthenticatedContent& content,
                              size_t padding);

// Who sent `message`, by section 6.3.2. Any member could have written it: the content's key and
// signature must confirm it.
// Errors: Unauthenticated.
absl::StatusOr<SenderData> OpenSenderData(const CipherSuite& suite,
                                          const SenderDataSecret& sender_data_secret,
                                          const PrivateMessage& message);

// The content of `message` under `key`, padding checked. The signature isn't looked at.
// Errors: Unauthenticated; InvalidArgument for a plaintext of another form.
absl::StatusOr<AuthenticatedContent> UnprotectPrivate(const CipherSuite& suite,
                                                      const SenderData& sender,
                                                      const MessageKey& key,
                                                      const PrivateMessage& message);

// Which ratchet a content's keys come from.
RatchetType RatchetFor(ContentType type);

// Section 5.2: the name of a proposal that travelled in `content`.
ProposalRef MakeProposalRef(const CipherSuite& suite, const AuthenticatedContent& content);

}  // namespace parley::mls

#endif  // PARLEY_CRYPTO_MLS_MESSAGE_PROTECTION_H_
