# What nearly every source includes of other libraries, parsed once instead of hundreds of times: with
# clang, that is half of what a build with the address sanitizer takes (GCC hardly gains). Only that
# build's sources start from it; every other build sees that each file includes what it uses.

set(PARLEY_PRECOMPILED_HEADERS
    <algorithm> <chrono> <filesystem> <functional> <map> <memory> <optional> <random> <string>
    <thread> <unordered_map> <vector>
    <absl/container/flat_hash_map.h> <absl/status/statusor.h> <absl/strings/str_cat.h>
    <absl/strings/str_join.h> <absl/synchronization/mutex.h> <absl/time/time.h>
    <google/protobuf/message.h>)

# Libraries and programs can only share a header when both are compiled as if for a library. The
# compiler cache knows the header by what it contains, not by when it was made.
set(PARLEY_PRECOMPILED_OPTIONS -fPIC "SHELL:-Xclang -fno-pch-timestamp")

# parley_precompile(NAME KIND): NAME, of KIND `code` or `test`, starts from the header of that kind.
function(parley_precompile name kind)
  if(NOT PARLEY_SANITIZE STREQUAL "address" OR PARLEY_FUZZ
     OR NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    return()
  endif()
  set(common "parley_precompiled_${kind}")
  if(NOT TARGET ${common})
    set(source "${CMAKE_BINARY_DIR}/generated/${common}.cc")
    file(CONFIGURE OUTPUT "${source}" CONTENT "")
    add_library(${common} OBJECT "${source}")
    set(headers ${PARLEY_PRECOMPILED_HEADERS})
    target_link_libraries(${common} PRIVATE absl::statusor absl::synchronization protobuf::libprotobuf)
    if(kind STREQUAL "test")
      target_link_libraries(${common} PRIVATE GTest::gmock GTest::gtest)
      target_compile_options(${common} PRIVATE ${PARLEY_TEST_OPTIONS})
      list(APPEND headers <gmock/gmock.h> <gtest/gtest.h>)
    endif()
    target_compile_options(${common} PRIVATE ${PARLEY_PRECOMPILED_OPTIONS})
    target_precompile_headers(${common} PRIVATE ${headers})
  endif()
  target_compile_options(${name} PRIVATE ${PARLEY_PRECOMPILED_OPTIONS})
  target_precompile_headers(${name} REUSE_FROM ${common})
endfunction()
