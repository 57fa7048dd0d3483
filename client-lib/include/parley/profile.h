// A profile: one person's cases, on one machine, in one folder. The library's front door.
//
//   auto profile = parley::Profile::Create("mira", "Mira Voss", std::nullopt);
//   auto id = profile->CreateCase("Harbor v Northline", connection_string);
//   auto invitation = profile->Invite(*id, {.name = "Ana", .role = parley::Role::kParty,
//                                           .side = "Harbor"});
//   …                                              // Ana: profile.Join(invitation->text)
//   profile->Sync({});
//   profile->Approve(*id, profile->FindParticipant(*id, "Ana")->id);
//   auto joint = profile->FindChannel(*id, "joint");
//   profile->Send(joint->ref, "Welcome.");
//   …                                              // Ana: Sync, FindChannel, Read
//
// Reading and changing. Calls that only look (Cases, Participants, Channels, Read, Documents,
// Alarms, the Find… calls) show what is stored and never use the network: call Sync first. Calls
// that change something talk to the relay themselves and first bring up to date what they touch.
//
// Exactly once. What a call has accepted (a message, an approval, a removal) is stored before
// anything leaves the machine. If the machine or the relay fails at any point, a later sync
// finishes it, once. A call that returns an error has changed nothing, except where its description
// says otherwise.
//
// Threading. A Profile may be used from any number of threads at once, and several processes may
// open the same folder at once; none waits for another's network calls. Callbacks come on the
// thread that made the call, with no lock held, and may call the profile.
//
// Lifetime. Values that calls return are independent of the profile. A Profile must outlive the
// calls that run on it; moving it while one runs is an error.
//
// Errors, for all calls: kUnavailable when the relay can't be reached, or another process holds the
// profile for long; kUnauthenticated when what answers isn't the relay that was pinned; kDataLoss
// when the profile is damaged; kResourceExhausted when the disk is full (nothing is lost);
// kNotFound for ids that the profile doesn't know. Others are named with each call. No exception
// leaves the library.
//
// Secrets. The profile's folder holds everything sealed under a passphrase, or without one under a
// key in a file of mode 0600 beside it. Invitations and connection strings are secrets.
#ifndef PARLEY_PROFILE_H_
#define PARLEY_PROFILE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parley/briefs.h"
#include "parley/calendar.h"
#include "parley/export.h"
#include "parley/ids.h"
#include "parley/offers.h"
#include "parley/procedure.h"
#include "parley/record.h"
#include "parley/retention.h"
#include "parley/session.h"
#include "parley/status.h"
#include "parley/transfers.h"
#include "parley/types.h"

namespace parley {

// Ends a waiting call from another thread or from a signal handler.
class Cancellation {
 public:
  // Safe in a signal handler. The call ends within a fifth of a second.
  void Cancel() noexcept { cancelled_.store(true, std::memory_order_relaxed); }
  bool cancelled() const noexcept { return cancelled_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> cancelled_{false};
};

struct SyncOptions {
  // Only this case; otherwise all.
  std::optional<CaseId> case_id = {};
  // When nothing is new: how long to wait for something, in seconds; 0 doesn't wait.
  double wait_seconds = 0;
  // Ends the waiting; may be null.
  const Cancellation* cancellation = nullptr;
};

struct ShareOptions {
  // The name that readers see; by default the file's own.
  std::string name = {};
  // By default by the name's ending.
  std::string media_type = {};
  // The document of the same channel that this one is a new version of: one by the owner's side (of
  // a neutral's, any neutral's).
  std::optional<MessageId> replaces = {};
  // What is said with it, at most 4 KiB.
  std::string note = {};
  // Without it: that of the document that it replaces, else general.
  std::optional<DocumentClass> document_class = {};
  // After so many seconds its time is over: an entry in the channel's log says so, and clients
  // destroy its keys then. 0: it isn't.
  int64_t valid_for_seconds = 0;
  // Share photographs (JPEG, PNG, TIFF, WebP) and PDF as they are, with what they tell of their
  // making: place, camera, author. By default a copy without that is shared.
  bool keep_metadata = false;
};

struct FetchOptions {
  // Without it a file that exists is an error (kAlreadyExists).
  bool overwrite = false;
};

// A part of a list: of what comes after the position `after` the first ones, or the last ones (then
// `first` says nothing). What one message carries isn't split, so that there may be some more.
struct Page {
  uint64_t after = 0;
  size_t first = SIZE_MAX;
  size_t last = SIZE_MAX;
};

struct SendOptions {
  // The message of the same channel that this one answers.
  std::optional<MessageId> quote = {};
  // Nobody is to carry it elsewhere without leave, also where the agreement to mediate has caucuses
  // open.
  bool reserved = false;
  // Of a neutral, where the agreement has caucuses open: why they carry on what somebody said in a
  // caucus and hasn't reserved. It stays in the neutrals' channel, with whose words they were and
  // where those stand. Empty: the firewall refuses.
  std::string override_reason = {};
};

class PARLEY_EXPORT Profile {
 public:
  // Makes a profile in `folder` (made too, if missing), for a person who is to be called `name`.
  // Errors: kAlreadyExists when there is one; kFailedPrecondition for a folder that holds other
  // things, or that others may use; kInvalidArgument for an empty name, one over 200
  // bytes, or an empty passphrase.
  static Result<Profile> Create(const std::string& folder, std::string_view name,
                                std::optional<std::string_view> passphrase);

