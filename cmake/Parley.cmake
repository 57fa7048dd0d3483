# The functions that the rooms' CMakeLists.txt are written in.
#
#   parley_library(NAME SRCS ... [DEPS ...] [PUBLIC_DEPS ...] [PRELUDE NAME])
#   parley_program(NAME SRCS ... [DEPS ...])
#   parley_prelude(NAME code|test HEADERS ... [DEPS ...])
#   parley_test(NAME SRCS ... [DEPS ...] [LABELS ...] [TIMEOUT seconds] [TSAN] [OWN_MAIN] [PRELUDE NAME])
#   parley_proto(NAME PROTOS ... [DEPS ...] [GRPC])
#   parley_fuzz(NAME SRCS ... [DEPS ...])

add_custom_target(parley_tsan_tests)  # the tests that the thread sanitizer watches
add_custom_target(parley_quick_tests) # the tests that need no other program
add_custom_target(parley_fuzzers)     # every fuzz target
add_custom_target(parley_code)        # libraries and programs, without tests

set(PARLEY_DISK_FOLDER "/tmp")  # where tests of whole programs keep their files
if(DEFINED ENV{TMPDIR})
  set(PARLEY_DISK_FOLDER "$ENV{TMPDIR}")
endif()

# What each target of our own has: the project's root as include folder, warnings as errors. KIND is
# `code` or `test`. With PARLEY_UNITY, code is compiled several sources at a time, which reads the
# headers they share once: names in unnamed namespaces mustn't clash within a target. Tests, whose
# fixtures resemble each other, stay by themselves.
function(parley_own_code name kind)
  target_include_directories(${name} PRIVATE "${CMAKE_SOURCE_DIR}")
  target_compile_options(${name} PRIVATE ${PARLEY_WARNINGS})
  if(kind STREQUAL "test")
    target_compile_options(${name} PRIVATE ${PARLEY_TEST_OPTIONS})
    return()
  endif()
  add_dependencies(parley_code ${name})
  get_target_property(sources ${name} SOURCES)
  list(LENGTH sources count)
  if(PARLEY_UNITY AND count GREATER 1)
    set_target_properties(${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
  endif()
endfunction()

# What several targets include by and large, compiled once for all of them with PARLEY_PRELUDES, as
# libraries (`code`) or as tests are. They include what they use all the same: builds without
# preludes (`debug`, `tsan`) need it.
function(parley_prelude name kind)
  if(NOT PARLEY_PRELUDES OR (kind STREQUAL "test" AND NOT PARLEY_BUILD_TESTS))
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "HEADERS;DEPS")
  set(source "${CMAKE_CURRENT_BINARY_DIR}/${name}.cc")
  file(CONFIGURE OUTPUT "${source}" CONTENT "")
  add_library(${name} OBJECT EXCLUDE_FROM_ALL "${source}")
  target_include_directories(${name} PRIVATE "${CMAKE_SOURCE_DIR}")
  target_compile_options(${name} PRIVATE ${PARLEY_WARNINGS})
  target_link_libraries(${name} PRIVATE ${arg_DEPS})
  target_precompile_headers(${name} PRIVATE ${arg_HEADERS})
  if(kind STREQUAL "test")
    target_link_libraries(${name} PRIVATE GTest::gmock GTest::gtest)
    target_compile_options(${name} PRIVATE ${PARLEY_TEST_OPTIONS} -fPIE)  # tests are programs
    set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  endif()
endfunction()

# A static, position-independent library. DEPS are private: what includes this library's headers
# doesn't see them. PUBLIC_DEPS are for what the headers themselves include. PRELUDE: another one
# than that of all libraries.
function(parley_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "PRELUDE" "SRCS;DEPS;PUBLIC_DEPS")
  if(NOT arg_PRELUDE)
    set(arg_PRELUDE parley_code_prelude)
  endif()
  add_library(${name} STATIC ${arg_SRCS})
  parley_own_code(${name} code)
  if(PARLEY_PRELUDES)
    target_precompile_headers(${name} REUSE_FROM ${arg_PRELUDE})
  endif()
  target_include_directories(${name} PUBLIC "${CMAKE_SOURCE_DIR}")
  target_link_libraries(${name} PUBLIC ${arg_PUBLIC_DEPS} PRIVATE ${arg_DEPS})
endfunction()

# A program in bin/.
function(parley_program name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SRCS;DEPS")
  add_executable(${name} ${arg_SRCS})
  parley_own_code(${name} code)
  target_link_libraries(${name} PRIVATE ${arg_DEPS})
endfunction()

# A GoogleTest program, registered with ctest as one entry under its own name. LABELS: `e2e` for
# runs of several programs, `long` for what only `tools/check --long` runs. TSAN also puts it among
# the tests that the thread sanitizer watches. OWN_MAIN: the sources have a main of their own.
# PRELUDE: another one than that of all tests.
function(parley_test name)
  if(NOT PARLEY_BUILD_TESTS)
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 arg "TSAN;OWN_MAIN" "TIMEOUT;PRELUDE" "SRCS;DEPS;LABELS")
  if(NOT arg_PRELUDE)
    set(arg_PRELUDE parley_test_prelude)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  add_executable(${name} ${arg_SRCS})
  parley_own_code(${name} test)
  target_link_libraries(${name} PRIVATE ${arg_DEPS} GTest::gmock GTest::gtest)
  if(PARLEY_PRELUDES)
    target_precompile_headers(${name} REUSE_FROM ${arg_PRELUDE})
  endif()
  if(NOT arg_OWN_MAIN)
    target_link_libraries(${name} PRIVATE GTest::gmock_main)
  endif()
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY "${CMAKE_BINARY_DIR}")
  if(arg_TSAN)
    list(APPEND arg_LABELS tsan)
    add_dependencies(parley_tsan_tests ${name})
  endif()
  parley_test_properties(${name} TIMEOUT ${arg_TIMEOUT} LABELS ${arg_LABELS})
