// The operators of a topology as a program means them: a closed set, without templates. The DSL's calls make them from
// C++ types, other front ends from types known at run time; TopologyBuilder takes them.
//
// Their functions work on rows of erased objects. Every task has its own copy of a function.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "serde/erased_serde.h"
#include "store/store_supplier.h"
#include "streams/object_type.h"
#include "streams/options.h"
#include "streams/row.h"
#include "streams/windows.h"

namespace muir::streams {

namespace internal {
class ErasedProcessor;
}

using OperatorId = size_t;
inline constexpr OperatorId kNoOperator = SIZE_MAX;
using SharedSerde = std::shared_ptr<ErasedSerde>;  // shared with the options it came from

struct TypePair {
  const ObjectType* key = nullptr;
  const ObjectType* value = nullptr;
};
struct SerdePair {
  SharedSerde key{};
  SharedSerde value{};
};

// ---- functions
using Apply = std::function<Status(const Row& row, Downstream& down)>;
using Predicate = std::function<bool(const Row& row)>;
using ExtractTimestamp = std::function<int64_t(const Row& row, int64_t partition_time_ms)>;
using ExtractTopic = std::function<std::string(const Row& row)>;
// The partition that a record for a sink goes to; nothing: by its key.
using ChoosePartition =
    std::function<std::optional<int32_t>(const std::string& topic, const Row& row, int32_t partitions)>;
// Sets `out`, an object of the new type, from a row with a value.
using MapValue = std::function<void(const Row& row, void* out)>;
// Sets `aggregate` to what it becomes by the row; `present`: it held an aggregate before. False: the function does not
// take this row, because it has no value.
using AggregateRow = std::function<bool(const Row& row, bool present, void* aggregate)>;
using Initialize = std::function<void(void* aggregate)>;
// Makes one aggregate of two of a key: `aggregate` becomes what both come to.
using MergeAggregates = std::function<void(const void* key, void* aggregate, const void* other)>;
// Forwards what a row becomes together with the table's value, which is null when the table has none.
using JoinApply = std::function<Status(const Row& row, const void* table_value, Downstream& down)>;
// Sets `out` to what two values of one key become; where a side has none, it is null. False: the function does not take
// them, because the key is null.
using JoinValues = std::function<bool(const void* key, const void* left, const void* right, void* out)>;
// The table's key for a row, valid until the next call; null: none.
using SelectKey = std::function<const void*(const Row& row)>;

// What an operator may stand behind, and what it yields itself.
enum class Shape : unsigned char { nothing, stream, table, global_table, stream_group, table_group, split };

// The store behind a table; empty name: a generated one, and only if something looks the table up.
struct StoreSettings {
  std::string name{};
  std::shared_ptr<const store::StoreSupplier> supplier{};  // shared with the options; null: one of the library's
  std::optional<StoreKind> kind{};                         // of the library's; absent: the application's default
  bool logging = true;
  bool caching = true;
  std::optional<std::chrono::milliseconds> retention{};  // of windows; default: their size and grace
  std::map<std::string, std::string> topic_configs{};
};

namespace logical {

// ---- sources
struct Source {
  static constexpr Shape kTakes = Shape::nothing, kYields = Shape::stream;
  std::vector<std::string> topics{};
  ExtractTimestamp timestamp{};
  std::optional<Reset> reset{};
  InvalidTimestamp invalid_timestamp = InvalidTimestamp::fail;
};
// The operator's serdes are those of the store; `read` those of the topic.
struct TableSource {
  static constexpr Shape kTakes = Shape::nothing, kYields = Shape::table;
  Source source{};  // of one topic
  SerdePair read{};
  StoreSettings store{};
};
struct GlobalTable {
  static constexpr Shape kTakes = Shape::nothing, kYields = Shape::global_table;
  Source source{};  // of one topic
  StoreSettings store{};
};

// ---- streams
// What is done to each row by itself. The kind gives the name and says nothing else; see Operator::keeps.
struct Stateless {
  static constexpr Shape kTakes = Shape::stream, kYields = Shape::stream;
  enum Kind : unsigned char { filter, map, map_values, flat_map, flat_map_values, select_key, peek, for_each, print };
  Kind kind = filter;
  Apply apply{};
};
// Rows go to the first of the branches behind it whose predicate holds.
struct Split {
  static constexpr Shape kTakes = Shape::stream, kYields = Shape::split;
};
struct Branch {
  static constexpr Shape kTakes = Shape::split, kYields = Shape::stream;
  Predicate holds{};  // empty: what no branch before it took
};
// Of two streams of the same types.
struct Merge {
  static constexpr Shape kTakes = Shape::stream, kYields = Shape::stream;
};
struct Repartition {
  static constexpr Shape kTakes = Shape::stream, kYields = Shape::stream;
  std::optional<int32_t> partitions{};
  ChoosePartition partition{};
};
struct Sink {
  static constexpr Shape kTakes = Shape::stream, kYields = Shape::nothing;
  std::string topic{};
  ExtractTopic extract_topic{};  // when set, instead of `topic`
  ChoosePartition partition{};
};
struct Process {
  static constexpr Shape kTakes = Shape::stream, kYields = Shape::stream;
  std::function<std::unique_ptr<internal::ErasedProcessor>()> make{};
  std::vector<std::string> stores{};
  bool fixed_key = false;  // names it; see Operator::keeps
};
struct ToTable {
  static constexpr Shape kTakes = Shape::stream, kYields = Shape::table;
  StoreSettings store{};
};

// ---- tables
struct TableFilter {
  static constexpr Shape kTakes = Shape::table, kYields = Shape::table;
  Predicate keep{};
  StoreSettings store{};  // without a name the rows are made anew whenever they are looked up
};
struct TableMapValues {
  static constexpr Shape kTakes = Shape::table, kYields = Shape::table;
  MapValue map{};
  StoreSettings store{};  // as that of a filter
};
// Holds changes back, in a buffer of its own, until a time has passed, or until their windows are closed.
struct Suppress {
  static constexpr Shape kTakes = Shape::table, kYields = Shape::table;
  std::optional<std::chrono::milliseconds> time_limit{};  // absent: until the windows close
  const WindowedOps* windowed = nullptr;                  // of the key, in that case
  std::optional<int64_t> records_max{};
  std::optional<int64_t> bytes_max{};
  bool emits_early = false;  // when the buffer is full; otherwise the task ends
  StoreSettings store{};     // logging and topic_configs
};
struct ToStream {
  static constexpr Shape kTakes = Shape::table, kYields = Shape::stream;
};

// ---- groups and aggregations. A group's name is that of its repartition topic, should there be one.
struct Group {
  static constexpr Shape kTakes = Shape::stream, kYields = Shape::stream_group;
};
// Rows of a table anew: `apply` forwards what was, as an old value, and what is, each under its group's key.
struct TableGroup {
  static constexpr Shape kTakes = Shape::table, kYields = Shape::table_group;
  Apply apply{};
};
enum class AggregateKind : unsigned char { aggregate, reduce };
// By key, or by key and window. The operator yields the group's key, or its windowed form, and the aggregate.
struct Aggregate {
  static constexpr Shape kTakes = Shape::stream_group, kYields = Shape::table;
  AggregateKind kind = AggregateKind::aggregate;
  AggregateRow apply{};
  // What a new aggregate starts from, which is also its old value; empty: a new one has none (reduce).
  Initialize initial{};
  bool keeps_null = false;    // in windows: a first row without value is an aggregate without value
  bool spends_index = false;  // Kafka's count() with options numbers a store's name twice
  StoreSettings store{};
  std::shared_ptr<const Windows> windows{};  // shared by the tasks; null: by key alone
  std::optional<SessionWindows> sessions{};  // in place of windows
  std::optional<SlidingWindows> sliding{};   // in place of windows
  MergeAggregates merge{};                   // of sessions that become one
  WindowedType windowed{};                   // of the group's key, with windows of any kind

