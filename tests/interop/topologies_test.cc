// What topologies write and how they describe themselves: our test driver beside the JVM's own, on the same random
// records. Topologies.java has the same topologies under the same names.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <random>
#include <sstream>

#include "java.h"
#include "streams/test_driver.h"
#include "testing/temp_dir.h"
#include "topologies.h"

namespace muir::interop {
namespace topologies {

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
      {"a stream that is printed",
       [](auto& b) {
         const auto records = stream(b);
         records.filter(any).print({.label = "in", .file = "/dev/null"});
         records.print({.name = "printer", .file = "/dev/null"});
         records.to("out");
       }},
      {"a stream merged with itself",
       [](auto& b) {
         const auto records = stream(b);
         records.merge(records).to("out");
         const auto kept = records.filter(any);
         kept.merge(records).merge(kept).to("out");
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

}  // namespace topologies

namespace {

using namespace topologies;
constexpr uint32_t kSeed = 20261128;
constexpr int kRecords = 400;

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
      all +=
          fmt::format("{}\t{}\t{}\t{}", topic, shown_hex(record->key), shown_hex(record->value), record->timestamp_ms);
      for (const auto& header : record->headers) all += fmt::format("\t{}={}", header.name, shown_hex(header.value));
      all += "\n";
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
    const auto line = java->read_line(240s);  // it compiles Topologies.java first
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

// Buffers tell their changelogs what became of each key between two commits, in an order that Java's sets give: that of
// each key's rows is what counts.
std::string in_key_order(const std::string& text) {
  std::vector<std::pair<std::string, std::string>> lines;  // sorted by the first
  std::istringstream all(text);
  for (std::string line; std::getline(all, line);) {
    const bool held = line.starts_with("topologies-") &&
                      (line.find("-SUPPRESS-") != std::string::npos || line.starts_with("topologies-held-"));
    const size_t key = line.find('\t') + 1;
    lines.emplace_back(held ? line.substr(0, line.find('\t', key)) : "", line + "\n");
  }
  auto begin = lines.begin();
  while (begin != lines.end()) {
    const auto end =
        std::find_if(begin, lines.end(), [&](const auto& line) { return line.first.empty() != begin->first.empty(); });
    std::stable_sort(begin, end, [](const auto& a, const auto& b) { return a.first < b.first; });
    begin = end;
  }
  std::string out;
  for (const auto& line : lines) out += line.second;
  return out;
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
  for (const auto* cases : {&filters(), &joins(), &table_joins(), &stream_joins(), &aggregations(), &sessions(),
                            &foreign_key_joins(), &sliding_windows(), &cogroups(), &suppressions(), &versioned_tables(),
                            &versioned_joins(), &joins_with_grace(), &descriptions()}) {
    for (const Case& c : *cases) {
      ASSERT_TRUE(theirs.contains(c.name)) << "not in Topologies.java: " << c.name;
      EXPECT_GT(std::count(theirs[c.name].begin(), theirs[c.name].end(), '\n'), 20) << c.name;
      EXPECT_EQ(difference(in_key_order(theirs[c.name]), in_key_order(run(c, records))), "") << c.name;
      ++compared;
    }
  }
  EXPECT_EQ(compared, theirs.size());
}

}  // namespace
}  // namespace muir::interop
