// parley-file-worker: reads one file that may be an attack, and answers on standard output. The
// library starts it; it is of no use by hand.
//
//   parley-file-worker text plain|zip|pdf          0: the file  1: the answer
//   parley-file-worker contents zip
//   parley-file-worker difference OLDER-BYTES      0: both texts, one after the other
//   parley-file-worker clean jpeg|png|tiff|webp|pdf  3: an empty file for the clean copy
//   parley-file-worker preview jpeg|png|pdf
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <new>
#include <optional>
#include <string>
#include <string_view>

#include "client-lib/file_worker/program/job.h"
#include "client-lib/file_worker/program/jobs.h"
#include "client-lib/file_worker/program/sandbox.h"

namespace parley::file_worker {
namespace {

constexpr int kInput = 0;
constexpr int kAnswer = 1;
constexpr int kOutput = 3;

constexpr uint64_t kCpuSeconds = 20;
constexpr uint64_t kCpuSecondsOfArchives = 60;  // of which a GiB may be unpacked
constexpr uint64_t kFreeMemoryBytes = uint64_t{512} << 20;
constexpr uint64_t kMemoryPerInputByte = 6;
constexpr uint64_t kFreeOutputBytes = uint64_t{1} << 20;

struct Job {
  std::string_view name;
  std::string_view kind;  // of the file; empty: a number instead
  bool uses_fonts;
  JobResult (*run)(std::string_view file, size_t number, const Emit& emit);
};

template <JobResult (*Run)(std::string_view)>
JobResult OfFile(std::string_view file, size_t, const Emit&) {
  return Run(file);
}

JobResult OfTexts(std::string_view texts, size_t older_bytes, const Emit&) {
  return DifferenceOf(texts, older_bytes);
}

JobResult OfArchive(std::string_view file, size_t, const Emit& emit) {
  return ZipContents(file, emit);
}

constexpr Job kJobs[] = {
    {"text", "plain", false, OfFile<PlainText>},     {"text", "zip", false, OfFile<DocxText>},
    {"text", "pdf", true, OfFile<PdfText>},          {"difference", "", false, OfTexts},
    {"contents", "zip", false, OfArchive},           {"clean", "jpeg", false, OfFile<CleanJpeg>},
    {"clean", "png", false, OfFile<CleanPng>},       {"clean", "webp", false, OfFile<CleanWebp>},
    {"clean", "tiff", false, OfFile<CleanTiff>},     {"clean", "pdf", false, OfFile<CleanPdf>},
    {"preview", "jpeg", false, OfFile<PreviewJpeg>}, {"preview", "png", false, OfFile<PreviewPng>},
    {"preview", "pdf", true, OfFile<PreviewPdf>},
};

// Whether all of it could be written.
bool WriteAll(int to, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(to, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

// Without the destructors of libraries, which have seen the file.
[[noreturn]] void Finish(std::string_view frame) {
  _exit(WriteAll(kAnswer, frame) ? EXIT_SUCCESS : EXIT_FAILURE);
}

[[noreturn]] void FinishWith(FrameType type, uint8_t reason) {
  Finish(MakeFrame(type, std::string(1, static_cast<char>(reason))));
}

[[noreturn]] void Refuse(Refusal refusal) {
  FinishWith(FrameType::kRefused, static_cast<uint8_t>(refusal));
}

[[noreturn]] void Fail(Failure failure) {
  FinishWith(FrameType::kFailed, static_cast<uint8_t>(failure));
}

void WriteData(std::string_view data) {
  for (; !data.empty(); data.remove_prefix(std::min(data.size(), kMostFrameBytes))) {
    const std::string_view piece = data.substr(0, kMostFrameBytes);
    if (!WriteAll(kAnswer, MakeFrame(FrameType::kData, piece))) _exit(EXIT_FAILURE);
  }
}

// `emitted`: bytes of data that were written before.
[[noreturn]] void Answer(const JobResult& result, uint64_t emitted) {
  if (result.failure.has_value()) Fail(*result.failure);
  if (!result.unchanged && !WriteAll(kOutput, result.output)) {
    Fail(errno == ENOSPC || errno == EDQUOT ? Failure::kNoRoom : Failure::kTooLarge);
  }
  WriteData(result.data);
  Finish(MakeDone(emitted + result.data.size(), result.removed,
                  result.unchanged ? kDoneUnchanged : 0));
}

[[noreturn]] void RunJob(const Job& job, size_t size, size_t number) {
  std::string_view file;
  if (size > 0) {
    void* const mapped = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, kInput, 0);
    if (mapped == MAP_FAILED) Fail(Failure::kMemory);
    file = {static_cast<const char*>(mapped), size};
  }
  try {
    uint64_t emitted = 0;
    const JobResult result = job.run(file, number, [&emitted](std::string_view data) {
      WriteData(data);
      emitted += data.size();
    });
    Answer(result, emitted);
  } catch (const std::bad_alloc&) {
    Fail(Failure::kMemory);
  } catch (...) {
    Fail(Failure::kNotReadable);
  }
}

const Job* FindJob(int argc, char** argv, size_t& number) {
  if (argc != 3) return nullptr;
  for (const Job& job : kJobs) {
    if (job.name != argv[1]) continue;
    if (job.kind == argv[2]) return &job;
    if (job.kind.empty()) {
      char* end = nullptr;
      number = std::strtoull(argv[2], &end, 10);
      return end != argv[2] && *end == '\0' ? &job : nullptr;
    }
  }
  return nullptr;
}

[[noreturn]] void Main(int argc, char** argv) {
  size_t number = 0;
  const Job* const job = FindJob(argc, argv, number);
  struct stat found {};
  if (job == nullptr || fstat(kInput, &found) != 0 || !S_ISREG(found.st_mode)) {
    Refuse(Refusal::kArguments);
  }
  const auto size = static_cast<size_t>(found.st_size);
  // libzip asks for local time; with a zone that is set, the C library reads it from a file once.
  setenv("TZ", "UTC0", 1);
  tzset();
  if (job->uses_fonts) PreparePdf();
  const bool is_archive = job->run == OfArchive;
  if (is_archive) PrepareContents();
  SandboxLimits limits;
  limits.cpu_seconds = is_archive ? kCpuSecondsOfArchives : kCpuSeconds;
  limits.memory_bytes = kFreeMemoryBytes + (is_archive ? 1 : kMemoryPerInputByte) * size;
  limits.output_bytes = job->name == "clean" ? 2 * size + kFreeOutputBytes : 0;
  limits.opening_fails = job->uses_fonts;
  if (const std::optional<Refusal> refusal = EnterSandbox(limits)) Refuse(*refusal);
  const std::string ready(1, static_cast<char>(kAnswerVersion));
  if (!WriteAll(kAnswer, MakeFrame(FrameType::kReady, ready))) _exit(EXIT_FAILURE);
  RunJob(*job, size, number);
}

}  // namespace
}  // namespace parley::file_worker

int main(int argc, char** argv) { parley::file_worker::Main(argc, argv); }
