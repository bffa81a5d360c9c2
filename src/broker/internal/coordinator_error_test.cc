#include "broker/internal/coordinator_error.h"

#include <gtest/gtest.h>

namespace muir::broker {
namespace {

using wire::ErrorCode;

// The right column is that of Apache Kafka 4.3.1, whose coordinators of groups and of transactions agree.
TEST(CoordinatorError, IsWhatKafkasCoordinatorsSayOfAFailedAppend) {
  const struct {
    Status append;
    ErrorCode told;
  } rows[] = {
      {{}, ErrorCode::none},
      {error(Code::io_error, "write: No space left on device"), ErrorCode::not_coordinator},
      {storage::kafka_error(ErrorCode::kafka_storage_error, "x"), ErrorCode::not_coordinator},
      {storage::kafka_error(ErrorCode::not_leader_or_follower, "x"), ErrorCode::not_coordinator},
      {storage::kafka_error(ErrorCode::unknown_topic_or_partition, "x"), ErrorCode::coordinator_not_available},
      {storage::kafka_error(ErrorCode::not_enough_replicas, "x"), ErrorCode::coordinator_not_available},
      {storage::kafka_error(ErrorCode::request_timed_out, "x"), ErrorCode::coordinator_not_available},
      {storage::kafka_error(ErrorCode::message_too_large, "x"), ErrorCode::unknown_server_error},
      {storage::kafka_error(ErrorCode::record_list_too_large, "x"), ErrorCode::unknown_server_error},
      {storage::kafka_error(ErrorCode::invalid_fetch_size, "x"), ErrorCode::unknown_server_error},
      {storage::kafka_error(ErrorCode::invalid_producer_epoch, "x"), ErrorCode::invalid_producer_epoch},
      {storage::kafka_error(ErrorCode::invalid_txn_state, "x"), ErrorCode::invalid_txn_state},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(coordinator_error(row.append), row.told) << row.append.message();
  }
}

}  // namespace
}  // namespace muir::broker