  // Opens it. Errors: kNotFound when there is none; kUnauthenticated for a wrong passphrase, or
  // none where one is needed (IsLocked says so beforehand).
  static Result<Profile> Open(const std::string& folder,
                              std::optional<std::string_view> passphrase);

  // Whether a passphrase is needed to open the profile in `folder`.
  // Errors: kNotFound when there is none.
  static Result<bool> IsLocked(const std::string& folder);

  Profile(Profile&&) noexcept;
  Profile& operator=(Profile&&) noexcept;
  ~Profile();

  // The person's own name.
  std::string name() const;

  // Sets a passphrase where there is none, changes it, or (without `next`) takes it away. `current`
  // is the one that opens the profile now; it is not looked at where there is none. Objects and
  // processes that have the profile open go on; who opens it from now on needs the new one. A
  // backup of the folder from before still opens with the old one.
  // Errors: kUnauthenticated for a wrong passphrase, or none where one is needed; kInvalidArgument
  // for an empty one; kUnavailable when another process changes it at the same time. After an
  // error the old one counts; after a crash the old one or the new one.
  Status ChangePassphrase(std::optional<std::string_view> current,
                          std::optional<std::string_view> next);

  // ---- Cases ---------------------------------------------------------------------------------

  // Opens a case with its neutrals' and joint channels; the profile's owner is its mediator. The
  // connection string comes from the relay's operator ("parley-relay sponsor add").
  // Errors: kInvalidArgument for an empty title or a malformed connection string;
  // kUnauthenticated when the relay refuses its sponsor token; kResourceExhausted by its quota.
  Result<CaseId> CreateCase(std::string_view title, std::string_view connection,
                            const CaseOptions& options = {});

  // Gives the case what pays for it from now on: the connection string that the same relay's
  // operator has made in the earlier one's place ("parley-relay sponsor renew"), after who knew
  // that was removed. Only neutrals may. The other neutrals get it through their channel. What the
  // relay has of the case stays; the case goes on at the address that it has.
  // Errors: kPermissionDenied; kInvalidArgument for a malformed string and for another relay's;
  // kUnauthenticated when the relay doesn't take its sponsor token; kUnavailable. Nothing has
  // changed then.
  Status ChangeConnection(const CaseId& id, std::string_view connection);

  // The newest last.
  Result<std::vector<Case>> Cases() const;
  Result<Case> GetCase(const CaseId& id) const;
  // By title (whole, upper and lower case alike) or by the beginning of the id.
  // Errors: kNotFound; kAmbiguous.
  Result<Case> FindCase(std::string_view text) const;

  // ---- Who takes part ------------------------------------------------------------------------

  // Makes an invitation. Only neutrals may. The result says which side it is for, as the case
  // spells it, and whether that is a new one.
  // Errors: kPermissionDenied; kInvalidArgument for a neutral with a side, a party or counsel
  // without one, a second mediator, an empty name or side or one over 200 bytes, or a validity out
  // of range; kAlreadyExists when a participant of that name takes part or is invited.
  Result<Invitation> Invite(const CaseId& id, const InvitationRequest& request);

  // Joins a case with an invitation; the owner then waits for approval. Repeating it with the same
  // invitation gives the same case (and finishes what was interrupted).
  // Errors: kInvalidArgument for a text that isn't an invitation; kFailedPrecondition when it has
  // expired (the message says when); kAlreadyExists when somebody has used it before: the mediator
  // sees an alarm.
  Result<CaseId> Join(std::string_view invitation);

  // Everybody that this profile knows of, the owner first, then neutrals, then by side.
  Result<std::vector<Participant>> Participants(const CaseId& id) const;
  // By name (whole, or its first word, upper and lower case alike) or by the beginning of the id.
  // Those who take part, wait or are invited come before those who left. Errors: kNotFound;
  // kAmbiguous.
  Result<Participant> FindParticipant(const CaseId& id, std::string_view text) const;

