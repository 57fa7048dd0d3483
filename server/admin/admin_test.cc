// The operator's side: data folder, admin socket, keys, certificates and connection strings.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "server/admin/admin_socket.h"
#include "server/admin/connection_string.h"
#include "server/admin/data_folder.h"
#include "server/keys/key_folder.h"
#include "server/keys/private_files.h"
#include "storage/kv/memory_store.h"

namespace parley::server {
namespace {

namespace fs = std::filesystem;
using absl::StatusCode;

class AdminTest : public testing::Test {
 protected:
  void SetUp() override {
    // Longer than a socket's path may be.
    base_ = fs::temp_directory_path() / ("parley-admin-" + std::to_string(::getpid()));
    fs::remove_all(base_);
    folder_ = base_ / std::string(120, 'd');
  }
  void TearDown() override { fs::remove_all(base_); }

  std::unique_ptr<OpenDataFolder> Open() {
    auto opened = OpenDataFolder::Open(folder_, Limits());
    EXPECT_TRUE(opened.ok()) << opened.status();
    return opened.ok() ? *std::move(opened) : nullptr;
  }
  static AdminRequest Add(const std::string& name) {
    AdminRequest request;
    request.command = AdminCommand::kSponsorAdd;
    request.name = name;
    request.quota_bytes = 1000;
    return request;
  }

