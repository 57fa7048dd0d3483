// The hostile relay's streams: subscriptions, made of the pages that Read would show, and blobs.
#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "tests/hostile/blob_mutators.h"
#include "tests/hostile/proxy_service.h"

namespace parley::hostile {
namespace {

using relay::v1::DownloadBlobRequest;
using relay::v1::DownloadBlobResponse;
using relay::v1::SubscribeEvent;
using relay::v1::SubscribeRequest;
using relay::v1::UploadBlobRequest;
using relay::v1::UploadBlobResponse;

// How often a subscription looks for new entries.
constexpr std::chrono::milliseconds kLookEvery{25};

struct Followed {
  relay::v1::ReadRequest next;
  bool caught_up = false;
};

// The mailboxes of one stream; the requests come on a thread of their own.
struct Subscriptions {
  std::mutex mutex;
  std::map<std::string, Followed> mailboxes;
  bool ended = false;
};

void Apply(const SubscribeRequest& request, Subscriptions& all) {
  const std::lock_guard lock(all.mutex);
  if (request.has_add()) {
    Followed& followed = all.mailboxes[request.add().mailbox_id()];
    followed = Followed();
    followed.next.set_token(request.add().token());
    followed.next.set_mailbox_id(request.add().mailbox_id());
    followed.next.set_from(request.add().from());
  } else {
    all.mailboxes.erase(request.drop_mailbox_id());
  }
}

// The events that a page makes, and whether the subscription goes on.
bool EventsOf(const relay::v1::ReadResponse& page, Followed& followed,
              std::vector<SubscribeEvent>& events) {
  const std::string& mailbox = followed.next.mailbox_id();
  if (!page.entries().empty()) {
    auto& entries = *events.emplace_back().mutable_entries();
    entries.set_mailbox_id(mailbox);
    *entries.mutable_entries() = page.entries();
    followed.next.set_from(page.entries().rbegin()->position() + 1);
  }
  if (followed.next.from() <= page.generation_head()) return true;
  if (!followed.caught_up) {
    followed.caught_up = true;
    auto& caught_up = *events.emplace_back().mutable_caught_up();
    caught_up.set_mailbox_id(mailbox);
    caught_up.set_head(page.generation_head());
  }
  if (!page.closed()) return true;
  auto& ended = *events.emplace_back().mutable_ended();
  ended.set_mailbox_id(mailbox);
  ended.set_generation_closed(true);
  return false;
}

}  // namespace

grpc::Status ProxyService::Subscribe(Context* context,
                                     Stream<SubscribeRequest, SubscribeEvent>* stream) {
  Subscriptions all;
  std::thread reader([&] {
    SubscribeRequest request;
    while (stream->Read(&request)) Apply(request, all);
    const std::lock_guard lock(all.mutex);
    all.ended = true;
  });
  bool open = true;
  while (open && !stopping_ && !context->IsCancelled()) {
    std::vector<std::string> ids;
    {
      const std::lock_guard lock(all.mutex);
      open = !all.ended;
      for (const auto& [id, followed] : all.mailboxes) ids.push_back(id);
    }
    for (const std::string& id : ids) {
      std::vector<SubscribeEvent> events;
      relay::v1::ReadRequest request;
      {
        const std::lock_guard lock(all.mutex);
        const auto found = all.mailboxes.find(id);
        if (found == all.mailboxes.end()) continue;
        request = found->second.next;
      }
      relay::v1::ReadResponse page;
      const grpc::Status status = ReadPage(request, page);
      {
        const std::lock_guard lock(all.mutex);
        const auto found = all.mailboxes.find(id);
        // Added anew in the meantime: that page isn't what is wanted any more.
        if (found == all.mailboxes.end() ||
            found->second.next.SerializeAsString() != request.SerializeAsString()) {
          continue;
        }
        if (!status.ok()) {
          auto& ended = *events.emplace_back().mutable_ended();
          ended.set_mailbox_id(id);
          ended.set_code(static_cast<uint32_t>(status.error_code()));
          ended.set_message(status.error_message());
          all.mailboxes.erase(found);
        } else if (!EventsOf(page, found->second, events)) {
          all.mailboxes.erase(found);
        }
      }
      for (const SubscribeEvent& event : events) open = stream->Write(event) && open;
    }
    std::this_thread::sleep_for(kLookEvery);
  }
  context->TryCancel();
  reader.join();
  return grpc::Status::OK;
}

grpc::Status ProxyService::UploadBlob(Context* server_context,
                                      Stream<UploadBlobRequest, UploadBlobResponse>* stream) {
  grpc::ClientContext context;
  const auto upload = relay_->UploadBlob(&context);
  std::atomic<bool> broken{false};
  std::thread forward([&] {
    UploadBlobRequest request;
    bool open = true;
    std::string blob_id;
    while (open && stream->Read(&request)) {
      if (request.has_header()) blob_id = request.header().blob_id();
      if (request.has_chunk()) {
        if (rules_.Take("break-upload", "blob", blob_id) != nullptr) {
          broken = true;
          context.TryCancel();
          break;
        }
        chunks_.Note(blob_id, request.chunk().index(), request.chunk().data());
      }
      open = upload->Write(request);
    }
    upload->WritesDone();
  });
  UploadBlobResponse response;
  while (upload->Read(&response)) stream->Write(response);
  const grpc::Status status = upload->Finish();
  if (!status.ok() && !broken) server_context->TryCancel();
  forward.join();
  return broken ? grpc::Status(grpc::StatusCode::UNAVAILABLE, "the connection broke") : status;
}

grpc::Status ProxyService::DownloadBlob(Context*, const DownloadBlobRequest* request,
                                        grpc::ServerWriter<DownloadBlobResponse>* writer) {
  grpc::ClientContext context;
  const auto download = relay_->DownloadBlob(&context, *request);
  DownloadBlobResponse chunk;
  while (download->Read(&chunk)) {
    chunks_.Note(request->blob_id(), chunk.index(), chunk.data());
    bool goes_on = true;
    for (const auto& rule : rules_.For("blob", request->blob_id())) {
      const BlobMutator* mutator = FindBlobMutator(rule->kind());
      if (mutator == nullptr || chunk.index() < rule->Number("chunk", 0)) continue;
      const BlobLie lie = mutator->apply(*rule, chunks_, request->blob_id(), chunk);
      if (lie != BlobLie::kNone) rule->Hit();
      if (lie == BlobLie::kEnd) goes_on = false;
    }
    if (!goes_on || !writer->Write(chunk)) {
      context.TryCancel();
      return grpc::Status::OK;
    }
  }
  return download->Finish();
}

}  // namespace parley::hostile