  // Lets a waiting participant in: into the joint channel and their side's caucus; a co-mediator
  // into the neutrals' channel and all caucuses. Only the neutral who invited them may, others
  // aren't paired with them yet. Where they can't be let into a channel before their device has
  // been online again, the call is OK, and the alarms (kJobWaiting) name the channel. After
  // any of these errors the approval stands, and each sync goes on with it: one of the network; and
  // whatever kept them out of a channel where they belong (kResourceExhausted, kDataLoss and others
  // as in a sync's problems): the message names these channels and why.
  // Errors: kPermissionDenied; kFailedPrecondition when they have not joined yet, and when the
  // agreement in force doesn't let them read a channel that they would come into (its policy's
  // access lines).
  Status Approve(const CaseId& id, const ParticipantId& participant);

  // The owner has compared safety numbers with them by voice, and they were the same. That settles
  // alarms of before about their invitation; another use of it is a new one.
  // Errors: kFailedPrecondition where there is no safety number.
  Status MarkCompared(const CaseId& id, const ParticipantId& participant);

  // Puts a participant out of all channels, or withdraws an invitation. Only neutrals may. OK means
  // that they are out of every channel here. As long as they are in one, it is an error, also when
  // the call is repeated: of the network, of what went wrong with the channel (kResourceExhausted,
  // kDataLoss and others as in a sync's problems), or kFailedPrecondition when it only has to wait.
  // The message then names the channels that they can still read and why; the removal stays due,
  // and each sync goes on with it.
  // Errors: kPermissionDenied; kFailedPrecondition when they have left already;
  // kInvalidArgument for oneself (that is Leave).
  Status Remove(const CaseId& id, const ParticipantId& participant);

  // Leaves the case: nothing can be sent afterwards, what was received stays readable. The next
  // neutral who syncs puts the owner out of the channels.
  // Errors: kFailedPrecondition for who has left already, and for the last neutral.
  Status Leave(const CaseId& id);

  // Lets somebody into a channel in which they aren't by their role and side: an expert, observer,
  // interpreter or support person without a side into any; an expert or interpreter into the
  // counsel channel; anybody into a group. Only neutrals may. Into a team it lets somebody of its
  // side, and only its stewards may. What is still due afterwards is told as by Approve; who is let
  // into a team comes in when their program and the steward's have been online again.
  // Errors: kPermissionDenied; kInvalidArgument for whom the caucus rule forbids to be in it, or
  // who is in it anyway, saying why; in a case that keeps a procedure kFailedPrecondition for who
  // isn't in the joint channel, where they sign the agreement to mediate, or hasn't signed it yet.
  Status Admit(const ChannelRef& channel, const ParticipantId& participant);

  // Puts somebody out of a channel that they were let into by Admit or CreateChannel, and keeps
  // them in the case; in one that keeps a procedure, who is put out of the joint channel is put out
  // of all others with it. Errors: as Admit; kInvalidArgument for who is in it by their role and
  // side.
  Status Dismiss(const ChannelRef& channel, const ParticipantId& participant);

  // ---- Channels ------------------------------------------------------------------------------

  // Those that the owner is or was in.
  Result<std::vector<Channel>> Channels(const CaseId& id) const;
  Result<Channel> GetChannel(const ChannelRef& channel) const;
  // By name ("joint", "caucus:Harbor", "neutrals"; "caucus" where there is only one), exactly or
  // else with upper and lower case alike, or by the beginning of the id. Errors: kNotFound, whose
  // message names the channels that there are; kAmbiguous.
  Result<Channel> FindChannel(const CaseId& id, std::string_view text) const;

  // Opens a channel beside those that the case has by itself: a team, the counsel channel, a group.
  // A team is of one side, without the neutrals, who have none of its keys and can't come in; it
  // appears with its owner alone, and the others come in when their programs and the owner's have
  // been online again. Whom the neutrals put out of the case a steward's program puts out of the
  // team when it learns of it; until then they read it.
  // Errors: kPermissionDenied for a neutral who asks for a team, and for others who ask for another
  // kind; kInvalidArgument for another kind, for a group without a name, and for who may not be in
  // it by the caucus rule, saying why; kAlreadyExists when there is one; kFailedPrecondition when
  // this device hasn't been given what pays for a channel yet. After kUnavailable the decision
  // stands, and each sync goes on with it.
  Result<Channel> CreateChannel(const CaseId& id, const ChannelRequest& request);

  // Makes a member of a team one of its stewards. Only stewards may.
  // Errors: kPermissionDenied; kFailedPrecondition for who isn't in the team.
  Status NameSteward(const ChannelRef& channel, const ParticipantId& participant);

