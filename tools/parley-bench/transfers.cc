#include "tools/parley-bench/transfers.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <utility>

#include "client-lib/documents/transfer.h"
#include "client-lib/relay/relay_client.h"
#include "client-lib/relay/tls_channel.h"
#include "client-lib/store/profile_store.h"
#include "crypto/base/check.h"
#include "crypto/primitives/random.h"
#include "crypto/primitives/signature.h"
#include "parley/bench/v1/bare.grpc.pb.h"
#include "parley/content/v1/content.pb.h"
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

void Must(const grpc::Status& status) {
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
        bare(v1::Bare::NewStub(bench::Must(client::internal::MakeTlsChannel(
            bare_address, std::nullopt, std::make_shared<client::internal::ShownKeys>())))),
        store(bench::Must(client::ProfileStore::Create(folder + "/profile"))),
        source(folder + "/source"),
        target(folder + "/target"),
        chunk(crypto::RandomBytes(kChunkBytes)) {
    std::ofstream file(source, std::ios::binary);
    for (uint64_t i = 0; i < chunks; ++i) {
      file.write(reinterpret_cast<const char*>(chunk.data()),
                 static_cast<std::streamsize>(chunk.size()));
    }
    PARLEY_CHECK(file.good());
  }

  double BareUp() {
    v1::Payload payload;
    payload.set_data(chunk.data(), chunk.size());
    return Seconds([&] {
      grpc::ClientContext context;
      v1::Received received;
      const auto stream = bare->Upload(&context, &received);
      for (uint64_t i = 0; i < chunks; ++i) PARLEY_CHECK(stream->Write(payload));
      stream->WritesDone();
      Must(stream->Finish());
      PARLEY_CHECK(received.bytes() == chunks * kChunkBytes);
    });
  }

  double BareDown() {
    v1::DownloadRequest request;
    request.set_payloads(chunks);
    request.set_payload_bytes(kChunkBytes);
    return Seconds([&] {
      grpc::ClientContext context;
      v1::Payload payload;
      uint64_t received = 0;
      const auto stream = bare->Download(&context, request);
      while (stream->Read(&payload)) received += payload.data().size();
      Must(stream->Finish());
      PARLEY_CHECK(received == chunks * kChunkBytes);
    });
  }

  void Raw(TransferTimes& times) {
    const client::ObjectId blob = crypto::RandomArray<32>();
    const crypto::SignatureKey key = crypto::SignatureKey::Generate();
    times.raw_up = Seconds([&] {
      bench::Must(relay->CreateBlob(credential, blob, key.public_key(), key.public_key(),
                                    chunks * kChunkBytes));
      const std::unique_ptr<client::BlobUpload> upload =
          bench::Must(relay->UploadBlob(blob, key, 0, 0));
      std::string data;
      for (uint64_t i = 0; i < chunks; ++i) {
        data.assign(chunk.begin(), chunk.end());
        bench::Must(upload->Send(i, std::move(data)));
      }
      bench::Must(upload->Finish());
      bench::Must(relay->SealBlob(blob, key, chunks, chunks * kChunkBytes));
    });
    uint64_t received = 0;
    times.raw_down = Seconds([&] {
      bench::Must(relay->DownloadBlob(blob, key, 0, 0, [&](uint64_t, std::string& data) {
        received += data.size();
        return absl::OkStatus();
      }));
    });
    PARLEY_CHECK(received == chunks * kChunkBytes);
    bench::Must(relay->DeleteBlob(blob, key));
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
  const std::unique_ptr<client::ProfileStore> store;
  const std::string source;
  const std::string target;
  const crypto::Bytes chunk;
};

Transfers::Transfers(const RelayUnderTest& relay, const std::string& bare_address,
                     const std::string& folder, uint64_t mib)
    : state_(std::make_unique<State>(relay, bare_address, folder, mib)) {}

Transfers::~Transfers() = default;

uint64_t Transfers::bytes() const { return state_->chunks * kChunkBytes; }

TransferTimes Transfers::RunOnce() {
  TransferTimes times;
  times.bare_up = state_->BareUp();
  times.bare_down = state_->BareDown();
  state_->Raw(times);
  state_->Sealed(times);
  return times;
}

}  // namespace parley::bench
