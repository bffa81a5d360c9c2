// Documents show what is. Runs the blocks "```timeline NAME" of one, and compares the code of another with its example.
//
// A row of a timeline is, in columns two or more spaces apart: the record that
// comes in, what is told of it, and a remark that is not looked at.
//
//   [TOPIC ][KEY=]VALUE@TIME     [KEY=]VALUE@TIME ...     remark
//
// Without a topic it is "in"; without a key, "k"; a value "-" is null; "nothing" is told where nothing is.
#include <gtest/gtest.h>

#include <charconv>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "streams/test_driver.h"
#include "timelines.h"

namespace muir::streams {
namespace {

std::string contents(const std::string& path) {
  std::ifstream file(std::string(MUIR_SOURCE_DIR "/") + path);
  EXPECT_TRUE(file.is_open()) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Block {
  std::string kind;  // what stands behind the ```
  std::vector<std::string> rows;
};

std::vector<Block> read_blocks(const std::string& path) {
  std::istringstream text(contents(path));
  std::vector<Block> out;
  bool inside = false;
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with("```")) {
      inside = !inside;
      if (inside) out.push_back({line.substr(3), {}});
    } else if (inside) {
      out.back().rows.push_back(line);
    }
  }
  return out;
}

std::vector<std::string> columns(const std::string& row) {
  std::vector<std::string> out;
  size_t at = 0;
  while (at != std::string::npos) {
    const size_t end = row.find("  ", at);
    out.push_back(row.substr(at, end - at));
    at = end == std::string::npos ? end : row.find_first_not_of(' ', end);
  }
  return out;
}

// Topic and record of "left o1=5@100".
std::pair<std::string, RawRecord> input(std::string text) {
  std::string topic = "in";
  if (const size_t space = text.find(' '); space != std::string::npos) {
    topic = text.substr(0, space);
    text.erase(0, space + 1);
  }
  RawRecord record{.key = "k"};
  const size_t at = text.rfind('@');
  EXPECT_NE(at, std::string::npos) << "no time: " << text;
  const std::string time = text.substr(at + 1);
  std::from_chars(time.data(), time.data() + time.size(), record.timestamp_ms);
  text.erase(at);
  if (const size_t equals = text.find('='); equals != std::string::npos) {
    record.key = text.substr(0, equals);
    text.erase(0, equals + 1);
  }
  if (text != "-") record.value = text;
  return {topic, record};
}

std::string told(TestDriver& driver) {
  std::string out;
  while (const auto record = driver.read("out")) {
    const std::string key = record->key == "k" ? "" : record->key.value_or("-") + "=";
    out += fmt::format("{}{}{}@{}", out.empty() ? "" : " ", key, record->value.value_or("-"), record->timestamp_ms);
  }
  return out.empty() ? "nothing" : out;
}

TEST(Timelines, AreWhatTheTopologiesTell) {
  Timelines topologies;
  add_windows(topologies);
  add_joins(topologies);
  for (const Block& block : read_blocks("docs/streams/semantics.md")) {
    if (!block.kind.starts_with("timeline ")) continue;
    SCOPED_TRACE(block.kind);
    const auto found = topologies.find(block.kind.substr(9));
    ASSERT_NE(found, topologies.end()) << "no topology of that name";
    ASSERT_TRUE(found->second.ok()) << found->second.status().message();
    const auto driver = *TestDriver::create(*found->second, {.stores = {.kind = StoreKind::in_memory}});
    for (const std::string& row : block.rows) {
      const auto cells = columns(row);
      ASSERT_GE(cells.size(), 2u) << row;
      const auto [topic, record] = input(cells[0]);
      const Status piped = driver->pipe(topic, record);
      ASSERT_TRUE(piped.ok()) << row << "\n" << piped.message();
      EXPECT_EQ(told(*driver), cells[1]) << row;
    }
    topologies.erase(found);
  }
  for (const auto& [name, topology] : topologies) ADD_FAILURE() << "no block shows " << name;
}

TEST(Tutorial, HasTheCodeOfItsExample) {
  const std::string code =
      contents("examples/clicked_ads/clicked_ads.cc") + contents("examples/clicked_ads/clicked_ads_test.cc");
  int compared = 0;
  for (const Block& block : read_blocks("docs/streams/tutorial.md")) {
    if (block.kind != "cpp") continue;
    std::string text;
    for (const std::string& row : block.rows) text += row + "\n";
    EXPECT_NE(code.find(text), std::string::npos) << text;
    ++compared;
  }
  EXPECT_GT(compared, 4);
}

}  // namespace
}  // namespace muir::streams
