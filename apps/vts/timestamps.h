// Times of fixes as devices write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace muir::vts {

// Epoch milliseconds of an ISO 8601 date and time with a zone: "2026-01-01T12:00:00Z", "2026-01-01T12:00:00.25+01:00",
// "2026-01-01 12:00:00Z"; or of a text of digits, which are epoch milliseconds. Nothing for anything else, for dates
// that do not exist, and for local times without a zone.
std::optional<int64_t> parse_timestamp(std::string_view text);

// "2026-01-01T12:00:00.000Z"
std::string format_timestamp(int64_t epoch_ms);

}  // namespace muir::vts
