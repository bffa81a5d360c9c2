// Bytes: owned and borrowed sequences of bytes.
//
// They are std::string and std::string_view because every library at our borders (RocksDB, librdkafka,
// Asio, fmt, simdjson) speaks char; a type of our own would be converted at each of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace muir {

using Bytes = std::string;
using BytesView = std::string_view;
// A key or value that may be null, as Kafka's may (a null value is a tombstone).
using OptBytes = std::optional<Bytes>;
using OptBytesView = std::optional<BytesView>;

inline OptBytes to_owned(OptBytesView view) { return view ? OptBytes(std::in_place, *view) : std::nullopt; }
inline OptBytesView to_view(const OptBytes& bytes) { return bytes ? OptBytesView(*bytes) : std::nullopt; }

// "0a ff 01": for messages and tests.
std::string hex(BytesView bytes);

}  // namespace muir
