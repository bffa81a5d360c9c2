#include "streams/runtime/production_errors.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "wire/error_code.h"

namespace muir::streams::internal {
namespace {

using wire::ErrorCode;

// Every code of Kafka's that is not the record's own fault; the rest is "record". Two words: outside of and within a
// transaction.
std::map<std::string, std::string> expected() {
  std::map<std::string, std::string> out;
  for (const char* name :
       {"TOPIC_AUTHORIZATION_FAILED", "GROUP_AUTHORIZATION_FAILED", "CLUSTER_AUTHORIZATION_FAILED",
        "TRANSACTIONAL_ID_AUTHORIZATION_FAILED", "DELEGATION_TOKEN_AUTHORIZATION_FAILED", "SASL_AUTHENTICATION_FAILED",
        "UNSUPPORTED_SASL_MECHANISM", "ILLEGAL_SASL_STATE", "SECURITY_DISABLED", "INVALID_TOPIC_EXCEPTION",
        "UNKNOWN_SERVER_ERROR", "OFFSET_METADATA_TOO_LARGE"}) {
    out[name] = "fatal fatal";
  }
  for (const char* name : {"UNSUPPORTED_VERSION", "UNSUPPORTED_FOR_MESSAGE_FORMAT"}) out[name] = "record fatal";
  for (const char* name :
       {"PRODUCER_FENCED", "INVALID_PRODUCER_EPOCH", "INVALID_PRODUCER_ID_MAPPING", "OUT_OF_ORDER_SEQUENCE_NUMBER",
        "UNKNOWN_PRODUCER_ID", "FENCED_INSTANCE_ID", "TRANSACTION_COORDINATOR_FENCED", "INVALID_TXN_STATE"}) {
    out[name] = "fenced fenced";
  }
  for (const char* name : {"ILLEGAL_GENERATION", "UNKNOWN_MEMBER_ID", "REBALANCE_IN_PROGRESS",
                           "OPERATION_NOT_ATTEMPTED", "TRANSACTION_ABORTABLE"}) {
    out[name] = "aborted aborted";
  }
  for (const char* name :
       {"CORRUPT_MESSAGE", "LEADER_NOT_AVAILABLE", "NOT_LEADER_OR_FOLLOWER", "REQUEST_TIMED_OUT",
        "REPLICA_NOT_AVAILABLE", "NETWORK_EXCEPTION", "COORDINATOR_LOAD_IN_PROGRESS", "COORDINATOR_NOT_AVAILABLE",
        "NOT_COORDINATOR", "NOT_ENOUGH_REPLICAS", "NOT_ENOUGH_REPLICAS_AFTER_APPEND", "CONCURRENT_TRANSACTIONS",
        "KAFKA_STORAGE_ERROR", "FENCED_LEADER_EPOCH", "UNKNOWN_LEADER_EPOCH", "THROTTLING_QUOTA_EXCEEDED",
        "UNKNOWN_TOPIC_ID", "INCONSISTENT_TOPIC_ID", "UNKNOWN_TOPIC_OR_PARTITION"}) {
    out[name] = "retriable retriable";
  }
  for (const char* name : {"MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE", "INVALID_RECORD", "INVALID_TIMESTAMP",
                           "POLICY_VIOLATION", "INVALID_REQUIRED_ACKS"}) {
    out[name] = "record record";
  }
  return out;
}

TEST(ProductionErrors, AreSortedAsKafkaStreamsDoes) {
  const auto want = expected();
  size_t seen = 0;
  for (int code = -1; code <= static_cast<int>(ErrorCode::share_session_limit_reached); ++code) {
    if (code == 0) continue;
    const auto error = static_cast<ErrorCode>(code);
    const Status status = wire::to_status(error, "produce");
    SCOPED_TRACE(std::string(wire::name_of(error)));
    const std::string got =
        std::string(to_string(classify(status, false))) + " " + std::string(to_string(classify(status, true)));
    const auto found = want.find(std::string(wire::name_of(error)));
    if (found == want.end()) {  // nothing that a producer meets: never the end of a thread, never silence
      EXPECT_EQ(got, wire::is_retriable(error) ? "retriable retriable" : "record record");
      continue;
    }
    ++seen;
    EXPECT_EQ(got, found->second);
    // The client says that the transaction has to be aborted: it is tried again, unless that is in vain.
    const bool fatal = classify(status, true) == ProductionError::fatal;
    EXPECT_EQ(classify(Code::aborted, code, true), fatal ? ProductionError::fatal : ProductionError::aborted);
  }
  EXPECT_EQ(seen, want.size());
}

TEST(ProductionErrors, WithoutACodeOfKafkasTheClientsOwnCounts) {
  const std::pair<Code, ProductionError> cases[] = {
      {Code::timed_out, ProductionError::retriable},
      {Code::unavailable, ProductionError::retriable},
      {Code::aborted, ProductionError::aborted},
      {Code::fenced, ProductionError::fenced},
      {Code::failed_precondition, ProductionError::fenced},
      {Code::internal, ProductionError::fenced},
      {Code::unsupported, ProductionError::fatal},
      {Code::io_error, ProductionError::fatal},
      {Code::data_loss, ProductionError::fatal},
      {Code::invalid_argument, ProductionError::record},
      {Code::resource_exhausted, ProductionError::record},
      {Code::not_found, ProductionError::record},
  };
  for (const auto& [code, want] : cases) {
    for (const int librdkafkas : {0, -185}) {  // its own codes are negative
      EXPECT_EQ(classify(code, librdkafkas, true), want) << to_string(code);
      EXPECT_EQ(classify(code, librdkafkas, false), want) << to_string(code);
    }
  }
}

}  // namespace
}  // namespace muir::streams::internal
