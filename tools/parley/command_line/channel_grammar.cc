#include "tools/parley/command_line/grammar.h"
#include "tools/parley/command_line/value_checks.h"

namespace parley::cli {

void AddChannelCommands(Grammar& grammar) {
  auto& in_channels = grammar.Keep<ChannelsArguments>();
  auto& in_reopen = grammar.Keep<CaseReopenArguments>();
  auto& in_send = grammar.Keep<SendArguments>();
  auto& in_read = grammar.Keep<ReadArguments>();
  CLI::App* channels =
      grammar.Add(grammar.app(), "channels", "Show the channels, and who can read each",
                  in_channels, "Messages and documents");
  Positional(channels, "CASE", in_channels.case_text, kCaseHelp);
  CLI::App* reopen =
      grammar.Add(grammar.case_command(), "reopen",
                  "Open a halted channel anew, with the same members", in_reopen, "Cases");
  Positional(reopen, "CASE", in_reopen.case_text, kCaseHelp);
  Positional(reopen, "CHANNEL", in_reopen.channel, kChannelHelp);
  CLI::App* send = grammar.Add(grammar.app(), "send", "Send a message; says who will read it",
                               in_send, "Messages and documents");
  Positional(send, "CASE", in_send.case_text, kCaseHelp);
  Positional(send, "CHANNEL", in_send.channel, kChannelHelp);
  Positional(send, "TEXT", in_send.text, "The message; - reads it from standard input");
  send->add_option("--quote", in_send.quote,
                   "The message of the same channel that this answers: its position, or the "
                   "beginning of its id")
      ->type_name("MESSAGE");
  send->add_flag(
      "--reserved", in_send.reserved,
      "In a caucus that the agreement has open: nobody is to carry this on without leave");
  send->add_option("--override", in_send.override_reason,
                   "Of a neutral, where the agreement says \"caucus: open\": why you carry on what "
                   "was said in a caucus and isn't reserved; the neutrals' channel keeps it, and "
                   "whose words they were")
      ->type_name("REASON");
  Explain(send,
          "Prints who can read it, and the message's id on the last line. Without a connection the "
          "message is stored, and the next command that reaches the relay sends it; so it is while "
          "somebody else has the floor in the joint channel (parley floor). Before a TEXT "
          "that begins with \"-\", put --.");
  CLI::App* read = grammar.Add(grammar.app(), "read", "Show a channel's messages", in_read,
                               "Messages and documents");
  Positional(read, "CASE", in_read.case_text, kCaseHelp);
  Positional(read, "CHANNEL", in_read.channel, kChannelHelp);
  read->add_option("--after", in_read.after, "Only those after this position")
      ->type_name("N")
      ->check(Check(ReadPosition));
  read->add_option("--last", in_read.last, "Only so many, the latest ones")
      ->type_name("N")
      ->check(Check(ReadCount));
  Explain(read,
          "What is shown counts as read, and the others' programs learn how far (parley receipts); "
          "with --after and --last only where nothing unread was left out before it.");
  auto& in_retract = grammar.Keep<RetractArguments>();
  CLI::App* retract = grammar.Add(grammar.app(), "retract", "Take back a message of your own",
                                  in_retract, "Messages and documents");
  Positional(retract, "CASE", in_retract.case_text, kCaseHelp);
  Positional(retract, "CHANNEL", in_retract.channel, kChannelHelp);
  Positional(retract, "MESSAGE", in_retract.message,
             "Its position (parley read), or the beginning of its id");
  Explain(retract,
          "One that waits to be sent is dropped. Of one that was sent, the others' programs keep "
          "nothing and show that it was retracted, once they sync; who has read, copied or backed "
          "it up has it all the same.");
}

}  // namespace parley::cli
