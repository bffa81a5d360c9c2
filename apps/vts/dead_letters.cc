#include "apps/vts/dead_letters.h"

#include <algorithm>

#include "apps/vts/ids.h"
#include "base/log.h"

namespace muir::vts {
namespace {

constexpr size_t kHeaderBytesMax = 8192;

}  // namespace

std::string_view start_of(std::string_view text, size_t bytes_max) {
  size_t size = std::min(text.size(), bytes_max);
  while (size > 0 && size < text.size() && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
  return text.substr(0, size);
}

bool is_of_record(const Status& status) {
  switch (status.code()) {
    case Code::unavailable:
    case Code::timed_out:
    case Code::aborted:
    case Code::fenced:
    case Code::data_loss:  // an answer of the registry that is none
    case Code::io_error:
    case Code::permission_denied:  // the registry's
    case Code::resource_exhausted: return false;
    default: return true;
  }
}

DeadLetter dead_letter(const std::optional<streams::RecordMetadata>& from, int64_t now_ms, const Rejection& why,
                       OptBytesView value) {
  DeadLetter letter{.rule = std::string(why.rule), .message = std::string(start_of(why.message, kLetterTextMax))};
  if (from) {
    letter.topic = from->topic;
    letter.partition = from->partition.value();
    letter.offset = from->offset.value();
  }
  letter.received_at = now_ms;
  if (value) letter.payload = hex(value->substr(0, kPayloadBytesMax));
  return letter;
}

streams::Headers headers_for_results(streams::Headers headers) {
  size_t bytes = 0;
  for (const streams::Header& header : headers) bytes += header.name.size() + (header.value ? header.value->size() : 0);
  return bytes <= kHeaderBytesMax ? headers : streams::Headers{};
}

streams::FailureHandler to_dead_letters(SerdeRef<DeadLetter> letters, const Clock& clock) {
  return [letters = std::move(letters), &clock](const streams::FailedRecord& failed,
                                                streams::RecordSink& sink) -> Status {
    const bool refused = failed.kind == streams::FailureKind::production;  // by a topic, which says so by its own codes
    if (refused && streams::may_pass(failed)) return streams::retry(failed);
    if (!refused && !is_of_record(failed.cause)) return failed.cause;
    // A timer's failure has no record to blame; a dead letter that is refused would only bring another.
    if (failed.offset == kNoOffset || failed.target == kDlqTopic) return failed.cause;
    const std::string what = failed.target.empty() ? failed.node : failed.target;
    const std::string message = fmt::format("{}: {}", what, failed.cause.message());
    log::error("{} partition={} offset={} goes to the dead letters: {}", failed.topic, failed.partition, failed.offset,
               message);
    DeadLetter letter = dead_letter(streams::RecordMetadata{failed.topic, failed.partition, failed.offset},
                                    clock.now_ms(), {kNotProcessed, message}, failed.raw_value);
    const bool named = failed.raw_key && check_id("", *failed.raw_key).ok();
    if (named) letter.vehicle_id = *failed.raw_key;
    Bytes value;
    MUIR_RETURN_IF_ERROR(letters.serialize(kDlqTopic, letter, value));
    const OptBytesView key = named ? failed.raw_key : std::nullopt;
    return sink.send(kDlqTopic, std::nullopt, key, BytesView(value), letter.received_at, {});
  };
}

}  // namespace muir::vts
