// case create, case relay, case list, case invite, join, case leave.
#include <iostream>

#include "tools/parley/commands/commands.h"
#include "tools/parley/output/qr.h"
#include "tools/parley/output/records.h"
#include "tools/parley/output/text.h"
#include "tools/parley/standard_input.h"
#include "tools/parley/try.h"

namespace parley::cli {
namespace {

// So that a misspelt side doesn't get a caucus of its own unnoticed.
std::string SideText(const Invitation& invitation) {
  if (!invitation.opens_side || invitation.other_sides.empty()) return "";
  std::string out = "This opens a new side \"" + Harmless(invitation.side) + "\"; this case has ";
  for (size_t i = 0; i < invitation.other_sides.size(); ++i) {
    out += (i > 0 ? ", \"" : "\"") + Harmless(invitation.other_sides[i]) + "\"";
  }
  return out + ".\n";
}

std::string InvitationText(const CaseInviteArguments& arguments, const Invitation& invitation) {
  return "For " + Harmless(arguments.name) + " (" + RoleText(arguments.role, invitation.side) +
         "), valid until " + LocalTime(invitation.expires_at) + ", for one person once.\n" +
         SideText(invitation) +
         "Whoever has it can join in their place: hand it over in person or by a way that you "
         "trust.\n";
}

// Titles are how people name cases.
Status NoteSameTitle(Session& session, const Profile& profile, const CaseId& id) {
  PARLEY_TRY_ASSIGN(const Case info, profile.GetCase(id));
  if (profile.FindCase(info.title).status().code() != StatusCode::kAmbiguous) return {};
  session.Note("you have several cases \"" + info.title +
               "\": name this one by the beginning of its id, " + id.ToString().substr(0, 8));
  return {};
}

std::string JoinedText(const Case& info) {
  std::string out = "You have joined \"" + Harmless(info.title) + "\" as " +
                    RoleText(info.own_role, info.own_side) + ".\n";
  if (info.own_state == ParticipantState::kWaiting) {
    out += Harmless(info.invited_by) + " must approve you before you can read or write.\n";
  }
  if (!info.inviter_safety_number.empty()) {
    out += "Compare this safety number with " + Harmless(info.invited_by) + " by voice:\n    " +
           info.inviter_safety_number + "\n";
  }
  return out;
}

}  // namespace

Status Run(Session& session, const CaseCreateArguments& arguments) {
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const std::string connection, ArgumentOrInput(arguments.relay, std::cin));
  PARLEY_TRY_ASSIGN(const CaseId id,
                    profile->CreateCase(arguments.title, connection,
                                        CaseOptions{.with_procedure = arguments.procedure}));
  PARLEY_TRY(NoteSameTitle(session, *profile, id));
  if (session.json()) {
    PARLEY_TRY_ASSIGN(const Case info, profile->GetCase(id));
    session.Print(ToJson(info));
    return {};
  }
  session.out() << "\"" << Harmless(arguments.title) << "\" is open. You are its mediator.\n"
                << (arguments.procedure
                        ? "Nothing but the intake can be said before everybody has signed the "
                          "agreement to mediate (parley case agreement).\n"
                        : "Everybody can speak at once. A case that begins with a request and an "
                          "agreement to mediate is opened with --procedure.\n")
                << id.ToString() << '\n';
  return {};
}

Status Run(Session& session, const CaseRelayArguments& arguments) {
  PARLEY_TRY_ASSIGN(const std::string connection, ArgumentOrInput(arguments.relay, std::cin));
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY(profile->ChangeConnection(info.id, connection));
  if (session.json()) {
    session.Print(JsonObject().Text("case", info.id.ToString()).Text("connection", "renewed"));
  } else {
    session.out()
        << "\"" << Harmless(info.title)
        << "\" uses the new connection string. The other neutrals get it when they sync.\n";
  }
  return {};
}

Status Run(Session& session, const CaseListArguments& /*arguments*/) {
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY(session.Refresh(std::nullopt, Session::Purpose::kShow));
  PARLEY_TRY_ASSIGN(const std::vector<Case> cases, profile->Cases());
  for (const Case& info : cases) {
    if (session.json()) {
      session.Print(ToJson(info));
      continue;
    }
    session.out() << info.id.ToString() << "  " << Harmless(info.title) << "  ("
                  << RoleText(info.own_role, info.own_side) << ", "
                  << ParticipantStateName(info.own_state) << ")\n";
  }
  if (cases.empty() && !session.json()) session.out() << "No cases.\n";
  return {};
}

Status Run(Session& session, const CaseInviteArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  InvitationRequest request;
  request.name = arguments.name;
  request.role = arguments.role;
  request.side = arguments.side;
  request.valid_for_seconds = arguments.valid_for_seconds;
  PARLEY_TRY_ASSIGN(const Invitation invitation, profile->Invite(info.id, request));
  if (session.json()) {
    session.Print(JsonObject()
                      .Text("invitation", invitation.text)
                      .Text("name", arguments.name)
                      .Text("role", RoleName(arguments.role))
                      .Text("side", invitation.side)
                      .Bool("new_side", invitation.opens_side)
                      .Text("expires", IsoTime(invitation.expires_at))
                      .Text("invitation_expires", IsoTime(invitation.expires_at)));
    return {};
  }
  session.out() << InvitationText(arguments, invitation);
  if (arguments.qr) {
    PARLEY_TRY_ASSIGN(const std::string code, QrCode(invitation.text));
    session.out() << code;
  }
  session.out() << invitation.text << '\n';
  return {};
}

Status Run(Session& session, const JoinArguments& arguments) {
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const std::string invitation, ArgumentOrInput(arguments.invitation, std::cin));
  PARLEY_TRY_ASSIGN(const CaseId id, profile->Join(invitation));
  PARLEY_TRY_ASSIGN(const Case info, profile->GetCase(id));
  if (session.json()) {
    session.Print(ToJson(info));
  } else {
    session.out() << JoinedText(info) << id.ToString() << '\n';
  }
  return {};
}

Status Run(Session& session, const CaseLeaveArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  if (!arguments.yes && !Confirm("Leave \"" + Harmless(info.title) + "\" for good?")) {
    return Status(StatusCode::kCancelled, "you have not left");
  }
  PARLEY_TRY(profile->Leave(info.id));
  if (session.json()) {
    session.Print(JsonObject().Text("case", info.id.ToString()).Text("state", "left"));
  } else {
    session.out() << "You have left \"" << Harmless(info.title)
                  << "\". What you received stays readable here.\n";
  }
  return {};
}

}  // namespace parley::cli
