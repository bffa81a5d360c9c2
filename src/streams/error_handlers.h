// What happens to a record that cannot be read, processed or written: Kafka Streams' built-in handlers, and its dead
// letter queue (KIP-1034).
#pragma once

#include <string>

#include "streams/plan/subtopology.h"

namespace muir::streams {

using internal::FailedRecord;
using internal::FailureHandler;
using internal::FailureKind;
using internal::RecordSink;

enum class OnFailure : unsigned char {
  fail,     // LogAndFail: the task ends
  proceed,  // LogAndContinue: the rest of this record's way is skipped
};
// A production failure that may pass (a broker did not answer in time) is neither: the tasks begin anew from their last
// commit until task.timeout.ms, as with Kafka's default handler.
bool may_pass(const FailedRecord& failed);

// What a handler of one's own answers (Kafka's ProductionExceptionHandler and its like): OK is CONTINUE, `failed.cause`
// or any other error is FAIL, retry(failed) is RETRY. RETRY of what cannot pass is FAIL. As in Kafka Streams nobody is
// asked about failures that concern more than the record: missing authorization, a name that no topic can have,
// fencing. Nor, within a transaction, about one that may pass: the transaction is lost in any case, and its records
// come again.
Status retry(const FailedRecord& failed);

// Kafka's defaults: everything fails, and there is no dead letter topic.
struct ErrorHandling {
  OnFailure deserialization = OnFailure::fail;
  OnFailure processing = OnFailure::fail;
  OnFailure production = OnFailure::fail;
  // errors.dead.letter.queue.topic.name: gets the source record's raw key and value, its headers, and
  // __streams.errors.{exception,message,stacktrace,topic,partition,offset}; also when the task then ends. Empty: none.
  std::string dead_letter_topic{};
};

// Thread-safe; failures without a source record (of timers) have no dead letter.
FailureHandler make_failure_handler(ErrorHandling handling);

inline FailureHandler log_and_fail() { return make_failure_handler({}); }
inline FailureHandler log_and_continue() {
  return make_failure_handler({OnFailure::proceed, OnFailure::proceed, OnFailure::proceed});
}
// Continues, and keeps what failed in `topic`.
inline FailureHandler dead_letters_to(std::string topic) {
  return make_failure_handler({OnFailure::proceed, OnFailure::proceed, OnFailure::proceed, std::move(topic)});
}

}  // namespace muir::streams
