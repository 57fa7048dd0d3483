#include "tools/parley-bench/transfers.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <utility>
#include <vector>

#include "client-lib/documents/transfer.h"
#include "client-lib/relay/relay_client.h"
#include "client-lib/relay/tls_channel.h"
#include "client-lib/store/profile_store.h"
#include "crypto/base/check.h"
#include "crypto/primitives/random.h"
#include "crypto/primitives/signature.h"
#include "parley/bench/v1/bare.grpc.pb.h"
#include "parley/content/v1/content.pb.h"
#include "tools/parley-bench/bare_store.h"
#include "tools/parley-bench/must.h"

namespace parley::bench {
namespace {

constexpr size_t kChunkBytes = size_t{1} << 20;  // as files are cut

template <typename F>
double Seconds(F&& step) {
  const auto begin = std::chrono::steady_clock::now();
  step();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

std::unique_ptr<v1::Bare::Stub> NewBareStub(const std::string& address) {
  return v1::Bare::NewStub(bench::Must(client::internal::MakeTlsChannel(
      address, std::nullopt, std::make_shared<client::internal::ShownKeys>())));
}

void MustSucceed(const grpc::Status& status) {
  if (!status.ok())
    bench::Must(absl::UnavailableError("a stream failed: " + status.error_message()));
}

}  // namespace

struct Transfers::State {
  State(const RelayUnderTest& relay_in, const std::string& bare_address, const std::string& folder,
        uint64_t mib_in)
      : chunks(mib_in),
        credential(relay_in.credential()),
        relay(bench::Must(client::RelayClient::Connect(relay_in.connection()))),
        bare(NewBareStub(bare_address)),
        store(bench::Must(client::ProfileStore::Create(folder + "/profile"))),
        source(folder + "/source"),
        target(folder + "/target"),
        plain(folder + "/plain"),
        chunk(crypto::RandomBytes(kChunkBytes)) {
    for (uint64_t i = 0; i < kTransfersTogether; ++i) {
      relays.push_back(bench::Must(client::RelayClient::Connect(relay_in.connection())));
      bares.push_back(NewBareStub(bare_address));
    }
    std::ofstream file(source, std::ios::binary);
    for (uint64_t i = 0; i < chunks; ++i) {
      file.write(reinterpret_cast<const char*>(chunk.data()),
                 static_cast<std::streamsize>(chunk.size()));
    }
    PARLEY_CHECK(file.good());
  }

  void BareUp(v1::Bare::Stub& stub, uint64_t count) const {
    v1::Payload payload;
    payload.set_data(chunk.data(), chunk.size());
    grpc::ClientContext context;
    v1::Received received;
    const auto stream = stub.Upload(&context, &received);
    for (uint64_t i = 0; i < count; ++i) PARLEY_CHECK(stream->Write(payload));
    stream->WritesDone();
    MustSucceed(stream->Finish());
    PARLEY_CHECK(received.bytes() == count * kChunkBytes);
  }

  static void BareDown(v1::Bare::Stub& stub, uint64_t count) {
    v1::DownloadRequest request;
    request.set_payloads(count);
    request.set_payload_bytes(kChunkBytes);
    grpc::ClientContext context;
    v1::Payload payload;
    uint64_t received = 0;
    const auto stream = stub.Download(&context, request);
    while (stream->Read(&payload)) received += payload.data().size();
    MustSucceed(stream->Finish());
    PARLEY_CHECK(received == count * kChunkBytes);
  }

  struct Blob {
    client::ObjectId id = crypto::RandomArray<32>();
    crypto::SignatureKey key = crypto::SignatureKey::Generate();
  };

  void RawUp(client::RelayClient& client, const Blob& blob, uint64_t count) const {
    bench::Must(client.CreateBlob(credential, blob.id, blob.key.public_key(), blob.key.public_key(),
                                  count * kChunkBytes));
    const std::unique_ptr<client::BlobUpload> upload =
        bench::Must(client.UploadBlob(blob.id, blob.key, 0, 0));
    std::string data;
    for (uint64_t i = 0; i < count; ++i) {
      data.assign(chunk.begin(), chunk.end());
      bench::Must(upload->Send(i, std::move(data)));
    }
    bench::Must(upload->Finish());
    bench::Must(client.SealBlob(blob.id, blob.key, count, count * kChunkBytes));
  }

