// A case whose records are to be destroyed, and looks into what a profile holds of them.
#ifndef PARLEY_CLIENT_LIB_API_RETENTION_FOR_TEST_H_
#define PARLEY_CLIENT_LIB_API_RETENTION_FOR_TEST_H_

#include <filesystem>
#include <string>
#include <vector>

#include "client-lib/api/agreed_case_for_test.h"
#include "client-lib/api/attacker_for_test.h"
#include "client-lib/api/retention.h"
#include "client-lib/channels/document_log.h"

namespace parley::testing {

inline constexpr const char* kMarker = "CANARY-H floor 690 thousand";
inline constexpr const char* kAtOnce =
    "caucus: closed\nkeep notes: 0 days\nkeep messages: 0 days\nkeep documents: 0 days\n"
    "keep settlement: 7 years\nkeep agreement: 7 years\n";

class RetentionTest : public AgreedCase {
 protected:
  SentMessage Share(const std::string& name, const std::string& channel, const std::string& file,
                    const ShareOptions& options = {}) {
    WriteFile(folder_ / file, std::string(kMarker) + " in " + file);
    return Must(Of(name).Share(Ref(name, channel), folder_ / file, options), "sharing");
  }

  CaseRetention Kept(const std::string& name) {
    return Must(Of(name).RecordsKept(case_), "what is kept");
  }
  RetentionClass Kept(const std::string& name, const std::string& of) {
    for (const RetentionClass& one : Kept(name).classes) {
      if (one.name == of) return one;
    }
    ADD_FAILURE() << "no class " << of;
    return {};
  }
  static std::vector<std::string> Names(const std::vector<Person>& people) {
    std::vector<std::string> names;
    for (const Person& person : people) names.push_back(person.name);
    return names;
  }

  std::vector<SearchResult> Found(const std::string& text) {
    SearchRequest request;
    request.text = text;
    return Must(Of("Mira").Search(request), "searching");
  }

  std::vector<MessageKind> Kinds(const std::string& name, const std::string& channel) {
    std::vector<MessageKind> kinds;
    for (const Message& message : Must(Of(name).Read(Ref(name, channel)), "reading")) {
      kinds.push_back(message.kind);
    }
    return kinds;
  }

  // A step of a case below the public face, with a clock of one's own.
  client::CaseContext ContextAt(client::ProfileStore& store, uint64_t now) {
    client::CaseContext context;
    context.store = &store;
    context.now_seconds = [now] { return now; };
    context.id = case_;
    return context;
  }
  // Whether any record of the profile, opened, has the bytes.
  bool Holds(const std::string& name, const std::string& bytes) {
    auto store = Have(client::ProfileStore::Open(folder_ / name));
    const client::ReadTransaction read = Have(store->Read());
    bool found = false;
    Have(read.ForEachValue([&](const crypto::Secret& value) {
      const std::string text = crypto::ToString(value.Reveal());
      found = found || text.find(bytes) != std::string::npos;
      return absl::OkStatus();
    }));
    return found;
  }
  // Every file of the profile, one after the other.
  std::string FilesOf(const std::string& name) {
    std::string all;
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / name)) {
      if (entry.is_regular_file()) all += ReadFile(entry.path().string());
    }
    return all;
  }
  // The document's record as the profile holds it.
  content::v1::Document DocumentOf(const std::string& name, const std::string& channel,
                                   const MessageId& id) {
    auto store = Have(client::ProfileStore::Open(folder_ / name));
    const client::CaseContext context = ContextAt(*store, 0);
    const client::ReadTransaction read = Have(store->Read());
    const ChannelId channel_id = Ref(name, channel).channel_id;
    for (const client::ChannelMessage& message :
         Have(context.Channel(channel_id).Messages(read, {}))) {
      content::v1::Content content;
      const crypto::ByteView bytes = message.content.Reveal();
      if (message.id != id ||
          !content.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
        continue;
      }
      return content.document();
    }
    return {};
  }
  std::string FileKeyOf(const std::string& name, const std::string& channel, const MessageId& id) {
    return DocumentOf(name, channel, id).file_key();
  }
  bool IsConfided(const std::string& name, const std::string& channel, const std::string& root) {
    const ChannelId id = Ref(name, channel).channel_id;
    auto store = Have(client::ProfileStore::Open(folder_ / name));
    const client::ReadTransaction read = Have(store->Read());
    return Have(client::StandsConfided(read, id, "Harbor", root));
  }
};

}  // namespace parley::testing

#endif  // PARLEY_CLIENT_LIB_API_RETENTION_FOR_TEST_H_
