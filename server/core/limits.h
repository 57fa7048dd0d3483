// The bounds within which the relay serves. Sizes in bytes, times in seconds. Those that are Live
// can be changed in a relay that runs: SIGHUP does.
#ifndef PARLEY_SERVER_CORE_LIMITS_H_
#define PARLEY_SERVER_CORE_LIMITS_H_

#include <cstddef>
#include <cstdint>

#include "server/core/live.h"

namespace parley::server {

struct Limits {
  uint64_t max_entry_bytes = 1 << 20;
  uint64_t max_chunk_bytes = 2 << 20;
  // Chunks but the last must be this large on average: each costs the store a key.
  uint64_t min_chunk_bytes = 1024;
  size_t max_append_keys = 256;

  uint64_t challenge_seconds = 60;
  Live<uint64_t> token_seconds = 15 * 60;
  // For so long a TLS key that the relay uses now is vouched for.
  uint64_t tls_key_certified_seconds = 3 * 24 * 60 * 60;

  // What a mailbox may take until its next closing when it is made without an allowance.
  Live<uint64_t> default_allowed_entries = 65536;
  Live<uint64_t> default_allowed_bytes = uint64_t{1} << 30;
  // What every entry costs its sponsor beside its payload.
  uint64_t entry_overhead_bytes = 256;
  // What a generation costs its sponsor, beside 32 bytes for each append key; and once more in the
  // closing entry that carries its keys.
  uint64_t generation_overhead_bytes = 128;
  // The largest commit of 512 members, who must all be told of a new key one by one (1.2 KB each),
  // with some that it adds.
  uint64_t max_closing_bytes = 768 << 10;
  // What a mailbox that a sponsor makes himself sets aside of his quota, for when somebody has used
  // up the rest: as much as its closings have taken so far, times this, within bounds. Joining
  // costs a channel's closings more than removing does, so that this is enough for some removals.
  uint64_t closing_reserve_factor = 2;
  uint64_t least_closing_reserve_bytes = 128 << 10;
  uint64_t most_closing_reserve_bytes = 4 << 20;
  // Entries leave such a part of it to closings: every member makes entries, but few can close.
  uint64_t entries_reserve_divisor = 2;
  // What entries in a mailbox made by a voucher leave free for its closings, and at most such a
  // part of what it may store.
  uint64_t closing_room_bytes = 64 << 10;
  uint64_t closing_room_divisor = 4;
  // What vouchers' blobs leave free of a sponsor's quota, as such a part of it.
  uint64_t voucher_reserve_divisor = 8;

  uint32_t default_read_entries = 256;
  uint32_t max_read_entries = 1024;
  uint32_t default_read_bytes = 1 << 20;
  uint32_t max_read_bytes = 2 << 20;

  Live<size_t> max_mailboxes_per_subscription = 4096;
  // Answers that a subscriber may leave unread before its requests wait.
  size_t max_unread_refusals = 64;
  // What a stream of appends may have without an answer that its client has taken, before it is
  // read from no further: so many, and of those that aren't answered so many bytes (relay.proto).
  size_t max_unanswered_appends = 256;
  size_t max_unanswered_append_bytes = size_t{4} << 20;
  // What answers of all streams together may keep in memory until they are read; beyond, the
  // address that holds most loses those that have waited longest.
  Live<size_t> max_unread_bytes = size_t{512} << 20;

  // What somebody who has shown no key may hold of the relay's memory. A request may have so many
  // bytes beside an entry's payload or a chunk (256 append keys are the most of it), and one in a
  // subscription so many in all.
  uint64_t max_request_overhead_bytes = 16 << 10;
  uint64_t max_subscribe_request_bytes = 1 << 10;
  // A stream on which no key was shown is ended after so long.
  Live<uint64_t> unproven_stream_seconds = 30;
  int max_streams_per_connection = 128;
  // Of an address, or of an IPv6 network of 64 bits, and of all together.
  Live<size_t> max_connections_per_address = 256;
  Live<size_t> max_connections = 2048;
  // Of all together, those on which no key was shown: silent ones, and such as are still at their
  // handshake, included. Beyond, the one is ended that has been so for longest; so it is when all
  // connections are too many, whoever the rest are.
  Live<size_t> max_unproven_connections = 1024;
  // New ones a second from an address, of which what comes in ten seconds may come at once; those
  // on which a key is shown don't count. 0: any number.
  Live<uint64_t> address_connections_per_second = 64;
  // Of all addresses together; half of it is for those from which somebody has shown a key. 0: any
  // number.
  Live<uint64_t> connections_per_second = 100;
  // For so long nothing new is taken from an address one of whose connections was ended since it
  // called on without waiting, and had shown no key; 0: no time.
  Live<uint64_t> barred_seconds = 10;
  // Of all connections together: subscriptions, uploads, downloads and streams of appends.
  Live<size_t> max_open_streams = 16384;

  // Calls a second, of which what comes in some seconds may come at once (rate_limits.h); 0: any
  // number. Of an address: those without a session's token.
  Live<uint64_t> connection_calls_per_second = 2000;
  Live<uint64_t> address_calls_per_second = 2000;
  Live<uint64_t> session_calls_per_second = 500;
  Live<uint64_t> sponsor_creations_per_second = 100;

  uint32_t max_vouchers_per_call = 256;
  // A year, and a day since the clock of who asks may be ahead.
  Live<uint64_t> max_voucher_seconds = 366 * 24 * 60 * 60;
  Live<uint64_t> default_quota_objects = 1000000;

  // The commit queue: what may wait, and what becomes one synced batch.
  size_t max_queued_steps = 16384;
  Live<size_t> max_queued_bytes = size_t{64} << 20;
  size_t max_group_steps = 1024;
  size_t max_group_bytes = size_t{8} << 20;
};

}  // namespace parley::server

#endif  // PARLEY_SERVER_CORE_LIMITS_H_
