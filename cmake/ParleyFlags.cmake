# Language, warnings, hardening, sanitizers, launcher and linker: what every target is built with.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")

if(NOT CMAKE_BUILD_TYPE AND NOT PARLEY_SANITIZE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release or Debug" FORCE)
endif()
# Bugs CHECK in every build, so asserts of third parties may go; debug information is not shipped.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g0 -DNDEBUG")
set(CMAKE_C_FLAGS_RELEASE "-O2 -g0 -DNDEBUG")

# With what most sources include compiled before (parley_prelude).
set(PARLEY_PRELUDES OFF)
if(PARLEY_UNITY AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  set(PARLEY_PRELUDES ON)
endif()

find_program(PARLEY_CCACHE ccache)
if(PARLEY_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(launcher "${PARLEY_CCACHE}")
  if(PARLEY_PRELUDES)
    # Without these it keeps nothing that includes a prelude. What the developer has set stays.
    set(sloppiness pch_defines,time_macros)
    if(NOT "$ENV{CCACHE_SLOPPINESS}" STREQUAL "")
      set(sloppiness "$ENV{CCACHE_SLOPPINESS},${sloppiness}")
    endif()
    set(launcher env "CCACHE_SLOPPINESS=${sloppiness}" "${PARLEY_CCACHE}")
  endif()
  set(CMAKE_C_COMPILER_LAUNCHER "${launcher}")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${launcher}")
endif()

# Warnings are errors, for our own code. Parley.cmake adds these per target, so that generated code
# can do without them.
set(PARLEY_WARNINGS
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor
    -Woverloaded-virtual -Wundef -Wformat=2 -Wvla -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports overlapping copies in plain concatenation of std::string (its bug 105329).
  list(APPEND PARLEY_WARNINGS -Wno-restrict)
endif()

add_compile_options(-fstack-protector-strong -fno-strict-overflow)

include(CheckLinkerFlag)
check_linker_flag(CXX "-fuse-ld=lld" PARLEY_HAS_LLD)
if(PARLEY_HAS_LLD)
  add_link_options(-fuse-ld=lld)
endif()

# What warnings there are is judged where the optimiser isn't disturbed by instrumentation: release
# and debug builds stop at them.
if(PARLEY_SANITIZE)
  list(REMOVE_ITEM PARLEY_WARNINGS -Werror)
endif()

# What tests call many times is optimised; they themselves run once and had better compile soon.
set(PARLEY_TEST_OPTIONS)
if(PARLEY_SANITIZE STREQUAL "address")
  set(PARLEY_TEST_OPTIONS -O0)
  add_compile_options(-O1 -g1 -fno-omit-frame-pointer
                      -fsanitize=address,undefined -fno-sanitize-recover=all -D_GLIBCXX_ASSERTIONS)
  # The address sanitizer stops at these, too; checked twice they cost a quarter of the build.
  add_compile_options(-fno-sanitize=null,object-size,vptr)
  add_link_options(-fsanitize=address,undefined)
elseif(PARLEY_SANITIZE STREQUAL "thread")
  add_compile_options(-O1 -g1 -fno-omit-frame-pointer -fsanitize=thread)
  add_link_options(-fsanitize=thread)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    list(APPEND PARLEY_WARNINGS -Wno-tsan)
  endif()
elseif(PARLEY_SANITIZE)
  message(FATAL_ERROR "PARLEY_SANITIZE is \"${PARLEY_SANITIZE}\": it can be address, thread or empty")
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
  # Without optimisation there is nothing that _FORTIFY_SOURCE could check.
  set(PARLEY_TEST_OPTIONS -O0 -U_FORTIFY_SOURCE)
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()

if(PARLEY_PRELUDES)
  # So that the compiler cache takes a prelude that was made anew for the same one; and as some
  # targets have it from what they link, which all that share a prelude must.
  add_compile_options("SHELL:-Xclang -fno-pch-timestamp" -pthread)
endif()

# Position-independent programs, read-only relocations, no executable stack.
include(CheckPIESupported)
check_pie_supported()
add_link_options(-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
if(PARLEY_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "PARLEY_FUZZ needs clang: use \"cmake --preset fuzz\"")
  endif()
  # Instruments every library for coverage; only fuzz targets link the fuzzer's main.
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_link_options(-fsanitize=fuzzer-no-link)
endif()