  // Leaves a team, and stays in the case: nothing can be sent in it afterwards, and what was
  // received stays readable. Until a steward's program has put the owner out they can read on. A
  // steward can let them in again. Who is alone in it gives it up: another of the side counts then.
  // Errors: kInvalidArgument for a channel that is no team; kFailedPrecondition for its only
  // steward while others are in it, and for who isn't in it any more.
  Status LeaveTeam(const ChannelRef& channel);

  // Opens a halted channel anew: a new group and log with the same members. Only neutrals may; of a
  // team, its stewards. Errors: kPermissionDenied; kFailedPrecondition when it isn't halted.
  Status Reopen(const ChannelRef& channel);

  // ---- Messages and documents ----------------------------------------------------------------

  // Sends a text of at most 256 KiB. When the relay can't be reached the message is queued; that is
  // no error, and the result says why.
  // Errors: kInvalidArgument for a blank text or one that isn't UTF-8; kResourceExhausted for one
  // over the limit; kFailedPrecondition when the channel is halted, closed, the owner isn't
  // approved yet, or the agreement to mediate isn't signed (the message says what is missing, and
  // from whom); kPermissionDenied when the owner is a neutral and the text repeats what was
  // confided in another channel, that somebody here doesn't read (docs/security.md): the message
  // names the channel, the author and those people. Where it turns out that somebody has come to
  // read the channel, kFailedPrecondition names them, and nothing is sent. What the relay has
  // refused for now (its disk is full, a quota) is kResourceExhausted; the message then stays
  // queued, and the error says so. So it is with kDataLoss, when the relay contradicts what it has
  // shown of the channel.
  // In the joint channel, while the floor is somebody else's, the message is held: queued, until
  // the floor is the owner's. What `options` quote is kNotFound where the case has no such message,
  // and kPermissionDenied where it is another channel's.
  Result<SentMessage> Send(const ChannelRef& channel, std::string_view text,
                           const SendOptions& options = {});

  // Takes an own text or document back: others' clients keep nothing of it, and show that it was
  // retracted. Who has read, copied or backed it up has it all the same.
  // Errors: kNotFound where the channel has no such message; kPermissionDenied for somebody else's;
  // kFailedPrecondition for one that was retracted, or whose words the neutrals were authorised to
  // carry; otherwise as Send.
  Result<SentMessage> Retract(const ChannelRef& channel, const MessageId& message);

  // Drops an own message that waits (Unsent), if nothing of it has left. Errors: kNotFound.
  Status Unsend(const ChannelRef& channel, const MessageId& message);

  // Messages and documents after the position, in order. Those that wait to be sent are not among
  // them.
  Result<std::vector<Message>> Read(const ChannelRef& channel, uint64_t after = 0) const;
  // A page of them: what it costs depends on what it shows alone.
  Result<std::vector<Message>> ReadPage(const ChannelRef& channel, const Page& page) const;
  // The owner's messages that wait to be sent, in order.
  Result<std::vector<Message>> Unsent(const ChannelRef& channel) const;
  // The owner's messages that waited when they were put out of the channel, or left it, or when
  // somebody came to read it whom `Send` or `Share` hadn't named, in order: they are never sent,
  // not even after a return. Message::note says why.
  Result<std::vector<Message>> NeverSent(const ChannelRef& channel) const;

  // Shares a file of any size, in constant memory. An upload that was interrupted goes on where it
  // was when the call is repeated with the same file. Of a photograph or PDF a copy without
  // metadata is shared, unless `options` keep that (SentMessage::removed says what was taken out);
  // the file itself is never changed. Such a copy lies in the profile's folder while the call
  // lasts. Errors: kFailedPrecondition, before anything is sent, for a photograph or PDF that can't
  // be cleaned; the message says why, and that `keep_metadata` shares it as it is; kFileError when
  // it can't be read; kInvalidArgument for a folder; kCancelled; kResourceExhausted by the quota:
  // while uploading, and then nothing was shared; or when the document is announced in the channel,
  // and then that stays queued, and the error says so. Otherwise as Send, but a relay that can't be
  // reached is kUnavailable.
  Result<SentMessage> Share(const ChannelRef& channel, const std::string& path,
                            const ShareOptions& options = {},
                            const ProgressCallback& progress = {});

  // Takes an own document back, one that a neutral has carried into the channel included: clients
  // destroy its keys, and its blob is deleted at the relay. That it was there stays, with its name
  // and versions. Who has fetched it has it all the same; a copy that was carried to another
  // channel stays there. Errors: kNotFound; kPermissionDenied for somebody else's;
  // kFailedPrecondition when it has ended already; otherwise as Send.
  Result<SentMessage> Withdraw(const DocumentRef& document);

  // How long documents of each class are kept by the agreement in force, where that names it.
  // Nothing for a case without one.
  Result<std::vector<RetentionRule>> Retention(const CaseId& id) const;

