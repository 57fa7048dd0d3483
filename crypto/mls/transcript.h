// Transcript hashes (RFC 9420 section 8.2): a running hash over every commit of a group.
#ifndef PARLEY_CRYPTO_MLS_TRANSCRIPT_H_
#define PARLEY_CRYPTO_MLS_TRANSCRIPT_H_

#include "crypto/mls/framing.h"

namespace parley::mls {

// Hash(interim_transcript_hash_[n-1] || ConfirmedTranscriptHashInput), where
// struct {
//     WireFormat wire_format;
//     FramedContent content;        with content_type == commit
//     opaque signature<V>;
// } ConfirmedTranscriptHashInput;
//
// `framed` is the first two fields (SignedBytes::framed()).
Bytes ConfirmedTranscriptHash(const CipherSuite& suite, ByteView interim_before, ByteView framed,
                              const Bytes& signature);

// Hash(confirmed_transcript_hash_[n] || InterimTranscriptHashInput), where
// struct { MAC confirmation_tag; } InterimTranscriptHashInput;
Bytes InterimTranscriptHash(const CipherSuite& suite, ByteView confirmed,
                            const Bytes& confirmation_tag);

}  // namespace parley::mls

#endif  // PARLEY_CRYPTO_MLS_TRANSCRIPT_H_
