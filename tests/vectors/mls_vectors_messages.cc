// Vectors of encodings, message protection and the Welcome.
#include "crypto/mls/framing.h"
#include "crypto/mls/key_schedule.h"
#include "crypto/mls/message_protection.h"
#include "crypto/mls/ratchet_tree.h"
#include "crypto/mls/welcome.h"
#include "tests/vectors/mls_vectors.h"

namespace parley::mls::vectors {
namespace {

template <typename T>
void RoundTrip(const Json& t, const char* field, Verdict& v) {
  const Bytes wire = Hex(t.at(field));
  absl::StatusOr<T> value = crypto::Parse<T>(wire);
  v.Ok(value.status(), field);
  if (value.ok()) v.Equal(crypto::Serialize(*value), t.at(field), field);
  // Every message is refused when its last byte is missing, or one is too many.
  v.True(!crypto::Parse<T>(ByteView(wire).first(wire.size() - 1)).ok(),
         std::string("cut short: ") + field);
  Bytes longer = wire;
  longer.push_back(0);
  v.True(!crypto::Parse<T>(longer).ok(), std::string("with a trailing byte: ") + field);
}

void RunMessages(const Json& t, Verdict& v) {
  for (const char* field :
       {"mls_welcome", "mls_group_info", "mls_key_package", "public_message_application",
        "public_message_proposal", "public_message_commit", "private_message"}) {
    RoundTrip<MlsMessage>(t, field, v);
  }
  const CipherSuite* suite = Need(FindCipherSuite(CipherSuiteId::k0x0003), "suite");
  absl::StatusOr<RatchetTree> tree = RatchetTree::Parse(*suite, Hex(t.at("ratchet_tree")));
  v.Ok(tree.status(), "ratchet_tree");
  if (tree.ok()) v.Equal(tree->Serialize(), t.at("ratchet_tree"), "ratchet_tree");
  RoundTrip<GroupSecrets>(t, "group_secrets", v);
  RoundTrip<Add>(t, "add_proposal", v);
  RoundTrip<Update>(t, "update_proposal", v);
  RoundTrip<Remove>(t, "remove_proposal", v);
  RoundTrip<PreSharedKey>(t, "pre_shared_key_proposal", v);
  RoundTrip<ReInit>(t, "re_init_proposal", v);
  RoundTrip<ExternalInit>(t, "external_init_proposal", v);
  RoundTrip<GroupContextExtensions>(t, "group_context_extensions_proposal", v);
  RoundTrip<Commit>(t, "commit", v);
}

// The epoch that a message-protection case describes, with two members; leaf 1 sends.
class ProtectionCase {
 public:
  ProtectionCase(const CipherSuite& suite, const Json& t)
      : suite_(suite),
        membership_(HexSecret(t.at("membership_key"))),
        sender_data_(HexSecret(t.at("sender_data_secret"))),
        encryption_(HexSecret(t.at("encryption_secret"))),
        public_key_(Hex(t.at("signature_pub"))),
        key_(Need(SignatureKey::FromSeed(Hex(t.at("signature_priv"))), "signature key")) {
    context_.suite = suite.id;
    context_.group_id = Hex(t.at("group_id"));
    context_.epoch = t.at("epoch");
    context_.tree_hash = Hex(t.at("tree_hash"));
    context_.confirmed_transcript_hash = Hex(t.at("confirmed_transcript_hash"));
  }

  // The bare content of a message, verified in full.
  Bytes Unprotect(ByteView wire) const {
    MlsMessage message = Need(crypto::Parse<MlsMessage>(wire), "message");
    AuthenticatedContent content;
    if (auto* in_public = std::get_if<PublicMessage>(&message.body)) {
      content = Need(UnprotectPublic(suite_, membership_, context_, std::move(*in_public)),
                     "public message");
    } else {
      const auto& in_private = std::get<PrivateMessage>(message.body);
      const SenderData sender = Need(OpenSenderData(suite_, sender_data_, in_private), "sender");
      const SecretTree tree(LeafCount(2), encryption_.Clone());
      const FoundKey key = Need(
          tree.Find(suite_, sender.leaf(), RatchetFor(in_private.content_type), sender.generation),
          "key");
      content = Need(UnprotectPrivate(suite_, sender, key.key, in_private), "private message");
    }
    const SignedBytes covered(content.wire_format, content.content, context_);
    if (!covered.Verify(public_key_, content.auth.signature).ok()) {
      throw std::runtime_error("a signature doesn't verify");
    }
    crypto::Writer w;
    if (const auto* application = std::get_if<Secret>(&content.content.body)) {
      w.WriteRaw(application->Reveal());
    } else {
      EncodeContentBody(w, content.content);
    }
    return std::move(w).Take();
  }

