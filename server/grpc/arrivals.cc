#include "server/grpc/arrivals.h"

#include <grpcpp/support/server_interceptor.h>

#include <memory>
#include <utility>
#include <vector>

namespace parley::server {
namespace {

using grpc::experimental::ServerInterceptorFactoryInterface;

// gRPC asks for an interceptor when a call's head has come, which for one that was cancelled since
// is the only time that anybody is asked. It gets none.
class ArrivalCounter final : public ServerInterceptorFactoryInterface {
 public:
  explicit ArrivalCounter(Relay& relay) : relay_(relay) {}

  grpc::experimental::Interceptor* CreateServerInterceptor(
      grpc::experimental::ServerRpcInfo* info) override {
    if (relay_.limits().connection_calls_per_second != 0) {
      relay_.rates().Arrived(info->server_context()->peer());
    }
    return nullptr;
  }

 private:
  Relay& relay_;
};

}  // namespace

void CountArrivals(Relay& relay, grpc::CallbackGenericService& generic,
                   grpc::ServerBuilder& builder) {
  std::vector<std::unique_ptr<ServerInterceptorFactoryInterface>> creators;
  creators.push_back(std::make_unique<ArrivalCounter>(relay));
  builder.experimental().SetInterceptorCreators(std::move(creators));
  builder.RegisterCallbackGenericService(&generic);
}

}  // namespace parley::server
