#include "tools/parley-bench/mls_benchmarks.h"

#include <benchmark/benchmark.h>
#include <time.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "crypto/mls/suite_crypto.h"
#include "crypto/primitives/aead.h"
#include "crypto/primitives/hash.h"
#include "crypto/primitives/kem.h"
#include "crypto/primitives/random.h"
#include "crypto/primitives/signature.h"
#include "crypto/primitives/x25519.h"
#include "tools/parley-bench/mls_costs.h"
#include "tools/parley-bench/mls_groups.h"
#include "tools/parley-bench/mls_memory.h"
#include "tools/parley-bench/must.h"

namespace parley::bench {
namespace {

using crypto::Bytes;
using mls::CipherSuiteId;
using mls::Group;

struct NamedSize {
  const char* name;
  size_t bytes;
};
constexpr NamedSize kSizes[] = {{"1KiB", 1 << 10}, {"64KiB", 64 << 10}};

// What is measured, in the order of the rows.
class Plan {
 public:
  // `once` does the step once and returns how long it took: what it needs is made outside of that.
  using Once = std::function<std::chrono::nanoseconds()>;

  // Once for each name: messages of two steps may be as long.
  void AddPrimitive(const std::string& name, Once once) {
    if (!primitives_.insert(name).second) return;
    entries_.push_back({"primitive/" + name, std::nullopt});
    Register(std::move(once));
  }
  void Add(const std::string& name, Operations cost, Once once) {
    entries_.push_back({name, std::move(cost)});
    Register(std::move(once));
  }
  // The step `measured` once more, against another baseline.
  void Compare(const std::string& name, Operations cost, const std::string& measured) {
    entries_.push_back({name, std::move(cost), measured});
  }

  std::vector<Row> Run(bool quick);

 private:
  struct Entry {
    std::string name;
    std::optional<Operations> cost;  // none: a primitive
    std::string measured = name;
  };

  void Register(Once once) {
    benchmark::RegisterBenchmark(entries_.back().name.c_str(),
                                 [once = std::move(once)](benchmark::State& state) {
                                   for (auto _ : state) {
                                     const std::chrono::duration<double> took = once();
                                     state.SetIterationTime(took.count());
                                   }
                                 })
        ->UseManualTime()
        ->Unit(benchmark::kMicrosecond);
  }

  std::vector<Entry> entries_;
  std::set<std::string> primitives_;
};

// Collects what Google Benchmark measures, run by run.
class Collector : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.run_type != Run::RT_Iteration || run.iterations == 0) continue;
      micros_[run.run_name.function_name].push_back(run.real_accumulated_time * 1e6 /
                                                    static_cast<double>(run.iterations));
    }
  }
  double MedianOf(const std::string& name) const { return Median(micros_.at(name)); }

 private:
  std::map<std::string, std::vector<double>> micros_;
};

std::vector<Row> Plan::Run(bool quick) {
  std::vector<std::string> flags = {
      "parley-bench", quick ? "--benchmark_min_time=0" : "--benchmark_min_time=0.05",
      quick ? "--benchmark_repetitions=1" : "--benchmark_repetitions=9",
      "--benchmark_enable_random_interleaving=true"};
  std::vector<char*> argv;
  for (std::string& flag : flags) argv.push_back(flag.data());
  int argc = static_cast<int>(argv.size());
  benchmark::Initialize(&argc, argv.data());
  Collector collector;
  benchmark::RunSpecifiedBenchmarks(&collector);
  benchmark::Shutdown();
  benchmark::ClearRegisteredBenchmarks();  // there may be another plan

  std::vector<Row> rows;
  for (const Entry& entry : entries_) {
    const double micros = collector.MedianOf(entry.measured);
    if (!entry.cost.has_value()) {
      rows.push_back(BaselineRow(entry.name, micros, "us"));
      continue;
    }
    double baseline = 0;
    for (const auto& [primitive, count] : *entry.cost) {
      baseline += static_cast<double>(count) * collector.MedianOf("primitive/" + primitive);
    }
    rows.push_back({entry.name, micros, "us", baseline, Describe(*entry.cost)});
  }
  return rows;
}

// The processor's time, of this thread: others that use the machine don't count.
std::chrono::nanoseconds ThreadTime() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