  // What the agreement in force says of the case's records, and what there is of them
  // (retention.h).
  Result<CaseRetention> RecordsKept(const CaseId& id) const;
  // Destroys on this device what isn't to be kept any longer, for good, and tells the others which
  // classes of record that were. Errors: kFailedPrecondition while the case goes on, has no
  // agreement, or is held.
  Result<Destruction> DestroyRecords(const CaseId& id);
  // Destroys nothing on this device as long as there is a reason not to, as when a court orders it;
  // only this profile knows. Empty: not any more. Errors: kInvalidArgument for one over 1 KiB.
  Status HoldRecords(const CaseId& id, std::string_view reason);

  // In order of their positions.
  Result<std::vector<Document>> Documents(const ChannelRef& channel, const Page& page = {}) const;
  // By name (the latest of that name) or by the beginning of the id. Errors: kNotFound; kAmbiguous.
  Result<Document> FindDocument(const ChannelRef& channel, std::string_view text) const;

  // Gets a document into the file `target`, which appears whole and verified or not at all. What
  // was fetched before an interruption is not fetched again when the call is repeated.
  // Errors: kAlreadyExists; kFileError; kUnauthenticated when what the relay gives isn't the
  // document; kNotFound when the relay no longer has it; kCancelled.
  Status Fetch(const DocumentRef& document, const std::string& target,
               const FetchOptions& options = {}, const ProgressCallback& progress = {});

  // ---- Transfers -----------------------------------------------------------------------------

  // Shares, briefs and fetches that were begun and are neither done nor cancelled, in the order in
  // which they were begun.
  Result<std::vector<Transfer>> Transfers() const;
  // By the beginning of the id. Errors: kNotFound; kAmbiguous.
  Result<Transfer> FindTransfer(std::string_view text) const;
  // Whoever is at it, in this process or another, ends with kCancelled when it next makes progress.
  // Errors: kNotFound.
  Status PauseTransfer(const MessageId& id);
  // Goes on with it, as repeating Share, SubmitBrief or Fetch does. Errors: kNotFound;
  // kFailedPrecondition when somebody is at it; those of that call.
  Status ResumeTransfer(const MessageId& id, const ProgressCallback& progress = {});
  // Gives it up: what the relay has of an upload is deleted there, what a download has saved here.
  // Errors: kNotFound; kFailedPrecondition when somebody is at it and doesn't stop within five
  // seconds; kUnavailable when the relay can't be reached: it is paused then.
  Status CancelTransfer(const MessageId& id);

  // ---- Briefs (docs/documents.md) ------------------------------------------------------------

  // Hands a brief in, in the caucus of the owner's side. An exchanged one is leave to release it in
  // the joint channel, once all sides that are there now have handed theirs in, together with
  // theirs; it takes the place of the side's earlier one that wasn't released yet.
  // Errors: kPermissionDenied for who is no party or counsel with a side; kFailedPrecondition for
  // an exchanged one as long as no other side is in the joint channel; otherwise as Share.
  Result<SentMessage> SubmitBrief(const CaseId& id, const std::string& path,
                                  const BriefRequest& request,
                                  const ProgressCallback& progress = {});

  // What the owner may know of them: of a side's own, and for neutrals of all.
  Result<BriefList> Briefs(const CaseId& id) const;

  // A neutral releases the exchanged briefs of all sides at once in the joint channel. Each is
  // fetched and shared anew, as by Disclose. What was interrupted is finished by repeating the
  // call; one that waits (BriefList::release_waits) goes out instead of another. As long as the
  // result says `queued`, nobody has them by it. Errors: kPermissionDenied for others;
  // kFailedPrecondition as long as one is missing (the message says whose), when another neutral
  // was faster, and for one that had waited and doesn't count; kUnavailable: nothing was released.
  Result<SentMessage> ReleaseBriefs(const CaseId& id, const ProgressCallback& progress = {});

  // ---- What is in documents ------------------------------------------------------------------

  // What is in a document is read by a program of its own, which has neither the network nor the
  // profile (docs/hostile-files.md). On their way there documents are files of the profile's
  // folder, which are gone when the call ends.
  // The text of a document: plain text, Markdown, DOCX or PDF. It may hold anything that UTF-8 can.
  // Errors: kInvalidArgument for a document without readable text, and for one that breaks the
  // rules of its kind; kResourceExhausted for one over the limits; kFailedPrecondition where that
  // program isn't there, or can't be shut in; those of Fetch.
  Result<std::string> Text(const DocumentRef& document);
  // From the text of `older` to that of `newer`: both whole, in pieces. Errors: those of Text.
  Result<TextDifference> Difference(const DocumentRef& older, const DocumentRef& newer);
  // The small picture that travelled with a document, JPEG or PNG, as it came: whoever made it may
  // mean harm, so that only a program that is up to hostile pictures should show it.
  // Errors: kNotFound when there is none, or no such document.
  Result<std::string> Preview(const DocumentRef& document) const;

