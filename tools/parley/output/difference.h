// The difference of two texts, as people read it.
//
// Threading: free functions.
#ifndef PARLEY_TOOLS_PARLEY_OUTPUT_DIFFERENCE_H_
#define PARLEY_TOOLS_PARLEY_OUTPUT_DIFFERENCE_H_

#include <string>

#include "parley/types.h"

namespace parley::cli {

// A line each, made harmless: "  " the same, "- " only in the older text, "+ " only in the newer
// one, "~ " changed within: "[-gone-]" and "{+new+}". Of lines that are the same, three stand
// around each change; "..." says that others are left out. Empty when the texts are the same.
std::string DifferenceText(const TextDifference& difference);

}  // namespace parley::cli

#endif  // PARLEY_TOOLS_PARLEY_OUTPUT_DIFFERENCE_H_