  Bytes Protect(FramedContent content, WireFormat format) const {
    content.group_id = context_.group_id;
    content.epoch = context_.epoch;
    content.sender = Sender::Member(LeafIndex(1));
    AuthenticatedContent authenticated{.wire_format = format};
    authenticated.auth.signature = SignContent(key_, format, content, context_);
    if (content.content_type() == ContentType::kCommit) {
      authenticated.auth.confirmation_tag = Bytes(suite_.hash_size(), 3);
    }
    authenticated.content = std::move(content);
    if (format == WireFormat::kPublicMessage) {
      return crypto::Serialize(
          MlsMessage{ProtectPublic(suite_, membership_, context_, std::move(authenticated))});
    }
    SecretTree tree(LeafCount(2), encryption_.Clone());
    const FoundKey key =
        Need(tree.TakeNext(suite_, LeafIndex(1), RatchetFor(authenticated.content.content_type())),
             "own key");
    return crypto::Serialize(
        MlsMessage{ProtectPrivate(suite_, sender_data_, key, authenticated, 10)});
  }

 private:
  const CipherSuite& suite_;
  MembershipKey membership_;
  SenderDataSecret sender_data_;
  EncryptionSecret encryption_;
  Bytes public_key_;
  SignatureKey key_;
  GroupContext context_;
};

void RunMessageProtection(const Json& t, Verdict& v) {
  const CipherSuite* suite = SuiteOf(t, v);
  if (suite == nullptr) return;
  const ProtectionCase protection(*suite, t);
  for (const std::string name : {"proposal", "commit", "application"}) {
    FramedContent content;
    if (name == "application") {
      content.body = HexSecret(t.at(name));
    } else {
      const ContentType type = name == "proposal" ? ContentType::kProposal : ContentType::kCommit;
      const Bytes body = Hex(t.at(name));
      crypto::Reader r(body);
      v.Ok(DecodeContentBody(r, type, content), name);
      v.Equal(protection.Unprotect(Hex(t.at(name + "_pub"))), t.at(name), name + "_pub");
    }
    v.Equal(protection.Unprotect(Hex(t.at(name + "_priv"))), t.at(name), name + "_priv");
    FramedContent copy;
    crypto::Writer w;
    EncodeContentBody(w, content);
    crypto::Reader r(w.view());
    v.Ok(DecodeContentBody(r, content.content_type(), copy), name);
    const Bytes in_private = protection.Protect(std::move(content), WireFormat::kPrivateMessage);
    v.Equal(protection.Unprotect(in_private), t.at(name), "our own private " + name);
    const Bytes in_public = protection.Protect(std::move(copy), WireFormat::kPublicMessage);
    if (name != "application") {
      v.Equal(protection.Unprotect(in_public), t.at(name), "our own public " + name);
      continue;
    }
    bool refused = false;
    try {
      protection.Unprotect(in_public);
    } catch (const std::exception&) {
      refused = true;
    }
    v.True(refused, "application data in a PublicMessage was accepted");
  }
}

void RunWelcome(const Json& t, Verdict& v) {
  const CipherSuite* suite = SuiteOf(t, v);
  if (suite == nullptr) return;
  const KeyPackage key_package =
      Need(ParseKeyPackageMessage(Hex(t.at("key_package"))), "key_package");
  const MlsMessage message = Need(crypto::Parse<MlsMessage>(Hex(t.at("welcome"))), "welcome");
  const Welcome& welcome = std::get<Welcome>(message.body);
  GroupSecrets secrets =
      Need(OpenGroupSecrets(*suite, welcome, Need(KeyPackageRef(key_package), "reference"),
                            HexSecret(t.at("init_priv"))),
           "group secrets");
  JoinerSecret joiner(std::move(secrets.joiner_secret));
  const PskSecret psk(ZeroSecret(*suite));
  const GroupInfo info =
      Need(OpenGroupInfo(*suite, DeriveWelcomeSecret(*suite, joiner, psk), welcome), "group info");
  v.Ok(VerifyGroupInfo(Hex(t.at("signer_pub")), info), "GroupInfo signature");
  const EpochKeys keys = EnterEpoch(*suite, std::move(joiner), psk, info.group_context);
  v.Ok(VerifyConfirmationTag(*suite, keys.secrets.confirmation,
                             info.group_context.confirmed_transcript_hash, info.confirmation_tag),
       "confirmation tag");
}

}  // namespace

std::vector<Kind> MessageKinds() {
  return {{"messages", RunMessages},
          {"message-protection", RunMessageProtection},
          {"welcome", RunWelcome}};
}

}  // namespace parley::mls::vectors
