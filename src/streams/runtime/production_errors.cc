#include "streams/runtime/production_errors.h"

#include <algorithm>
#include <iterator>

#include "wire/error_code.h"

namespace muir::streams::internal {
namespace {

using wire::ErrorCode;

struct Row {
  ErrorCode error;
  ProductionError meaning;
  ProductionError in_transaction;
};

constexpr Row row(ErrorCode error, ProductionError meaning) { return {error, meaning, meaning}; }

// What is not listed is retriable where Kafka says so of the code (also of UNKNOWN_TOPIC_OR_PARTITION: a topic that is
// not there is no record's fault, and may come), else the record's fault.
constexpr Row kRows[] = {
    // AuthorizationException, AuthenticationException, SecurityDisabledException
    row(ErrorCode::topic_authorization_failed, ProductionError::fatal),
    row(ErrorCode::group_authorization_failed, ProductionError::fatal),
    row(ErrorCode::cluster_authorization_failed, ProductionError::fatal),
    row(ErrorCode::transactional_id_authorization_failed, ProductionError::fatal),
    row(ErrorCode::delegation_token_authorization_failed, ProductionError::fatal),
    row(ErrorCode::sasl_authentication_failed, ProductionError::fatal),
    row(ErrorCode::unsupported_sasl_mechanism, ProductionError::fatal),
    row(ErrorCode::illegal_sasl_state, ProductionError::fatal),
    row(ErrorCode::security_disabled, ProductionError::fatal),
    // InvalidTopicException, UnknownServerException, OffsetMetadataTooLarge
    row(ErrorCode::invalid_topic_exception, ProductionError::fatal),
    row(ErrorCode::unknown_server_error, ProductionError::fatal),
    row(ErrorCode::offset_metadata_too_large, ProductionError::fatal),
    // The Java producer goes on after these, but a transaction of its cannot be ended any more.
    {ErrorCode::unsupported_version, ProductionError::record, ProductionError::fatal},
    {ErrorCode::unsupported_for_message_format, ProductionError::record, ProductionError::fatal},
    // ProducerFencedException, InvalidProducerEpochException, InvalidPidMappingException, OutOfOrderSequenceException
    row(ErrorCode::producer_fenced, ProductionError::fenced),
    row(ErrorCode::invalid_producer_epoch, ProductionError::fenced),
    row(ErrorCode::invalid_producer_id_mapping, ProductionError::fenced),
    row(ErrorCode::out_of_order_sequence_number, ProductionError::fenced),
    row(ErrorCode::unknown_producer_id, ProductionError::fenced),
    row(ErrorCode::fenced_instance_id, ProductionError::fenced),
    row(ErrorCode::transaction_coordinator_fenced, ProductionError::fenced),
    // The coordinator knows another state of the transaction than we do: a new producer settles it.
    row(ErrorCode::invalid_txn_state, ProductionError::fenced),
    // The membership of the group learns by itself what became of it; the transaction is void.
    row(ErrorCode::illegal_generation, ProductionError::aborted),
    row(ErrorCode::unknown_member_id, ProductionError::aborted),
    row(ErrorCode::rebalance_in_progress, ProductionError::aborted),
    row(ErrorCode::operation_not_attempted, ProductionError::aborted),
    row(ErrorCode::transaction_abortable, ProductionError::aborted),
};

ProductionError meaning_of(ErrorCode error, bool in_transaction) {
  const auto* found = std::find_if(std::begin(kRows), std::end(kRows), [&](const Row& r) { return r.error == error; });
  if (found != std::end(kRows)) return in_transaction ? found->in_transaction : found->meaning;
  return wire::is_retriable(error) ? ProductionError::retriable : ProductionError::record;
}

// Without a code of Kafka's: what the client itself says.
ProductionError meaning_of(Code code) {
  switch (code) {
    case Code::aborted: return ProductionError::aborted;
    case Code::timed_out:
    case Code::unavailable: return ProductionError::retriable;
    // A producer in a state that it should not be in: as good as fenced.
    case Code::fenced:
    case Code::failed_precondition:
    case Code::internal: return ProductionError::fenced;
    case Code::unsupported:
    case Code::io_error:
    case Code::data_loss: return ProductionError::fatal;
    default: return ProductionError::record;
  }
}

}  // namespace

std::string_view to_string(ProductionError error) {
  switch (error) {
    case ProductionError::record: return "record";
    case ProductionError::retriable: return "retriable";
    case ProductionError::aborted: return "aborted";
    case ProductionError::fenced: return "fenced";
    case ProductionError::fatal: return "fatal";
  }
  return "?";
}

ProductionError classify(Code code, int kafka_error, bool in_transaction) {
  const bool known = kafka_error > 0 || kafka_error == static_cast<int>(ErrorCode::unknown_server_error);
  if (!known) return meaning_of(code);
  const ProductionError meaning = meaning_of(static_cast<ErrorCode>(kafka_error), in_transaction);
  // The client says that the transaction may be aborted and tried again: believed, unless trying again is in vain.
  return code == Code::aborted && meaning != ProductionError::fatal ? ProductionError::aborted : meaning;
}

}  // namespace muir::streams::internal
