// Texts that are read from standard input where an argument is "-".
#ifndef PARLEY_TOOLS_PARLEY_STANDARD_INPUT_H_
#define PARLEY_TOOLS_PARLEY_STANDARD_INPUT_H_

#include <istream>
#include <string>

#include "parley/status.h"

namespace parley::cli {

// `argument`, or for "-" all of `in` without the last line's end.
// Errors: kResourceExhausted when there are more than 16 MiB; kFileError.
Result<std::string> ArgumentOrInput(const std::string& argument, std::istream& in);

}  // namespace parley::cli

#endif  // PARLEY_TOOLS_PARLEY_STANDARD_INPUT_H_
