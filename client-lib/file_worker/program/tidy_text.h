// Text from a file, made fit to be compared and shown.
//
// Threading: free functions.
#ifndef PARLEY_CLIENT_LIB_FILE_WORKER_PROGRAM_TIDY_TEXT_H_
#define PARLEY_CLIENT_LIB_FILE_WORKER_PROGRAM_TIDY_TEXT_H_

#include <string>
#include <string_view>

namespace parley::file_worker {

// Appends `text` with "\n" for each "\r\n", "\r" and form feed, and without other control
// characters but tabs.
inline void AppendTidied(std::string& to, std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == '\r' || byte == '\f') {
      if (byte == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
      to.push_back('\n');
    } else if (byte == '\n' || byte == '\t' || (byte >= 0x20 && byte != 0x7f)) {
      to.push_back(text[i]);
    }
  }
}

}  // namespace parley::file_worker

#endif  // PARLEY_CLIENT_LIB_FILE_WORKER_PROGRAM_TIDY_TEXT_H_
