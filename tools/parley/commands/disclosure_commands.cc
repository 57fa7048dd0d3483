// authorise, authorisations, revoke, disclose.
#include "tools/parley/commands/commands.h"
#include "tools/parley/interruption.h"
#include "tools/parley/output/records.h"
#include "tools/parley/output/text.h"
#include "tools/parley/try.h"

namespace parley::cli {
namespace {

void PrintSent(Session& session, const SentMessage& sent, const std::string& channel,
               const char* name, const char* queued_note) {
  if (session.json()) {
    JsonObject object;
    object.Text(name, sent.id.ToString())
        .Text("channel", channel)
        .Bool("queued", sent.queued)
        .Objects("readers", ToJson(sent.readers));
    if (sent.position) object.Number("position", *sent.position);
    session.Print(object);
    return;
  }
  if (sent.queued) session.out() << queued_note << '\n';
  session.out() << Harmless(channel) << (sent.queued ? ", will be read by " : ", read by ")
                << PeopleText(sent.readers) << '\n';
  if (AnyNotCompared(sent.readers)) session.out() << kNotComparedNote << '\n';
  session.out() << sent.id.ToString() << '\n';
}

constexpr const char* kQueued =
    "The relay can't be reached: it is stored, and a later command sends it, once.";

}  // namespace

Status Run(Session& session, const AuthoriseArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const Channel channel, session.OpenChannel(info, arguments.channel));
  AuthorisationRequest request;
  PARLEY_TRY_ASSIGN(request.item, FindMessage(*profile, channel, arguments.item));
  request.audience = arguments.to;
  request.words = arguments.words;
  request.anonymous = arguments.anonymous;
  request.valid_for_seconds = arguments.valid_for_seconds;
  PARLEY_TRY_ASSIGN(const SentMessage sent, profile->Authorise(channel.ref, request));
  PrintSent(session, sent, channel.name, "authorisation", kQueued);
  return {};
}

Status Run(Session& session, const AuthorisationsArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info,
                    session.OpenCase(arguments.case_text, Session::Purpose::kShow));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const std::vector<Authorisation> all, profile->Authorisations(info.id));
  for (const Authorisation& one : all) {
    if (session.json()) {
      session.Print(ToJson(one));
    } else {
      session.out() << ToText(one);
    }
  }
  if (all.empty() && !session.json()) {
    session.out() << "Nothing that was said in confidence may be told to others.\n";
  }
  return {};
}

Status Run(Session& session, const RevokeArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const Authorisation one,
                    profile->FindAuthorisation(info.id, arguments.authorisation));
  PARLEY_TRY_ASSIGN(const SentMessage sent, profile->Revoke(one));
  PrintSent(session, sent, one.channel_name, "message", kQueued);
  return {};
}

Status Run(Session& session, const DiscloseArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const Authorisation one,
                    profile->FindAuthorisation(info.id, arguments.authorisation));
  Result<SentMessage> sent = Status(StatusCode::kCancelled, "");
  {
    ProgressBar bar("disclosing");
    sent = profile->Disclose(one, ShowOn(bar));
  }
  if (sent.status().code() == StatusCode::kCancelled) return Interrupted();
  PARLEY_TRY(sent.status());
  PrintSent(session, *sent, one.audience, "message", kQueued);
  return {};
}

}  // namespace parley::cli