  fs::path base_;
  fs::path folder_;
};

TEST_F(AdminTest, AFolderIsUsedByOneProcessAtATime) {
  auto first = Open();
  absl::Status second = OpenDataFolder::Open(folder_, Limits()).status();
  EXPECT_EQ(second.code(), StatusCode::kFailedPrecondition);
  EXPECT_NE(std::string(second.message()).find("another parley-relay"), std::string::npos);
  first.reset();
  EXPECT_NE(Open(), nullptr);
}

TEST_F(AdminTest, IdentityAndSponsorsOutliveTheProcess) {
  storage::PublicKey identity{};
  {
    auto folder = Open();
    identity = folder->relay().identity_key();
    EXPECT_EQ(Administer(*folder, Add("one")).code, 0);
  }
  auto folder = Open();
  EXPECT_EQ(folder->relay().identity_key(), identity);
  AdminResponse list = Administer(*folder, AdminRequest());
  ASSERT_EQ(list.sponsors.size(), 1u);
  EXPECT_EQ(list.sponsors[0].name, "one");
  EXPECT_EQ(list.sponsors[0].quota_bytes, 1000u);
}

TEST_F(AdminTest, TheSocketAnswersWhileTheRelayRuns) {
  EXPECT_FALSE(AskRunningRelay(folder_, AdminRequest())->has_value());
  auto folder = Open();
  auto socket = AdminSocket::Open(folder_, *folder);
  ASSERT_TRUE(socket.ok()) << socket.status();
  struct stat info {};
  ASSERT_EQ(::stat((folder_ / "admin.sock").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  auto added = AskRunningRelay(folder_, Add("one"));
  ASSERT_TRUE(added.ok() && added->has_value()) << added.status();
  EXPECT_EQ((*added)->token.size(), 32u);
  EXPECT_EQ((*added)->identity_key, folder->relay().identity_key());
  EXPECT_EQ((*AskRunningRelay(folder_, Add("one")))->status().code(), StatusCode::kAlreadyExists);
  AdminRequest renew;
  renew.command = AdminCommand::kSponsorRenew;
  renew.name = "one";
  auto renewed = AskRunningRelay(folder_, renew);
  ASSERT_TRUE(renewed.ok() && renewed->has_value()) << renewed.status();
  EXPECT_EQ((*renewed)->token.size(), 32u);
  EXPECT_FALSE(crypto::ConstantTimeEquals((*renewed)->token.Reveal(), (*added)->token.Reveal()));
  AdminRequest remove;
  remove.command = AdminCommand::kSponsorRemove;
  remove.name = "none";
  EXPECT_EQ((*AskRunningRelay(folder_, remove))->status().code(), StatusCode::kNotFound);
  remove.command = static_cast<AdminCommand>(99);
  EXPECT_EQ((*AskRunningRelay(folder_, remove))->status().code(), StatusCode::kUnimplemented);
  socket->reset();
  EXPECT_FALSE(AskRunningRelay(folder_, AdminRequest())->has_value());
}

// Whatever is written to the socket, the next command is answered.
TEST_F(AdminTest, TheSocketSurvivesNonsense) {
  auto folder = Open();
  auto socket = AdminSocket::Open(folder_, *folder);
  ASSERT_TRUE(socket.ok());
  const int dir = ::open(folder_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  for (const std::string& nonsense :
       {std::string(), std::string("\0\0\0\4abcd", 8), std::string("\xFF\xFF\xFF\xFFx", 5),
        std::string("\0\0\0\0", 4), std::string("\0\0", 2)}) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = "/proc/self/fd/" + std::to_string(dir) + "/admin.sock";
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    ASSERT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(::write(fd, nonsense.data(), nonsense.size()), static_cast<ssize_t>(nonsense.size()));
    ::close(fd);
  }
  ::close(dir);
  EXPECT_TRUE(AskRunningRelay(folder_, AdminRequest())->has_value());
}

TEST_F(AdminTest, SecretsAreForTheirOwnerAlone) {
  Open();
  ASSERT_TRUE(LoadOrMakeCertificate(folder_, "127.0.0.1").ok());
  struct stat info {};
  for (const char* name : {"keys/identity.seed", "keys/relay.secret", "keys/tls-key.pem",
                           "keys/tls-certificate.pem"}) {
    ASSERT_EQ(::stat((folder_ / name).c_str(), &info), 0) << name;
    EXPECT_EQ(info.st_mode & 0777, 0600u) << name;
  }
  ASSERT_EQ(::stat((folder_ / "keys").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
}

TEST_F(AdminTest, LostAndDamagedKeysAreNamed) {
  Open();
  fs::rename(folder_ / "keys/identity.seed", folder_ / "keys/away");
  absl::Status status = OpenDataFolder::Open(folder_, Limits()).status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_NE(std::string(status.message()).find("identity.seed is missing"), std::string::npos);
  std::ofstream(folder_ / "keys/identity.seed") << "short";
  EXPECT_EQ(OpenDataFolder::Open(folder_, Limits()).status().code(), StatusCode::kDataLoss);
  fs::rename(folder_ / "keys/away", folder_ / "keys/identity.seed");
  EXPECT_NE(Open(), nullptr);
  // The relay secret may be lost: what it had made is void, and that is all.
  fs::remove(folder_ / "keys/relay.secret");
  EXPECT_NE(Open(), nullptr);
}

TEST_F(AdminTest, AStoreOfAnotherFormatIsRefusedWithAnExplanation) {
  storage::MemoryStore store;
  ASSERT_TRUE(PrepareStore(store).ok());
  ASSERT_TRUE(PrepareStore(store).ok());
  storage::WriteBatch batch;
  batch.Put(storage::Space::kRecords, storage::FormatVersionKey(), "99");
  ASSERT_TRUE(store.Commit(batch, storage::Durability::kSynced).ok());
  absl::Status status = PrepareStore(store);
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_NE(std::string(status.message()).find("format 99"), std::string::npos);
}

TEST_F(AdminTest, TheTlsKeyStaysAndTheCertificateFollowsTheAddress) {
  auto first = LoadOrMakeCertificate(folder_, "127.0.0.1");
  auto second = LoadOrMakeCertificate(folder_, "192.0.2.7");
  ASSERT_TRUE(first.ok() && second.ok()) << second.status();
  EXPECT_EQ(first->key_hash, second->key_hash);
  EXPECT_EQ(first->key_hash.size(), 32u);
  EXPECT_NE(first->certificate_pem, second->certificate_pem);
}

TEST_F(AdminTest, AnOperatorsPairIsCheckedAndHashedAlike) {
  ASSERT_TRUE(MakePrivateFolder(folder_).ok());
  auto own = LoadOrMakeCertificate(folder_, "127.0.0.1");
  const std::string certificate = folder_ / "keys/tls-certificate.pem";
  const std::string key = folder_ / "keys/tls-key.pem";
  auto loaded = LoadCertificate(certificate, key);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->key_hash, own->key_hash);
  EXPECT_EQ(LoadCertificate(folder_ / "none.pem", key).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(LoadCertificate(key, key).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(LoadCertificate(certificate, certificate).status().code(),
            StatusCode::kInvalidArgument);
  const std::string other_key = folder_ / "other.pem";
  ASSERT_TRUE(WritePrivateFile(other_key, MakeTlsKey().Reveal()).ok());
  absl::Status mismatch = LoadCertificate(certificate, other_key).status();
  EXPECT_NE(std::string(mismatch.message()).find("not for this key"), std::string::npos);
}

TEST(ConnectionStringTest, HasTheBytesOfTheProtocol) {
  storage::PublicKey identity{};
  identity.fill(0xAB);
  const crypto::Secret token = crypto::Secret::CopyOf(crypto::ViewOf("token"));
  const std::string text = ConnectionString(identity, "relay.example:7743", token);
  ASSERT_TRUE(text.starts_with("parley-relay1:"));
  absl::StatusOr<crypto::Bytes> bytes = crypto::FromBase64Url(text.substr(14));
  ASSERT_TRUE(bytes.ok());
  EXPECT_EQ(crypto::ToString(*bytes), std::string("\x01") + std::string(32, '\xAB') +
                                          std::string("\0\x12", 2) + "relay.example:7743" +
                                          std::string("\0\x05", 2) + "token");
}

TEST(ConnectionStringTest, Addresses) {
  EXPECT_EQ(ParseHostAndPort("127.0.0.1:7743")->port, 7743);
  EXPECT_EQ(ParseHostAndPort("[::1]:0")->host, "::1");
  EXPECT_EQ(FormatHostAndPort({"::1", 5}), "[::1]:5");
  EXPECT_EQ(FormatHostAndPort({"relay.example", 5}), "relay.example:5");
  for (const char* wrong : {"", ":", ":1", "host", "host:", "host:x", "host:70000", "::1:5", "[]:5",
                            "[::1:5", "a b:5", "host:-1"}) {
    EXPECT_EQ(ParseHostAndPort(wrong).status().code(), StatusCode::kInvalidArgument) << wrong;
  }
}

TEST(ConnectionStringTest, Sizes) {
  EXPECT_EQ(*ParseByteSize("20GiB"), uint64_t{20} << 30);
  EXPECT_EQ(*ParseByteSize("20 gib"), uint64_t{20} << 30);
  EXPECT_EQ(*ParseByteSize("500MB"), 500'000'000u);
  EXPECT_EQ(*ParseByteSize("1024"), 1024u);
  for (const char* wrong : {"", "GiB", "-1", "1.5GiB", "20GiBs", "99999999999TiB", "x"}) {
    EXPECT_EQ(ParseByteSize(wrong).status().code(), StatusCode::kInvalidArgument) << wrong;
  }
  EXPECT_EQ(FormatByteSize(0), "0 B");
  EXPECT_EQ(FormatByteSize(1536), "1.5 KiB");
  EXPECT_EQ(FormatByteSize(uint64_t{20} << 30), "20.0 GiB");
}

TEST(FingerprintTest, IsTwentyBytesInGroupsOfFour) {
  const std::string text = Fingerprint(storage::PublicKey{});
  EXPECT_EQ(text, "6668 7aad f862 bd77 6c8f c18b 8e9f 8e20 0897 1485");  // SHA-256 of 32 zeros
}

}  // namespace
}  // namespace parley::server