  // ---- Disclosure with leave -----------------------------------------------------------------

  // Lets the neutrals carry words of a message of one's own, or a document of one's own, to another
  // audience, once, exactly.
  // Errors: kNotFound for an item that this channel doesn't have, and for an audience that the case
  // can't have; kPermissionDenied for somebody else's message, and for what
  // somebody else said before in this channel; kInvalidArgument for words that
  // aren't in it, an audience that reads the channel already, and a channel that no neutral reads;
  // otherwise as Send.
  Result<SentMessage> Authorise(const ChannelRef& channel, const AuthorisationRequest& request);

  // All that the owner can see, in the order of channels and positions.
  Result<std::vector<Authorisation>> Authorisations(const CaseId& id) const;
  // By the beginning of the id. Errors: kNotFound; kAmbiguous.
  Result<Authorisation> FindAuthorisation(const CaseId& id, std::string_view text) const;

  // Takes one's own back. Errors: kPermissionDenied for somebody else's; kFailedPrecondition when
  // it isn't open any more; otherwise as Send.
  Result<SentMessage> Revoke(const Authorisation& authorisation);

  // A neutral carries exactly what was authorised to its audience, and says in the channel where
  // leave was given that it was used. A document is fetched and shared anew; on its way it is a
  // file of this profile's folder, which is gone when the call ends, or, when the process was
  // killed, when the profile is next opened. What was interrupted is finished by repeating the
  // call. Errors: kPermissionDenied for others than neutrals; kFailedPrecondition when it is used,
  // revoked, expired or invalid; kNotFound when the owner has no channel for the audience, or
  // hasn't the document; kUnavailable when the relay can't be reached: nothing was disclosed; those
  // of Fetch and Share.
  Result<SentMessage> Disclose(const Authorisation& authorisation,
                               const ProgressCallback& progress = {});

  // ---- The procedure -------------------------------------------------------------------------

  // How far the case has come, what is missing and from whom.
  Result<CaseProgress> Progress(const CaseId& id) const;

  // Does an act of the table (docs/procedure.md) that has no call of its own, as a record in the
  // joint channel. `words` go with it, at most 4 KiB; `about` is the disclosure that kWaive and
  // kObject answer. Gives the record's id.
  // Errors: kPermissionDenied where the owner's role doesn't allow it; kFailedPrecondition where
  // the case's state doesn't (the message says what is missing), or the case keeps no procedure;
  // kInvalidArgument for acts with calls of their own; kUnavailable: the record is stored, and the
  // next sync sends it.
  Result<MessageId> Act(const CaseId& id, CaseAct act, std::string_view words = {},
                        const MessageId& about = {});

  // Puts an agreement to mediate forward, or an amended one; gives its hash. Errors: as Act; also
  // kInvalidArgument for a text over 128 KiB or a policy that can't be read (with its line).
  Result<std::string> ProposeAgreement(const CaseId& id, std::string_view text,
                                       std::string_view policy);

  // Signs the proposal of that hash (CaseProgress::proposed) with the owner's record key: show its
  // text and policy before. Errors: as Act; kInvalidArgument for what is no hash.
  Status SignAgreement(const CaseId& id, std::string_view hash);

  // ---- The record ----------------------------------------------------------------------------

  // Finds what people wrote in all channels that the owner is or was in, as far as Read would show
  // it: the best first. Shows what is stored, like all calls that only look. The first search of a
  // profile that has no index yet makes one, which takes a while with many messages.
  // Errors: kInvalidArgument for a text without a word in it.
  Result<std::vector<SearchResult>> Search(const SearchRequest& request) const;

  // What happened, in every channel that the owner is or was in, from where they came in.
  Result<CaseTimeline> Timeline(const CaseId& id) const;

  // Recomputes the hash chain of every incarnation of every channel from what is stored, and
  // compares what was said with it. What doesn't fit is in the results and no error; records that
  // can't be opened at all are such, too.
  Result<std::vector<ChainCheck>> VerifyTimeline(const CaseId& id) const;

  // ---- Offers (docs/offers.md) ---------------------------------------------------------------

  // All that the owner can see, and the records about them that were passed over.
  Result<OfferList> Offers(const CaseId& id) const;
  // By the beginning of the id; of one that is in several channels, where the owner can answer or
  // change it. Errors: kNotFound; kAmbiguous.
  Result<Offer> FindOffer(const CaseId& id, std::string_view text) const;

