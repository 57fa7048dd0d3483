// receipts, send-receipts.
#include "tools/parley/commands/commands.h"
#include "tools/parley/output/text.h"
#include "tools/parley/try.h"

namespace parley::cli {

Status Run(Session& session, const ReceiptsArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info,
                    session.OpenCase(arguments.case_text, Session::Purpose::kShow));
  PARLEY_TRY_ASSIGN(const Channel channel, session.OpenChannel(info, arguments.channel));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const std::vector<ReadReceipt> receipts, profile->Receipts(channel.ref));
  for (const ReadReceipt& receipt : receipts) {
    if (session.json()) {
      JsonObject object;
      object.Text("name", receipt.reader.name)
          .Text("participant", receipt.reader.id.ToString())
          .Text("side", receipt.reader.side)
          .Number("read_up_to", receipt.position);
      if (receipt.time != 0) object.Text("time", IsoTime(receipt.time));
      session.Print(object);
      continue;
    }
    session.out() << PersonText(receipt.reader);
    if (receipt.position == 0) {
      session.out() << ": no word\n";
    } else {
      session.out() << ": has read up to " << receipt.position << ", as of "
                    << LocalTime(receipt.time) << '\n';
    }
  }
  if (session.json()) return {};
  std::vector<Person> people;
  for (const ReadReceipt& receipt : receipts) people.push_back(receipt.reader);
  if (AnyNotCompared(people)) session.out() << kNotComparedNote << '\n';
  if (receipts.empty()) session.out() << "Nobody else reads it.\n";
  return {};
}

Status Run(Session& session, const SendReceiptsArguments& arguments) {
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  if (!arguments.setting.empty()) PARLEY_TRY(profile->SetSendsReceipts(arguments.setting == "on"));
  PARLEY_TRY_ASSIGN(const bool sends, profile->SendsReceipts());
  if (session.json()) {
    session.Print(JsonObject().Bool("send_receipts", sends));
  } else {
    session.out() << (sends ? "A channel's members can see how far you have read it.\n"
                            : "Nobody is told how far you have read.\n");
  }
  return {};
}

}  // namespace parley::cli
