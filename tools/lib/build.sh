# shellcheck shell=bash
# Configures and builds presets. Sourced, from the project's root, after steps.sh.

: "${logs:?source steps.sh first}"

# Objects are found again in the compiler cache from another clone of this tree.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1

# A compiler allocates a few hundred megabytes and ends: in large pages, and taken from the system in
# large steps, that costs clang a quarter less time.
readonly compiler_memory=glibc.malloc.hugetlb=1:glibc.malloc.top_pad=67108864:glibc.malloc.mmap_threshold=268435456

# build_preset PRESET SECONDS TARGET...: the target `all` builds everything.
build_preset() {
  local preset=$1 limit=$2
  shift 2
  if ! run_step "configure $preset" 900 cmake --preset "$preset"; then
    show_log "configure $preset"
    return 1
  fi
  if ! run_step "build $preset" "$limit" env "GLIBC_TUNABLES=$compiler_memory" cmake --build "build/$preset" --target "$@" -- -k 10; then
    show_build_errors "build $preset"
    return 1
  fi
}

# What ninja says about the commands that failed, without the rest.
show_build_errors() {
  local log="$logs/${1//[^A-Za-z0-9]/-}.log"
  echo "---- what failed, from $log"
  grep -v -E '^\[[0-9]+/[0-9]+\] ' "$log" | cut -c 1-400 | tail -n 120 || true
  echo "----"
}
