// Two participants exchange a message and a file.
//
//   two_people CONNECTION FOLDER FILE
//
// CONNECTION comes from the relay's operator (parley-relay sponsor add). Both profiles are made in
// FOLDER here; in real life each is on its owner's machine, and the invitation travels from one to
// the other by a way that they trust.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "parley/profile.h"

namespace {

void Check(const parley::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.message().c_str());
  std::exit(1);
}

template <typename T>
T Get(parley::Result<T> result) {
  Check(result.status());
  return std::move(*result);
}

void Show(const parley::Message& message) {
  const std::string& said = message.document.has_value() ? message.document->name : message.text;
  std::printf("%s (%s): %s\n", message.author.name.c_str(), parley::RoleName(message.author.role),
              said.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: two_people CONNECTION FOLDER FILE\n");
    return 2;
  }
  const std::string connection = argv[1], folder = argv[2], file = argv[3];

  // Mira opens a case and invites Ana.
  parley::Profile mira = Get(parley::Profile::Create(folder + "/mira", "Mira", std::nullopt));
  const parley::CaseId id = Get(mira.CreateCase("Harbor v Northline", connection));
  const parley::Invitation invitation =
      Get(mira.Invite(id, {.name = "Ana", .role = parley::Role::kParty, .side = "Harbor"}));

  // Ana joins; Mira approves her. Both compare the safety number, by voice.
  parley::Profile ana = Get(parley::Profile::Create(folder + "/ana", "Ana", std::nullopt));
  Get(ana.Join(invitation.text));
  Get(mira.Sync({}));
  const parley::Participant waiting = Get(mira.FindParticipant(id, "Ana"));
  std::printf("safety number: %s\n", waiting.safety_number.c_str());
  Check(mira.Approve(id, waiting.id));
  Check(mira.MarkCompared(id, waiting.id));

  // Ana's channels have come through her inbox. In her caucus only she and the neutrals read.
  Get(ana.Sync({}));
  const parley::Channel caucus = Get(ana.FindChannel(id, "caucus:Harbor"));
  std::printf("%s is read by", caucus.name.c_str());
  for (const parley::Person& reader : caucus.readers) std::printf(" %s", reader.name.c_str());
  std::printf("\n");
  Get(ana.Send(caucus.ref, "Here is our brief."));
  Get(ana.Share(caucus.ref, file));

  // Mira reads, and fetches the file.
  Get(mira.Sync({}));
  const parley::ChannelRef channel = Get(mira.FindChannel(id, "caucus:Harbor")).ref;
  for (const parley::Message& message : Get(mira.Read(channel))) {
    Show(message);
    if (!message.document.has_value()) continue;
    Check(mira.Fetch(message.document->ref, folder + "/fetched", {.overwrite = true}));
  }
  std::printf("fetched to %s/fetched\n", folder.c_str());
  return 0;
}