  // Makes an offer in the joint channel or a caucus: for parties and counsel, who speak for their
  // side. In a caucus, with sides in `to`, the neutrals get leave to carry it there; where that
  // can't be given at once, the result says so, and Authorise gives it later.
  // Errors: kPermissionDenied for others, and for a new version of another side's; kNotFound for a
  // side that the case hasn't; kInvalidArgument for a blank or too long text, too many conditions
  // (32) or alternatives (16), and for another channel; kFailedPrecondition where what is countered
  // isn't open, or what is replaced was accepted, or the case has ended; otherwise as Send.
  Result<SentOffer> MakeOffer(const ChannelRef& channel, const OfferRequest& request);

  // Accepts or declines exactly that version. To one that a neutral has carried here, the neutrals
  // get leave to carry the answer back. Errors: kPermissionDenied for whom the offer doesn't name;
  // kFailedPrecondition for a version that has been replaced, withdrawn, answered or has expired
  // (the message says what is open instead); kInvalidArgument for an alternative that it hasn't;
  // otherwise as Send.
  Result<SentOffer> AnswerOffer(const Offer& offer, const OfferReply& reply);

  // Takes the owner's side's offer back. Errors: as AnswerOffer.
  Result<SentOffer> WithdrawOffer(const Offer& offer, uint32_t version, std::string_view note = {});

  // Puts options up to think about. A neutral's are looked at as Send does. Errors: as Send;
  // kInvalidArgument for no title, fewer than two options or more than 32.
  Result<SentMessage> MakeOptionSheet(const ChannelRef& channel, std::string_view title,
                                      const std::vector<std::string>& options);
  // All that the owner can see, with the evaluations of channels that the owner reads.
  Result<std::vector<OptionSheet>> OptionSheets(const CaseId& id) const;
  // By the beginning of the id. Errors: kNotFound; kAmbiguous.
  Result<OptionSheet> FindOptionSheet(const CaseId& id, std::string_view text) const;
  // What the owner thinks of a sheet's options; replaces an earlier one. Only in the caucus or team
  // channel of the owner's own side. Errors: kPermissionDenied for who has no side, and for another
  // channel; kInvalidArgument for an option that the sheet hasn't, or more than 10 points;
  // otherwise as Send.
  Result<SentMessage> EvaluateOptions(const ChannelRef& channel, const OptionSheet& sheet,
                                      const std::vector<OptionRating>& ratings,
                                      std::string_view note = {});

  // ---- Sessions ------------------------------------------------------------------------------
  //
  // Errors of all that change something: kPermissionDenied where the owner's role doesn't allow it,
  // and where what a neutral writes repeats what was confided in another channel (as Send);
  // kFailedPrecondition where it wouldn't count (the message says why); kInvalidArgument for what
  // is blank or too long; kUnavailable: it is stored, and the next sync sends it.

  // All versions of that kind that this profile has seen, by number and version.
  Result<std::vector<SessionText>> SessionTexts(const CaseId& id, SessionTextKind kind) const;
  // Of neutrals: sets the agenda or the ground rules, or a new version of them; a new summary, or,
  // with `number`, a new version of one. At most 64 KiB. Gives the version's id.
  Result<MessageId> SetSessionText(const CaseId& id, SessionTextKind kind, std::string_view text,
                                   uint32_t number = 0);
  // Of parties and counsel: confirms that version, or says what it should say instead.
  Result<MessageId> AnswerSessionText(const CaseId& id, const MessageId& version, bool confirmed,
                                      std::string_view words = {});

  // Who may speak in the joint channel, and who asks to.
  Result<Floor> GetFloor(const CaseId& id) const;
  // Of neutrals. Errors: also kNotFound for who isn't in the joint channel.
  Result<MessageId> GiveFloor(const CaseId& id, const FloorRequest& request);
  // Puts the own hand up, or down.
  Result<MessageId> AskForFloor(const CaseId& id, bool lower = false);

  // The joint list, proposed ones included.
  Result<std::vector<Issue>> Issues(const CaseId& id) const;
  // By a neutral it is on the list at once.
  Result<MessageId> AddIssue(const CaseId& id, std::string_view text);
  // Of neutrals.
  Result<MessageId> AdmitIssue(const CaseId& id, const MessageId& issue);
  Result<MessageId> RewordIssue(const CaseId& id, const MessageId& issue, std::string_view text);
  // Of neutrals; of its author as long as it is only proposed.
  Result<MessageId> DropIssue(const CaseId& id, const MessageId& issue);
  // How the owner's side ranks them: goes into its caucus and nowhere else. Errors: also
  // kInvalidArgument for what isn't on the list, or is named twice.
  Result<SentMessage> RankIssues(const CaseId& id, const std::vector<MessageId>& issues);
  // Of the owner's side, and for neutrals of all: each side's latest.
  Result<std::vector<IssueRanking>> IssueRankings(const CaseId& id) const;

