// A relay in the test's own process: the real service over TLS, on RocksDB in a folder.
#ifndef PARLEY_CLIENT_LIB_API_TESTING_RELAY_H_
#define PARLEY_CLIENT_LIB_API_TESTING_RELAY_H_

#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

#include "crypto/base/check.h"
#include "server/admin/connection_string.h"
#include "server/admin/data_folder.h"
#include "server/grpc/relay_server.h"
#include "server/keys/key_folder.h"

namespace parley::testing {

// A folder that goes with the object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "parley-test-XXXXXX").string();
    PARLEY_CHECK(mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

class TestRelay {
 public:
  explicit TestRelay(std::string folder) : folder_(std::move(folder)) { Start("127.0.0.1:0"); }
  ~TestRelay() { Stop(); }

  // A new sponsor's connection string.
  std::string Sponsor(const std::string& name, uint64_t quota_bytes = 20ull << 30) {
    absl::StatusOr<crypto::Secret> token = data_->relay().sponsors().Add(name, quota_bytes, 100000);
    PARLEY_CHECK(token.ok());
    return server::ConnectionString(data_->relay().identity_key(), address_, *token);
  }

  void Stop() {
    if (server_ != nullptr) server_->Shutdown(std::chrono::milliseconds(200));
    server_.reset();
    data_.reset();
  }
  // On the same address and data as before.
  void StartAgain() { Start(address_); }

 private:
  void Start(const std::string& address) {
    absl::StatusOr<std::unique_ptr<server::OpenDataFolder>> data =
        server::OpenDataFolder::Open(folder_, limits_);
    PARLEY_CHECK(data.ok());
    data_ = std::move(*data);
    absl::StatusOr<server::TlsCertificate> certificate =
        server::LoadOrMakeCertificate(folder_, "127.0.0.1");
    PARLEY_CHECK(certificate.ok());
    server_ = std::make_unique<server::RelayServer>(data_->relay(), limits_,
                                                    std::move(*certificate));
    absl::StatusOr<int> port = server_->Start(address);
    PARLEY_CHECK(port.ok());
    address_ = "127.0.0.1:" + std::to_string(*port);
  }

  std::string folder_;
  std::string address_;
  server::Limits limits_;
  std::unique_ptr<server::OpenDataFolder> data_;
  std::unique_ptr<server::RelayServer> server_;
};

}  // namespace parley::testing

#endif  // PARLEY_CLIENT_LIB_API_TESTING_RELAY_H_
