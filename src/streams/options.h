// The options of the DSL's operators, under Kafka Streams' names. Aggregates for designated initializers:
//   stream<K, V>("positions", {.reset = Reset::earliest}), .count({.store = "counts"})
// Every member has a default. They stand in one order: the operator's name, its stores, serdes of key and value, the
// rest. A serde left empty is the one that came down with the stream, else that of the type.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "serde/erased_serde.h"
#include "store/store_supplier.h"
#include "streams/record.h"

namespace muir::streams {

using store::StoreKind;

// An operator's name; default: Kafka's, such as KSTREAM-FILTER-0000000003.
struct Named {
  std::string name{};
};

enum class Reset : unsigned char { earliest, latest };

// What happens to a record whose timestamp is negative.
enum class InvalidTimestamp : unsigned char {
  fail,                // the task ends
  skip,                // the record is dropped and counted
  use_partition_time,  // the greatest timestamp seen in the partition stands in
};

// The timestamp of a record in milliseconds; `partition_time_ms` is the greatest one seen in its partition, or -1.
template <class K, class V>
using TimestampExtractor = std::function<int64_t(const Record<K, V>& record, int64_t partition_time_ms)>;

// The partition of `topic` that a record goes to, from 0 to below `partitions`; nothing: by its key, as without one.
template <class K, class V>
using StreamPartitioner =
    std::function<std::optional<int32_t>(const std::string& topic, const Record<K, V>& record, int32_t partitions)>;

template <class K, class V>
struct Consumed {
  std::string name{};
  SerdeRef<K> key{};
  SerdeRef<V> value{};
  TimestampExtractor<K, V> timestamp{};  // default: the record's
  std::optional<Reset> reset{};          // default: the configuration's auto.offset.reset
  InvalidTimestamp invalid_timestamp = InvalidTimestamp::fail;
};

template <class K, class V>
struct Produced {
  std::string name{};
  SerdeRef<K> key{};
  SerdeRef<V> value{};
  StreamPartitioner<K, V> partitioner{};
};

template <class K, class V>
struct Grouped {
  std::string name{};  // of the repartition topic, should there be one
  SerdeRef<K> key{};
  SerdeRef<V> value{};
};

template <class K, class V>
struct Joined {
  std::string name{};
  SerdeRef<K> key{};  // of the stream's records, should they be repartitioned or wait
  SerdeRef<V> value{};
  // How long a record waits for rows of its own time or before, in stream time; the table has to be versioned.
  std::optional<std::chrono::milliseconds> grace{};
};

// Of a join of two streams.
template <class K, class V, class Other>
struct StreamJoined {
  std::string name{};
  std::string store{};  // what the names of its stores begin with; default: generated names
  SerdeRef<K> key{};
  SerdeRef<V> value{};
  SerdeRef<Other> other_value{};
  std::optional<StoreKind> kind{};                     // default: the configuration's dsl.store.suppliers.class
  bool logging = true;                                 // false: no changelogs, and nothing to restore from
  std::map<std::string, std::string> topic_configs{};  // of the changelogs, besides Kafka's defaults
};

template <class K, class V>
struct Repartitioned {
  std::string name{};
  SerdeRef<K> key{};
  SerdeRef<V> value{};
  std::optional<int32_t> partitions{};  // default: as many as the topics it comes from
  StreamPartitioner<K, V> partitioner{};
};

struct Branched {
  std::string name{};  // default: the branch's position, from 1
};

// Where records are printed, one a line: "[label]: key, value".
struct Printed {
  std::string name{};
  std::string label{};  // default: the name of the operator that they come from
  std::string file{};   // made anew; default: standard output
};

// The store behind a table.
template <class K, class V>
struct Materialized {
  std::string name{};   // of the operator
  std::string store{};  // default: a generated name
  SerdeRef<K> key{};
  SerdeRef<V> value{};
  std::optional<StoreKind> kind{};                       // default: the configuration's dsl.store.suppliers.class
  bool logging = true;                                   // false: no changelog, and nothing to restore from
  bool caching = true;                                   // updates of a key between two commits become one
  std::optional<std::chrono::milliseconds> retention{};  // of window stores; default: window size and grace
  std::map<std::string, std::string> topic_configs{};    // of the changelog, besides Kafka's defaults
  // Makes the store, and names it: a kind of the program's own. Shared with every task.
  std::shared_ptr<const store::StoreSupplier> supplier{};
};

// What happens when the buffer of a suppression is full.
enum class WhenFull : unsigned char {
  shut_down,   // the task ends
  emit_early,  // the oldest changes are told before their time
};

// The buffer in which a suppression holds changes back, in memory; unbounded unless a limit is named.
struct BufferConfig {
  std::optional<int64_t> max_records{};
  std::optional<int64_t> max_bytes{};
  std::optional<WhenFull> when_full{};                 // default: emit_early with a time limit, shut_down without
  bool logging = true;                                 // false: no changelog, and what is held is lost with the task
  std::map<std::string, std::string> topic_configs{};  // of the changelog, besides Kafka's defaults
};

// How long the changes of a table are held back.
struct Suppressed {
  std::string name{};
  std::optional<std::chrono::milliseconds> time_limit{};  // absent: until the windows close
  BufferConfig buffer{};

  // Until a window and its grace are over: its last value is told, once.
  static Suppressed until_window_closes(BufferConfig buffer = {}) { return {.buffer = std::move(buffer)}; }
  // For that long after the first change of a key that is held back; later ones take its place.
  static Suppressed until_time_limit(std::chrono::milliseconds limit, BufferConfig buffer = {}) {
    return {.time_limit = limit, .buffer = std::move(buffer)};
  }
};

// A processor's name, and which stores it may use.
struct ProcessOptions {
  std::string name{};
  std::vector<std::string> stores{};
};

}  // namespace muir::streams
