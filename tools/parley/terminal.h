// Asking a person on the terminal.
#ifndef PARLEY_TOOLS_PARLEY_TERMINAL_H_
#define PARLEY_TOOLS_PARLEY_TERMINAL_H_

#include <string>
#include <string_view>

#include "parley/status.h"

namespace parley::cli {

// A text that is wiped from memory when it is no longer used. Can't be copied.
class SecretText {
 public:
  SecretText() = default;
  SecretText(SecretText&& other) noexcept;
  SecretText& operator=(SecretText&& other) noexcept;
  ~SecretText();

  void Append(char c);  // leaves no copy behind when it grows
  void RemoveLast();
  bool empty() const { return text_.empty(); }
  // What is held; valid until the next change.
  std::string_view Reveal() const { return text_; }

 private:
  void Wipe();

  std::string text_;
};

// Asks for a line on the process' terminal without showing it.
// Errors: kFailedPrecondition without a terminal; kCancelled when the input ends.
Result<SecretText> AskSecret(const std::string& question);

// Asks a yes-or-no question when standard input is a terminal; only "y" and "yes" mean yes. Without
// a terminal the answer is yes: scripts mean what they say.
bool Confirm(const std::string& question);

// Whether standard input is a terminal.
bool InputIsTerminal();

// The first line of a file (at most 64 KiB), without its end.
// Errors: kFileError when it can't be read; kInvalidArgument when the line is empty or too long.
Result<SecretText> ReadSecretFile(const std::string& path);

}  // namespace parley::cli

#endif  // PARLEY_TOOLS_PARLEY_TERMINAL_H_
