#include "tools/parley/command_line/grammar.h"
#include "tools/parley/command_line/value_checks.h"
#include "tools/parley/duration.h"

namespace parley::cli {
namespace {

constexpr const char* kDocumentGroup = "Messages and documents";
constexpr const char* kDocumentHelp = "The document: its name, or the beginning of its id";

void AddShare(Grammar& grammar) {
  auto& in_share = grammar.Keep<ShareArguments>();
  auto& in_expires = grammar.Keep<std::string>();
  CLI::App* share = grammar.Add(grammar.app(), "share", "Share documents; says who will read them",
                                in_share, kDocumentGroup);
  Positional(share, "CASE", in_share.case_text, kCaseHelp);
  Positional(share, "CHANNEL", in_share.channel, kChannelHelp);
  share
      ->add_option("FILE", in_share.files,
                   "Files of any size and kind, and folders with all that is in them")
      ->required()
      ->type_name("");
  share->add_option("--name", in_share.name, "Another name for the others to see (of one file)")
      ->type_name("NAME");
  share
      ->add_option("--version-of,--replaces", in_share.version_of,
                   "The document of your side that this file is a new version of")
      ->type_name("DOCUMENT");
  share->add_option("--note", in_share.note, "What to say with it: what is new in this version")
      ->type_name("TEXT");
  share
      ->add_option("--class", in_share.document_class,
                   "general, financial, privileged or settlement; shown to all who read it")
      ->type_name("CLASS")
      ->check(Check(ReadDocumentClass));
  share
      ->add_option("--expires", in_expires,
                   "How long it can be fetched, as 12h or 14d; without it, until you withdraw it")
      ->type_name("TIME")
      ->check(Check(ReadDuration));
  share->add_flag("--keep-metadata", in_share.keep_metadata,
                  "Share photographs and PDF as they are, with place, camera and author");
  share->final_callback([&grammar, &in_share, &in_expires] {
    if (!in_expires.empty()) in_share.valid_for_seconds = ParseDuration(in_expires).value_or(0);
    grammar.Choose(in_share);
  });
  Explain(
      share,
      "Prints who can read them, and each document's id on a line, the last one last. After an "
      "interruption the same command goes on where it was. Unlike a message, a document isn't kept "
      "for later: without a connection nothing is shared, and you run the same command again. Of a "
      "folder links and hidden files are left out.\n\n"
      "Of a photograph (JPEG, PNG, TIFF, WebP) or a PDF, a copy without metadata is shared: the "
      "place and the camera, the author and the program, earlier revisions. What is removed is "
      "printed; the file itself stays as it is, and other kinds are shared as they are.\n\n"
      "When its time is over, clients destroy the "
      "document's keys as soon as a program of yours or of a neutral has said so in the channel, "
      "which it does by itself; who has fetched it keeps it.");
}

void AddWithdraw(Grammar& grammar) {
  auto& in_withdraw = grammar.Keep<WithdrawArguments>();
  CLI::App* withdraw = grammar.Add(grammar.app(), "withdraw", "Take a document of yours back",
                                   in_withdraw, kDocumentGroup);
  Positional(withdraw, "CASE", in_withdraw.case_text, kCaseHelp);
  Positional(withdraw, "CHANNEL", in_withdraw.channel, kChannelHelp);
  Positional(withdraw, "DOCUMENT", in_withdraw.document, kDocumentHelp);
  withdraw->add_option("--version", in_withdraw.version, "Only this version of it, from 1 on")
      ->type_name("N");
  Explain(withdraw,
          "Nobody can fetch it any more: everybody's program destroys its keys, and it is deleted "
          "at the relay. By its name all versions of it that you shared are taken back; with "
          "--version, or by the beginning of an id, that one, and the others can be fetched as "
          "before. That it was "
          "there, its name and its versions are still shown. Who has "
          "fetched it keeps it, and what a neutral has carried elsewhere with your leave stays "
          "there. parley retract leaves nothing of it, not even its name.");
}

}  // namespace

void AddDocumentCommands(Grammar& grammar) {
  AddShare(grammar);
  auto& in_documents = grammar.Keep<DocumentsArguments>();
  auto& in_fetch = grammar.Keep<FetchArguments>();
  CLI::App* documents = grammar.Add(grammar.app(), "documents", "Show a channel's documents",
                                    in_documents, kDocumentGroup);
  Positional(documents, "CASE", in_documents.case_text, kCaseHelp);
  Positional(documents, "CHANNEL", in_documents.channel, kChannelHelp);
  documents->add_flag("--versions", in_documents.versions,
                      "Earlier versions, too, each below the document's first");
  documents->add_option("--last", in_documents.last, "Only so many, those shared last")
      ->type_name("N")
      ->check(Check(ReadCount));
  Explain(documents,
          "Of a document with several versions the latest is shown. How long a class of documents "
          "is kept is the agreement's word, where it names it (keep CLASS: HOW LONG).");
  CLI::App* fetch =
      grammar.Add(grammar.app(), "fetch", "Save a document to a file", in_fetch, kDocumentGroup);
  Positional(fetch, "CASE", in_fetch.case_text, kCaseHelp);
  Positional(fetch, "CHANNEL", in_fetch.channel, kChannelHelp);
  Positional(fetch, "DOCUMENT", in_fetch.document, kDocumentHelp);
  fetch->add_option("-o,--output", in_fetch.output, "Where to save it")
      ->required()
      ->type_name("FILE")
      ->check(Check(ReadOutput));
  fetch->add_flag("--force", in_fetch.force, "Replace FILE if it exists");
  fetch->add_option("--version", in_fetch.version, "This version of it, from 1 on")->type_name("N");
  Explain(fetch,
          "The file appears when it is complete and verified, or not at all. After an interruption "
          "the same command goes on where it was.");
  AddWithdraw(grammar);
}

}  // namespace parley::cli