template <typename F>
std::chrono::nanoseconds Time(F&& step) {
  const std::chrono::nanoseconds start = ThreadTime();
  auto result = step();
  const std::chrono::nanoseconds end = ThreadTime();
  benchmark::DoNotOptimize(result);
  return end - start;
}

const crypto::Kem& KemOf(CipherSuiteId suite) {
  switch (suite) {
    case CipherSuiteId::k0x0003:
      return crypto::DhkemX25519();
    case CipherSuiteId::kParley:
      return crypto::MlKem768X25519();
    default:
      return crypto::XWing();
  }
}

void AddVerify(Plan& plan, const std::string& size, size_t bytes) {
  const auto key = std::make_shared<crypto::SignatureKey>(crypto::SignatureKey::Generate());
  const Bytes message = crypto::RandomBytes(bytes);
  const Bytes signature = key->Sign(message);
  plan.AddPrimitive("verify/" + size, [=] {
    return Time([&] {
      Must(crypto::VerifySignature(key->public_key(), message, signature));
      return true;
    });
  });
}

void AddSignaturePrimitives(Plan& plan) {
  const auto key = std::make_shared<crypto::SignatureKey>(crypto::SignatureKey::Generate());
  // Leaves and key packages are some hundred bytes; a message is signed with its content.
  constexpr NamedSize kLeaf = {"leaf", 400};
  for (const NamedSize& size : {kLeaf, kSizes[0], kSizes[1]}) {
    const Bytes message = crypto::RandomBytes(size.bytes);
    plan.AddPrimitive(std::string("sign/") + size.name,
                      [=] { return Time([&] { return key->Sign(message); }); });
    AddVerify(plan, size.name, size.bytes);
  }
  plan.AddPrimitive("signature_keygen",
                    [] { return Time([] { return crypto::SignatureKey::Generate(); }); });
}

constexpr auto kAead = crypto::AeadAlgorithm::kChaCha20Poly1305;

void AddAeadPrimitives(Plan& plan) {
  for (const NamedSize& size : kSizes) {
    const Bytes key = crypto::RandomBytes(32);
    const Bytes nonce = crypto::RandomBytes(12);
    const Bytes plaintext = crypto::RandomBytes(size.bytes);
    plan.AddPrimitive(std::string("aead_seal/") + size.name, [=] {
      return Time([&] { return crypto::Seal(kAead, key, nonce, {}, plaintext); });
    });
    const Bytes sealed = crypto::Seal(kAead, key, nonce, {}, plaintext);
    plan.AddPrimitive(std::string("aead_open/") + size.name, [=] {
      // Without locked memory for the plaintext: what that costs counts as ours.
      return Time([&] { return Must(crypto::Open(kAead, key, nonce, {}, sealed)); });
    });
  }
}

// What the bytes of one handshake message cost by themselves. Returns their name.
std::string AddBytesPrimitives(Plan& plan, crypto::HashAlgorithm hash, size_t bytes) {
  const std::string size = std::to_string(bytes) + "B";
  AddVerify(plan, size, bytes);
  const Bytes key = crypto::RandomBytes(32);
  const Bytes nonce = crypto::RandomBytes(12);
  const Bytes message = crypto::RandomBytes(bytes);
  const Bytes sealed = crypto::Seal(kAead, key, nonce, {}, message);
  plan.AddPrimitive("aead_open/" + size, [=] {
    return Time([&] { return Must(crypto::Open(kAead, key, nonce, {}, sealed)); });
  });
  plan.AddPrimitive("hash/" + size,
                    [=] { return Time([&] { return crypto::Hash(hash, message); }); });
  return size;
}

void AddPrimitives(Plan& plan, const crypto::Kem& kem) {
  AddSignaturePrimitives(plan);
  const Bytes scalar = crypto::RandomBytes(32);
  const crypto::ByteArray<32> point = crypto::X25519PublicKey(crypto::RandomBytes(32));
  plan.AddPrimitive("x25519",
                    [=] { return Time([&] { return Must(crypto::X25519(scalar, point)); }); });

  const auto pair = std::make_shared<crypto::KemKeyPair>(kem.GenerateKeyPair());
  const Bytes enc = Must(kem.Encap(pair->public_key)).enc;
  plan.AddPrimitive("kem_keygen", [&kem] { return Time([&] { return kem.GenerateKeyPair(); }); });
  plan.AddPrimitive("kem_encap",
                    [=, &kem] { return Time([&] { return Must(kem.Encap(pair->public_key)); }); });
  plan.AddPrimitive("kem_decap", [=, &kem] {
    return Time([&] { return Must(kem.Decap(enc, pair->private_key.Reveal())); });
  });
  AddAeadPrimitives(plan);
}

