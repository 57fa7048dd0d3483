// The caucus firewall: what was said or shared in one channel of a case doesn't get into another by
// the hand of a neutral who reads both.
//
// Everything is bound to the channel that it came from, and its author's to carry elsewhere. A
// message is *held back* from a channel when somebody reads that one who couldn't read the message,
// being no member of its channel, or not yet one when it was said; what others than the profile's
// owner said there is then refused here. Neutrals alone count as having read everything of the
// channels that they are in. What is free: whatever is found in messages that everybody concerned
// could read (of the destination itself, the joint channel), and what the owner said and nobody
// else (docs/decisions/0007). Of other neutrals' messages those shorter than
// a passage ("Thank you, I have read it") aren't bound. Parties and their counsel decide for
// themselves what they say where.
//
//   PARLEY_RETURN_IF_ERROR(Firewall::BringUpToDate(context));
//   PARLEY_ASSIGN_OR_RETURN(Transaction step, store.Begin());
//   PARLEY_ASSIGN_OR_RETURN(Firewall firewall, Firewall::Create(step, context, to));
//   PARLEY_RETURN_IF_ERROR(firewall.CheckText(step, text));    // then queue, in the same step
//
// What is recognised: a passage of kPassageLetters (passages.h) anywhere, the whole of a shorter
// message (CountsAsWhole), a document by its content; a document's name counts as a message does.
// docs/security.md says what isn't.
//
// Threading: belongs to its transaction's thread.
// Errors: PermissionDenied for what must not go there: the message names the channel, the author
// and who would have learnt it, and none of the words. NotFound, DataLoss; the store's.
#ifndef PARLEY_CLIENT_LIB_FIREWALL_FIREWALL_H_
#define PARLEY_CLIENT_LIB_FIREWALL_FIREWALL_H_

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client-lib/cases/case_context.h"
#include "client-lib/cases/procedure_work.h"
#include "client-lib/firewall/file_contents.h"
#include "client-lib/firewall/passage_index.h"
#include "client-lib/firewall/passages.h"
#include "client-lib/procedure/agreement.h"
#include "parley/content/v1/content.pb.h"

namespace parley::client {

class Firewall {
 public:
  // Takes into the index what came since, in steps of its own: a refusal later keeps it.
  static absl::Status BringUpToDate(const CaseContext& context);

  // For what is to go into the channel `to`.
  static absl::StatusOr<Firewall> Create(Transaction& step, const CaseContext& context,
                                         const ChannelId& to);

  // How a document that is to be shared is called.
  struct DocumentNames {
    std::string name;
    std::string media_type;
  };

  // Looks at a file that is to be shared into `to`, its names, and into archives, in steps of its
  // own. Gives the tree hash over what it has looked at; nothing when nothing could be refused
  // there. Errors: also those of VisitFile.
  static absl::StatusOr<std::optional<crypto::TreeHash>> CheckFile(const CaseContext& context,
                                                                   const ChannelId& to,
                                                                   const std::string& path,
                                                                   const DocumentNames& names);

  // Whether anything could be refused there: else nothing needs to be read or hashed.
  bool IsNeeded() const { return !held_back_.empty(); }
  // For whom a message that passed may be encrypted: a neutral's was looked at for those who are in
  // the channel now.
  Readers AllowedReaders() const {
    return readers_.empty() ? Readers::kWhoeverIsIn : Readers::kWhoIsInNow;
  }

  // Of who sends a text and takes it upon themselves: what was said in caucus and isn't reserved,
  // by who had agreed to open caucuses and under them, is let through by CheckText from here on,
  // and noted (NameOverridden); not where anything else that is held back has the same words.
  // Errors: PermissionDenied unless the agreement in force has caucuses open.
  absl::Status AllowOverride();
  bool HasOverridden() const { return !overridden_.empty(); }
  // Names in the neutrals' record what was let through that would have been held back, without its
  // words; of messages with the same words the first, and of many as many as an entry has room for.
  void NameOverridden(content::v1::FirewallOverride& record) const;

  absl::Status CheckText(const ReadTransaction& step, std::string_view text) const;
  absl::Status CheckNames(const ReadTransaction& step, const DocumentNames& names) const;
  // By the tree hash over the content (crypto/file/tree_hash.h), which isn't empty.
  absl::Status CheckDocument(const ReadTransaction& step, crypto::ByteView plaintext_root,
                             uint64_t size) const;

 private:
  // A message of such a channel that the text repeats.
  struct Source {
    ChannelId channel;
    ChannelMessage message;
  };
  class TextCheck;  // text_check.h

  explicit Firewall(CaseContext context, PassageIndex index)
      : context_(std::move(context)), index_(std::move(index)) {}

  // One such step. Whether it was the last.
  static absl::StatusOr<bool> BringNearer(const CaseContext& context);
  // `what`: "the text", "\"brief.pdf\"". `repeats`: what it does to the source.
  absl::Status Refusal(const Source& source, const std::string& what,
                       const std::string& repeats) const;
  absl::Status CheckLetters(const ReadTransaction& step, LettersView letters,
                            const std::string& what) const;
  absl::Status CheckText(const ReadTransaction& step, std::string_view text,
                         const std::string& what) const;
  absl::Status CheckDocument(const ReadTransaction& step, crypto::ByteView plaintext_root,
                             uint64_t size, const std::string& what) const;
  // A file, or a member of an archive: both of the above.
  absl::Status CheckPiece(const ReadTransaction& step, const FilePiece& piece) const;

  CaseContext context_;
  PassageIndex index_;
  // What the agreement in force says of caucuses; closed without one.
  CaucusRule rule_ = CaucusRule::kClosed;
  // Of an agreement that has them open: who signed it, and from where on in the joint channel's log
  // caucuses were open, and weren't, in order.
  std::set<ParticipantId> signers_;
  std::vector<std::pair<JointPosition, bool>> was_open_;
  bool overrides_ = false;
  mutable std::vector<Source> overridden_;

  // Whether the message may be carried on by who takes it upon themselves: a text of a caucus,
  // not reserved, by somebody who signed the agreement in force, said under open caucuses.
  bool MayBeCarried(const ChannelId& channel, const ChannelMessage& message) const;
  void TakeAgreements(const LoadedProcedure& procedure);
  // What else can be done, by what the agreement says of caucuses; with a leading space, or empty.
  std::string Advice(const Source& source) const;
  bool IsHeld(const ChannelId& channel, uint64_t index) const;
  bool IsFree(const ChannelId& channel, uint64_t index) const;

  std::map<ChannelId, ChannelInfo> held_back_;  // channels that hold something back
  std::vector<RosterMember> readers_;           // of the destination
  // From which index on everybody in the destination has read a channel. What comes before that is
  // held back, but for the destination's own.
  std::map<ChannelId, uint64_t> free_from_;
};

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_FIREWALL_FIREWALL_H_
