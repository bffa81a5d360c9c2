// coordinator_error(): what a client of a coordinator is told when the coordinator's topic does not take a record.
#pragma once

#include "log/kafka_error.h"

namespace muir::broker {

// As Apache Kafka's coordinators say it, the same for groups and transactions. A disk that refuses is NOT_COORDINATOR:
// with replicas another broker would be asked, and every client looks for the coordinator again and repeats.
// The codes that speak of transactions are answered as they are.
inline wire::ErrorCode coordinator_error(const Status& status) {
  using wire::ErrorCode;
  switch (const ErrorCode code = storage::kafka_code(status)) {
    case ErrorCode::unknown_topic_or_partition:
    case ErrorCode::not_enough_replicas:
    case ErrorCode::request_timed_out: return ErrorCode::coordinator_not_available;
    case ErrorCode::not_leader_or_follower:
    case ErrorCode::kafka_storage_error: return ErrorCode::not_coordinator;
    case ErrorCode::message_too_large:
    case ErrorCode::record_list_too_large:
    case ErrorCode::invalid_fetch_size: return ErrorCode::unknown_server_error;
    default: return code;
  }
}

}  // namespace muir::broker
