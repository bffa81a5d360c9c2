#include "wire/error_code.h"

namespace muir::wire {
namespace {

struct Row {
  std::string_view name;
  bool retriable;
  std::string_view message;
};

// One row per code, from -1 on.
constexpr Row kRows[] = {
    {"UNKNOWN_SERVER_ERROR", false, "the server met an error it did not expect"},
    {"NONE", false, "no error"},
    {"OFFSET_OUT_OF_RANGE", false, "the offset is outside the partition's log"},
    {"CORRUPT_MESSAGE", true, "the record batch is damaged"},
    {"UNKNOWN_TOPIC_OR_PARTITION", true, "there is no such topic or partition"},
    {"INVALID_FETCH_SIZE", false, "the fetch size is not valid"},
    {"LEADER_NOT_AVAILABLE", true, "the partition has no leader at the moment"},
    {"NOT_LEADER_OR_FOLLOWER", true, "this broker does not lead the partition"},
    {"REQUEST_TIMED_OUT", true, "the request took too long"},
    {"BROKER_NOT_AVAILABLE", false, "the broker is not available"},
    {"REPLICA_NOT_AVAILABLE", true, "the replica is not available"},
    {"MESSAGE_TOO_LARGE", false, "the record batch is larger than the topic allows"},
    {"STALE_CONTROLLER_EPOCH", false, "another controller has taken over"},
    {"OFFSET_METADATA_TOO_LARGE", false, "the metadata of the committed offset is too long"},
    {"NETWORK_EXCEPTION", true, "the connection was lost before the answer"},
    {"COORDINATOR_LOAD_IN_PROGRESS", true, "the coordinator is loading its state"},
    {"COORDINATOR_NOT_AVAILABLE", true, "the coordinator is not available"},
    {"NOT_COORDINATOR", true, "this broker is not the coordinator"},
    {"INVALID_TOPIC_EXCEPTION", false, "the topic name is not valid"},
    {"RECORD_LIST_TOO_LARGE", false, "the record batch is larger than a segment"},
    {"NOT_ENOUGH_REPLICAS", true, "too few replicas are in sync"},
    {"NOT_ENOUGH_REPLICAS_AFTER_APPEND", true, "too few replicas were in sync after the append"},
    {"INVALID_REQUIRED_ACKS", false, "acks must be -1, 0 or 1"},
    {"ILLEGAL_GENERATION", false, "the generation is not the group's"},
    {"INCONSISTENT_GROUP_PROTOCOL", false, "the member shares no protocol with the group"},
    {"INVALID_GROUP_ID", false, "the group id is not valid"},
    {"UNKNOWN_MEMBER_ID", false, "the group does not know the member"},
    {"INVALID_SESSION_TIMEOUT", false, "the session timeout is outside what the broker allows"},
    {"REBALANCE_IN_PROGRESS", false, "the group is rebalancing; join again"},
    {"INVALID_COMMIT_OFFSET_SIZE", false, "the commit is too large"},
    {"TOPIC_AUTHORIZATION_FAILED", false, "not authorised for the topic"},
    {"GROUP_AUTHORIZATION_FAILED", false, "not authorised for the group"},
    {"CLUSTER_AUTHORIZATION_FAILED", false, "not authorised for the cluster"},
    {"INVALID_TIMESTAMP", false, "the record's timestamp is outside what the topic allows"},
    {"UNSUPPORTED_SASL_MECHANISM", false, "the SASL mechanism is not offered"},
    {"ILLEGAL_SASL_STATE", false, "the request does not fit the state of authentication"},
    {"UNSUPPORTED_VERSION", false, "the version of the API is not supported"},
    {"TOPIC_ALREADY_EXISTS", false, "the topic exists already"},
    {"INVALID_PARTITIONS", false, "the number of partitions is not valid"},
    {"INVALID_REPLICATION_FACTOR", false, "the replication factor is below 1 or above the number of brokers"},
    {"INVALID_REPLICA_ASSIGNMENT", false, "the replica assignment is not valid"},
    {"INVALID_CONFIG", false, "the configuration is not valid"},
    {"NOT_CONTROLLER", true, "this broker is not the controller"},
    {"INVALID_REQUEST", false, "the request is not valid"},
    {"UNSUPPORTED_FOR_MESSAGE_FORMAT", false, "the record format does not support the request"},
    {"POLICY_VIOLATION", false, "a policy forbids the request"},
    {"OUT_OF_ORDER_SEQUENCE_NUMBER", false, "the batch's sequence number does not follow the last one"},
    {"DUPLICATE_SEQUENCE_NUMBER", false, "the batch was written before"},
    {"INVALID_PRODUCER_EPOCH", false, "the producer's epoch is old"},
    {"INVALID_TXN_STATE", false, "the transaction is not in a state that allows this"},
    {"INVALID_PRODUCER_ID_MAPPING", false, "the producer id does not belong to the transactional id"},
    {"INVALID_TRANSACTION_TIMEOUT", false, "the transaction timeout is longer than the broker allows"},
    {"CONCURRENT_TRANSACTIONS", true, "the transaction is being completed; try again"},
    {"TRANSACTION_COORDINATOR_FENCED", false, "another transaction coordinator has taken over"},
    {"TRANSACTIONAL_ID_AUTHORIZATION_FAILED", false, "not authorised for the transactional id"},
    {"SECURITY_DISABLED", false, "security is disabled"},
    {"OPERATION_NOT_ATTEMPTED", false, "the operation was not attempted because another one failed"},
    {"KAFKA_STORAGE_ERROR", true, "the log could not be read or written"},
    {"LOG_DIR_NOT_FOUND", false, "there is no such log directory"},
    {"SASL_AUTHENTICATION_FAILED", false, "authentication failed"},
    {"UNKNOWN_PRODUCER_ID", false, "nothing is known of the producer id"},
    {"REASSIGNMENT_IN_PROGRESS", false, "a reassignment is in progress"},
    {"DELEGATION_TOKEN_AUTH_DISABLED", false, "delegation tokens are disabled"},
    {"DELEGATION_TOKEN_NOT_FOUND", false, "there is no such delegation token"},
    {"DELEGATION_TOKEN_OWNER_MISMATCH", false, "the principal does not own the delegation token"},
    {"DELEGATION_TOKEN_REQUEST_NOT_ALLOWED", false, "delegation tokens cannot be requested on this connection"},
    {"DELEGATION_TOKEN_AUTHORIZATION_FAILED", false, "not authorised for the delegation token"},
    {"DELEGATION_TOKEN_EXPIRED", false, "the delegation token has expired"},
    {"INVALID_PRINCIPAL_TYPE", false, "the type of principal is not supported"},
    {"NON_EMPTY_GROUP", false, "the group has members"},
    {"GROUP_ID_NOT_FOUND", false, "there is no such group"},
    {"FETCH_SESSION_ID_NOT_FOUND", true, "there is no such fetch session"},
    {"INVALID_FETCH_SESSION_EPOCH", true, "the epoch is not the fetch session's"},
    {"LISTENER_NOT_FOUND", true, "the leader has no such listener"},
    {"TOPIC_DELETION_DISABLED", false, "topics cannot be deleted"},
    {"FENCED_LEADER_EPOCH", true, "the leader epoch is older than the broker's"},
    {"UNKNOWN_LEADER_EPOCH", true, "the leader epoch is newer than the broker's"},
    {"UNSUPPORTED_COMPRESSION_TYPE", false, "the client does not support the codec"},
    {"STALE_BROKER_EPOCH", false, "the broker's epoch has changed"},
    {"OFFSET_NOT_AVAILABLE", true, "the offset is not known yet"},
    {"MEMBER_ID_REQUIRED", false, "join again with the member id given"},
    {"PREFERRED_LEADER_NOT_AVAILABLE", true, "the preferred leader is not available"},
    {"GROUP_MAX_SIZE_REACHED", false, "the group is full"},
    {"FENCED_INSTANCE_ID", false, "another member has taken over the group instance id"},
    {"ELIGIBLE_LEADERS_NOT_AVAILABLE", true, "no eligible leader is available"},
    {"ELECTION_NOT_NEEDED", true, "no election is needed"},
    {"NO_REASSIGNMENT_IN_PROGRESS", false, "no reassignment is in progress"},
    {"GROUP_SUBSCRIBED_TO_TOPIC", false, "the group is subscribed to the topic"},
    {"INVALID_RECORD", false, "a record is not valid"},
    {"UNSTABLE_OFFSET_COMMIT", true, "offsets of an open transaction are pending"},
    {"THROTTLING_QUOTA_EXCEEDED", true, "the quota is used up"},
    {"PRODUCER_FENCED", false, "a newer producer with the same transactional id has taken over"},
    {"RESOURCE_NOT_FOUND", false, "there is no such resource"},
    {"DUPLICATE_RESOURCE", false, "the resource is named twice"},
    {"UNACCEPTABLE_CREDENTIAL", false, "the credential is not acceptable"},
    {"INCONSISTENT_VOTER_SET", false, "the voters differ"},
    {"INVALID_UPDATE_VERSION", false, "the version of the update is not valid"},
    {"FEATURE_UPDATE_FAILED", false, "the features could not be updated"},
    {"PRINCIPAL_DESERIALIZATION_FAILURE", false, "the principal could not be read"},
    {"SNAPSHOT_NOT_FOUND", false, "there is no such snapshot"},
    {"POSITION_OUT_OF_RANGE", false, "the position is out of range"},
    {"UNKNOWN_TOPIC_ID", true, "there is no topic of that id"},
    {"DUPLICATE_BROKER_REGISTRATION", false, "the broker id is in use"},
    {"BROKER_ID_NOT_REGISTERED", false, "the broker id is not registered"},
    {"INCONSISTENT_TOPIC_ID", true, "the topic id is not the log's"},
    {"INCONSISTENT_CLUSTER_ID", false, "the cluster id is not this cluster's"},
    {"TRANSACTIONAL_ID_NOT_FOUND", false, "there is no such transactional id"},
    {"FETCH_SESSION_TOPIC_ID_ERROR", true, "the fetch session mixes topic names and ids"},
    {"INELIGIBLE_REPLICA", false, "a replica is not eligible"},
    {"NEW_LEADER_ELECTED", false, "the partition has a new leader"},
    {"OFFSET_MOVED_TO_TIERED_STORAGE", false, "the offset lies in tiered storage"},
    {"FENCED_MEMBER_EPOCH", false, "the member's epoch is fenced; join again"},
    {"UNRELEASED_INSTANCE_ID", false, "the group instance id is still in use"},
    {"UNSUPPORTED_ASSIGNOR", false, "the assignor is not supported"},
    {"STALE_MEMBER_EPOCH", false, "the member's epoch is old"},
    {"MISMATCHED_ENDPOINT_TYPE", false, "the endpoint is of another type"},
    {"UNSUPPORTED_ENDPOINT_TYPE", false, "the type of endpoint is not supported"},
    {"UNKNOWN_CONTROLLER_ID", false, "the controller id is not known"},
    {"UNKNOWN_SUBSCRIPTION_ID", false, "the subscription id is not known"},
    {"TELEMETRY_TOO_LARGE", false, "the telemetry is too large"},
    {"INVALID_REGISTRATION", false, "the broker's registration is not valid"},
    {"TRANSACTION_ABORTABLE", false, "the transaction must be aborted"},
    {"INVALID_RECORD_STATE", false, "the record's state is not valid"},
    {"SHARE_SESSION_NOT_FOUND", true, "there is no such share session"},
    {"INVALID_SHARE_SESSION_EPOCH", true, "the epoch is not the share session's"},
    {"FENCED_STATE_EPOCH", false, "the state's epoch is old"},
    {"INVALID_VOTER_KEY", false, "the voter's key differs"},
    {"DUPLICATE_VOTER", false, "the voter is in the set already"},
    {"VOTER_NOT_FOUND", false, "the voter is not in the set"},
    {"INVALID_REGULAR_EXPRESSION", false, "the regular expression is not valid"},
    {"REBOOTSTRAP_REQUIRED", false, "the client's metadata is useless; bootstrap again"},
    {"STREAMS_INVALID_TOPOLOGY", false, "the topology is not valid"},
    {"STREAMS_INVALID_TOPOLOGY_EPOCH", false, "the topology's epoch is not valid"},
    {"STREAMS_TOPOLOGY_FENCED", false, "the topology's epoch is old"},
    {"SHARE_SESSION_LIMIT_REACHED", true, "there are too many share sessions"},
};

const Row& row_of(ErrorCode code) {
  static constexpr Row kUnlisted{"UNKNOWN", false, "an error code this version does not know"};
  const int index = static_cast<int>(code) + 1;
  return index >= 0 && index < static_cast<int>(std::size(kRows)) ? kRows[index] : kUnlisted;
}

Code coarse_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::none: return Code::ok;
    case ErrorCode::unknown_topic_or_partition:
    case ErrorCode::group_id_not_found:
    case ErrorCode::unknown_topic_id:
    case ErrorCode::transactional_id_not_found: return Code::not_found;
    case ErrorCode::topic_already_exists: return Code::already_exists;
    case ErrorCode::offset_out_of_range: return Code::out_of_range;
    case ErrorCode::corrupt_message: return Code::data_loss;
    case ErrorCode::request_timed_out: return Code::timed_out;
    case ErrorCode::kafka_storage_error: return Code::io_error;
    case ErrorCode::unsupported_version:
    case ErrorCode::unsupported_for_message_format: return Code::unsupported;
    case ErrorCode::message_too_large:
    case ErrorCode::record_list_too_large:
    case ErrorCode::throttling_quota_exceeded: return Code::resource_exhausted;
    case ErrorCode::producer_fenced:
    case ErrorCode::invalid_producer_epoch:
    case ErrorCode::fenced_instance_id: return Code::fenced;
    case ErrorCode::rebalance_in_progress:
    case ErrorCode::transaction_abortable: return Code::aborted;
    case ErrorCode::topic_authorization_failed:
    case ErrorCode::group_authorization_failed:
    case ErrorCode::cluster_authorization_failed:
    case ErrorCode::transactional_id_authorization_failed:
    case ErrorCode::sasl_authentication_failed: return Code::permission_denied;
    case ErrorCode::illegal_generation:
    case ErrorCode::unknown_member_id:
    case ErrorCode::non_empty_group:
    case ErrorCode::invalid_txn_state:
    case ErrorCode::out_of_order_sequence_number: return Code::failed_precondition;
    case ErrorCode::unknown_server_error: return Code::internal;
    default: return is_retriable(code) ? Code::unavailable : Code::invalid_argument;
  }
}

}  // namespace

