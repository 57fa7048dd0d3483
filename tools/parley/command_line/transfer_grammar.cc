#include "tools/parley/command_line/grammar.h"

namespace parley::cli {
namespace {

constexpr const char* kTransferGroup = "Messages and documents";

void AddChange(Grammar& grammar, CLI::App& transfers, const char* name, TransferChange change,
               const char* about, const char* explanation) {
  auto& in_change = grammar.Keep<TransferChangeArguments>();
  in_change.change = change;
  CLI::App* command = grammar.Add(transfers, name, about, in_change, kTransferGroup);
  command
      ->add_option("TRANSFER", in_change.transfer,
                   "The transfer: the beginning of its id; without it, all")
      ->type_name("");
  Explain(command, explanation);
}

}  // namespace

void AddTransferCommands(Grammar& grammar) {
  auto& in_transfers = grammar.Keep<TransfersArguments>();
  CLI::App* transfers =
      grammar.Add(grammar.app(), "transfers", "Show, pause, resume or cancel transfers of files",
                  in_transfers, kTransferGroup);
  transfers->require_subcommand(0, 1);
  transfers->final_callback([&grammar, &in_transfers, transfers] {
    if (transfers->get_subcommands().empty()) grammar.Choose(in_transfers);
  });
  AddChange(grammar, *transfers, "pause", TransferChange::kPause, "Pause a transfer",
            "Whatever program of yours is at it ends with an error that says so.");
  AddChange(grammar, *transfers, "resume", TransferChange::kResume, "Go on with a transfer",
            "The same as repeating the share or fetch that began it. Without TRANSFER those that "
            "nobody is at are resumed, one after the other.");
  AddChange(grammar, *transfers, "cancel", TransferChange::kCancel, "Give a transfer up",
            "What the relay has of a file that was being shared is deleted there, and what was "
            "saved of one that was being fetched is deleted here. Nothing was shared.");
}

}  // namespace parley::cli
