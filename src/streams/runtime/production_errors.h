// What a failure of the producer means for the tasks whose records it had: Kafka's error codes, sorted as Kafka
// Streams' RecordCollector sorts their exceptions. The only place that decides it. Functions only; thread-safe.
#pragma once

#include <string_view>

#include "base/status.h"

namespace muir::streams::internal {

enum class ProductionError : unsigned char {
  record,     // this record is refused: the production exception handler is asked
  retriable,  // may pass: outside of a transaction the handler is asked; the tasks begin anew until task.timeout.ms
  aborted,    // given up with its transaction, for another one's sake: the tasks begin anew
  fenced,     // somebody may have taken over: the tasks are given up, the group is joined again
  fatal,      // no record can be written so: the thread ends at once, and nobody is asked
};
std::string_view to_string(ProductionError error);

// Of a failure with this code and, where there is one, Kafka's error code (else 0 or less). What a producer cannot go
// on from within a transaction may be a record's fault outside of one.
ProductionError classify(Code code, int kafka_error, bool in_transaction);
inline ProductionError classify(const Status& failure, bool in_transaction) {
  return classify(failure.code(), failure.number(Domain::kafka), in_transaction);
}

}  // namespace muir::streams::internal
