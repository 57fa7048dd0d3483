// transfers, transfers pause, transfers resume, transfers cancel.
#include "tools/parley/commands/commands.h"
#include "tools/parley/interruption.h"
#include "tools/parley/output/progress.h"
#include "tools/parley/output/records.h"
#include "tools/parley/output/text.h"
#include "tools/parley/try.h"

namespace parley::cli {
namespace {

JsonObject ToJson(const Transfer& transfer) {
  JsonObject object;
  object.Text("transfer", transfer.id.ToString())
      .Text("direction", transfer.upload ? "share" : "fetch")
      .Text("state", TransferStateName(transfer.state))
      .Text("name", transfer.name)
      .Text("file", transfer.path)
      .Number("done", transfer.done)
      .Number("size", transfer.total)
      .Text("began", IsoTime(transfer.began_at));
  return object;
}

Status Change(Profile& profile, const Transfer& transfer, TransferChange change) {
  switch (change) {
    case TransferChange::kPause:
      return profile.PauseTransfer(transfer.id);
    case TransferChange::kCancel:
      return profile.CancelTransfer(transfer.id);
    case TransferChange::kResume:
      break;
  }
  ProgressBar bar(transfer.upload ? "sharing" : "fetching");
  return profile.ResumeTransfer(transfer.id, ShowOn(bar));
}

const char* Done(const Transfer& transfer, TransferChange change) {
  switch (change) {
    case TransferChange::kPause:
      return "paused";
    case TransferChange::kCancel:
      return "cancelled";
    case TransferChange::kResume:
      break;
  }
  return transfer.upload ? "shared" : "fetched";
}

}  // namespace

Status Run(Session& session, const TransfersArguments& /*arguments*/) {
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const std::vector<Transfer> transfers, profile->Transfers());
  for (const Transfer& transfer : transfers) {
    if (session.json()) {
      session.Print(ToJson(transfer));
      continue;
    }
    session.out() << transfer.id.ToString().substr(0, 8) << "  "
                  << (transfer.upload ? "share " : "fetch ") << Harmless(transfer.name)
                  << "\n          " << TransferStateName(transfer.state) << ", "
                  << SizeText(transfer.done) << " of " << SizeText(transfer.total)
                  << (transfer.upload ? ", from " : ", into ") << Harmless(transfer.path) << '\n';
  }
  if (transfers.empty() && !session.json()) session.out() << "No transfers.\n";
  return {};
}

Status Run(Session& session, const TransferChangeArguments& arguments) {
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  std::vector<Transfer> transfers;
  if (arguments.transfer.empty()) {
    PARLEY_TRY_ASSIGN(transfers, profile->Transfers());
  } else {
    PARLEY_TRY_ASSIGN(const Transfer one, profile->FindTransfer(arguments.transfer));
    transfers.push_back(one);
  }
  for (const Transfer& transfer : transfers) {
    const bool running = transfer.state == TransferState::kRunning;
    if (arguments.transfer.empty() && arguments.change == TransferChange::kResume && running) {
      continue;
    }
    PARLEY_TRY(Change(*profile, transfer, arguments.change));
    if (session.json()) {
      session.Print(JsonObject()
                        .Text("transfer", transfer.id.ToString())
                        .Text("done", Done(transfer, arguments.change)));
    } else {
      session.out() << "\"" << Harmless(transfer.name) << "\" is "
                    << Done(transfer, arguments.change) << '\n';
    }
  }
  return {};
}

}  // namespace parley::cli
