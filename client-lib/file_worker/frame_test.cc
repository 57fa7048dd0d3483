// The answer of a worker that lies: whatever comes, no more is held than was asked for, and nothing
// but a whole, well-formed answer counts.
#include "client-lib/file_worker/frame.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "client-lib/file_worker/contents.h"

namespace parley::file_worker {
namespace {

using State = AnswerReader::State;

const std::string kReady = MakeFrame(FrameType::kReady, std::string(1, kAnswerVersion));

std::string Data(const std::string& bytes) { return MakeFrame(FrameType::kData, bytes); }

State Read(const std::string& answer, size_t most_data = 1000) {
  AnswerReader reader(most_data);
  return reader.Take(answer);
}

TEST(AnswerReader, TakesAnAnswerInAnyPieces) {
  const std::string answer =
      kReady + Data("canary ") + Data("Harbor") + MakeDone(13, kRemovedPlace, 0);
  for (size_t step = 1; step <= answer.size(); ++step) {
    AnswerReader reader(13);
    for (size_t at = 0; at < answer.size(); at += step) {
      reader.Take(std::string_view(answer).substr(at, step));
    }
    EXPECT_EQ(reader.state(), State::kDone);
    EXPECT_EQ(reader.data(), "canary Harbor");
    EXPECT_EQ(reader.removed(), kRemovedPlace);
    EXPECT_FALSE(reader.unchanged());
  }
}

TEST(AnswerReader, TakesReasons) {
  AnswerReader failed(0);
  EXPECT_EQ(failed.Take(kReady + MakeFrame(FrameType::kFailed, "\x04")), State::kFailed);
  EXPECT_EQ(failed.failure(), Failure::kSigned);
  AnswerReader refused(0);
  EXPECT_EQ(refused.Take(MakeFrame(FrameType::kRefused, "\x04")), State::kRefused);
  EXPECT_EQ(refused.refusal(), Refusal::kFilter);
}

TEST(AnswerReader, HasNoEndBeforeTheEnd) {
  const std::string answer = kReady + Data("text") + MakeDone(4, 0, 0);
  for (size_t size = 0; size < answer.size(); ++size) {
    EXPECT_EQ(Read(answer.substr(0, size)), State::kReading) << size;
  }
}

TEST(AnswerReader, RefusesWhatBreaksTheRules) {
  const std::string done = MakeDone(0, 0, 0);
  const std::string wrong[] = {
      "HTTP/1.1 200 OK\r\n",
      Data("before ready"),
      done,
      MakeFrame(FrameType::kFailed, "\x01"),
      kReady + kReady,
      kReady + MakeFrame(FrameType::kRefused, "\x01"),
      MakeFrame(FrameType::kReady, "\x07"),
      MakeFrame(FrameType::kReady, ""),
      MakeFrame(FrameType::kReady, "\x01\x01"),
      MakeFrame(FrameType::kRefused, std::string(1, '\0')),
      MakeFrame(FrameType::kRefused, "\x05"),
      kReady + MakeFrame(FrameType::kFailed, std::string(1, '\0')),
      kReady + MakeFrame(FrameType::kFailed, "\x07"),
      kReady + Data("a") + MakeFrame(FrameType::kFailed, "\x01"),
      kReady + Data(""),
      kReady + Data(std::string(1001, 'x')),
      kReady + Data(std::string(600, 'x')) + Data(std::string(401, 'x')),
      kReady + MakeDone(1, 0, 0),
      kReady + Data("a") + MakeDone(2, 0, 0),
      kReady + MakeDone(0, kAllRemovedBits + 1, 0),
      kReady + MakeDone(0, 0, 2),
      kReady + MakeFrame(FrameType::kDone, "short"),
      kReady + done + done,
      kReady + done + "x",
      kReady + MakeFrame(FrameType::kFailed, "\x01") + "x",
      MakeFrame(static_cast<FrameType>(0), "x"),
      MakeFrame(static_cast<FrameType>(6), "x"),
      MakeFrame(static_cast<FrameType>(255), "x"),
  };
  for (const std::string& answer : wrong) EXPECT_EQ(Read(answer), State::kBroken) << answer;
}

// A length is judged before a byte of what it announces is waited for, or kept.
TEST(AnswerReader, RefusesAnOverlongFrameByItsHeader) {
  for (const char* length : {"\x00\x01\x00\x01", "\x7f\xff\xff\xff", "\xff\xff\xff\xff"}) {
    const std::string header = kReady + "\x04" + std::string(length, 4);
    EXPECT_EQ(Read(header, size_t{1} << 40), State::kBroken);
  }
}

TEST(AnswerReader, StaysBroken) {
  AnswerReader reader(100);
  reader.Take(kReady + Data("secret") + Data(""));
  EXPECT_EQ(reader.state(), State::kBroken);
  EXPECT_EQ(reader.Take(kReady + MakeDone(0, 0, 0)), State::kBroken);
  EXPECT_EQ(reader.data(), "");
}

PackedFile Sample() {
  PackedFile packed;
  packed.name = "letters.zip/b.txt";
  packed.size = 7;
  packed.root.fill(3);
  packed.text = "a letter";
  return packed;
}

TEST(Contents, AreReadInAnyPieces) {
  const std::string records =
      MemberRecord(Sample()) + MemberRecord({}) + StoppedRecord(Stopped::kDeep);
  for (const size_t piece : {size_t{1}, size_t{7}, records.size()}) {
    std::vector<PackedFile> members;
    ContentsReader reader([&](const PackedFile& member) {
      members.push_back(member);
      return true;
    });
    for (size_t at = 0; at < records.size(); at += piece) {
      ASSERT_TRUE(reader.Take(std::string_view(records).substr(at, piece)));
    }
    EXPECT_TRUE(reader.AtEnd());
    ASSERT_EQ(members.size(), 2u);
    EXPECT_EQ(members[0].name, Sample().name);
    EXPECT_EQ(members[0].size, 7u);
    EXPECT_EQ(members[0].root, Sample().root);
    EXPECT_EQ(members[0].text, "a letter");
    EXPECT_EQ(members[1].name, "");
    EXPECT_EQ(reader.stopped(), Stopped::kDeep);
    EXPECT_FALSE(reader.Take("\x01"));  // nothing follows
  }
}

TEST(Contents, WhatBreaksTheirRulesIsRefused) {
  const auto take = [](const std::string& records) {
    ContentsReader reader([](const PackedFile&) { return true; });
    return reader.Take(records) && reader.AtEnd();
  };
  const std::string good = MemberRecord(Sample());
  EXPECT_TRUE(take(good));
  EXPECT_FALSE(take(good.substr(0, good.size() - 1)));
  EXPECT_FALSE(take(good + "x"));
  EXPECT_FALSE(take(std::string("\x02\x00", 2)));
  EXPECT_FALSE(take({'\x02', static_cast<char>(kLastStopped + 1)}));
  std::string long_name = good;
  long_name[1] = '\x7f';
  EXPECT_FALSE(take(long_name.substr(0, 5)));  // before a byte of it has come
  std::string long_text = good;
  long_text[good.size() - Sample().text.size() - 4] = '\x7f';
  EXPECT_FALSE(take(long_text.substr(0, good.size() - Sample().text.size())));
  std::string many;
  for (uint64_t i = 0; i <= kMostArchiveMembers; ++i) many += MemberRecord({});
  EXPECT_FALSE(take(many));
}

}  // namespace
}  // namespace parley::file_worker
