// Times of fixes as devices write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace muir::vts {

// Epoch milliseconds of an ISO 8601 date and time of day with a zone, in the extended or the basic form, to the second,
// the minute or the hour, whichever the last with a fraction: "2026-01-01T12:00:00Z", "2026-01-01T12:00:00.25+01:00",
// "2026-01-01 12:00+01", "20260101T1200Z"; or of a number as epoch_ms() takes it. Nothing for anything else, for dates
// that do not exist, and for local times without a zone.
std::optional<int64_t> parse_timestamp(std::string_view text);

// Epoch milliseconds of a number whose unit its size tells: below 1e11 seconds (to the year 5138), below 1e14
// milliseconds (from 1973), below 1e17 microseconds, else nanoseconds. Nothing for negative numbers, and for those
// beyond 64 bits.
std::optional<int64_t> epoch_ms(int64_t number);
std::optional<int64_t> epoch_ms(double number);

// What is wrong with a text that parse_timestamp() does not take, and what would be right. Empty: there was no time.
std::string why_no_time(std::string_view text);

// "2026-01-01T12:00:00.000Z"; beyond the years 0 to 9999 the number.
std::string format_timestamp(int64_t epoch_ms);

}  // namespace muir::vts
