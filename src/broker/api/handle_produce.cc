#include "broker/api/handlers.h"
#include "broker/api/long_requests.h"
#include "broker/internal/broker_context.h"

namespace muir::broker {

// Most requests are appended here and now. One whose batches expand to very much goes on elsewhere, from where it
// stopped.
void handle_produce(BrokerContext& context, const RequestInfo& info, wire::ProduceRequest request,
                    Reply<wire::ProduceResponse> reply) {
  auto job = std::make_unique<ProduceJob>(context, info, std::move(request), std::move(reply));
  if (job->run(LongRequests::kSliceBytes) == ProduceJob::State::done) return;
  job->leave_the_frame();
  context.long_requests->take(std::move(job));
}

}  // namespace muir::broker
