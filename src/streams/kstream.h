// KStream<K, V>: a stream of records, each for itself. Part of the DSL; see streams/dsl.h.
//
// Functions take (value) or (key, value), as references or as pointers. A function that takes references is not called
// with what is null: filters then drop the record, map_values() lets a null value pass, flat_map_values(), map(),
// flat_map() and select_key() drop it, peek() and for_each() ignore it. Dropped records are counted. Functions with
// pointers see nulls. Every task has its own copy of a function, so that it may keep state per partition.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "streams/dsl/handle.h"
#include "streams/dsl/join_functions.h"
#include "streams/dsl/row_functions.h"
#include "streams/processor.h"

namespace muir::streams {

template <class K, class V>
class KTable;
template <class K, class V>
class GlobalKTable;
template <class K, class V>
class KGroupedStream;
template <class K, class V>
class BranchedKStream;

template <class K, class V>
class Branches;
template <class K, class V>
class KStream;

namespace internal {

// The key of what is joined by it.
template <class Other>
struct JoinKey {
  using Type = void;
};
template <class K, class V>
struct JoinKey<KStream<K, V>> {
  using Type = K;
};
template <class K, class V>
struct JoinKey<KTable<K, V>> {
  using Type = K;
};
template <class Other, class K>
concept KeyedOtherwise =
    !std::is_void_v<typename JoinKey<Other>::Type> && !std::is_same_v<typename JoinKey<Other>::Type, K>;

// Says what is wrong where the keys of two sides differ.
#define MUIR_NO_JOIN(name)                                                            \
  template <class Other, class... More>                                               \
  requires internal::KeyedOtherwise<Other, K>                                         \
  auto name(const Other&, const More&...) const {                                     \
    static_assert(internal::kNever<Other>, #name                                      \
                  " needs two sides with one type of key: give one the other's with " \
                  "select_key or group_by, or join a stream with a global table");    \
    return *this;                                                                     \
  }

}  // namespace internal

template <class K, class V>
class KStream : public internal::Handle {
  template <class F>
  static constexpr bool kTakesRow = internal::RowFunction<F, K, V>;

 public:
  using internal::Handle::Handle;

  template <class F>
  KStream filter(F keep, Named named = {}) const {
    return filtered(std::move(keep), true, named);
  }
  template <class F>
  KStream filter_not(F drop, Named named = {}) const {
    return filtered(std::move(drop), false, named);
  }

  // f -> std::pair of the new key and value.
  template <class F>
  auto map(F f, Named named = {}) const;
  // f -> the new value.
  template <class F>
  auto map_values(F f, Named named = {}) const;
  // f -> a range of pairs.
  template <class F>
  auto flat_map(F f, Named named = {}) const;
  // f -> a range of values.
  template <class F>
  auto flat_map_values(F f, Named named = {}) const;
  // f -> the new key.
  template <class F>
  auto select_key(F f, Named named = {}) const;
  template <class F>
  KStream peek(F f, Named named = {}) const;
  template <class F>
  void for_each(F f, Named named = {}) const;
  // Each record as "key, value", "null" for what is not there. Types that {fmt} cannot print need the other one.
  void print(Printed options = {}) const;
  // Each as f(value) or f(key, value) -> text says.
  template <class F>
  void print(F f, Printed options) const;

  BranchedKStream<K, V> split(Named named = {}) const;
  KStream merge(const KStream& other, Named named = {}) const;
  // Through a topic that the application creates, partitioned by the key. Records without key do not pass.
  KStream repartition(Repartitioned<K, V> options = {}) const;
  void to(const std::string& topic, Produced<K, V> options = {}) const { sink({.topic = topic}, options); }
  // f(value) or f(key, value) -> the topic's name; the topic must exist.
  template <class F>
  requires internal::RowFunction<F, K, V>
  void to(F f, Produced<K, V> options = {}) const {
    sink({.extract_topic = internal::extract_topics<K, V>(std::move(f))}, options);
  }
  // The latest value of each key.
  KTable<K, V> to_table(Materialized<K, V> options = {}) const;

  KGroupedStream<K, V> group_by_key(Grouped<K, V> options = {}) const;
  // f -> the new key.
  template <class F>
  auto group_by(F f, Grouped<typename internal::KeyOf<F, K, V>::Type, V> options = {}) const;

  // f(value, table value) or f(key, value, table value) -> the new value, for records whose key is in the table.
  template <class VT, class F>
  auto join(const KTable<K, VT>& table, F f, Joined<K, V> options = {}) const {
    return joined(table, std::move(f), options, std::false_type());
  }
  // The same for every record; f takes a pointer to the table value, null when there is none.
  template <class VT, class F>
  auto left_join(const KTable<K, VT>& table, F f, Joined<K, V> options = {}) const {
    return joined(table, std::move(f), options, std::true_type());
  }
  // `select` -> the table's key for a record.
  template <class GK, class VT, class S, class F>
  auto join(const GlobalKTable<GK, VT>& table, S select, F f, Named named = {}) const {
    return joined_global(table, std::move(select), std::move(f), named, std::false_type());
  }
  template <class GK, class VT, class S, class F>
  auto left_join(const GlobalKTable<GK, VT>& table, S select, F f, Named named = {}) const {
    return joined_global(table, std::move(select), std::move(f), named, std::true_type());
  }

