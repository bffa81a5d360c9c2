// Failures of librdkafka as Status. Functions only; thread-safe.
#pragma once

#include <string_view>

#include "base/status.h"

struct rd_kafka_s;
struct rd_kafka_error_s;

namespace muir::client::internal {

// `resp_err` is an rd_kafka_resp_err_t: Kafka's codes are positive (and UNKNOWN is -1), librdkafka's own
// negative: the status carries it as a number of Domain::kafka or Domain::librdkafka.
Status status_of_rdkafka(int resp_err, std::string_view what, std::string_view reason = {});

// Kafka's error code of such a status, also where librdkafka has one of its own for it; 0: none.
int kafka_error_of(const Status& status);

// Takes over `error` (nullptr is OK) of a call on `rk`. A fatal error that means a newer instance is Code::fenced, one
// that asks for an abort of the transaction Code::aborted.
Status take_error(rd_kafka_s* rk, rd_kafka_error_s* error, std::string_view what);

}  // namespace muir::client::internal
