#include "streams/error_handlers.h"

#include <vector>

#include "base/log.h"

namespace muir::streams {
namespace {

std::string_view name_of(FailureKind kind) {
  switch (kind) {
    case FailureKind::deserialization: return "deserialization";
    case FailureKind::processing: return "processing";
    case FailureKind::production: return "production";
  }
  return "unknown";
}

std::string where(const FailedRecord& failed) {
  std::string out = fmt::format("task {}", to_string(failed.task));
  if (!failed.node.empty()) out += " node=" + failed.node;
  if (!failed.target.empty()) out += " to topic=" + failed.target;
  if (failed.offset == kNoOffset) return out;  // of a timer
  return out + fmt::format(" topic={} partition={} offset={}", failed.topic, failed.partition, failed.offset);
}

Status send_dead_letter(const std::string& topic, const FailedRecord& failed, RecordSink& sink) {
  // Where Java writes the class of the exception and its stack trace, the kind of failure and its place stand.
  const std::string kind = fmt::format("{}: {}", name_of(failed.kind), to_string(failed.cause.code()));
  const std::string trace = fmt::format("{}\n\tat {}", failed.cause.to_string(), where(failed));
  const std::string partition = fmt::format("{}", failed.partition);
  const std::string offset = fmt::format("{}", failed.offset);
  std::vector<client::Header> headers(failed.headers.begin(), failed.headers.end());
  headers.push_back({"__streams.errors.exception", BytesView(kind)});
  headers.push_back({"__streams.errors.message", BytesView(failed.cause.message())});
  headers.push_back({"__streams.errors.stacktrace", BytesView(trace)});
  headers.push_back({"__streams.errors.topic", BytesView(failed.topic)});
  headers.push_back({"__streams.errors.partition", BytesView(partition)});
  headers.push_back({"__streams.errors.offset", BytesView(offset)});
  return sink.send(topic, std::nullopt, failed.raw_key, failed.raw_value, failed.timestamp_ms, headers);
}

}  // namespace

bool may_pass(const FailedRecord& failed) {
  return failed.cause.code() == Code::timed_out || failed.cause.code() == Code::unavailable;
}

Status retry(const FailedRecord& failed) { return failed.cause.with(Code::unavailable); }

FailureHandler make_failure_handler(ErrorHandling handling) {
  return [handling = std::move(handling)](const FailedRecord& failed, RecordSink& sink) -> Status {
    if (failed.kind == FailureKind::production && may_pass(failed)) return retry(failed);
    if (!handling.dead_letter_topic.empty() && failed.offset != kNoOffset) {
      MUIR_RETURN_IF_ERROR(send_dead_letter(handling.dead_letter_topic, failed, sink));
    }
    const OnFailure decision = failed.kind == FailureKind::deserialization ? handling.deserialization
                               : failed.kind == FailureKind::processing    ? handling.processing
                                                                           : handling.production;
    const std::string place = where(failed);
    if (decision == OnFailure::proceed) {
      log::warn("{} failed, record skipped: {}: {}", name_of(failed.kind), place, failed.cause.message());
      return {};
    }
    return failed.cause.annotate(fmt::format("{} {}", name_of(failed.kind), place));
  };
}

}  // namespace muir::streams
