// The key schedule (RFC 9420 section 8): from one epoch's init secret to the next epoch's secrets.
//
// Each secret of the schedule is a type of its own, so that none can stand where another belongs.
//
// Threading: free functions without shared state.
#ifndef PARLEY_CRYPTO_MLS_KEY_SCHEDULE_H_
#define PARLEY_CRYPTO_MLS_KEY_SCHEDULE_H_

#include <tuple>
#include <utility>

#include "crypto/mls/group_context.h"
#include "crypto/mls/suite_crypto.h"

namespace parley::mls {

template <typename Tag>
struct ScheduleSecret {
  Secret value;

  ScheduleSecret() = default;
  explicit ScheduleSecret(Secret v) : value(std::move(v)) {}
  ScheduleSecret Clone() const { return ScheduleSecret(value.Clone()); }
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.value);
  }
};

using InitSecret = ScheduleSecret<struct InitSecretTag>;
using CommitSecret = ScheduleSecret<struct CommitSecretTag>;
using PskSecret = ScheduleSecret<struct PskSecretTag>;
using JoinerSecret = ScheduleSecret<struct JoinerSecretTag>;
using WelcomeSecret = ScheduleSecret<struct WelcomeSecretTag>;
using EpochSecret = ScheduleSecret<struct EpochSecretTag>;
using SenderDataSecret = ScheduleSecret<struct SenderDataSecretTag>;
using EncryptionSecret = ScheduleSecret<struct EncryptionSecretTag>;
using ExporterSecret = ScheduleSecret<struct ExporterSecretTag>;
using ExternalSecret = ScheduleSecret<struct ExternalSecretTag>;
using ConfirmationKey = ScheduleSecret<struct ConfirmationKeyTag>;
using MembershipKey = ScheduleSecret<struct MembershipKeyTag>;
using ResumptionPskSecret = ScheduleSecret<struct ResumptionPskSecretTag>;
using EpochAuthenticatorSecret = ScheduleSecret<struct EpochAuthenticatorSecretTag>;

// joiner_secret = ExpandWithLabel(Extract(init_secret, commit_secret), "joiner", GroupContext, Nh)
JoinerSecret DeriveJoinerSecret(const CipherSuite& suite, const InitSecret& init,
                                const CommitSecret& commit, const GroupContext& context);

// welcome_secret = DeriveSecret(Extract(joiner_secret, psk_secret), "welcome")
WelcomeSecret DeriveWelcomeSecret(const CipherSuite& suite, const JoinerSecret& joiner,
                                  const PskSecret& psk);

// epoch_secret = ExpandWithLabel(Extract(joiner_secret, psk_secret), "epoch", GroupContext, Nh)
EpochSecret DeriveEpochSecret(const CipherSuite& suite, const JoinerSecret& joiner,
                              const PskSecret& psk, const GroupContext& context);

// The secrets that last as long as the epoch.
struct EpochSecrets {
  SenderDataSecret sender_data;
  ExporterSecret exporter;
  ExternalSecret external;
  ConfirmationKey confirmation;
  MembershipKey membership;
  ResumptionPskSecret resumption;
  EpochAuthenticatorSecret authenticator;
  InitSecret init;  // of the next epoch

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.sender_data, self.exporter, self.external, self.confirmation,
                    self.membership, self.resumption, self.authenticator, self.init);
  }
};
EpochSecrets DeriveEpochSecrets(const CipherSuite& suite, const EpochSecret& epoch);

// encryption_secret, from which the secret tree grows; it is consumed there.
EncryptionSecret DeriveEncryptionSecret(const CipherSuite& suite, const EpochSecret& epoch);

// All that starts an epoch. The joiner and welcome secrets serve its Welcome and then go.
struct EpochKeys {
  JoinerSecret joiner;
  WelcomeSecret welcome;
  EpochSecrets secrets;
  EncryptionSecret encryption;
};
// From the joiner secret, as a new member.
EpochKeys EnterEpoch(const CipherSuite& suite, JoinerSecret joiner, const PskSecret& psk,
                     const GroupContext& context);
// From the epoch before, as a member.
EpochKeys AdvanceEpoch(const CipherSuite& suite, const InitSecret& init, const CommitSecret& commit,
                       const PskSecret& psk, const GroupContext& context);

// external_priv, external_pub = KEM.DeriveKeyPair(external_secret)
crypto::KemKeyPair DeriveExternalKeyPair(const CipherSuite& suite, const ExternalSecret& external);

// confirmation_tag = MAC(confirmation_key, GroupContext.confirmed_transcript_hash)
Bytes ConfirmationTag(const CipherSuite& suite, const ConfirmationKey& key,
                      ByteView confirmed_transcript_hash);
// Errors: Unauthenticated.
absl::Status VerifyConfirmationTag(const CipherSuite& suite, const ConfirmationKey& key,
                                   ByteView confirmed_transcript_hash, ByteView tag);

// Section 8.5: ExpandWithLabel(DeriveSecret(exporter_secret, label), "exported", Hash(context),
// length).
Secret ExportSecret(const CipherSuite& suite, const ExporterSecret& exporter,
                    std::string_view label, ByteView context, size_t length);

}  // namespace parley::mls

#endif  // PARLEY_CRYPTO_MLS_KEY_SCHEDULE_H_
