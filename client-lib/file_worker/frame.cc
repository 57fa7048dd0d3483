#include "client-lib/file_worker/frame.h"

#include <algorithm>

#include "client-lib/file_worker/big_endian.h"

namespace parley::file_worker {
namespace {

constexpr size_t kDoneBytes = 8 + 4 + 1;

uint64_t NumberOf(std::string_view bytes) {
  uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<uint8_t>(byte);
  return value;
}

}  // namespace

std::string MakeFrame(FrameType type, std::string_view payload) {
  std::string frame;
  frame.reserve(kFrameHeaderBytes + payload.size());
  frame.push_back(static_cast<char>(type));
  AppendNumber(frame, payload.size(), 4);
  frame.append(payload);
  return frame;
}

std::string MakeDone(uint64_t data_bytes, uint32_t removed, uint8_t flags) {
  std::string payload;
  AppendNumber(payload, data_bytes, 8);
  AppendNumber(payload, removed, 4);
  AppendNumber(payload, flags, 1);
  return MakeFrame(FrameType::kDone, payload);
}

AnswerReader::State AnswerReader::Take(std::string_view bytes) {
  while (!bytes.empty() && state_ != State::kBroken) {
    if (state_ != State::kReading) {  // there is nothing after the end
      state_ = State::kBroken;
      break;
    }
    const size_t wanted = (in_payload_ ? length_ : kFrameHeaderBytes) - frame_.size();
    const size_t taken = std::min(wanted, bytes.size());
    frame_.append(bytes.substr(0, taken));
    bytes.remove_prefix(taken);
    if (taken < wanted) break;
    const bool good = in_payload_ ? TakePayload(frame_) : TakeHeader();
    if (!good) state_ = State::kBroken;
    in_payload_ = !in_payload_;
    frame_.clear();
  }
  if (state_ == State::kBroken) data_.clear();
  return state_;
}

// Every frame has a payload; how long it may be is known from its type before a byte of it is kept.
bool AnswerReader::TakeHeader() {
  type_ = static_cast<FrameType>(static_cast<uint8_t>(frame_[0]));
  length_ = NumberOf(std::string_view(frame_).substr(1));
  switch (type_) {
    case FrameType::kReady:
    case FrameType::kRefused:
      return !ready_ && length_ == 1;
    case FrameType::kFailed:
      return ready_ && taken_ == 0 && length_ == 1;
    case FrameType::kData:
      return ready_ && length_ >= 1 && length_ <= kMostFrameBytes && length_ <= most_data_ - taken_;
    case FrameType::kDone:
      return ready_ && length_ == kDoneBytes;
  }
  return false;
}

bool AnswerReader::TakePayload(std::string_view payload) {
  const auto first = static_cast<uint8_t>(payload[0]);
  switch (type_) {
    case FrameType::kReady:
      ready_ = true;
      return first == kAnswerVersion;
    case FrameType::kRefused:
      state_ = State::kRefused;
      reason_ = first;
      return first >= 1 && first <= kLastRefusal;
    case FrameType::kFailed:
      state_ = State::kFailed;
      reason_ = first;
      return first >= 1 && first <= kLastFailure;
    case FrameType::kData:
      taken_ += payload.size();
      if (sink_) return sink_(payload);
      data_.append(payload);
      return true;
    case FrameType::kDone:
      return TakeDone(payload);
  }
  return false;
}

bool AnswerReader::TakeDone(std::string_view payload) {
  const uint64_t bytes = NumberOf(payload.substr(0, 8));
  const uint64_t removed = NumberOf(payload.substr(8, 4));
  flags_ = static_cast<uint8_t>(payload[12]);
  removed_ = static_cast<uint32_t>(removed);
  state_ = State::kDone;
  return bytes == taken_ && (removed & ~uint64_t{kAllRemovedBits}) == 0 &&
         (flags_ & ~kAllDoneFlags) == 0;
}

}  // namespace parley::file_worker
