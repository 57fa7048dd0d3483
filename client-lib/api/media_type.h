// What a file is, by its name's ending.
#ifndef PARLEY_CLIENT_LIB_API_MEDIA_TYPE_H_
#define PARLEY_CLIENT_LIB_API_MEDIA_TYPE_H_

#include <string>
#include <string_view>

namespace parley::client {

// "application/pdf" for "Brief.PDF"; "application/octet-stream" for what isn't known.
std::string MediaTypeOf(std::string_view name);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_API_MEDIA_TYPE_H_
