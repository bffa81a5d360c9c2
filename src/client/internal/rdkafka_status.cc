#include "client/internal/rdkafka_status.h"

#include <librdkafka/rdkafka.h>

#include <array>
#include <string>

#include "wire/error_code.h"

namespace muir::client::internal {
namespace {

Code code_of(rd_kafka_resp_err_t err) {
  switch (err) {
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR_PRODUCER_FENCED:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING: return Code::fenced;
    case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
    case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
    case RD_KAFKA_RESP_ERR__DESTROY: return Code::aborted;
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE: return Code::timed_out;
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION: return Code::not_found;
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET: return Code::out_of_range;
    case RD_KAFKA_RESP_ERR__STATE:
    case RD_KAFKA_RESP_ERR__CONFLICT: return Code::failed_precondition;
    case RD_KAFKA_RESP_ERR__INVALID_ARG: return Code::invalid_argument;
    case RD_KAFKA_RESP_ERR__QUEUE_FULL: return Code::resource_exhausted;
    case RD_KAFKA_RESP_ERR__BAD_MSG:
    case RD_KAFKA_RESP_ERR__BAD_COMPRESSION: return Code::data_loss;
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__RESOLVE: return Code::unavailable;
    default: break;
  }
  if (err > 0) return wire::to_status(static_cast<wire::ErrorCode>(err), {}).code();
  return Code::internal;
}

}  // namespace

Status status_of_rdkafka(int resp_err, std::string_view what, std::string_view reason) {
  const auto err = static_cast<rd_kafka_resp_err_t>(resp_err);
  if (err == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  const std::string_view text = reason.empty() ? std::string_view(rd_kafka_err2str(err)) : reason;
  const Domain domain = err > 0 || err == RD_KAFKA_RESP_ERR_UNKNOWN ? Domain::kafka : Domain::librdkafka;
  return Status(code_of(err), fmt::format("{}: {}: {}", what, rd_kafka_err2name(err), text), {domain, resp_err});
}

int kafka_error_of(const Status& status) {
  switch (status.number(Domain::librdkafka)) {
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION: return RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT: return RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT;
    default: return status.number(Domain::kafka);
  }
}

Status take_error(rd_kafka_s* rk, rd_kafka_error_s* error, std::string_view what) {
  if (error == nullptr) return {};
  rd_kafka_resp_err_t err = rd_kafka_error_code(error);
  std::string reason = rd_kafka_error_string(error);
  const bool fatal = rd_kafka_error_is_fatal(error) != 0;
  const bool requires_abort = rd_kafka_error_txn_requires_abort(error) != 0;
  rd_kafka_error_destroy(error);

  if (fatal || err == RD_KAFKA_RESP_ERR__FATAL) {
    // _FATAL only says that something fatal happened before; the cause is kept by the handle.
    std::array<char, 512> cause{};
    const auto original = rd_kafka_fatal_error(rk, cause.data(), cause.size());
    if (original != RD_KAFKA_RESP_ERR_NO_ERROR) {
      err = original;
      reason = cause.data();
    }
  }
  const Status status = status_of_rdkafka(err, what, reason);
  return requires_abort && !fatal ? status.with(Code::aborted) : status;
}

}  // namespace muir::client::internal
