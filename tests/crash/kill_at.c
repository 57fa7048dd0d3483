// Preloaded into a program (LD_PRELOAD), it ends the program as kill -9 would, at the Nth call that
// makes a mark outside it: writes to files and sockets, syncs, truncations, renames, deletions.
//
//   PARLEY_KILL_AT=N        before the Nth such call; 0 or nothing: never
//   PARLEY_KILL_TORN=1      a write is half done first
//   PARLEY_KILL_COUNT=FILE  at the program's regular end, the number of such calls goes into FILE
//
// Standard output and error don't count: what is printed is not what is stored.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long calls;
static long kill_at;
static int torn;

__attribute__((constructor)) static void ReadEnvironment(void) {
  const char* at = getenv("PARLEY_KILL_AT");
  kill_at = at != NULL ? atol(at) : 0;
  torn = getenv("PARLEY_KILL_TORN") != NULL;
}

__attribute__((destructor)) static void TellCount(void) {
  const char* path = getenv("PARLEY_KILL_COUNT");
  if (path == NULL) return;
  FILE* file = fopen(path, "w");
  if (file == NULL) return;
  fprintf(file, "%ld\n", atomic_load(&calls));
  fclose(file);
}

static void Die(ssize_t half_done) {
  (void)half_done;
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

// Counts a call; true when the program is to end at it.
static int IsLast(void) { return atomic_fetch_add(&calls, 1) + 1 == kill_at; }

// The C library's function under the same name.
#define TRUE_FUNCTION(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void* data, size_t size) {
  __typeof__(&write) real = TRUE_FUNCTION(write);
  if (fd > 2 && IsLast()) Die(torn ? real(fd, data, size / 2) : 0);
  return real(fd, data, size);
}

ssize_t pwrite(int fd, const void* data, size_t size, off_t offset) {
  __typeof__(&pwrite) real = TRUE_FUNCTION(pwrite);
  if (IsLast()) Die(torn ? real(fd, data, size / 2, offset) : 0);
  return real(fd, data, size, offset);
}

ssize_t pwrite64(int fd, const void* data, size_t size, off64_t offset) {
  __typeof__(&pwrite64) real = TRUE_FUNCTION(pwrite64);
  if (IsLast()) Die(torn ? real(fd, data, size / 2, offset) : 0);
  return real(fd, data, size, offset);
}

// The calls that are done or not done.
#define KILLED_BEFORE(type, name, parameters, arguments) \
  type name parameters {                                 \
    if (IsLast()) Die(0);                                \
    return TRUE_FUNCTION(name) arguments;                \
  }

KILLED_BEFORE(ssize_t, writev, (int fd, const struct iovec* parts, int count), (fd, parts, count))
KILLED_BEFORE(ssize_t, pwritev, (int fd, const struct iovec* parts, int count, off_t offset),
              (fd, parts, count, offset))
KILLED_BEFORE(ssize_t, sendmsg, (int fd, const struct msghdr* message, int flags),
              (fd, message, flags))
KILLED_BEFORE(ssize_t, sendto,
              (int fd, const void* data, size_t size, int flags, const struct sockaddr* to,
               socklen_t to_size),
              (fd, data, size, flags, to, to_size))
KILLED_BEFORE(ssize_t, send, (int fd, const void* data, size_t size, int flags),
              (fd, data, size, flags))
KILLED_BEFORE(int, fsync, (int fd), (fd))
KILLED_BEFORE(int, fdatasync, (int fd), (fd))
KILLED_BEFORE(int, ftruncate, (int fd, off_t size), (fd, size))
KILLED_BEFORE(int, ftruncate64, (int fd, off64_t size), (fd, size))
KILLED_BEFORE(int, rename, (const char* from, const char* to), (from, to))
KILLED_BEFORE(int, link, (const char* from, const char* to), (from, to))
KILLED_BEFORE(int, unlink, (const char* path), (path))
