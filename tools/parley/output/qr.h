// A QR code on a terminal.
#ifndef PARLEY_TOOLS_PARLEY_OUTPUT_QR_H_
#define PARLEY_TOOLS_PARLEY_OUTPUT_QR_H_

#include <string>

#include "parley/status.h"

namespace parley::cli {

// The code's lines, drawn with half blocks on a light ground. Errors: kInvalidArgument when the
// text is too long for one code.
Result<std::string> QrCode(const std::string& text);

}  // namespace parley::cli

#endif  // PARLEY_TOOLS_PARLEY_OUTPUT_QR_H_