void AddMessages(Plan& plan, CipherSuiteId suite, const std::string& prefix) {
  for (const NamedSize& size : kSizes) {
    const auto pair = std::make_shared<TwoMembers>(BlankTree(suite, 2));
    const Bytes message = crypto::RandomBytes(size.bytes);
    plan.Add(prefix + "protect/" + size.name, ProtectCost(size.name),
             [=] { return Time([&] { return Must(pair->committer.Protect(message)); }); });
    const auto other = std::make_shared<TwoMembers>(BlankTree(suite, 2));
    plan.Add(prefix + "unprotect/" + size.name, UnprotectCost(size.name), [=] {
      const Bytes sealed = Must(other->committer.Protect(message));
      return Time([&] { return Must(other->receiver.Process(sealed)); });
    });
  }
}

void AddFounding(Plan& plan, CipherSuiteId suite, const std::string& prefix, size_t members) {
  const std::string size = std::to_string(members);
  const auto founding = std::make_shared<Founding>(PrepareFounding(suite, members));
  plan.Add(prefix + "create/" + size, CreateCost(members), [=] {
    const mls::CommitOptions options{.adds = founding->key_packages};
    return Time([&] { return Must(founding->founder.PrepareCommit(options)); });
  });
  const Bytes welcome =
      *Must(founding->founder.PrepareCommit({.adds = founding->key_packages})).welcome;
  plan.Add(prefix + "join/" + size, JoinCost(members), [=] {
    mls::KeyPackageBundle bundle =
        Must(mls::KeyPackageBundle::Parse(founding->joiner_bundle.Reveal()));
    return Time([&] { return Must(Group::Join(welcome, std::move(bundle))); });
  });
}

void AddCommits(Plan& plan, const std::string& prefix, size_t members, TwoMembers&& two,
                bool full_tree) {
  const crypto::HashAlgorithm hash = Must(mls::FindCipherSuite(two.committer.suite()))->hash;
  const auto pair = std::make_shared<TwoMembers>(std::move(two));
  const std::string name = (full_tree ? "full_tree/" : "blank_tree/") + std::to_string(members);
  plan.Add(prefix + "commit/" + name, CommitCost(members, full_tree),
           [=] { return Time([&] { return Must(pair->committer.PrepareCommit()); }); });
  const Bytes message = Must(pair->committer.PrepareCommit()).message;
  const std::string process = prefix + "process/" + name;
  plan.Add(process, ProcessCost(members),
           [=] { return Time([&] { return Must(pair->receiver.Process(message)); }); });
  const std::string size = AddBytesPrimitives(plan, hash, message.size());
  plan.Compare(prefix + "process_with_bytes/" + name, ProcessCostWithBytes(members, size), process);
}

std::string HexOf(CipherSuiteId suite) {
  char text[8];
  std::snprintf(text, sizeof(text), "0x%04X", static_cast<unsigned>(suite));
  return text;
}

}  // namespace

std::vector<Row> RunMlsBenchmarks(const MlsBenchOptions& options) {
  const std::string prefix = "mls/" + HexOf(options.suite) + "/";
  Plan plan;
  AddPrimitives(plan, KemOf(options.suite));
  AddMessages(plan, options.suite, prefix);
  plan.Add(prefix + "key_package", KeyPackageCost(),
           [=] { return Time([&] { return NewKeyPackage(options.suite); }); });
  for (size_t members : options.members) AddFounding(plan, options.suite, prefix, members);
  for (size_t members : options.members) {
    AddCommits(plan, prefix, members, BlankTree(options.suite, members), false);
  }
  for (size_t members : options.members) {
    AddCommits(plan, prefix, members, FullTree(options.suite, members), true);
  }
  std::vector<Row> rows = plan.Run(options.quick);
  for (size_t members : options.members) {
    rows.push_back(GroupMemory(options.suite, prefix, members));
  }
  return rows;
}

}  // namespace parley::bench
