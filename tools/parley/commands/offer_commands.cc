// offer make, accept, decline, withdraw; offers.
#include <iostream>

#include "tools/parley/commands/commands.h"
#include "tools/parley/output/records.h"
#include "tools/parley/output/text.h"
#include "tools/parley/standard_input.h"
#include "tools/parley/try.h"

namespace parley::cli {
namespace {

JsonObject ToJson(const OfferParty& party) {
  return JsonObject()
      .Text("participant", party.id.ToString())
      .Text("name", party.name)
      .Text("side", party.side)
      .Bool("unknown", party.unknown);
}

std::vector<JsonObject> ToJson(const std::vector<OfferParty>& parties) {
  std::vector<JsonObject> objects;
  for (const OfferParty& party : parties) objects.push_back(ToJson(party));
  return objects;
}

JsonObject ToJson(const OfferLeave& leave) {
  return JsonObject()
      .Text("authorisation", leave.authorisation.ToString())
      .Text("audience", leave.audience)
      .Text("what", leave.what)
      .All(Who("by", leave.author))
      .Text("state", AuthorisationStateName(leave.state));
}

std::vector<JsonObject> ToJson(const std::vector<OfferLeave>& leaves) {
  std::vector<JsonObject> objects;
  for (const OfferLeave& leave : leaves) objects.push_back(ToJson(leave));
  return objects;
}

JsonObject ToJson(const OfferVersion& version) {
  std::vector<JsonObject> answers;
  for (const OfferAnswer& answer : version.answers) {
    answers.push_back(JsonObject()
                          .All(Who("by", answer.by))
                          .Text("side", answer.by.side)
                          .Text("answer", answer.accepted ? "accepted" : "declined")
                          .Number("alternative", answer.alternative)
                          .Text("note", answer.note)
                          .Text("time", IsoTime(answer.time))
                          .Text("carried_by", answer.carried_by)
                          .Text("doubt", answer.doubt));
  }
  JsonObject object;
  object.Number("version", version.version)
      .Text("hash", version.hash)
      .Text("state", OfferStateName(version.state))
      .Text("standing", version.standing)
      .Bool("doubted", version.doubted)
      .All(Who("by", version.author))
      .Text("text", version.text)
      .Text("amount", version.amount)
      .Texts("conditions", version.conditions)
      .Texts("alternatives", version.alternatives)
      .Objects("parties", ToJson(version.parties))
      .Objects("unnamed", ToJson(version.unnamed))
      .Objects("answers", answers)
      .Objects("waits_for", ToJson(version.waits_for))
      .Text("time", IsoTime(version.time))
      .Number("position", version.position)
      .Text("record", version.record.ToString())
      .Text("carried_by", version.carried_by)
      .Text("doubt", version.doubt);
  if (version.expires_at != 0) object.Text("expires", IsoTime(version.expires_at));
  return object;
}

JsonObject ToJson(const Offer& offer) {
  std::vector<JsonObject> versions;
  for (const OfferVersion& version : offer.versions) versions.push_back(ToJson(version));
  return JsonObject()
      .Text("kind", "offer")
      .Text("offer", offer.id)
      .Text("channel", offer.channel_name)
      .Text("side", offer.side)
      .Bool("carried", offer.carried)
      .Text("state", OfferStateName(offer.current().state))
      .Text("standing", offer.current().standing)
      .Bool("doubted", offer.current().doubted)
      .Number("version", offer.current().version)
      .Text("answers_offer", offer.answers_offer)
      .Number("answers_version", offer.answers_version)
      .Texts("counters", offer.counters)
      .Objects("versions", versions)
      .Objects("leaves", ToJson(offer.leaves));
}

std::string ShortId(const std::string& id) { return id.substr(0, 8); }

std::string NamesOf(const std::vector<OfferParty>& parties) {
  std::string names;
  for (const OfferParty& party : parties) {
    names += (names.empty() ? "" : ", ") + Harmless(party.name) + " (" + Harmless(party.side) +
             ")" + (party.unknown ? " [NOT A PARTY OF THIS CASE]" : "");
  }
  return names;
}

// What somebody wrote, under a label: none of its lines can pass for one of the program's.
std::string Written(const std::string& label, const std::string& text) {
  return "        " + label + ":\n" + HarmlessLines(text, "        | ") + "\n";
}

std::string AnswerText(const OfferAnswer& answer) {
  std::string out = "        " + PersonText(answer.by) + " ";
  out += answer.accepted ? "has accepted it" : "has declined it";
  if (answer.alternative > 0) {
    out += ", in the form of alternative " + std::to_string(answer.alternative);
  }
  if (!answer.carried_by.empty()) out += ", carried here by " + Harmless(answer.carried_by);
  out += "\n";
  if (!answer.doubt.empty()) out += "        NOT BELIEVED: " + Harmless(answer.doubt) + "\n";
  return answer.note.empty() ? out : out + Written("with the note", answer.note);
}

std::string VersionText(const OfferVersion& version) {
  std::string out = "    version " + std::to_string(version.version) + ", " + version.standing +
                    ", by " + PersonText(version.author) + ", " + LocalTime(version.time);
  if (!version.carried_by.empty()) out += ", carried here by " + Harmless(version.carried_by);
  out += "\n";
  if (!version.doubt.empty()) return out + "        NOT SHOWN: " + Harmless(version.doubt) + "\n";
  if (!version.amount.empty()) out += Written("amount", version.amount);
  out += Written("text", version.text);
  for (const std::string& condition : version.conditions) out += Written("on condition", condition);
  for (size_t i = 0; i < version.alternatives.size(); ++i) {
    out += Written("alternative " + std::to_string(i + 1), version.alternatives[i]);
  }
  if (version.expires_at != 0) out += "        until " + LocalTime(version.expires_at) + "\n";
  out += "        to be accepted by: " + NamesOf(version.parties) + "\n";
  if (!version.unnamed.empty()) {
    out += "        DOESN'T NAME " + NamesOf(version.unnamed) + ": it is accepted without them\n";
  }
  for (const OfferAnswer& answer : version.answers) out += AnswerText(answer);
  if (!version.waits_for.empty()) {
    out += "        waits for: " + NamesOf(version.waits_for) + "\n";
  }
  return out;
}

std::string ToText(const Offer& offer) {
  std::string out = ShortId(offer.id) + "  " + offer.current().standing + ": offer of " +
                    Harmless(offer.side) + " in " + Harmless(offer.channel_name);
  if (!offer.answers_offer.empty()) {
    out += ", answers version " + std::to_string(offer.answers_version) + " of " +
           ShortId(offer.answers_offer);
  }
  for (const std::string& counter : offer.counters) out += ", answered by " + ShortId(counter);
  out += offer.carried ? "; carried here, it is decided where it was made\n" : "\n";
  for (const OfferVersion& version : offer.versions) out += VersionText(version);
  for (const OfferLeave& leave : offer.leaves) {
    out += "    " + Harmless(leave.what) + " may be carried to " + Harmless(leave.audience) +
           ": authorisation " + leave.authorisation.ToString().substr(0, 8) + ", " +
           AuthorisationStateName(leave.state) + "\n";
  }
  return out;
}

void PrintSent(Session& session, const Case& info, const SentOffer& made,
               const std::string& channel, const std::string& what) {
  if (session.json()) {
    JsonObject object;
    object.Text("offer", made.offer)
        .Number("version", made.version)
        .Text("message", made.sent.id.ToString())
        .Text("channel", channel)
        .Bool("queued", made.sent.queued)
        .Objects("leaves", ToJson(made.leaves))
        .Text("leave_missing", made.leave_missing)
        .Objects("unnamed", ToJson(made.unnamed))
        .Objects("readers", cli::ToJson(made.sent.readers));
    if (made.sent.position) object.Number("position", *made.sent.position);
    session.Print(object);
    return;
  }
  if (made.sent.queued) {
    session.out()
        << "The relay can't be reached: it is stored, and a later command sends it, once.\n";
  }
  session.out() << what << "; " << Harmless(channel)
                << (made.sent.queued ? ", will be read by " : ", read by ")
                << PeopleText(made.sent.readers) << '\n';
  for (const OfferLeave& leave : made.leaves) {
    session.out() << "A neutral may carry it to " << Harmless(leave.audience)
                  << ": parley disclose " << ShortId(info.id.ToString()) << ' '
                  << ShortId(leave.authorisation.ToString()) << '\n';
  }
  if (!made.leave_missing.empty()) {
    session.Note("nobody may carry it yet: " + Harmless(made.leave_missing));
  }
  if (!made.unnamed.empty()) {
    session.Note("the offer doesn't name " + NamesOf(made.unnamed) +
                 ": it is accepted without them");
  }
  if (AnyNotCompared(made.sent.readers)) session.out() << kNotComparedNote << '\n';
  session.out() << made.offer << '\n';
}

std::string NumberText(uint32_t version) { return "version " + std::to_string(version); }

}  // namespace

Status Run(Session& session, const OfferMakeArguments& arguments) {
  OfferRequest request;
  PARLEY_TRY_ASSIGN(request.text, ArgumentOrInput(arguments.text, std::cin));
  request.amount = arguments.amount;
  request.conditions = arguments.conditions;
  request.alternatives = arguments.alternatives;
  request.to = arguments.to;
  request.valid_for_seconds = arguments.valid_for_seconds;
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const Channel channel, session.OpenChannel(info, arguments.channel));
  if (!arguments.counter.empty()) {
    PARLEY_TRY_ASSIGN(request.counter, profile->FindOffer(info.id, arguments.counter));
  }
  if (!arguments.replaces.empty()) {
    PARLEY_TRY_ASSIGN(request.replaces, profile->FindOffer(info.id, arguments.replaces));
  }
  PARLEY_TRY_ASSIGN(const SentOffer made, profile->MakeOffer(channel.ref, request));
  const bool has_no_leave =
      channel.kind == ChannelKind::kCaucus && made.leaves.empty() && made.leave_missing.empty();
  if (has_no_leave) {
    session.Note(
        "nobody but this caucus has it: with --to, or later with \"parley authorise\", the "
        "neutrals may carry it to another side");
  }
  PrintSent(session, info, made, channel.name, "You have offered " + NumberText(made.version));
  return {};
}