  static void RawDown(client::RelayClient& client, const Blob& blob, uint64_t count) {
    uint64_t received = 0;
    bench::Must(client.DownloadBlob(blob.id, blob.key, 0, 0, [&](uint64_t, std::string& data) {
      received += data.size();
      return absl::OkStatus();
    }));
    PARLEY_CHECK(received == count * kChunkBytes);
  }

  void Raw(TransferTimes& times) {
    const Blob blob;
    times.raw_up = Seconds([&] { RawUp(*relay, blob, chunks); });
    times.raw_down = Seconds([&] { RawDown(*relay, blob, chunks); });
    bench::Must(relay->DeleteBlob(blob.id, blob.key));
  }

  // Seconds until `part` was done for each of the parts, all at once.
  template <typename F>
  static double Together(F part) {
    return Seconds([&] {
      std::vector<std::future<void>> parts;
      for (size_t i = 0; i < kTransfersTogether; ++i) {
        parts.push_back(std::async(std::launch::async, [&part, i] { part(i); }));
      }
      for (std::future<void>& one : parts) one.get();
    });
  }

  void AllTogether(TransferTimes& times) {
    const uint64_t count = chunks / kTransfersTogether;
    times.bare_up_together = Together([&](size_t i) { BareUp(*bares[i], count); });
    times.bare_down_together = Together([&](size_t i) { BareDown(*bares[i], count); });
    const std::vector<Blob> blobs(kTransfersTogether);
    times.raw_up_together = Together([&](size_t i) { RawUp(*relays[i], blobs[i], count); });
    times.raw_down_together = Together([&](size_t i) { RawDown(*relays[i], blobs[i], count); });
    for (const Blob& blob : blobs) bench::Must(relay->DeleteBlob(blob.id, blob.key));
  }

  void Disk(TransferTimes& times) const {
    times.file_write = FileWriteSeconds(plain, chunks);
    times.file_read = FileReadSeconds(plain);
    std::filesystem::remove(plain);
  }

  void Sealed(TransferTimes& times) {
    client::Transfers transfers(*store);
    const std::string id = crypto::ToHex(crypto::RandomArray<16>());
    content::v1::Document manifest;
    times.share = Seconds([&] {
      manifest = bench::Must(transfers.Upload(*relay, credential,
                                              {.transfer_id = id,
                                               .path = source,
                                               .name = "source",
                                               .media_type = "",
                                               .expires_at = 0}));
    });
    times.fetch = Seconds([&] { bench::Must(transfers.Download(*relay, manifest, target)); });
    PARLEY_CHECK(std::filesystem::file_size(target) == chunks * kChunkBytes);
    std::filesystem::remove(target);
    bench::Must(transfers.Forget(id));
  }

  const uint64_t chunks;
  const client::Credential credential;
  const std::unique_ptr<client::RelayClient> relay;
  const std::unique_ptr<v1::Bare::Stub> bare;
  std::vector<std::unique_ptr<client::RelayClient>> relays;
  std::vector<std::unique_ptr<v1::Bare::Stub>> bares;
  const std::unique_ptr<client::ProfileStore> store;
  const std::string source;
  const std::string target;
  const std::string plain;
  const crypto::Bytes chunk;
};

Transfers::Transfers(const RelayUnderTest& relay, const std::string& bare_address,
                     const std::string& folder, uint64_t mib)
    : state_(std::make_unique<State>(relay, bare_address, folder, mib)) {}

Transfers::~Transfers() = default;

uint64_t Transfers::bytes() const { return state_->chunks * kChunkBytes; }

TransferTimes Transfers::RunOnce() {
  TransferTimes times;
  times.bare_up = Seconds([&] { state_->BareUp(*state_->bare, state_->chunks); });
  times.bare_down = Seconds([&] { State::BareDown(*state_->bare, state_->chunks); });
  state_->Raw(times);
  state_->Sealed(times);
  state_->Disk(times);
  state_->AllTogether(times);
  return times;
}

}  // namespace parley::bench