  // f(value, other value) or f(key, value, other value) -> the new value, for every two records of one key whose
  // timestamps are as near as `windows` says; the result has the later one. Both streams are kept for as long as a
  // partner may come.
  template <class V2, class F>
  auto join(const KStream<K, V2>& other, F f, const JoinWindows& windows, StreamJoined<K, V, V2> options = {}) const {
    return joined<const V&, const V2&>(other, logical::JoinKind::inner, std::move(f), windows, options);
  }
  // And for records of this stream that had no partner when none can come any more, windows and grace being over; f
  // takes a pointer to the other value.
  template <class V2, class F>
  auto left_join(const KStream<K, V2>& other, F f, const JoinWindows& windows,
                 StreamJoined<K, V, V2> options = {}) const {
    return joined<const V&, const V2*>(other, logical::JoinKind::left, std::move(f), windows, options);
  }
  // And for those of the other one; f takes pointers, of which one may be null.
  template <class V2, class F>
  auto outer_join(const KStream<K, V2>& other, F f, const JoinWindows& windows,
                  StreamJoined<K, V, V2> options = {}) const {
    return joined<const V*, const V2*>(other, logical::JoinKind::outer, std::move(f), windows, options);
  }

  MUIR_NO_JOIN(join)
  MUIR_NO_JOIN(left_join)
  MUIR_NO_JOIN(outer_join)

  // supplier() -> std::unique_ptr of a Processor<K, V, ...>: a new one at each call. Any thread may call it.
  // One that throws, or that makes none, fails the task with this operator's name.
  template <class S>
  auto process(S supplier, ProcessOptions options = {}) const {
    return processed(std::move(supplier), std::move(options), std::false_type());
  }
  // The same for a FixedKeyProcessor<K, V, VOut>: what follows need not be repartitioned.
  template <class S>
  auto process_values(S supplier, ProcessOptions options = {}) const {
    return processed(std::move(supplier), std::move(options), std::true_type());
  }

 private:
  template <class F>
  KStream filtered(F f, bool keep_if, const Named& named) const;
  OperatorId stateless(const std::string& name, logical::Stateless::Kind kind, Apply apply, Keeps keeps,
                       TypePair yields = {}) const;
  void sink(logical::Sink sink, const Produced<K, V>& options) const;
  template <class VT, class F, class Left>
  auto joined(const KTable<K, VT>& table, F f, const Joined<K, V>& options, Left left) const;
  template <class GK, class VT, class S, class F, class Left>
  auto joined_global(const GlobalKTable<GK, VT>& table, S select, F f, const Named& named, Left left) const;
  template <class Left, class Right, class V2, class F>
  auto joined(const KStream<K, V2>& other, logical::JoinKind kind, F f, const JoinWindows& windows,
              const StreamJoined<K, V, V2>& options) const;
  template <class S, class Fixed>
  auto processed(S supplier, ProcessOptions options, Fixed fixed) const;
  template <class P, class S, class Fixed>
  auto supplied(S supplier, ProcessOptions options, Fixed fixed) const;
};

// The streams that a split made, by name: the splitter's name and the branch's own.
template <class K, class V>
class Branches {
 public:
  explicit Branches(TopologyBuilder& builder) : builder_(&builder) {}

  // The branch of that name. What is asked of one that is not there is nothing, and build() tells the mistake.
  KStream<K, V> at(const std::string& name) const;
  KStream<K, V> operator[](const std::string& name) const { return at(name); }
  [[nodiscard]] bool contains(const std::string& name) const { return streams_.contains(name); }
  [[nodiscard]] size_t size() const { return streams_.size(); }
  // Pairs of name and stream, by name.
  [[nodiscard]] auto begin() const { return streams_.begin(); }
  [[nodiscard]] auto end() const { return streams_.end(); }

 private:
  friend class BranchedKStream<K, V>;
  TopologyBuilder* builder_;
  std::map<std::string, KStream<K, V>> streams_;
};

// Branches of a stream: a record goes to the first whose predicate holds.
template <class K, class V>
class BranchedKStream : public internal::Handle {
 public:
  BranchedKStream(TopologyBuilder& builder, OperatorId id) : Handle(builder, id), branches_(builder) {}

  // Adds a branch, named by its position from 1 if by nothing else.
  template <class F>
  BranchedKStream& branch(F holds, Branched options = {});
  // With the records that no branch took, named 0 if by nothing else.
  Branches<K, V> default_branch(Branched options = {});
  Branches<K, V> no_default_branch() { return branches_; }

 private:
  void add(Predicate holds, const std::string& name);

  Branches<K, V> branches_;
};

}  // namespace muir::streams

#include "streams/dsl/kstream_inl.h"