std::string_view name_of(ErrorCode code) { return row_of(code).name; }
std::string_view message_of(ErrorCode code) { return row_of(code).message; }
bool is_retriable(ErrorCode code) { return row_of(code).retriable; }

Status to_status(ErrorCode code, std::string_view what) {
  if (code == ErrorCode::none) return {};
  return Status(coarse_code(code), fmt::format("{}: {}: {}", what, name_of(code), message_of(code)), kafka(code));
}

ErrorCode error_code_of(const Status& status) {
  if (status.ok()) return ErrorCode::none;
  if (const ErrorCode code = kafka_code_of(status); code != ErrorCode::none) return code;
  switch (status.code()) {
    case Code::invalid_argument: return ErrorCode::invalid_request;
    case Code::not_found: return ErrorCode::unknown_topic_or_partition;
    case Code::already_exists: return ErrorCode::topic_already_exists;
    case Code::out_of_range: return ErrorCode::offset_out_of_range;
    case Code::permission_denied: return ErrorCode::cluster_authorization_failed;
    case Code::timed_out: return ErrorCode::request_timed_out;
    case Code::unavailable: return ErrorCode::coordinator_not_available;
    case Code::fenced: return ErrorCode::producer_fenced;
    case Code::data_loss: return ErrorCode::corrupt_message;
    case Code::io_error: return ErrorCode::kafka_storage_error;
    case Code::unsupported: return ErrorCode::unsupported_version;
    default: return ErrorCode::unknown_server_error;
  }
}

}  // namespace muir::wire
