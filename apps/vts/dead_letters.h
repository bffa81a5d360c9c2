// Dead letters: records of the input topics that nothing can be made of, whoever wrote them, with the reason and their
// place.
#pragma once

#include <optional>
#include <string_view>

#include "apps/vts/records.h"
#include "apps/vts/rules.h"
#include "base/bytes.h"
#include "base/status.h"
#include "serde/serde.h"
#include "streams/error_handlers.h"
#include "streams/processor.h"

namespace muir::vts {

// So much of a record is kept, as hexadecimal digits.
inline constexpr size_t kPayloadBytesMax = 4096;
// So much of a text from outside.
inline constexpr size_t kLetterTextMax = 512;

// The start of a text, without half a character at its end.
std::string_view start_of(std::string_view text, size_t bytes_max);

// Whether what failed is the record's fault. Otherwise it is the machine's, the registry's or the cluster's, which do
// not answer now: the record must be tried again.
bool is_of_record(const Status& status);

// What lies at `from` is `value`, or nothing.
DeadLetter dead_letter(const std::optional<streams::RecordMetadata>& from, int64_t now_ms, const Rejection& why,
                       OptBytesView value);

// Headers for what follows from a record: its own, or none when there is more of them than a record of ours has room
// for.
streams::Headers headers_for_results(streams::Headers headers);

// For StreamsEnvironment::on_failure, of what the processors do not see: a result that no topic takes, state that
// cannot be read. The record becomes a dead letter of rule `not_processed`, and processing goes on. `letters` is
// configured.
streams::FailureHandler to_dead_letters(SerdeRef<DeadLetter> letters, const Clock& clock);

}  // namespace muir::vts
