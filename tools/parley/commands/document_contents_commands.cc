// diff, preview.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "tools/parley/commands/commands.h"
#include "tools/parley/output/difference.h"
#include "tools/parley/output/records.h"
#include "tools/parley/output/text.h"
#include "tools/parley/try.h"

namespace parley::cli {
namespace {

const char* KindName(PieceKind kind) {
  switch (kind) {
    case PieceKind::kRemoved:
      return "removed";
    case PieceKind::kAdded:
      return "added";
    case PieceKind::kSame:
      break;
  }
  return "same";
}

// The one that `arguments` name, or that `newer` replaces.
Result<DocumentRef> OlderOf(Profile& profile, const DiffArguments& arguments,
                            const Channel& channel, const Document& newer) {
  if (!arguments.other.empty()) {
    PARLEY_TRY_ASSIGN(const Document older, profile.FindDocument(channel.ref, arguments.other));
    return older.ref;
  }
  if (!newer.replaces.has_value()) {
    return Status(StatusCode::kInvalidArgument,
                  "\"" + Harmless(newer.name) +
                      "\" replaces no other document; name the one to compare it with, too");
  }
  return DocumentRef{channel.ref, *newer.replaces};
}

Status WriteNew(const std::string& path, std::string_view bytes, bool replace) {
  const int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (replace ? O_TRUNC : O_EXCL);
  const int file = open(path.c_str(), flags, 0600);
  if (file < 0 && errno == EEXIST) {
    return Status(StatusCode::kAlreadyExists, "\"" + Harmless(path) +
                                                  "\" exists already; choose another name, or "
                                                  "replace it with --force");
  }
  const auto failed = [&] {
    return Status(StatusCode::kFileError,
                  "\"" + Harmless(path) + "\" can't be written: " + std::strerror(errno));
  };
  if (file < 0) return failed();
  while (!bytes.empty()) {
    const ssize_t written = write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      const Status status = failed();
      close(file);
      return status;
    }
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return close(file) == 0 ? Status() : failed();
}

}  // namespace

Status Run(Session& session, const DiffArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const Channel channel, session.OpenChannel(info, arguments.channel));
  PARLEY_TRY_ASSIGN(const Document newer, profile->FindDocument(channel.ref, arguments.document));
  PARLEY_TRY_ASSIGN(const DocumentRef older, OlderOf(*profile, arguments, channel, newer));
  PARLEY_TRY_ASSIGN(const TextDifference difference, profile->Difference(older, newer.ref));
  if (session.json()) {
    for (const TextPiece& piece : difference.pieces) {
      session.Print(JsonObject().Text("piece", KindName(piece.kind)).Text("text", piece.text));
    }
    return {};
  }
  const std::string text = DifferenceText(difference);
  session.out() << (text.empty() ? "Their text is the same.\n" : text);
  return {};
}

Status Run(Session& session, const PreviewArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info,
                    session.OpenCase(arguments.case_text, Session::Purpose::kShow));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const Channel channel, session.OpenChannel(info, arguments.channel));
  PARLEY_TRY_ASSIGN(const Document document,
                    profile->FindDocument(channel.ref, arguments.document));
  PARLEY_TRY_ASSIGN(const std::string preview, profile->Preview(document.ref));
  PARLEY_TRY(WriteNew(arguments.output, preview, arguments.force));
  if (session.json()) {
    session.Print(
        JsonObject()
            .Text("document", document.ref.message_id.ToString())
            .Number("size", preview.size())
            .Text("media_type", preview.starts_with("\x89PNG") ? "image/png" : "image/jpeg")
            .Text("file", arguments.output));
    return {};
  }
  session.out() << Harmless(arguments.output) << '\n';
  return {};
}

}  // namespace parley::cli
