// Record<K, V>: a record on its way through a topology, as processors and extractors see it.
#pragma once

#include <cstdint>
#include <ranges>
#include <span>
#include <string_view>
#include <type_traits>

#include "base/kafka_ids.h"
#include "client/records.h"

namespace muir::streams {

using Header = client::Header;
using Headers = std::span<const client::Header>;

// Everything is borrowed for the duration of the call. A null key or value is a null pointer.
template <class K, class V>
struct Record {
  const K* key = nullptr;
  const V* value = nullptr;
  int64_t timestamp_ms = 0;
  Headers headers{};

  // These borrow what they are given, too: it has to be a variable that lives until the record is done with.
  template <class V2>
  [[nodiscard]] Record<K, V2> with_value(const V2& other) const {
    return {key, &other, timestamp_ms, headers};
  }
  template <class V2>
  Record<K, V2> with_value(const V2&& temporary) const = delete;
  template <class K2>
  [[nodiscard]] Record<K2, V> with_key(const K2& other) const {
    return {&other, value, timestamp_ms, headers};
  }
  template <class K2>
  Record<K2, V> with_key(const K2&& temporary) const = delete;
  [[nodiscard]] Record with_timestamp(int64_t other_ms) const { return {key, value, other_ms, headers}; }
  [[nodiscard]] Record with_headers(Headers other) const { return {key, value, timestamp_ms, other}; }
  template <class R>
  requires(!std::is_lvalue_reference_v<R> && !std::ranges::borrowed_range<R>) Record with_headers(R&& temporary)
  const = delete;
};

// Where the record that is being processed was read from.
struct RecordMetadata {
  std::string_view topic;
  PartitionId partition = kNoPartition;
  Offset offset = kNoOffset;
};

}  // namespace muir::streams
