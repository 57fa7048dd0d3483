// floor show, give, ask; balance.
#include "tools/parley/commands/commands.h"
#include "tools/parley/output/records.h"
#include "tools/parley/output/text.h"
#include "tools/parley/try.h"

namespace parley::cli {
namespace {

constexpr std::string_view kSidePrefix = "side:";

Result<FloorRequest> ReadRequest(Profile& profile, const Case& info, const std::string& to) {
  FloorRequest request;
  if (to == FloorToName(FloorTo::kAll) || to == FloorToName(FloorTo::kNeutrals)) {
    request.to = to == FloorToName(FloorTo::kAll) ? FloorTo::kAll : FloorTo::kNeutrals;
    return request;
  }
  if (to.starts_with(kSidePrefix)) {
    request.to = FloorTo::kSide;
    request.side = to.substr(kSidePrefix.size());
    return request;
  }
  PARLEY_TRY_ASSIGN(const Participant participant, profile.FindParticipant(info.id, to));
  request.to = FloorTo::kParticipant;
  request.participant = participant.id;
  return request;
}

void Print(Session& session, const Floor& floor) {
  if (session.json()) {
    JsonObject object;
    object.Text("to", FloorToName(floor.to))
        .Text("floor", floor.text)
        .Text("side", floor.side)
        .Bool("may_speak", floor.may_speak)
        .Objects("hands", ToJson(floor.hands));
    if (floor.holder) object.Objects("holder", {ToJson(*floor.holder)});
    if (floor.given_by) object.All(Who("given_by", *floor.given_by));
    session.Print(object);
    return;
  }
  session.out() << "The floor in the joint channel is given to " << Harmless(floor.text);
  if (floor.given_by) session.out() << ", by " << PersonText(*floor.given_by);
  session.out() << ".\n"
                << (floor.may_speak ? "You may speak.\n"
                                    : "What you write there is held until the floor is yours.\n");
  for (const Person& hand : floor.hands) {
    session.out() << "  " << PersonText(hand) << " asks for it\n";
  }
}

}  // namespace

Status Run(Session& session, const FloorShowArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info,
                    session.OpenCase(arguments.case_text, Session::Purpose::kShow));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const Floor floor, profile->GetFloor(info.id));
  Print(session, floor);
  return {};
}

Status Run(Session& session, const FloorGiveArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const FloorRequest request, ReadRequest(*profile, info, arguments.to));
  PARLEY_TRY(profile->GiveFloor(info.id, request).status());
  PARLEY_TRY_ASSIGN(const Floor floor, profile->GetFloor(info.id));
  Print(session, floor);
  return {};
}

Status Run(Session& session, const FloorAskArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY(profile->AskForFloor(info.id, arguments.lower).status());
  PARLEY_TRY_ASSIGN(const Floor floor, profile->GetFloor(info.id));
  Print(session, floor);
  return {};
}

Status Run(Session& session, const BalanceArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info,
                    session.OpenCase(arguments.case_text, Session::Purpose::kShow));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const std::vector<SpeakingShare> shares, profile->Balance(info.id));
  for (const SpeakingShare& share : shares) {
    if (session.json()) {
      session.Print(JsonObject()
                        .Text("name", share.person.name)
                        .Text("participant", share.person.id.ToString())
                        .Text("role", RoleName(share.person.role))
                        .Text("side", share.person.side)
                        .Number("messages", share.messages)
                        .Number("characters", share.characters)
                        .Number("per_mille", share.per_mille));
      continue;
    }
    session.out() << PersonText(share.person) << ": " << share.messages
                  << (share.messages == 1 ? " message, " : " messages, ") << share.characters
                  << (share.characters == 1 ? " character" : " characters");
    if (!IsNeutral(share.person.role)) session.out() << ", " << (share.per_mille + 5) / 10 << " %";
    session.out() << '\n';
  }
  if (!session.json()) session.out() << "Computed on this machine; nobody else is told.\n";
  return {};
}

}  // namespace parley::cli
