// What the runners of MLS test vectors share.
//
// A runner takes one case (one element of a file's array), compares, and notes in a Verdict what
// differs. The formats are those of mlswg/mls-implementations, test-vectors.md.
#ifndef PARLEY_TESTS_VECTORS_MLS_VECTORS_H_
#define PARLEY_TESTS_VECTORS_MLS_VECTORS_H_

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "crypto/mls/suite_crypto.h"

namespace parley::mls::vectors {

using Json = nlohmann::json;

// The outcome of one case.
class Verdict {
 public:
  void Fail(std::string what) { failures_.push_back(std::move(what)); }
  // Not run, for a reason that counts as no failure.
  void Skip(std::string why) { skipped_ = std::move(why); }

  void Ok(const absl::Status& status, const std::string& what) {
    if (!status.ok()) Fail(what + ": " + status.ToString());
  }
  void True(bool condition, const std::string& what) {
    if (!condition) Fail(what);
  }
  void Equal(ByteView got, const Json& want, const std::string& what) {
    if (crypto::ToHex(got) != want.get<std::string>()) {
      Fail(what + " is " + crypto::ToHex(got) + ", not " + want.get<std::string>());
    }
  }
  void Equal(const Secret& got, const Json& want, const std::string& what) {
    Equal(got.Reveal(), want, what);
  }

  const std::vector<std::string>& failures() const { return failures_; }
  const std::string& skipped() const { return skipped_; }

 private:
  std::vector<std::string> failures_;
  std::string skipped_;
};

// Values of a case. A file that is not of the expected form throws, which ends the case as failed.
inline Bytes Hex(const Json& value) {
  absl::StatusOr<Bytes> bytes = crypto::FromHex(value.get<std::string>());
  if (!bytes.ok()) throw std::runtime_error("bad hexadecimal");
  return *bytes;
}
inline Secret HexSecret(const Json& value) { return Secret::CopyOf(Hex(value)); }

// The value, or a failure of the whole case.
template <typename T>
T Need(absl::StatusOr<T> value, const std::string& what) {
  if (!value.ok()) throw std::runtime_error(what + ": " + value.status().ToString());
  return std::move(*value);
}

// The case's cipher suite; null, and the verdict a skip, when we don't have it.
inline const CipherSuite* SuiteOf(const Json& test, Verdict& verdict) {
  const auto number = test.at("cipher_suite").get<uint16_t>();
  absl::StatusOr<const CipherSuite*> suite = FindCipherSuite(CipherSuiteId{number});
  if (suite.ok()) return *suite;
  verdict.Skip("cipher suite " + std::to_string(number) + " is not one of ours");
  return nullptr;
}

struct Kind {
  const char* word;  // anywhere in the file's name
  std::function<void(const Json&, Verdict&)> run;
};

// Each file of runners adds its kinds.
std::vector<Kind> CryptoKinds();
std::vector<Kind> TreeKinds();
std::vector<Kind> MessageKinds();
std::vector<Kind> PassiveKinds();

// Cases of the passive kind, made by our own groups with `suite`.
Json MakePassiveCases(CipherSuiteId suite);

}  // namespace parley::mls::vectors

#endif  // PARLEY_TESTS_VECTORS_MLS_VECTORS_H_
