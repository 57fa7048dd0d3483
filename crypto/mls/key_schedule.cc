#include "crypto/mls/key_schedule.h"

namespace parley::mls {
namespace {

// The unnamed value in section 8's diagram, between joiner_secret and epoch_secret.
Secret MemberSecret(const CipherSuite& suite, const JoinerSecret& joiner, const PskSecret& psk) {
  return Extract(suite, joiner.value.Reveal(), psk.value.Reveal());
}

}  // namespace

JoinerSecret DeriveJoinerSecret(const CipherSuite& suite, const InitSecret& init,
                                const CommitSecret& commit, const GroupContext& context) {
  const Secret extracted = Extract(suite, init.value.Reveal(), commit.value.Reveal());
  return JoinerSecret(
      ExpandWithLabel(suite, extracted, "joiner", crypto::Serialize(context), suite.hash_size()));
}

WelcomeSecret DeriveWelcomeSecret(const CipherSuite& suite, const JoinerSecret& joiner,
                                  const PskSecret& psk) {
  return WelcomeSecret(DeriveSecret(suite, MemberSecret(suite, joiner, psk), "welcome"));
}

EpochSecret DeriveEpochSecret(const CipherSuite& suite, const JoinerSecret& joiner,
                              const PskSecret& psk, const GroupContext& context) {
  return EpochSecret(ExpandWithLabel(suite, MemberSecret(suite, joiner, psk), "epoch",
                                     crypto::Serialize(context), suite.hash_size()));
}

EpochSecrets DeriveEpochSecrets(const CipherSuite& suite, const EpochSecret& epoch) {
  const auto derive = [&](std::string_view label) {
    return DeriveSecret(suite, epoch.value, label);
  };
  EpochSecrets secrets;
  secrets.sender_data = SenderDataSecret(derive("sender data"));
  secrets.exporter = ExporterSecret(derive("exporter"));
  secrets.external = ExternalSecret(derive("external"));
  secrets.confirmation = ConfirmationKey(derive("confirm"));
  secrets.membership = MembershipKey(derive("membership"));
  secrets.resumption = ResumptionPskSecret(derive("resumption"));
  secrets.authenticator = EpochAuthenticatorSecret(derive("authentication"));
  secrets.init = InitSecret(derive("init"));
  return secrets;
}

EncryptionSecret DeriveEncryptionSecret(const CipherSuite& suite, const EpochSecret& epoch) {
  return EncryptionSecret(DeriveSecret(suite, epoch.value, "encryption"));
}

EpochKeys EnterEpoch(const CipherSuite& suite, JoinerSecret joiner, const PskSecret& psk,
                     const GroupContext& context) {
  EpochKeys keys;
  keys.welcome = DeriveWelcomeSecret(suite, joiner, psk);
  const EpochSecret epoch = DeriveEpochSecret(suite, joiner, psk, context);
  keys.secrets = DeriveEpochSecrets(suite, epoch);
  keys.encryption = DeriveEncryptionSecret(suite, epoch);
  keys.joiner = std::move(joiner);
  return keys;
}

EpochKeys AdvanceEpoch(const CipherSuite& suite, const InitSecret& init, const CommitSecret& commit,
                       const PskSecret& psk, const GroupContext& context) {
  return EnterEpoch(suite, DeriveJoinerSecret(suite, init, commit, context), psk, context);
}

crypto::KemKeyPair DeriveExternalKeyPair(const CipherSuite& suite, const ExternalSecret& external) {
  return suite.kem().DeriveKeyPair(external.value.Reveal());
}

Bytes ConfirmationTag(const CipherSuite& suite, const ConfirmationKey& key,
                      ByteView confirmed_transcript_hash) {
  return Mac(suite, key.value, confirmed_transcript_hash);
}

absl::Status VerifyConfirmationTag(const CipherSuite& suite, const ConfirmationKey& key,
                                   ByteView confirmed_transcript_hash, ByteView tag) {
  return VerifyMac(suite, key.value, confirmed_transcript_hash, tag);
}

Secret ExportSecret(const CipherSuite& suite, const ExporterSecret& exporter,
                    std::string_view label, ByteView context, size_t length) {
  const Secret derived = DeriveSecret(suite, exporter.value, label);
  return ExpandWithLabel(suite, derived, "exported", SuiteHash(suite, {context}), length);
}

}  // namespace parley::mls