Status Run(Session& session, const OfferAnswerArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const Offer offer, profile->FindOffer(info.id, arguments.offer));
  OfferReply reply;
  reply.accept = arguments.accept;
  reply.version = arguments.version;
  reply.alternative = arguments.alternative;
  reply.note = arguments.note;
  PARLEY_TRY_ASSIGN(const SentOffer made, profile->AnswerOffer(offer, reply));
  PrintSent(session, info, made, offer.channel_name,
            std::string(arguments.accept ? "You have accepted " : "You have declined ") +
                NumberText(made.version));
  return {};
}

Status Run(Session& session, const OfferWithdrawArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const Offer offer, profile->FindOffer(info.id, arguments.offer));
  PARLEY_TRY_ASSIGN(const SentOffer made,
                    profile->WithdrawOffer(offer, arguments.version, arguments.note));
  PrintSent(session, info, made, offer.channel_name,
            "You have withdrawn " + NumberText(made.version));
  return {};
}

Status Run(Session& session, const OffersArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info,
                    session.OpenCase(arguments.case_text, Session::Purpose::kShow));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const OfferList list, profile->Offers(info.id));
  for (const Offer& offer : list.offers) {
    if (session.json()) {
      session.Print(ToJson(offer));
    } else {
      session.out() << ToText(offer);
    }
  }
  for (const OfferRefusal& refusal : list.refused) {
    if (session.json()) {
      session.Print(JsonObject()
                        .Text("kind", "refusal")
                        .Text("refused", refusal.text)
                        .All(Who("by", refusal.by))
                        .Text("channel", refusal.channel_name)
                        .Number("position", refusal.position));
    } else {
      session.out() << "Passed over in " << Harmless(refusal.channel_name) << " ("
                    << refusal.position << "): " << PersonText(refusal.by) << " "
                    << Harmless(refusal.text) << '\n';
    }
  }
  if (list.offers.empty() && list.refused.empty() && !session.json()) {
    session.out() << "No offer has been made.\n";
  }
  return {};
}

}  // namespace parley::cli
