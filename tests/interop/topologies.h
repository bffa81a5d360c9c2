// The topologies that are compared with the JVM's: by subject, in files of their own. Topologies.java has the same
// under the same names.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "streams/dsl.h"

namespace muir::interop::topologies {

using namespace std::chrono_literals;
using streams::StreamsBuilder;
using streams::Windowed;
using Table = streams::KTable<std::string, std::string>;
using Stream = streams::KStream<std::string, std::string>;

inline Table table(StreamsBuilder& b) { return b.table<std::string, std::string>("tab"); }
inline Table stored(StreamsBuilder& b) { return b.table<std::string, std::string>("tab", {}, {.store = "rows"}); }
inline Stream stream(StreamsBuilder& b) { return b.stream<std::string, std::string>("in"); }
inline void out(const Table& table) { table.to_stream().to("out"); }
inline bool any(const std::string&) { return true; }  // a function of references keeps what is not null
inline bool is_a(const std::string& value) { return value.starts_with("a"); }
inline bool is_short(const std::string& value) { return value.size() < 3; }
inline bool is_even(int64_t count) { return count % 2 == 0; }
inline std::string first(const std::string& value) { return value.substr(0, 1); }
inline std::pair<std::string, std::string> initial(const std::string& value) { return {first(value), value}; }
inline std::string text(int64_t count) { return std::to_string(count); }
inline std::string join(const std::string& left, const std::string& right) { return left + "/" + right; }
inline std::string join_null(const std::string& left, const std::string* right) {
  return left + "+" + (right == nullptr ? "0" : *right);
}
inline std::string plus(const std::string& all, const std::string& value) { return all + "+" + value; }
inline std::string minus(const std::string& all, const std::string& value) { return all + "-" + value; }
inline constexpr streams::TimeWindows kWindows{.size = 10s, .grace = 5s};
template <class V>
streams::KStream<std::string, V> unwindowed(const streams::KTable<Windowed<std::string>, V>& table) {
  return table.to_stream().select_key(
      [](const Windowed<std::string>* key, const V*) { return fmt::format("{}@{}", key->key, key->window.start_ms); });
}

inline Table other(StreamsBuilder& b) { return b.table<std::string, std::string>("in"); }
inline Stream other_stream(StreamsBuilder& b) { return b.stream<std::string, std::string>("tab"); }
inline std::string join_any(const std::string* left, const std::string* right) {
  return (left == nullptr ? "0" : *left) + "|" + (right == nullptr ? "0" : *right);
}

struct Case {
  std::string name;
  std::function<void(StreamsBuilder&)> build;
};

// topologies_tables.cc
const std::vector<Case>& filters();
const std::vector<Case>& joins();
const std::vector<Case>& table_joins();
const std::vector<Case>& foreign_key_joins();
const std::vector<Case>& stream_joins();
// topologies_versioned.cc
const std::vector<Case>& versioned_tables();
const std::vector<Case>& versioned_joins();
const std::vector<Case>& joins_with_grace();
// topologies_windows.cc
const std::vector<Case>& aggregations();
const std::vector<Case>& sessions();
const std::vector<Case>& sliding_windows();
const std::vector<Case>& cogroups();
const std::vector<Case>& suppressions();
// topologies_test.cc
const std::vector<Case>& descriptions();

}  // namespace muir::interop::topologies
