// What topologies write and how they describe themselves: our test driver beside the JVM's own, on the same random
// records. Topologies.java has the same topologies under the same names.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <map>
#include <random>
#include <sstream>

#include "java.h"
#include "streams/dsl.h"
#include "streams/test_driver.h"
#include "testing/temp_dir.h"

namespace muir::interop {
namespace {

using namespace std::chrono_literals;
using streams::StreamsBuilder;
using streams::Windowed;
using Table = streams::KTable<std::string, std::string>;
using Stream = streams::KStream<std::string, std::string>;

constexpr uint32_t kSeed = 20261128;
constexpr int kRecords = 400;

Table table(StreamsBuilder& b) { return b.table<std::string, std::string>("tab"); }
Table stored(StreamsBuilder& b) { return b.table<std::string, std::string>("tab", {}, {.store = "rows"}); }
Stream stream(StreamsBuilder& b) { return b.stream<std::string, std::string>("in"); }
void out(const Table& table) { table.to_stream().to("out"); }
bool any(const std::string&) { return true; }  // a function of references keeps what is not null
bool is_a(const std::string& value) { return value.starts_with("a"); }
bool is_short(const std::string& value) { return value.size() < 3; }
bool is_even(int64_t count) { return count % 2 == 0; }
std::string first(const std::string& value) { return value.substr(0, 1); }
std::pair<std::string, std::string> initial(const std::string& value) { return {first(value), value}; }
std::string text(int64_t count) { return std::to_string(count); }
std::string join(const std::string& left, const std::string& right) { return left + "/" + right; }
std::string join_null(const std::string& left, const std::string* right) {
  return left + "+" + (right == nullptr ? "0" : *right);
}
std::string plus(const std::string& all, const std::string& value) { return all + "+" + value; }
std::string minus(const std::string& all, const std::string& value) { return all + "-" + value; }
constexpr streams::TimeWindows kWindows{.size = 10s, .grace = 5s};
template <class V>
streams::KStream<std::string, V> unwindowed(const streams::KTable<Windowed<std::string>, V>& table) {
  return table.to_stream().select_key(
      [](const Windowed<std::string>* key, const V*) { return fmt::format("{}@{}", key->key, key->window.start_ms); });
}

struct Case {
  std::string name;
  std::function<void(StreamsBuilder&)> build;
};

const std::vector<Case>& filters() {
  static const std::vector<Case> cases = {
      {"filter of a table", [](auto& b) { out(table(b).filter(is_a)); }},
      {"filter of a table with a store", [](auto& b) { out(stored(b).filter(is_a)); }},
      {"filters behind each other", [](auto& b) { out(stored(b).filter(is_a).filter_not(is_short)); }},
      {"filter behind mapped values",
       [](auto& b) {
         out(stored(b).map_values([](const std::string& v) { return v + std::to_string(v.size()); }).filter(is_a));
       }},
      {"filter behind mapped values without a store",
       [](auto& b) { out(table(b).map_values([](const std::string& v) { return v + "x"; }).filter(is_a)); }},
      {"filter of a count",
       [](auto& b) {
         out(stream(b).group_by_key().count().filter([](int64_t n) { return n % 3 == 0; }).map_values(text));
       }},
      {"filter of a windowed count",
       [](auto& b) {
         unwindowed(stream(b).group_by_key().windowed_by(kWindows).count().filter(is_even).map_values(text)).to("out");
       }},
      {"filter, then a group",
       [](auto& b) {
         const auto kept = table(b).filter(is_a);
         kept.to_stream().to("out");
         kept.group_by(initial).count().map_values(text).to_stream().to("out");
       }},
      {"a group, then a filter beside it",
       [](auto& b) {
         const auto rows = table(b);
         rows.group_by(initial).count().to_stream().map_values(text).to("out");
         rows.filter(is_a).to_stream().to("out");
       }},
      {"a filter beside a group",
       [](auto& b) {
         const auto rows = table(b);
         rows.filter(is_a).to_stream().to("out");
         rows.group_by(initial).count().to_stream().map_values(text).to("out");
       }},
      {"filter of toTable", [](auto& b) { out(stream(b).to_table().filter(is_a)); }},
      {"filter of a table of a stream with a store",
       [](auto& b) { out(stream(b).to_table({.store = "latest"}).filter(is_a)); }}};
  return cases;
}

const std::vector<Case>& joins() {
  static const std::vector<Case> cases = {
      {"join with a filtered table",
       [](auto& b) {
         const auto records = stream(b);
         records.join(table(b).filter(is_a), join).to("out");
       }},
      {"join with a filtered table that is also written",
       [](auto& b) {
         const auto kept = table(b).filter(is_a);
         stream(b).left_join(kept, join_null).to("out");
         out(kept);
       }},
      {"join, table first",
       [](auto& b) {
         const auto rows = table(b);
         stream(b).join(rows, join).to("out");
       }},
      {"join, stream first",
       [](auto& b) {
         const auto records = stream(b);
         records.join(table(b), join).to("out");
       }},
      {"joins of one stream",
       [](auto& b) {
         const auto rows = table(b);
         const auto records = stream(b);
         records.left_join(rows, join_null).to("out");
         records.filter(is_a).join(rows, join).map_values([](const std::string& v) { return v + "!"; }).to("out");
         records.filter(any).select_key(first).join(rows, join).to("out");
       }},
      {"join behind an aggregate",
       [](auto& b) {
         const auto counts = stream(b).group_by_key().count().map_values(text);
         stream(b).join(counts, join).to("out");
       }},
      {"join with a name", [](auto& b) {
         const auto rekeyed = stream(b)
                                  .filter([](const std::string&, const std::string&) { return true; })
                                  .select_key([](const std::string& k, const std::string&) { return k; });
         rekeyed.join(table(b), join, {.name = "with-rows"}).to("out");
       }}};
  return cases;
}

Table other(StreamsBuilder& b) { return b.table<std::string, std::string>("in"); }
std::string join_any(const std::string* left, const std::string* right) {
  return (left == nullptr ? "0" : *left) + "|" + (right == nullptr ? "0" : *right);
}

const std::vector<Case>& table_joins() {
  static const std::vector<Case> cases = {
      {"tables",
       [](auto& b) {
         const auto left = table(b);
         out(left.join(other(b), join));
       }},
      {"tables, left",
       [](auto& b) {
         const auto left = table(b);
         out(left.left_join(other(b), join_null));
       }},
      {"tables, outer",
       [](auto& b) {
         const auto left = table(b);
         out(left.outer_join(other(b), join_any));
       }},
      {"tables with a store",
       [](auto& b) {
         const auto left = table(b);
         const auto right = other(b);
         out(left.join(right, join, {.store = "inner"}));
         out(left.left_join(right, join_null, {.store = "left"}));
         out(left.outer_join(right, join_any, {.store = "outer"}));
       }},
      {"tables with names",
       [](auto& b) {
         const auto left = table(b);
         const auto right = other(b);
         out(left.join(right, join, {.name = "both"}));
         out(left.outer_join(right, join_any, {.name = "any", .store = "any-rows"}));
       }},
      {"filtered and mapped tables",
       [](auto& b) {
         const auto left = table(b).filter(is_a);
         const auto right = other(b).map_values([](const std::string& v) { return v + "m"; });
         out(left.join(right, join));
         out(left.left_join(right, join_null));
         out(right.outer_join(left, join_any));
       }},
      {"filter of joined tables",
       [](auto& b) {
         const auto left = table(b);
         out(left.outer_join(other(b), join_any).filter(is_a));
       }},
      {"filter of joined tables with a store",
       [](auto& b) {
         const auto left = table(b);
         out(left.left_join(other(b), join_null, {.store = "joined"}).filter(is_a));
       }},
      {"group of joined tables",
       [](auto& b) {
         const auto left = table(b);
         out(left.join(other(b), join).group_by(initial).reduce(plus, minus));
       }},
      {"group of joined tables with a store",
       [](auto& b) {
         const auto left = table(b);
         out(left.outer_join(other(b), join_any, {.store = "joined"}).group_by(initial).reduce(plus, minus));
       }},
      {"joined tables joined again",
       [](auto& b) {
         const auto left = table(b);
         const auto right = other(b);
         const auto any_of_both = left.outer_join(right, join_any);
         out(any_of_both.left_join(left.filter(is_a), join_null));
         out(right.join(any_of_both, join));
       }},
      {"stream with joined tables",
       [](auto& b) {
         const auto left = stored(b);
         const auto counts = stream(b).group_by_key().count().map_values(text);
         const auto both = left.outer_join(counts, join_any);
         stream(b).filter(any).left_join(both, join_null).to("out");
       }},
      {"windowed tables", [](auto& b) {
         const auto counts = stream(b).group_by_key().windowed_by(kWindows).count().map_values(text);
         const auto all =
             b.template stream<std::string, std::string>("tab").group_by_key().windowed_by(kWindows).reduce(join_null);
         unwindowed(counts.join(all, join)).to("out");
         unwindowed(counts.left_join(all, join_null)).to("out");
         unwindowed(counts.outer_join(all, join_any)).to("out");
       }}};
  return cases;
}

constexpr streams::JoinWindows kNear{.before = 2s, .after = 2s, .grace = 1s};
Stream other_stream(StreamsBuilder& b) { return b.stream<std::string, std::string>("tab"); }

const std::vector<Case>& stream_joins() {
  static const std::vector<Case> cases = {
      {"streams",
       [](auto& b) {
         const auto left = stream(b);
         left.join(other_stream(b), join, kNear).to("out");
       }},
      {"streams, left",
       [](auto& b) {
         const auto left = stream(b);
         left.left_join(other_stream(b), join_null, kNear).to("out");
       }},
      {"streams, outer",
       [](auto& b) {
         const auto left = stream(b);
         left.outer_join(other_stream(b), join_any, kNear).to("out");
       }},
      {"streams, one before the other",
       [](auto& b) {
         const auto left = stream(b);
         const auto right = other_stream(b);
         left.join(right, join, {.before = 0s, .after = 3s, .grace = 0s}).to("out");
         left.left_join(right, join_null, {.before = 3s, .after = 0s, .grace = 5s}).to("out");
         left.outer_join(right, join_any, {.before = 100ms, .after = 4s, .grace = 2s}).to("out");
         left.outer_join(right, join_any, {.before = -1s, .after = 4s, .grace = 2s}).to("out");
       }},
      {"streams with names",
       [](auto& b) {
         const auto left = stream(b);
         const auto right = other_stream(b);
         left.join(right, join, kNear, {.name = "near"}).to("out");
         left.left_join(right, join_null, kNear, {.store = "kept"}).to("out");
         left.outer_join(right, join_any, kNear, {.name = "any", .store = "all"}).to("out");
       }},
      {"streams whose keys changed",
       [](auto& b) {
         const auto left = stream(b).filter(any).select_key(first);
         const auto right = other_stream(b).filter(any).select_key(first);
         left.join(right, join, kNear).to("out");
         left.left_join(stream(b), join_null, kNear, {.name = "left"}).to("out");
         stream(b).outer_join(right, join_any, kNear, {.name = "right"}).to("out");
       }},
      {"stream with itself",
       [](auto& b) {
         const auto left = stream(b);
         left.join(left, join, kNear).to("out");
       }},
      {"streams, then an aggregate", [](auto& b) {
         const auto left = stream(b);
         left.left_join(other_stream(b), join_null, kNear)
             .group_by_key()
             .count()
             .to_stream()
             .map_values(text)
             .to("out");
       }}};
  return cases;
}

const std::vector<Case>& aggregations() {
  static const std::vector<Case> cases = {
      {"reduce", [](auto& b) { out(stream(b).group_by_key().reduce(join_null)); }},
      {"reduce in windows",
       [](auto& b) { unwindowed(stream(b).group_by_key().windowed_by(kWindows).reduce(join_null)).to("out"); }},
      {"aggregate",
       [](auto& b) {
         out(stream(b).group_by_key().aggregate(std::string(),
                                                [](const std::string& v, std::string& all) { all += v; }));
       }},
      {"aggregate in windows",
       [](auto& b) {
         unwindowed(stream(b).group_by_key().windowed_by(kWindows).aggregate(std::string(), [](const std::string* v,
                                                                                               std::string& all) {
           all += v == nullptr ? "0" : *v;
         })).to("out");
       }},
      {"count in windows",
       [](auto& b) { unwindowed(stream(b).group_by_key().windowed_by(kWindows).count()).map_values(text).to("out"); }},
      {"groups with a name",
       [](auto& b) {
         const auto group = stream(b).filter(any).group_by(first, {.name = "by-initial"});
         group.count().to_stream().map_values(text).to("out");
         out(group.reduce(join));
       }},
      {"groups by key with a name",
       [](auto& b) {
         out(stream(b).group_by_key({.name = "unused"}).reduce(join));
         const auto itself = [](const std::string& v) { return v; };
         out(stream(b).filter(any).select_key(itself).group_by_key({.name = "by-value"}).reduce(join));
       }},
      {"groups without a name",
       [](auto& b) {
         const auto group = stream(b).filter(any).group_by(first);
         group.count().to_stream().map_values(text).to("out");
         out(group.reduce(join));
       }},
      {"group of a table with a name",
       [](auto& b) { out(table(b).group_by(initial, {.name = "by-initial"}).reduce(plus, minus)); }},
      {"group of a table",
       [](auto& b) {
         out(stored(b).group_by(initial).aggregate(
             std::string(), [](const std::string& v, std::string& all) { all += "+" + v; },
             [](const std::string& v, std::string& all) { all += "-" + v; }));
       }},
      {"group of a filtered count",
       [](auto& b) {
         out(stream(b)
                 .group_by_key()
                 .count()
                 .filter(is_even)
                 .group_by([](int64_t n) { return std::pair(std::string("all"), std::to_string(n)); })
                 .reduce(plus, minus));
       }},
      {"group of mapped values", [](auto& b) {
         out(table(b)
                 .map_values([](const std::string& v) { return v + "m"; })
                 .group_by(initial)
                 .count()
                 .map_values(text));
       }}};
  return cases;
}

constexpr streams::SessionWindows kSessions{.gap = 1s, .grace = 2s};
// The records of a table of sessions, with the bounds in the key.
template <class V>
streams::KStream<std::string, V> unsessioned(const streams::KTable<Windowed<std::string>, V>& table) {
  return table.to_stream().select_key([](const Windowed<std::string>* key, const V*) {
    return fmt::format("{}@{}-{}", key->key, key->window.start_ms, key->window.end_ms);
  });
}

const std::vector<Case>& sessions() {
  static const std::vector<Case> cases = {
      {"count in sessions",
       [](auto& b) {
         unsessioned(stream(b).group_by_key().windowed_by(kSessions).count().map_values(text)).to("out");
       }},
      {"count in sessions with a store",
       [](auto& b) {
         unsessioned(stream(b)
                         .group_by_key()
                         .windowed_by(kSessions)
                         .count({.name = "counted", .store = "counts"})
                         .map_values(text))
             .to("out");
       }},
      {"reduce in sessions",
       [](auto& b) {
         unsessioned(stream(b).filter(any).group_by_key().windowed_by(kSessions).reduce(plus)).to("out");
       }},
      {"aggregate in sessions",
       [](auto& b) {
         unsessioned(stream(b).group_by_key().windowed_by(kSessions).aggregate(
                         std::string("<"),
                         [](const std::string* v, std::string& all) { all += v == nullptr ? "0" : *v; },
                         [](const std::string& a, const std::string& o) { return a + "|" + o; }))
             .to("out");
       }},
      {"sessions of what was repartitioned",
       [](auto& b) {
         unsessioned(
             stream(b).filter(any).group_by(first).windowed_by({.gap = 300ms, .grace = 0ms}).count().map_values(text))
             .to("out");
       }},
      {"filter of sessions",
       [](auto& b) {
         unsessioned(stream(b).group_by_key().windowed_by(kSessions).count().filter(is_even).map_values(text))
             .to("out");
       }},
      {"group of sessions",
       [](auto& b) {
         out(stream(b)
                 .group_by_key()
                 .windowed_by(kSessions)
                 .count()
                 .group_by(
                     [](const Windowed<std::string>& key, int64_t n) { return std::pair(key.key, std::to_string(n)); })
                 .reduce(plus, minus));
       }},
      {"sessions joined", [](auto& b) {
         const auto counts = stream(b).group_by_key().windowed_by(kSessions).count().map_values(text);
         const auto all = other_stream(b).filter(any).group_by_key().windowed_by(kSessions).reduce(plus);
         unsessioned(counts.outer_join(all, join_any)).to("out");
       }}};
  return cases;
}

const std::vector<Case>& descriptions() {
  static const std::vector<Case> cases = {
      {"operators with names",
       [](auto& b) {
         stream(b)
             .filter(any, {.name = "keep"})
             .map_values([](const std::string& v) { return v + "?"; }, {.name = "ask"})
             .select_key(first, {.name = "rekey"})
             .group_by_key({.name = "grouped"})
             .count({.name = "counted", .store = "counts"})
             .filter(is_even, {.name = "even"})
             .map_values(text, {.name = "texts"})
             .to_stream({.name = "changes"})
             .to("out", {.name = "written"});
       }},
      {"many children", [](auto& b) {
         const auto records = stream(b).filter(any);
         const auto rows = table(b);
         const auto ending = [](const char* end) { return [end](const std::string& v) { return v + end; }; };
         records.map_values(ending("1")).to("out");
         records.merge(stream(b).filter(is_a)).map_values(ending("2")).filter(is_a).to("out");
         records.join(rows, join).left_join(rows, join_null).to("out");
         records.group_by_key().count().to_stream().map_values(text).to("out");
         out(rows.map_values(ending("3")));
       }}};
  return cases;
}

using Records = std::vector<std::pair<std::string, streams::RawRecord>>;

// Few keys, so that rows change often; nulls and late records among them.
Records make_records() {
  std::mt19937 random(kSeed);
  const auto one_in = [&](uint32_t n) { return random() % n == 0; };
  const auto letter = [&] { return std::string(1, static_cast<char>('a' + random() % 3)); };
  Records records;
  int64_t now_ms = 1'700'000'000'000;
  for (int i = 0; i < kRecords; ++i) {
    now_ms += random() % 900;
    streams::RawRecord record{.timestamp_ms = now_ms};
    if (one_in(10)) record.timestamp_ms -= 9'000;
    if (!one_in(20)) record.key = Bytes(letter());
    if (!one_in(5)) record.value = Bytes(letter() + std::to_string(random() % 20));
    records.emplace_back(one_in(2) ? "in" : "tab", std::move(record));
  }
  return records;
}

std::string shown(const OptBytes& bytes) { return bytes ? std::string(*bytes) : "~"; }
std::string shown_hex(const OptBytes& bytes) {
  std::string out = bytes ? "" : "~";
  for (const char c : bytes.value_or("")) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}
std::string line_of(const streams::RawRecord& record) {
  return fmt::format("{}\t{}\t{}\n", shown(record.key), shown(record.value), record.timestamp_ms);
}

std::string run(const Case& c, const Records& records) {
  StreamsBuilder builder;
  c.build(builder);
  const auto topology = builder.build();
  if (!topology.ok()) return topology.status().to_string();
  std::string all = topology->describe();
  if (all.empty() || all.back() != '\n') all += "\n";
  auto driver = streams::TestDriver::create(
      *topology, {.application_id = "topologies", .stores = {.kind = store::StoreKind::in_memory}});
  if (!driver.ok()) return driver.status().to_string();
  for (const auto& [topic, record] : records) {
    if (all.find("[" + topic + "]") == std::string::npos) continue;
    if (const Status piped = (*driver)->pipe(topic, record); !piped.ok()) return piped.to_string();
  }
  while (const auto record = (*driver)->read("out")) all += line_of(*record);
  // What the application keeps for itself: repartition topics and changelogs, byte for byte.
  for (const std::string& topic : (*driver)->produced_topics()) {
    while (topic != "out") {
      const auto record = (*driver)->read(topic);
      if (!record) break;
      all += fmt::format("{}\t{}\t{}\t{}\n", topic, shown_hex(record->key), shown_hex(record->value),
                         record->timestamp_ms);
    }
  }
  return all;
}

// What the JVM prints, by the topology's name.
std::map<std::string, std::string> run_java(const Records& records) {
  testing::TempDir folder;
  const std::string file = folder.str() + "/records";
  {
    std::ofstream lines(file);
    for (const auto& [topic, record] : records) lines << topic << '\t' << line_of(record);
  }
  std::map<std::string, std::string> answers;
  auto java = testing::ChildProcess::start(java_program("Topologies.java", {file}));
  EXPECT_TRUE(java.ok()) << java.status().to_string();
  std::string name;
  while (java.ok()) {
    const auto line = java->read_line(60s);
    EXPECT_TRUE(line.ok()) << line.status().to_string();
    if (!line.ok() || *line == "== end") break;
    if (line->starts_with("== ")) {
      name = line->substr(3);
      answers[name];
    } else {
      answers[name] += *line + "\n";
    }
  }
  return answers;
}

// The first line in which two texts differ, with the one before it.
std::string difference(const std::string& theirs, const std::string& ours) {
  std::istringstream a(theirs);
  std::istringstream b(ours);
  std::string before;
  for (int n = 1;; ++n) {
    std::string left = "(end)";
    std::string right = "(end)";
    const bool more = static_cast<bool>(std::getline(a, left));
    if (!std::getline(b, right) && !more) return "";
    if (left != right) return fmt::format("line {} after '{}':\n  JVM:  {}\n  Muir: {}", n, before, left, right);
    before = left;
  }
}

TEST(TopologiesBesideJava, SayAndWriteTheSame) {
  SCOPED_TRACE(fmt::format("seed {}", kSeed));
  const Records records = make_records();
  auto theirs = run_java(records);
  size_t compared = 0;
  for (const auto* cases :
       {&filters(), &joins(), &table_joins(), &stream_joins(), &aggregations(), &sessions(), &descriptions()}) {
    for (const Case& c : *cases) {
      ASSERT_TRUE(theirs.contains(c.name)) << "not in Topologies.java: " << c.name;
      EXPECT_GT(std::count(theirs[c.name].begin(), theirs[c.name].end(), '\n'), 20) << c.name;
      EXPECT_EQ(difference(theirs[c.name], run(c, records)), "") << c.name;
      ++compared;
    }
  }
  EXPECT_EQ(compared, theirs.size());
}

}  // namespace
}  // namespace muir::interop