endfunction()

# Limits and sanitizer settings of a registered test; also for tests added with add_test().
# A test that can't run at all here ends with exit status 77, and is counted as skipped. Long runs get
# the machine to themselves; those of several programs mostly wait, and run beside others.
function(parley_test_properties name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "LABELS")
  set(leaks "${CMAKE_SOURCE_DIR}/cmake/leaks.txt")
  set(serial OFF)
  if("long" IN_LIST arg_LABELS)
    set(serial ON)
  endif()
  # A smaller quarantine of freed memory, and shorter stacks with each allocation: the sanitizer's own
  # defaults take twice the time.
  set(environment "ASAN_OPTIONS=quarantine_size_mb=16:malloc_context_size=5"
      "LSAN_OPTIONS=suppressions=${leaks}:print_suppressions=0"
      "UBSAN_OPTIONS=print_stacktrace=1" "TSAN_OPTIONS=halt_on_error=1")
  # Whoever runs the tests may let the quick ones keep their files in memory; programs get a disk.
  if("e2e" IN_LIST arg_LABELS)
    list(APPEND environment "TMPDIR=${PARLEY_DISK_FOLDER}")
  elseif(TARGET "${name}")
    add_dependencies(parley_quick_tests ${name})
  endif()
  set_tests_properties(${name} PROPERTIES
    TIMEOUT ${arg_TIMEOUT}
    COST ${arg_TIMEOUT} # what takes long starts first, so that nothing is left to run alone at the end
    LABELS "${arg_LABELS}"
    SKIP_RETURN_CODE 77
    RUN_SERIAL "${serial}"
    ENVIRONMENT "${environment}")
endfunction()

# C++ from .proto files below proto/, whose folder is the import root: "parley/relay/v1/relay.pb.h".
# With GRPC also NAME_grpc, the services. DEPS: other parley_proto libraries that these import.
# Generated code is not ours: system includes, no warnings, and -O1 to compile quickly.
function(parley_proto name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "GRPC" "" "PROTOS;DEPS")
  set(root "${CMAKE_SOURCE_DIR}/proto")
  set(out "${CMAKE_BINARY_DIR}/generated/proto")
  file(MAKE_DIRECTORY "${out}")
  set(message_srcs)
  set(service_srcs)
  foreach(proto ${arg_PROTOS})
    cmake_path(ABSOLUTE_PATH proto BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" NORMALIZE)
    cmake_path(RELATIVE_PATH proto BASE_DIRECTORY "${root}" OUTPUT_VARIABLE relative)
    string(REGEX REPLACE "\\.proto$" "" stem "${out}/${relative}")
    add_custom_command(
      OUTPUT "${stem}.pb.cc" "${stem}.pb.h"
      COMMAND protobuf::protoc "--proto_path=${root}" "--cpp_out=${out}" "${proto}"
      DEPENDS "${proto}" VERBATIM)
    list(APPEND message_srcs "${stem}.pb.cc" "${stem}.pb.h")
    if(arg_GRPC AND PARLEY_WITH_GRPC)
      add_custom_command(
        OUTPUT "${stem}.grpc.pb.cc" "${stem}.grpc.pb.h"
        COMMAND protobuf::protoc "--proto_path=${root}" "--grpc_out=${out}"
                "--plugin=protoc-gen-grpc=$<TARGET_FILE:gRPC::grpc_cpp_plugin>" "${proto}"
        DEPENDS "${proto}" VERBATIM)
      list(APPEND service_srcs "${stem}.grpc.pb.cc" "${stem}.grpc.pb.h")
    endif()
  endforeach()
  add_library(${name} STATIC ${message_srcs})
  target_link_libraries(${name} PUBLIC protobuf::libprotobuf ${arg_DEPS})
  parley_generated_code(${name} "${out}")
  if(service_srcs)
    add_library(${name}_grpc STATIC ${service_srcs})
    target_link_libraries(${name}_grpc PUBLIC ${name} gRPC::grpc++)
    parley_generated_code(${name}_grpc "${out}")
  endif()
endfunction()

function(parley_generated_code name out)
  target_include_directories(${name} SYSTEM PUBLIC "${out}")
  target_compile_options(${name} PRIVATE -w)
  if(CMAKE_BUILD_TYPE STREQUAL "Release")
    target_compile_options(${name} PRIVATE -O1)
  endif()
endfunction()

# A libFuzzer target (clang, preset `fuzz`). Seeds are in corpus/NAME beside the CMakeLists.txt.
function(parley_fuzz name)
  if(NOT PARLEY_FUZZ)
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SRCS;DEPS")
  add_executable(${name} EXCLUDE_FROM_ALL ${arg_SRCS})
  parley_own_code(${name} code)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/fuzzers")
  target_link_libraries(${name} PRIVATE ${arg_DEPS})
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  add_dependencies(parley_fuzzers ${name})
endfunction()
