// Vectors of whole sessions: join by a Welcome and follow commits as a silent member.
#include "crypto/mls/group.h"
#include "tests/vectors/mls_vectors.h"

namespace parley::mls::vectors {
namespace {

PskLookup LookupOf(const Json& t) {
  return [&t](const PreSharedKeyId& id) -> std::optional<Secret> {
    if (id.type != PskType::kExternal) return std::nullopt;
    for (const Json& psk : t.at("external_psks")) {
      if (Hex(psk.at("psk_id")) == id.psk_id) return HexSecret(psk.at("psk"));
    }
    return std::nullopt;
  };
}

void RunPassive(const Json& t, Verdict& v) {
  if (SuiteOf(t, v) == nullptr) return;
  KeyPackage key_package = Need(ParseKeyPackageMessage(Hex(t.at("key_package"))), "key_package");
  v.Ok(ValidateKeyPackage(key_package), "key package");
  KeyPackageBundle bundle =
      Need(KeyPackageBundle::FromParts(std::move(key_package), HexSecret(t.at("init_priv")),
                                       HexSecret(t.at("encryption_priv")),
                                       HexSecret(t.at("signature_priv"))),
           "private keys");
  JoinOptions options{.psks = LookupOf(t)};
  if (t.contains("ratchet_tree") && !t.at("ratchet_tree").is_null()) {
    options.ratchet_tree = Hex(t.at("ratchet_tree"));
  }
  Group group = Need(Group::Join(Hex(t.at("welcome")), std::move(bundle), options), "join");
  v.Equal(group.EpochAuthenticator(), t.at("initial_epoch_authenticator"), "first authenticator");
  size_t index = 0;
  for (const Json& epoch : t.at("epochs")) {
    const std::string where = "epoch " + std::to_string(++index) + ": ";
    for (const Json& proposal : epoch.at("proposals")) {
      Received received =
          Need(group.Process(Hex(proposal), {.psks = options.psks}), where + "proposal");
      v.True(std::holds_alternative<ReceivedProposal>(received), where + "no proposal");
    }
    // A state that was stored and loaded must follow as well as one that wasn't.
    group = Need(Group::Parse(group.Serialize().Reveal()), where + "stored state");
    Received received =
        Need(group.Process(Hex(epoch.at("commit")), {.psks = options.psks}), where + "commit");
    auto* staged = std::get_if<StagedCommit>(&received);
    if (staged == nullptr) return v.Fail(where + "no commit");
    group = Need(std::move(*staged).Next(), where + "next");
    v.Equal(group.EpochAuthenticator(), epoch.at("epoch_authenticator"), where + "authenticator");
  }
}

}  // namespace

std::vector<Kind> PassiveKinds() { return {{"passive", RunPassive}}; }

// ---- Our own ----------------------------------------------------------------------------------

namespace {

// A session in the making: Ana, who is silent, and those who act.
class Recorder {
 public:
  explicit Recorder(CipherSuiteId suite)
      : suite_(suite),
        mira_(Need(Group::Create({.suite = suite,
                                  .group_id = crypto::ToBytes("small vectors"),
                                  .identity = crypto::ToBytes("Mira")}),
                   "create")) {}

  Json Record() {
    KeyPackageBundle ana = NewMember("Ana");
    KeyPackageBundle ben = NewMember("Ben");
    case_ = {{"cipher_suite", static_cast<uint16_t>(suite_)},
             {"external_psks", Json::array()},
             {"key_package", crypto::ToHex(ana.message())},
             {"signature_priv", crypto::ToHex(ana.signature_private().Reveal())},
             {"encryption_priv", crypto::ToHex(ana.leaf_private().Reveal())},
             {"init_priv", crypto::ToHex(ana.init_private().Reveal())},
             {"ratchet_tree", nullptr},
             {"epochs", Json::array()}};
    PreparedCommit start =
        Need(mira_.PrepareCommit({.adds = {ana.message(), ben.message()}}), "first commit");
    case_["welcome"] = crypto::ToHex(*start.welcome);
    case_["initial_epoch_authenticator"] = crypto::ToHex(start.next.EpochAuthenticator());
    ben_ = std::make_unique<Group>(Need(Group::Join(*start.welcome, std::move(ben)), "join"));
    mira_ = std::move(start.next);

    Commit({}, {});
    Commit({Need(ben_->ProposeUpdate(), "update")}, {});
    KeyPackageBundle lee = NewMember("Lee");
    Commit({}, {.adds = {lee.message()}, .padding = 32});
    Commit({}, {.removes = {LeafIndex(3)}, .extensions = Extensions{}, .public_message = true});
    return case_;
  }

 private:
  KeyPackageBundle NewMember(const char* name) {
    return Need(KeyPackageBundle::Create({.suite = suite_, .identity = crypto::ToBytes(name)}),
                name);
  }

  void Commit(const std::vector<Bytes>& bens_proposals, const CommitOptions& options) {
    Json epoch = {{"proposals", Json::array()}};
    for (const Bytes& proposal : bens_proposals) {
      Need(mira_.Process(proposal), "proposal");
      epoch["proposals"].push_back(crypto::ToHex(proposal));
    }
    PreparedCommit commit = Need(mira_.PrepareCommit(options), "commit");
    Received received = Need(ben_->Process(commit.message), "process");
    *ben_ = Need(std::move(std::get<StagedCommit>(received)).Next(), "next");
    mira_ = std::move(commit.next);
    epoch["commit"] = crypto::ToHex(commit.message);
    epoch["epoch_authenticator"] = crypto::ToHex(mira_.EpochAuthenticator());
    case_["epochs"].push_back(epoch);
  }

  CipherSuiteId suite_;
  Group mira_;
  std::unique_ptr<Group> ben_;
  Json case_;
};

}  // namespace

Json MakePassiveCases(CipherSuiteId suite) { return Json::array({Recorder(suite).Record()}); }

}  // namespace parley::mls::vectors
