// How ids and roster entries are written in TLS structures and in this room's records.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_CHANNEL_CODEC_H_
#define PARLEY_CLIENT_LIB_CHANNELS_CHANNEL_CODEC_H_

#include "client-lib/channels/channel_ids.h"
#include "client-lib/store/id_codec.h"
#include "crypto/base/codec.h"

#endif  // PARLEY_CLIENT_LIB_CHANNELS_CHANNEL_CODEC_H_
