// ProduceJob: one produce request on its way from its first batch to its answer.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "broker/api/request.h"
#include "broker/internal/broker_context.h"
#include "log/admission.h"
#include "wire/messages/produce.h"

namespace muir::broker {

// Of one thread at a time.
class ProduceJob {
 public:
  ProduceJob(BrokerContext& context, RequestInfo info, wire::ProduceRequest request,
             Reply<wire::ProduceResponse> reply);
  ~ProduceJob();
  ProduceJob(const ProduceJob&) = delete;
  ProduceJob& operator=(const ProduceJob&) = delete;

  enum class State : unsigned char {
    done,   // appended and answered, or to be answered when it is durable
    more,   // run() is to be called again
    stuck,  // its batch needs more memory than it may take now: rest(), allow_much_memory(), and again
  };
  // Goes on until about `unpacked_max` bytes have been decompressed.
  State run(size_t unpacked_max);
  void allow_much_memory() { history_max_ = wire::kHistoryBytesMax; }

  // Copies what is left of the request out of the caller's frame, and holds up what follows on the connection.
  void leave_the_frame();
  // Gives up what has been found of the current batch, and all memory but that of the request.
  void rest();
  // Nobody is there any more who would be answered, and who was answered nothing will send it again. With acks=0 nobody
  // asks for an answer, and whoever hangs up behind the last record has still sent it.
  [[nodiscard]] bool abandoned() const { return request_.acks != 0 && reply_.abandoned(); }

 private:
  // A batch that is appended and not yet on the disk.
  struct Appending {
    std::shared_ptr<storage::Partition> partition;
    Offset end;
    size_t topic = 0;
    size_t index = 0;
  };
  // The batch that is being looked at.
  struct Current;

  void begin_batch();
  Status find_target(const wire::ProduceRequest::Partition& data, Current& current) const;
  void append_batch();
  void end_batch(const Status& status);
  void answer();

  BrokerContext& context_;
  const RequestInfo info_;
  wire::ProduceRequest request_;
  const Reply<wire::ProduceResponse> reply_;
  std::deque<Bytes> copies_;      // the request's records, when they are not in the caller's frame
  net::ByteBudget::Share share_;  // of these
  wire::ProduceResponse response_;
  std::vector<Appending> appends_;
  bool failed_ = false;
  size_t topic_ = 0;  // where the current batch is, or the next one
  size_t index_ = 0;
  size_t history_max_;
  std::unique_ptr<wire::RecordWalk> walk_;  // lent by the thread that the job began on
  std::unique_ptr<Current> current_;
};

}  // namespace muir::broker
