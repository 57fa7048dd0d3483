#include "crypto/mls/transcript.h"

namespace parley::mls {

Bytes ConfirmedTranscriptHash(const CipherSuite& suite, ByteView interim_before, ByteView framed,
                              const Bytes& signature) {
  crypto::Writer last;
  Encode(last, signature);
  return SuiteHash(suite, {interim_before, framed, last.view()});
}

Bytes InterimTranscriptHash(const CipherSuite& suite, ByteView confirmed,
                            const Bytes& confirmation_tag) {
  crypto::Writer input;
  Encode(input, confirmation_tag);
  return SuiteHash(suite, {confirmed, input.view()});
}

}  // namespace parley::mls
