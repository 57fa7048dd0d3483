#include "client-lib/channels/head_claims.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "client-lib/channels/channel.h"
#include "crypto/base/status_macros.h"
#include "parley/content/v1/content.pb.h"

namespace parley::client {
namespace {

// A head is announced after so many entries, and after each commit.
constexpr uint64_t kEntriesPerAnnouncement = 64;

void RaiseFork(ChannelStep& step, const HeadClaim& claim, const std::string& what,
               ExchangeResult& result) {
  step.Raise({ChannelAlarmKind::kFork, step.incarnation(), claim.position, claim.author,
              claim.author_name + " " + what + ": the relay shows members different logs, or " +
                  "they don't tell the truth"},
             result);
}

absl::Status Compare(ChannelStep& step, const HeadClaim& claim, ExchangeResult& result) {
  if (claim.position >= step.log().joined_position) {
    PARLEY_ASSIGN_OR_RETURN(const std::optional<TranscriptHash> own,
                            step.hashes().Get(step.tx(), claim.position));
    if (!own.has_value() || *own != claim.hash) {
      RaiseFork(
          step, claim,
          "has another log up to position " + std::to_string(claim.position) + " than this device",
          result);
      return absl::OkStatus();
    }
  }
  PARLEY_ASSIGN_OR_RETURN(const std::optional<TranscriptHash> own,
                          step.authenticators().Get(step.tx(), claim.epoch));
  if (own.has_value() && !crypto::PublicEquals(*own, claim.authenticator)) {
    RaiseFork(step, claim, "is in another group than this device since a commit", result);
    return absl::OkStatus();
  }
  step.log().confirmed_by_others_at = step.now();
  return absl::OkStatus();
}

}  // namespace

absl::Status TakeClaim(ChannelStep& step, HeadClaim claim, ExchangeResult& result) {
  std::vector<HeadClaim>& claims = step.log().claims;
  std::erase_if(claims, [&](const HeadClaim& old) { return old.author == claim.author; });
  claims.push_back(std::move(claim));
  return CheckClaims(step, result);
}

absl::Status CheckClaims(ChannelStep& step, ExchangeResult& result) {
  if (step.log().claims.empty()) return absl::OkStatus();
  std::vector<HeadClaim> later;
  for (HeadClaim& claim : step.log().claims) {
    if (claim.position > step.log().position) {
      later.push_back(std::move(claim));
    } else {
      PARLEY_RETURN_IF_ERROR(Compare(step, claim, result));
    }
  }
  step.log().claims = std::move(later);
  return absl::OkStatus();
}

void RefuteClaimsBeyondHead(ChannelStep& step, const std::vector<HeadClaim>& asked_with,
                            ExchangeResult& result) {
  for (const HeadClaim& claim : asked_with) {
    if (claim.position <= step.log().position) continue;
    step.Raise({ChannelAlarmKind::kRelayLog, step.incarnation(), claim.position, claim.author,
                claim.author_name + " has seen the log up to position " +
                    std::to_string(claim.position) + "; the relay shows this device only " +
                    std::to_string(step.log().position) + " entries"},
               result);
    std::erase_if(step.log().claims, [&](const HeadClaim& kept) {
      return kept.author == claim.author && kept.position == claim.position;
    });
  }
}

absl::StatusOr<std::optional<content::v1::ChannelHeads>> Channel::DueHeads(
    Transaction& tx, const std::vector<ChannelId>& channels) {
  content::v1::ChannelHeads heads;
  for (const ChannelId& id : channels) {
    PARLEY_ASSIGN_OR_RETURN(ChannelStep step, ChannelStep::Load(tx, id, 0));
    IncarnationRecord& log = step.log();
    const bool due = log.generation != log.announced_generation ||
                     log.position >= log.announced_position + kEntriesPerAnnouncement;
    if (!due || step.standing() != Standing::kActive || log.position == 0) continue;
    const uint64_t epoch = log.generation - 1;
    PARLEY_ASSIGN_OR_RETURN(const std::optional<TranscriptHash> authenticator,
                            step.authenticators().Get(tx, epoch));
    if (!authenticator.has_value()) continue;
    content::v1::ChannelHeads::Head* head = heads.add_heads();
    head->set_channel_id(ToField(id));
    head->set_incarnation(step.incarnation());
    head->mutable_head()->set_position(log.position);
    head->mutable_head()->set_transcript_hash(crypto::ToString(log.hash));
    head->set_epoch(epoch);
    head->set_epoch_authenticator(crypto::ToString(*authenticator));
    log.announced_position = log.position;
    log.announced_generation = log.generation;
    PARLEY_RETURN_IF_ERROR(step.Save());
  }
  if (heads.heads_size() == 0) return std::optional<content::v1::ChannelHeads>();
  return std::optional<content::v1::ChannelHeads>(std::move(heads));
}

absl::Status Channel::CompareHeads(Transaction& tx, const content::v1::ChannelHeads& heads,
                                   const RosterMember& author, uint64_t now_seconds) {
  for (const content::v1::ChannelHeads::Head& head : heads.heads()) {
    const std::optional<ChannelId> id = IdFrom<ChannelId>(head.channel_id());
    HeadClaim claim;
    if (!id.has_value() || head.head().transcript_hash().size() != claim.hash.size()) continue;
    absl::StatusOr<ChannelStep> step = ChannelStep::Load(tx, *id, now_seconds);
    if (step.status().code() == absl::StatusCode::kNotFound) continue;
    PARLEY_RETURN_IF_ERROR(step.status());
    if (step->incarnation() != head.incarnation() || step->standing() != Standing::kActive) {
      continue;
    }
    claim.author = author.participant_id;
    claim.author_name = Describe(author);
    claim.position = head.head().position();
    const ByteView hash = crypto::ViewOf(head.head().transcript_hash());
    std::copy(hash.begin(), hash.end(), claim.hash.begin());
    claim.epoch = head.epoch();
    claim.authenticator = crypto::ToBytes(head.epoch_authenticator());
    ExchangeResult result;
    PARLEY_RETURN_IF_ERROR(TakeClaim(*step, std::move(claim), result));
    PARLEY_RETURN_IF_ERROR(step->Save());
  }
  return absl::OkStatus();
}

}  // namespace parley::client
