#include "tools/parley/command_line/grammar.h"
#include "tools/parley/command_line/value_checks.h"

namespace parley::cli {

void AddDocumentContentsCommands(Grammar& grammar) {
  auto& in_diff = grammar.Keep<DiffArguments>();
  auto& in_preview = grammar.Keep<PreviewArguments>();
  constexpr const char* kDocumentHelp = "The document: its name, or the beginning of its id";
  CLI::App* diff = grammar.Add(grammar.app(), "diff", "Show how a document's text has changed",
                               in_diff, "Messages and documents");
  Positional(diff, "CASE", in_diff.case_text, kCaseHelp);
  Positional(diff, "CHANNEL", in_diff.channel, kChannelHelp);
  Positional(diff, "DOCUMENT", in_diff.document, kDocumentHelp);
  diff->add_option("OTHER", in_diff.other,
                   "The older document of the same channel; by default the one that DOCUMENT "
                   "replaces")
      ->type_name("");
  Explain(
      diff,
      "Fetches both and compares the text in them: plain text, Markdown, DOCX and PDF, read by a "
      "program of its own that has neither the network nor your profile. \"-\" stands before a "
      "line that is gone, \"+\" before a new one, and \"~\" before one that has changed within: "
      "[-gone-]{+new+}.");
  CLI::App* preview =
      grammar.Add(grammar.app(), "preview", "Save the small picture that came with a document",
                  in_preview, "Messages and documents");
  Positional(preview, "CASE", in_preview.case_text, kCaseHelp);
  Positional(preview, "CHANNEL", in_preview.channel, kChannelHelp);
  Positional(preview, "DOCUMENT", in_preview.document, kDocumentHelp);
  preview->add_option("-o,--output", in_preview.output, "Where to save it, as page.jpg")
      ->required()
      ->type_name("FILE")
      ->check(Check(ReadOutput));
  preview->add_flag("--force", in_preview.force, "Replace FILE if it exists");
  Explain(preview,
          "A JPEG, or PNG where another program made it (--json says which). Whoever shared the "
          "document "
          "made it, and may mean harm: open it as you would open a file from them. Nothing is "
          "fetched.");
}

}  // namespace parley::cli
