#include "crypto/mls/transcript.h"

namespace parley::mls {

Bytes ConfirmedTranscriptHash(const CipherSuite& suite, ByteView interim_before,
                              const AuthenticatedContent& commit) {
  crypto::Writer input;
  Encode(input, commit.wire_format);
  Encode(input, commit.content);
  Encode(input, commit.auth.signature);
  return SuiteHash(suite, {interim_before, input.view()});
}

Bytes InterimTranscriptHash(const CipherSuite& suite, ByteView confirmed,
                            const Bytes& confirmation_tag) {
  crypto::Writer input;
  Encode(input, confirmation_tag);
  return SuiteHash(suite, {confirmed, input.view()});
}

}  // namespace parley::mls
