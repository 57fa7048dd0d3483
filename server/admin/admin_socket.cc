#include "server/admin/admin_socket.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "crypto/base/status_macros.h"
#include "server/admin/data_folder.h"

namespace parley::server {
namespace {

constexpr char kSocketName[] = "admin.sock";
constexpr uint32_t kLargestRequest = 4096;
constexpr uint32_t kLargestResponse = 16 << 20;
constexpr int kRequestSeconds = 5;
constexpr int kResponseSeconds = 30;

absl::Status SystemError(const std::string& what) {
  return absl::UnavailableError(what + ": " + std::strerror(errno));
}

// An address through the folder's descriptor: a socket's path may have 107 bytes only, and folders
// are longer than that.
sockaddr_un AddressIn(int folder_fd) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = "/proc/self/fd/" + std::to_string(folder_fd) + "/" + kSocketName;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

void SetTimeout(int fd, int seconds) {
  timeval limit{};
  limit.tv_sec = seconds;
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

absl::Status SendAll(int fd, crypto::ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return SystemError("the admin socket");
    bytes = bytes.subspan(static_cast<size_t>(sent));
  }
  return absl::OkStatus();
}

absl::Status ReceiveAll(int fd, std::span<uint8_t> out) {
  while (!out.empty()) {
    const ssize_t got = ::recv(fd, out.data(), out.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return SystemError("the admin socket");
    if (got == 0) return absl::UnavailableError("the admin socket was closed at the other end");
    out = out.subspan(static_cast<size_t>(got));
  }
  return absl::OkStatus();
}

absl::Status SendMessage(int fd, const crypto::Secret& message) {
  PARLEY_RETURN_IF_ERROR(SendAll(fd, crypto::BigEndian32(static_cast<uint32_t>(message.size()))));
  return SendAll(fd, message.Reveal());
}

absl::StatusOr<crypto::Secret> ReceiveMessage(int fd, uint32_t largest) {
  crypto::ByteArray<4> header;
  PARLEY_RETURN_IF_ERROR(ReceiveAll(fd, header));
  crypto::Reader reader(header);
  uint32_t size = 0;
  PARLEY_RETURN_IF_ERROR(reader.ReadUint32(size));
  if (size > largest)
    return absl::InvalidArgumentError("a message on the admin socket is too long");
  crypto::Secret message(size);
  PARLEY_RETURN_IF_ERROR(ReceiveAll(fd, message.RevealMutable()));
  return message;
}

}  // namespace

absl::StatusOr<std::unique_ptr<AdminSocket>> AdminSocket::Open(const std::string& data_folder,
                                                               OpenDataFolder& data) {
  const std::string path = data_folder + "/" + kSocketName;
  Descriptor folder(::open(data_folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  Descriptor listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (folder.get() < 0 || listener.get() < 0) return SystemError("can't make " + path);
  ::unlinkat(folder.get(), kSocketName, 0);  // of a relay that was killed
  const sockaddr_un address = AddressIn(folder.get());
  if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      ::fchmodat(folder.get(), kSocketName, 0600, 0) != 0 || ::listen(listener.get(), 16) != 0) {
    return SystemError("can't make " + path);
  }
  int stop[2];
  if (::pipe2(stop, O_CLOEXEC) != 0) return SystemError("can't make " + path);
  return std::unique_ptr<AdminSocket>(
      new AdminSocket(path, data, listener.Release(), stop[0], stop[1]));
}

AdminSocket::AdminSocket(std::string path, OpenDataFolder& folder, int listener, int stop_read,
                         int stop_write)
    : path_(std::move(path)),
      folder_(folder),
      listener_(listener),
      stop_read_(stop_read),
      stop_write_(stop_write),
      thread_([this] { Work(); }) {}

AdminSocket::~AdminSocket() {
  ::close(stop_write_);  // wakes the thread
  thread_.join();
  folder_.CancelPurge();
  if (long_one_.joinable()) long_one_.join();
  ::close(stop_read_);
  ::close(listener_);
  ::unlink(path_.c_str());
}

void AdminSocket::Work() {
  while (true) {
    pollfd waits[2] = {{listener_, POLLIN, 0}, {stop_read_, POLLIN, 0}};
    if (::poll(waits, 2, -1) < 0 && errno != EINTR) return;
    if (waits[1].revents != 0) return;
    if (waits[0].revents == 0) continue;
    Descriptor connection(::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC));
    if (connection.get() >= 0) Serve(connection.Release());
  }
}

void AdminSocket::Serve(int descriptor) {
  Descriptor connection(descriptor);
  SetTimeout(connection.get(), kRequestSeconds);
  absl::StatusOr<crypto::Secret> message = ReceiveMessage(connection.get(), kLargestRequest);
  if (!message.ok()) return;
  absl::StatusOr<AdminRequest> request = crypto::Parse<AdminRequest>(message->Reveal());
  AdminResponse response;
  if (!request.ok()) {
    response.code = static_cast<uint8_t>(absl::StatusCode::kInvalidArgument);
    response.message =
        "the running relay does not understand this command: use the same version "
        "of parley-relay for both";
  } else if (!TakesLong(request->command)) {
    response = Administer(folder_, *request);
  } else if (!long_one_runs_.exchange(true)) {
    if (long_one_.joinable()) long_one_.join();
    long_one_ = std::thread([this, fd = connection.Release(), request = *std::move(request)] {
      ServeLong(fd, request);
    });
    return;
  } else {
    response.code = static_cast<uint8_t>(absl::StatusCode::kUnavailable);
    response.message = "a backup or a purge has begun already: wait until it is done";
  }
  SendMessage(connection.get(), crypto::SerializeSecret(response)).IgnoreError();
}

void AdminSocket::ServeLong(int descriptor, const AdminRequest& request) {
  Descriptor connection(descriptor);
  const AdminResponse response = Administer(folder_, request);
  long_one_runs_ = false;
  SendMessage(connection.get(), crypto::SerializeSecret(response)).IgnoreError();
}

absl::StatusOr<std::optional<AdminResponse>> AskRunningRelay(const std::string& data_folder,
                                                             const AdminRequest& request) {
  Descriptor folder(::open(data_folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0) {
    if (errno == ENOENT) return std::optional<AdminResponse>();
    return SystemError("can't use " + data_folder);
  }
  Descriptor connection(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (connection.get() < 0) return SystemError("the admin socket");
  SetTimeout(connection.get(), TakesLong(request.command) ? 0 : kResponseSeconds);  // 0: none
  const sockaddr_un address = AddressIn(folder.get());
  if (::connect(connection.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) !=
      0) {
    if (errno == ENOENT || errno == ECONNREFUSED) return std::optional<AdminResponse>();
    return SystemError("can't reach the relay that runs on " + data_folder);
  }
  PARLEY_RETURN_IF_ERROR(SendMessage(connection.get(), crypto::SerializeSecret(request)));
  PARLEY_ASSIGN_OR_RETURN(crypto::Secret message,
                          ReceiveMessage(connection.get(), kLargestResponse));
  PARLEY_ASSIGN_OR_RETURN(AdminResponse response, crypto::Parse<AdminResponse>(message.Reveal()));
  return std::optional<AdminResponse>(std::move(response));
}

}  // namespace parley::server
