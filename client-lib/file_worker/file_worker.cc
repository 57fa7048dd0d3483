#include "client-lib/file_worker/file_worker.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "client-lib/content/utf8.h"
#include "client-lib/file_worker/frame.h"
#include "client-lib/file_worker/worker_process.h"
#include "crypto/base/status_macros.h"

namespace parley::file_worker {
namespace {

constexpr size_t kPieceBytes = 5;  // kind and length
constexpr size_t kMostPieces = 1'000'000;
// What may be unpacked, and as much again for what each member's record has beside its text.
constexpr size_t kMostContentsAnswer = kMostUnpackedBytes + kMostArchiveMembers * 64;
// As many times as long as another job.
constexpr int kTimeForArchives = 5;

struct Input {
  Descriptor file;
  FileKind kind = FileKind::kOther;
};

absl::Status OpenError(const std::string& path, int error) {
  const std::string message = "\"" + path + "\" can't be read: " + std::strerror(error);
  return error == ENOENT ? absl::NotFoundError(message) : absl::PermissionDeniedError(message);
}

absl::StatusOr<Input> OpenInput(const std::string& path) {
  Input input;
  // Not to wait for whoever writes to a pipe of that name.
  input.file = Descriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat found {};
  if (!input.file.is_open() || fstat(input.file.get(), &found) != 0) return OpenError(path, errno);
  if (!S_ISREG(found.st_mode)) return absl::InvalidArgumentError("\"" + path + "\" is not a file");
  std::string first(kKindBytes, '\0');
  const ssize_t got = pread(input.file.get(), first.data(), first.size(), 0);
  if (got < 0) return OpenError(path, errno);
  first.resize(static_cast<size_t>(got));
  input.kind = KindOf(first);
  return input;
}

absl::Status CheckSize(const Input& input, uint64_t most = kMostInputBytes) {
  struct stat found {};
  if (fstat(input.file.get(), &found) == 0 && static_cast<uint64_t>(found.st_size) <= most) {
    return absl::OkStatus();
  }
  return absl::ResourceExhaustedError("it is larger than " + std::to_string(most >> 20) + " MiB");
}

absl::Status WhyRefused(Refusal refusal) {
  const char* what = "limits";
  if (refusal == Refusal::kArguments) what = "what it is to do";
  if (refusal == Refusal::kPrivileges) what = "privileges";
  if (refusal == Refusal::kFilter) what = "the filter for system calls (seccomp)";
  return absl::FailedPreconditionError(
      std::string("this system doesn't let the program that reads files be shut in (") + what +
      "), and outside its sandbox none is read");
}

absl::Status WhyFailed(Failure failure) {
  switch (failure) {
    case Failure::kNotReadable:
      return absl::InvalidArgumentError("it is damaged, or not of a kind that can be read");
    case Failure::kTooLarge:
      return absl::ResourceExhaustedError("there is too much in it");
    case Failure::kEncrypted:
      return absl::FailedPreconditionError("it is protected by a password");
    case Failure::kSigned:
      return absl::FailedPreconditionError("it is signed, and any change breaks the signature");
    case Failure::kMemory:
      return absl::ResourceExhaustedError("it takes too much memory");
    case Failure::kNoRoom:
      return absl::UnavailableError("there is no room left on the disk");
  }
  return absl::InternalError("for an unknown reason");
}

absl::Status WhyStopped(Stopped reason) {
  switch (reason) {
    case Stopped::kUnpacked:
      return absl::ResourceExhaustedError("unpacked, it is too many MiB");
    case Stopped::kMembers:
      return absl::ResourceExhaustedError("it has more than " +
                                          std::to_string(kMostArchiveMembers) + " members");
    case Stopped::kInnerLarge:
      return absl::ResourceExhaustedError("an archive within it is too large");
    case Stopped::kDeep:
      return absl::ResourceExhaustedError("archives are packed in one another too deeply");
    case Stopped::kPart:
      return absl::InvalidArgumentError(
          "it is, or has in it, one of several parts of an archive, which show only together what "
          "they hold");
    case Stopped::kUnreadable:
      return absl::InvalidArgumentError(
          "it, or something in it, has the form of an archive (ZIP) and can't be opened as one: it "
          "is damaged, or one of several parts");
  }
  return absl::ResourceExhaustedError("it is over the limits");
}

// Of an answer that isn't done.
absl::Status WhyEnded(const WorkerEnd& end) {
  switch (end.kind) {
    case WorkerEnd::Kind::kRefused:
      return WhyRefused(end.reader.refusal());
    case WorkerEnd::Kind::kFailed:
      return WhyFailed(end.reader.failure());
    case WorkerEnd::Kind::kTimedOut:
      return absl::ResourceExhaustedError("reading it took too long and was stopped");
    default:
      return absl::ResourceExhaustedError(
          "reading it was stopped: it takes too much time or memory, or is an attack on the "
          "program "
          "that reads it");
  }
}

absl::StatusOr<AnswerReader> Run(const WorkerCall& call) {
  PARLEY_ASSIGN_OR_RETURN(WorkerEnd end, RunWorker(call));
  if (end.kind != WorkerEnd::Kind::kDone) return WhyEnded(end);
  return std::move(end.reader);
}

absl::Status Untrue() {
  return absl::InternalError("the program that reads files gave an answer that makes no sense");
}

std::vector<std::string> Named(uint32_t removed) {
  constexpr std::pair<uint32_t, const char*> kNames[] = {
      {kRemovedPlace, "place (GPS)"},
      {kRemovedCamera, "camera and time (Exif)"},
      {kRemovedInformation, "author, title, dates and program"},
      {kRemovedXmp, "XMP"},
      {kRemovedIptc, "IPTC"},
      {kRemovedComments, "comments"},
      {kRemovedThumbnails, "small pictures"},
      {kRemovedRevisions, "earlier revisions"},
      {kRemovedOther, "what isn't needed to show it"}};
  std::vector<std::string> named;
  for (const auto& [bit, name] : kNames) {
    if ((removed & bit) != 0) named.emplace_back(name);
  }
  return named;
}

// Both texts in a file without a name.
absl::StatusOr<Descriptor> InMemory(std::string_view first, std::string_view second) {
  Descriptor file(memfd_create("parley-texts", MFD_CLOEXEC));
  if (!file.is_open()) return absl::InternalError("memory for the texts can't be had");
  for (std::string_view text : {first, second}) {
    while (!text.empty()) {
      const ssize_t written = write(file.get(), text.data(), text.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return absl::ResourceExhaustedError("there is no memory for the texts");
      text.remove_prefix(static_cast<size_t>(written));
    }
  }
  return file;
}

bool IsContinuation(char byte) { return (static_cast<uint8_t>(byte) & 0xc0) == 0x80; }

// Takes `count` bytes off `text`, whole characters; nothing when that can't be.
std::optional<std::string_view> TakeOff(std::string_view& text, size_t count) {
  if (count > text.size()) return std::nullopt;
  if (count < text.size() && IsContinuation(text[count])) return std::nullopt;
  const std::string_view taken = text.substr(0, count);
  text.remove_prefix(count);
  return taken;
}

// The pieces that the worker names, taken from our own texts. Whatever it says, what comes out is a
// way from the one to the other, or an error.
absl::StatusOr<TextDifference> ReadPieces(std::string_view answer, std::string_view older,
                                          std::string_view newer) {
  TextDifference difference;
  if (answer.size() % kPieceBytes != 0) return Untrue();
  for (; !answer.empty(); answer.remove_prefix(kPieceBytes)) {
    const auto kind = static_cast<uint8_t>(answer[0]);
    size_t length = 0;
    for (const char byte : answer.substr(1, 4)) length = length << 8 | static_cast<uint8_t>(byte);
    const bool repeats =
        !difference.pieces.empty() && difference.pieces.back().kind == static_cast<PieceKind>(kind);
    if (kind > 2 || length == 0 || repeats) return Untrue();
    const auto piece_kind = static_cast<PieceKind>(kind);
    std::optional<std::string_view> removed = "";
    std::optional<std::string_view> added = "";
    if (piece_kind != PieceKind::kAdded) removed = TakeOff(older, length);
    if (piece_kind != PieceKind::kRemoved) added = TakeOff(newer, length);
    if (!removed.has_value() || !added.has_value()) return Untrue();
    if (piece_kind == PieceKind::kSame && *removed != *added) return Untrue();
    const std::string_view text = piece_kind == PieceKind::kAdded ? *added : *removed;
    difference.pieces.push_back({piece_kind, std::string(text)});
  }
  if (!older.empty() || !newer.empty()) return Untrue();
  return difference;
}

}  // namespace

absl::StatusOr<FileKind> KindOfFile(const std::string& path) {
  PARLEY_ASSIGN_OR_RETURN(const Input input, OpenInput(path));
  return input.kind;
}

bool IsPreview(std::string_view bytes) {
  const FileKind kind = KindOf(bytes);
  return bytes.size() <= kMostPreviewAnswer && (kind == FileKind::kJpeg || kind == FileKind::kPng);
}

absl::StatusOr<std::string> FileWorker::Text(const std::string& path) const {
  PARLEY_ASSIGN_OR_RETURN(const Input input, OpenInput(path));
  PARLEY_RETURN_IF_ERROR(CheckSize(input));
  WorkerCall call{program_, {"text", "plain"}, input.file.get(), -1, kMostTextAnswer,
                  {},       most_time_};
  if (input.kind == FileKind::kZip || input.kind == FileKind::kPdf) {
    call.arguments[1] = KindName(input.kind);
  } else if (input.kind != FileKind::kOther) {
    return absl::InvalidArgumentError("it is a picture, and its text can't be read");
  }
  PARLEY_ASSIGN_OR_RETURN(AnswerReader answer, Run(call));
  std::string text = answer.TakeData();
  if (!client::IsWellFormedUtf8(text)) return Untrue();
  return text;
}

absl::Status FileWorker::Contents(
    const std::string& path, const std::function<absl::Status(const PackedFile&)>& visit) const {
  PARLEY_ASSIGN_OR_RETURN(const Input input, OpenInput(path));
  PARLEY_RETURN_IF_ERROR(CheckSize(input, kMostArchiveBytes));
  absl::Status visited;
  ContentsReader contents([&](const PackedFile& packed) {
    visited = client::IsWellFormedUtf8(packed.name) && client::IsWellFormedUtf8(packed.text)
                  ? visit(packed)
                  : Untrue();
    return visited.ok();
  });
  const WorkerCall call{program_,
                        {"contents", "zip"},
                        input.file.get(),
                        -1,
                        kMostContentsAnswer,
                        [&contents](std::string_view data) { return contents.Take(data); },
                        kTimeForArchives * most_time_};
  PARLEY_ASSIGN_OR_RETURN(const WorkerEnd end, RunWorker(call));
  PARLEY_RETURN_IF_ERROR(visited);
  const bool is_none =
      end.kind == WorkerEnd::Kind::kFailed && end.reader.failure() == Failure::kNotReadable;
  if (is_none) return absl::OkStatus();
  if (end.kind != WorkerEnd::Kind::kDone) return WhyEnded(end);
  if (!contents.AtEnd()) return Untrue();
  if (contents.stopped().has_value()) return WhyStopped(*contents.stopped());
  return absl::OkStatus();
}

absl::StatusOr<TextDifference> FileWorker::Difference(std::string_view older,
                                                      std::string_view newer) const {
  PARLEY_ASSIGN_OR_RETURN(const Descriptor texts, InMemory(older, newer));
  const WorkerCall call{program_,
                        {"difference", std::to_string(older.size())},
                        texts.get(),
                        -1,
                        kPieceBytes * kMostPieces,
                        {},
                        most_time_};
  PARLEY_ASSIGN_OR_RETURN(const AnswerReader answer, Run(call));
  return ReadPieces(answer.data(), older, newer);
}

absl::StatusOr<FileWorker::Cleaned> FileWorker::Clean(const std::string& path, int output) const {
  PARLEY_ASSIGN_OR_RETURN(const Input input, OpenInput(path));
  PARLEY_RETURN_IF_ERROR(CheckSize(input));
  if (!CanBeCleaned(input.kind)) {
    return absl::InvalidArgumentError("it is of a kind that can't be cleaned");
  }
  const WorkerCall call{program_,  {"clean", KindName(input.kind)}, input.file.get(), output, 0, {},
                        most_time_};
  PARLEY_ASSIGN_OR_RETURN(const AnswerReader answer, Run(call));
  struct stat written {};
  if (fstat(output, &written) != 0) return absl::InternalError("the clean copy can't be read");
  // Of one kind before and after, whoever wrote it.
  if (!answer.unchanged()) {
    std::string first(kKindBytes, '\0');
    const ssize_t got = pread(output, first.data(), first.size(), 0);
    first.resize(static_cast<size_t>(std::max<ssize_t>(got, 0)));
    if (KindOf(first) != input.kind || answer.removed() == 0) return Untrue();
  } else if (written.st_size != 0 || answer.removed() != 0) {
    return Untrue();
  }
  return Cleaned{answer.unchanged(), Named(answer.removed())};
}

absl::StatusOr<std::string> FileWorker::Preview(const std::string& path) const {
  PARLEY_ASSIGN_OR_RETURN(const Input input, OpenInput(path));
  PARLEY_RETURN_IF_ERROR(CheckSize(input));
  if (!HasPreview(input.kind)) {
    return absl::InvalidArgumentError("it is of a kind that has no preview");
  }
  const WorkerCall call{
      program_,  {"preview", KindName(input.kind)}, input.file.get(), -1, kMostPreviewAnswer, {},
      most_time_};
  PARLEY_ASSIGN_OR_RETURN(AnswerReader answer, Run(call));
  std::string preview = answer.TakeData();
  if (!IsPreview(preview)) return Untrue();
  return preview;
}

}  // namespace parley::file_worker
