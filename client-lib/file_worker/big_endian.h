// Numbers in the file worker's formats: big-endian, of so many bytes.
//
// Threading: free functions.
#ifndef PARLEY_CLIENT_LIB_FILE_WORKER_BIG_ENDIAN_H_
#define PARLEY_CLIENT_LIB_FILE_WORKER_BIG_ENDIAN_H_

#include <cstdint>
#include <string>

namespace parley::file_worker {

inline void AppendNumber(std::string& to, uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) to.push_back(static_cast<char>(value >> (8 * i) & 0xff));
}

}  // namespace parley::file_worker

#endif  // PARLEY_CLIENT_LIB_FILE_WORKER_BIG_ENDIAN_H_
