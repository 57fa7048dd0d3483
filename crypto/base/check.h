// PARLEY_CHECK: stops the program when a promise between functions of our own is broken.
//
// For bugs only. Input, whoever it comes from, is answered with an absl::Status and never gets
// here. The message names the condition and its place, and never a value.
#ifndef PARLEY_CRYPTO_BASE_CHECK_H_
#define PARLEY_CRYPTO_BASE_CHECK_H_

namespace parley::crypto {

// Prints one line to standard error and aborts.
[[noreturn]] void CheckFailed(const char* condition, const char* file, int line);

}  // namespace parley::crypto

#define PARLEY_CHECK(condition)                                                      \
  do {                                                                               \
    if (!(condition)) ::parley::crypto::CheckFailed(#condition, __FILE__, __LINE__); \
  } while (false)

#endif  // PARLEY_CRYPTO_BASE_CHECK_H_
