# Everything that Parley is built from: Debian 12's packages, and libsodium 1.0.22 or newer.

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(absl CONFIG REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(Protobuf REQUIRED)
find_package(RocksDB CONFIG REQUIRED)
find_package(SQLite3 REQUIRED)
pkg_check_modules(PARLEY_ICU REQUIRED IMPORTED_TARGET GLOBAL icu-uc)
pkg_check_modules(PARLEY_ZIP REQUIRED IMPORTED_TARGET GLOBAL libzip)
if(PARLEY_WITH_GRPC)
  find_package(gRPC CONFIG REQUIRED)
  find_package(prometheus-cpp CONFIG REQUIRED)
endif()
if(PARLEY_BUILD_TESTS)
  find_package(GTest REQUIRED)
  find_package(benchmark REQUIRED)
  find_package(Python3 COMPONENTS Interpreter REQUIRED)
endif()

# parley_sodium: the system's libsodium when it is new enough, else a static one of our own.
function(parley_find_sodium)
  pkg_check_modules(PARLEY_SYSTEM_SODIUM QUIET IMPORTED_TARGET GLOBAL "libsodium>=1.0.22")
  if(PARLEY_SYSTEM_SODIUM_FOUND)
    message(STATUS "libsodium ${PARLEY_SYSTEM_SODIUM_VERSION} of the system")
    add_library(parley_sodium INTERFACE)
    target_link_libraries(parley_sodium INTERFACE PkgConfig::PARLEY_SYSTEM_SODIUM)
    return()
  endif()
  if(NOT EXISTS "${PARLEY_SODIUM_ROOT}/.complete")
    message(STATUS "libsodium 1.0.22: building it into ${PARLEY_SODIUM_ROOT} (once, about 30 s)")
    execute_process(COMMAND "${CMAKE_SOURCE_DIR}/tools/lib/build-libsodium" "${PARLEY_SODIUM_ROOT}"
                    RESULT_VARIABLE status)
    if(status)
      message(FATAL_ERROR "tools/lib/build-libsodium failed: see above")
    endif()
  endif()
  message(STATUS "libsodium in ${PARLEY_SODIUM_ROOT}")
  add_library(parley_sodium STATIC IMPORTED GLOBAL)
  set_target_properties(parley_sodium PROPERTIES
    IMPORTED_LOCATION "${PARLEY_SODIUM_ROOT}/lib/libsodium.a"
    INTERFACE_INCLUDE_DIRECTORIES "${PARLEY_SODIUM_ROOT}/include"
    INTERFACE_COMPILE_DEFINITIONS SODIUM_STATIC=1
    INTERFACE_LINK_LIBRARIES Threads::Threads
    # Our shared library must not offer libsodium's symbols to whoever embeds it.
    INTERFACE_LINK_OPTIONS "LINKER:--exclude-libs,libsodium.a")
endfunction()
parley_find_sodium()
