#include "tools/parley/command_line/grammar.h"
#include "tools/parley/command_line/value_checks.h"

namespace parley::cli {

void AddDocumentCommands(Grammar& grammar) {
  auto& in_share = grammar.Keep<ShareArguments>();
  auto& in_documents = grammar.Keep<DocumentsArguments>();
  auto& in_fetch = grammar.Keep<FetchArguments>();
  CLI::App* share = grammar.Add(grammar.app(), "share", "Share a document; says who will read it",
                                in_share, "Messages and documents");
  Positional(share, "CASE", in_share.case_text, kCaseHelp);
  Positional(share, "CHANNEL", in_share.channel, kChannelHelp);
  Positional(share, "FILE", in_share.file, "The file, of any size and kind");
  share->add_option("--name", in_share.name, "Another name for the others to see")
      ->type_name("NAME");
  share->add_option("--replaces", in_share.replaces, "The document that this is a new version of")
      ->type_name("DOCUMENT");
  share->add_flag("--keep-metadata", in_share.keep_metadata,
                  "Share a photograph or PDF as it is, with place, camera and author");
  Explain(
      share,
      "Of a photograph (JPEG, PNG, TIFF, WebP) or a PDF, a copy without metadata is shared: the "
      "place "
      "and the camera, the author and the program, earlier revisions. What is removed is printed; "
      "the file itself stays as it is, and other kinds are shared as they are. Prints who can read "
      "it, and the document's id on the last line. After an interruption the "
      "same command goes on where it was. Unlike a message, a document isn't kept for later: "
      "without a connection nothing is shared, and you run the same command again.");
  CLI::App* documents = grammar.Add(grammar.app(), "documents", "Show a channel's documents",
                                    in_documents, "Messages and documents");
  Positional(documents, "CASE", in_documents.case_text, kCaseHelp);
  Positional(documents, "CHANNEL", in_documents.channel, kChannelHelp);
  CLI::App* fetch = grammar.Add(grammar.app(), "fetch", "Save a document to a file", in_fetch,
                                "Messages and documents");
  Positional(fetch, "CASE", in_fetch.case_text, kCaseHelp);
  Positional(fetch, "CHANNEL", in_fetch.channel, kChannelHelp);
  Positional(fetch, "DOCUMENT", in_fetch.document,
             "The document: its name, or the beginning of its id");
  fetch->add_option("-o,--output", in_fetch.output, "Where to save it")
      ->required()
      ->type_name("FILE")
      ->check(Check(ReadOutput));
  fetch->add_flag("--force", in_fetch.force, "Replace FILE if it exists");
  Explain(fetch,
          "The file appears when it is complete and verified, or not at all. After an interruption "
          "the same command goes on where it was.");
}

}  // namespace parley::cli