  [[nodiscard]] bool by_window() const { return windows != nullptr || sessions || sliding; }
};
// Of several groups into one table, each with a function of its own; the operator's takes are not asked for.
struct Cogroup {
  static constexpr Shape kTakes = Shape::stream_group, kYields = Shape::table;
  std::vector<AggregateRow> apply{};
  std::vector<TypePair> takes{};  // what each is written for
  Aggregate as{};                 // but for its function
};
struct TableAggregate {
  static constexpr Shape kTakes = Shape::table_group, kYields = Shape::table;
  AggregateKind kind = AggregateKind::aggregate;
  AggregateRow add{};
  AggregateRow subtract{};
  StoreSettings store{};
};

// ---- joins, of a stream with a table: inputs are the stream and the table
struct TableJoin {
  static constexpr Shape kTakes = Shape::stream, kYields = Shape::stream;
  bool left = false;
  JoinApply apply{};
  TypePair table{};                                  // what `apply` takes the table's rows for
  std::optional<std::chrono::milliseconds> grace{};  // that records wait for a versioned table
};
struct GlobalJoin {
  static constexpr Shape kTakes = Shape::stream, kYields = Shape::stream;
  bool left = false;
  SelectKey select_key{};
  JoinApply apply{};
  TypePair table{};
};

// For which keys there is a result: those that both sides have, that the left one has, or that any has.
enum class JoinKind : unsigned char { inner, left, outer };

// Of two streams, by their keys, and times that are as near as the windows say.
struct StreamJoin {
  static constexpr Shape kTakes = Shape::stream, kYields = Shape::stream;
  JoinKind kind = JoinKind::inner;
  JoinWindows windows{};
  JoinValues join{};
  TypePair right{};           // what `join` takes the right stream's rows for
  SharedSerde right_value{};  // should its rows be repartitioned, and for the store
  StoreSettings store{};      // the name is what those of the stores begin with
};

// Of two tables, by their keys: the inputs are the left one and the right one.
struct TableTableJoin {
  static constexpr Shape kTakes = Shape::table, kYields = Shape::table;
  JoinKind kind = JoinKind::inner;
  JoinValues join{};
  TypePair right{};       // what `join` takes the right table's rows for
  StoreSettings store{};  // without a name the rows are made anew whenever they are looked up
};

// Of two tables, where a row of the left one names a row of the right one: the inputs are the left one and the right
// one.
struct ForeignKeyJoin {
  static constexpr Shape kTakes = Shape::table, kYields = Shape::table;
  bool left = false;
  SelectKey foreign_key{};  // of a row with a value
  JoinValues join{};
  TypePair right{};       // what `join` takes the right table's rows for
  StoreSettings store{};  // without a name it is there if something looks the table up
};

}  // namespace logical

using LogicalKind =
    std::variant<logical::Source, logical::TableSource, logical::GlobalTable, logical::Stateless, logical::Split,
                 logical::Branch, logical::Merge, logical::Repartition, logical::Sink, logical::Process,
                 logical::ToTable, logical::TableFilter, logical::TableMapValues, logical::Suppress, logical::ToStream,
                 logical::Group, logical::TableGroup, logical::Aggregate, logical::Cogroup, logical::TableAggregate,
                 logical::TableJoin, logical::GlobalJoin, logical::StreamJoin, logical::TableTableJoin,
                 logical::ForeignKeyJoin>;

// Which halves of a row an operator passes on as they are, with the serdes that came down with them. Behind one that
// does not keep the key, rows are repartitioned before they are grouped or joined.
enum class Keeps : unsigned char { nothing, key, value, both };

struct Operator {
  std::string name{};  // empty: Kafka's, such as KSTREAM-FILTER-0000000003
  std::vector<OperatorId> inputs{};
  TypePair takes{};  // what its functions are written for, checked against the first input; null: anything
  Keeps keeps = Keeps::nothing;
  TypePair yields{};   // of the halves that it does not keep
  SerdePair serdes{};  // named by options; absent: those that came down with the rows, else those of the types
  LogicalKind kind{};
};

// A store for processors that name it.
struct LogicalStore {
  TypePair types{};
  SerdePair serdes{};
  std::shared_ptr<const store::StoreSupplier> supplier{};  // shared with the program
  bool logging = true;
  bool caching = false;
  std::map<std::string, std::string> topic_configs{};
};

}  // namespace muir::streams
