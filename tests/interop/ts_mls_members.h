// Members of groups that our MLS and ts-mls share: one interface, and one class for either.
#ifndef PARLEY_TESTS_INTEROP_TS_MLS_MEMBERS_H_
#define PARLEY_TESTS_INTEROP_TS_MLS_MEMBERS_H_

#include <gtest/gtest.h>
#include <signal.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "crypto/mls/group.h"
#include "tests/interop/ts_mls_peer.h"

namespace parley::interop {

using crypto::Bytes;
using crypto::ByteView;
using crypto::Secret;
using crypto::ToBytes;
using crypto::ViewOf;
using mls::Group;

// As the words of ts_mls_client.mjs want it: "-" for no bytes.
std::string Hex(ByteView bytes);
Bytes FromHex(const std::string& hex);

// What all members of an epoch must agree on.
struct View {
  uint64_t epoch = 0;
  Bytes authenticator{};
  Bytes exported{};
  Bytes tree_hash{};
  Bytes tree{};
  friend bool operator==(const View&, const View&) = default;
};

struct Commit {
  Bytes message{};
  Bytes welcome{};  // empty for none
};

// A proposal in words, for both.
struct Wanted {
  enum Kind { kAdd, kRemove, kUpdate, kPsk, kResumption, kExtensions } kind = kAdd;
  Bytes bytes{};       // a key package, or the id of a pre-shared key
  uint32_t leaf = 0;   // to remove
  uint64_t epoch = 0;  // of a resumption secret
};

// The extensions that sessions set: what everybody must be able to do, which is nothing.
mls::Extensions NothingRequired();

class Participant {
 public:
  virtual ~Participant() = default;
  virtual bool ours() const = 0;
  virtual const std::string& name() const = 0;
  virtual Bytes KeyPackage() = 0;
  virtual void Create(const Bytes& group_id) = 0;
  virtual absl::Status Join(const Bytes& welcome, const Bytes& tree) = 0;
  virtual Bytes Propose(const Wanted& wanted, bool as_public) = 0;
  // Of all proposals that came, and `wanted` by value. Takes effect by Accept().
  virtual Commit MakeCommit(const std::vector<Wanted>& wanted, bool as_public,
                            bool tree_in_welcome) = 0;
  virtual void Accept() = 0;
  virtual Bytes Protect(const std::string& text) = 0;
  // Of an application message its text; of another nothing.
  virtual absl::StatusOr<std::string> Process(const Bytes& message) = 0;
  virtual View Look() = 0;
  virtual uint32_t Leaf() = 0;
};

class OurMember final : public Participant {
 public:
  // External pre-shared keys are looked up in `psks`, which must outlive it.
  OurMember(std::string name, mls::CipherSuiteId suite, const std::map<Bytes, Bytes>& psks);

  bool ours() const override { return true; }
  const std::string& name() const override { return name_; }
  Group& group() { return *group_; }
  Bytes KeyPackage() override;
  void Create(const Bytes& group_id) override;
  absl::Status Join(const Bytes& welcome, const Bytes& tree) override;
  Bytes Propose(const Wanted& wanted, bool as_public) override;
  Commit MakeCommit(const std::vector<Wanted>& wanted, bool as_public,
                    bool tree_in_welcome) override;
  void Accept() override;
  Bytes Protect(const std::string& text) override;
  absl::StatusOr<std::string> Process(const Bytes& message) override;
  View Look() override;
  uint32_t Leaf() override;

 private:
  mls::Proposal ProposalOf(const Wanted& wanted) const;

  const std::string name_;
  const mls::CipherSuiteId suite_;
  mls::PskLookup lookup_;
  std::optional<mls::KeyPackageBundle> bundle_;
  std::optional<Group> group_;
  std::optional<Group> next_;
};

class TheirMember final : public Participant {
 public:
  TheirMember(std::string name, TsMlsPeer& peer) : name_(std::move(name)), peer_(peer) {}

  bool ours() const override { return false; }
  const std::string& name() const override { return name_; }
  Bytes KeyPackage() override;
  void Create(const Bytes& group_id) override;
  absl::Status Join(const Bytes& welcome, const Bytes& tree) override;
  Bytes Propose(const Wanted& wanted, bool as_public) override;
  Commit MakeCommit(const std::vector<Wanted>& wanted, bool as_public,
                    bool tree_in_welcome) override;
  void Accept() override;
  Bytes Protect(const std::string& text) override;
  absl::StatusOr<std::string> Process(const Bytes& message) override;
  View Look() override;
  uint32_t Leaf() override;

 private:
  const std::string name_;
  TsMlsPeer& peer_;
};

// Whether ts-mls refused a tree for the fault of which a case in ts_mls_cases_test.cc tells.
bool HasUnmergedLeavesFault(const absl::Status& status);

// A process of ts-mls on one suite, and pre-shared keys that both sides know.
class TsMlsTest : public ::testing::TestWithParam<uint16_t> {
 protected:
  void SetUp() override {
    signal(SIGPIPE, SIG_IGN);
    peer_.Must("suite", {std::to_string(GetParam())});
  }

  mls::CipherSuiteId suite() const { return static_cast<mls::CipherSuiteId>(GetParam()); }
  OurMember Ours(const std::string& name) { return OurMember(name, suite(), psks_); }
  TheirMember Theirs(const std::string& name) { return TheirMember(name, peer_); }

  Bytes NewPsk() {
    const Bytes id = ToBytes("psk " + std::to_string(psks_.size()));
    psks_[id] = Bytes(32, static_cast<uint8_t>(psks_.size() + 1));
    peer_.Must("psk", {Hex(id), Hex(psks_[id])});
    return id;
  }

  TsMlsPeer peer_{PARLEY_NODE, PARLEY_TS_MLS_CLIENT};
  std::map<Bytes, Bytes> psks_;
};

}  // namespace parley::interop

#endif  // PARLEY_TESTS_INTEROP_TS_MLS_MEMBERS_H_
