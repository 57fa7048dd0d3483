// The files in which a disclosed document lies, in the clear, on its way from one channel to
// another: "disclosing-…" in the profile's folder.
//
// Whoever carries one holds a shared lock on "disclosing.lock"; whoever destroys what was to be
// carried holds it alone. What is left of a process that was killed is removed by whoever gets the
// lock for themselves: when a profile is opened, and when a disclosure ends.
//
// Threading: safe from any thread and process.
#ifndef PARLEY_CLIENT_LIB_API_CARRIED_FILES_H_
#define PARLEY_CLIENT_LIB_API_CARRIED_FILES_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"

namespace parley::client {

// Removes such files from the folder, unless somebody is carrying one.
void SweepCarriedFiles(const std::string& folder);

// Keeps the folder from being swept for as long as it lives; then sweeps it.
class CarriedFiles {
 public:
  // Errors: FileError's.
  static absl::StatusOr<CarriedFiles> Hold(const std::string& folder);
  CarriedFiles(CarriedFiles&& other) noexcept;
  CarriedFiles& operator=(CarriedFiles&&) = delete;
  ~CarriedFiles();

  // Keeps others from carrying anything meanwhile. Nothing where somebody is at it, or where that
  // can't be known.
  static std::optional<CarriedFiles> HoldAlone(const std::string& folder);

  // The path of the file for something of that id.
  std::string PathOf(const std::string& id) const;

 private:
  CarriedFiles(std::string folder, int fd) : folder_(std::move(folder)), fd_(fd) {}
  std::string folder_;
  int fd_;
};

// A document on its way from one channel to another: a file without a name, which is gone with
// this.
class PlainCopy {
 public:
  // Takes a file's name away. Errors: FileError's.
  static absl::StatusOr<PlainCopy> Take(const std::string& path);
  PlainCopy(PlainCopy&& other) noexcept;
  PlainCopy& operator=(PlainCopy&&) = delete;
  ~PlainCopy();
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  explicit PlainCopy(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_API_CARRIED_FILES_H_