  // How much each participant has said in the joint channel: computed here from what is stored
  // here, told to nobody. Who is in the channel and has said nothing is among them. Errors:
  // kPermissionDenied for others than neutrals.
  Result<std::vector<SpeakingShare>> Balance(const CaseId& id) const;

  // ---- Meetings and reminders ----------------------------------------------------------------

  // Of all channels of the case that the owner is or was in, by time; cancelled ones included.
  Result<std::vector<CalendarEntry>> Calendar(const CaseId& id) const;
  // By the beginning of the id, or the title. Errors: kNotFound; kAmbiguous.
  Result<CalendarEntry> FindInCalendar(const CaseId& id, CalendarKind kind,
                                       std::string_view text) const;

  // Errors of all that change something: kPermissionDenied for whom the channel doesn't let (see
  // parley/calendar.h); kFailedPrecondition where it wouldn't count: the case is suspended or over
  // (cancelling works all the same), or somebody was quicker; kInvalidArgument for a time or zone
  // that is none, that the clocks there skip or show twice (the message says what to do), or for a
  // text that is blank or too long; otherwise as Send. All give the entry as it stands then; where
  // it can't be sent now, and goes out at a later sync, one of version 0 with nothing but its id.

  // Errors: also kInvalidArgument for a time in the past.
  Result<CalendarEntry> AddToCalendar(const ChannelRef& channel, CalendarKind kind,
                                      const CalendarRequest& request);
  // A new version: the answers to the one before are gone.
  Result<CalendarEntry> ChangeInCalendar(const CalendarEntry& entry, const CalendarChange& change);
  Result<CalendarEntry> CancelInCalendar(const CalendarEntry& entry);
  // kYes, kMaybe or kNo to a meeting; kDone to a reminder.
  Result<CalendarEntry> AnswerInCalendar(const CalendarEntry& entry, CalendarReply reply);

  // The meeting as an iCalendar file (RFC 5545), to be brought into a calendar program; a later
  // version, and a cancellation, takes the place of an earlier one there. Calendars are often read
  // by others, and even the fact of a mediation can be secret: unless `with_details`, the file says
  // nothing but when the owner has a "Meeting". Errors: kInvalidArgument for a reminder.
  Result<std::string> MeetingFile(const CalendarEntry& meeting, bool with_details = false) const;

  // ---- Receipts, and what waits ---------------------------------------------------------------

  // The owner has read what has this position, and all before it. Where they let others know, the
  // channel's members learn it with whatever the owner says there next, or by a record of its own
  // from five minutes on, at a sync: never more than one in that time, and nobody outside the
  // channel. Who was shown a part alone says from which position on: while something that others
  // have said before it is unread, nothing is noted.
  Status NoteRead(const ChannelRef& channel, uint64_t position, uint64_t from = 0);
  // How far each other member has read the channel, as far as they let others know.
  Result<std::vector<ReadReceipt>> Receipts(const ChannelRef& channel) const;
  // Whether the owner lets others know, in all cases. On, unless they say otherwise.
  Result<bool> SendsReceipts() const;
  Status SetSendsReceipts(bool sends);

  // What waits for the owner in a case: what is due first comes first. Worked out from what is
  // stored here, by this device's clock.
  Result<std::vector<TodoItem>> Todo(const CaseId& id) const;

  // ---- Keeping up ----------------------------------------------------------------------------

  // Receives what is new, sends what is queued, finishes what was interrupted. What goes wrong with
  // one channel is among the report's problems and doesn't stop the others.
  // Errors: kUnavailable when no relay of any case could be reached.
  Result<SyncReport> Sync(const SyncOptions& options);

  // Stays connected to a case until `cancellation` is cancelled, and calls `on_event` for all that
  // happens; it starts with a sync, whose news are reported too, and ends with OK. A connection
  // that breaks is made anew, with growing pauses of at most half a minute.
  // Errors: kUnauthenticated, kUnimplemented: when trying again can't help.
  Status Watch(const CaseId& id, const std::function<void(const Event&)>& on_event,
               const Cancellation& cancellation);

  // What the owner should know and do something about, of one case.
  Result<std::vector<Alarm>> Alarms(const CaseId& id) const;
  // The owner has seen the alarms about invitations, about messages that are never sent, and about
  // refused disclosures, and needs no more reminding of these; the first stay among
  // Participant::settled_alarms, the second in NeverSent, the third in Read. Other alarms end when
  // their cause does.
  Status MarkSeen(const CaseId& id);

 private:
  class Impl;
  explicit Profile(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace parley

#endif  // PARLEY_PROFILE_H_
