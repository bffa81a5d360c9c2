// Topologies of rows whose schemas are known only when the program starts, beside those of C++ structs.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "streams/row_topology_fixture.h"
#include "streams/test_driver.h"

namespace muir::streams {
namespace {

using namespace mean_speed;

std::vector<Position> random_positions(uint32_t seed, size_t count) {
  std::mt19937 random(seed);
  std::vector<Position> out;
  for (size_t i = 0; i < count; ++i) {
    Position& p = out.emplace_back();
    p.vehicle = fmt::format("V{}", random() % 20);
    p.line = std::string(random() % 3, 'L') + std::to_string(random() % 5);
    p.lat = 52 + static_cast<double>(random() % 1000) / 1e3;
    if (random() % 10 != 0) p.speed = static_cast<double>(random() % 120);
    p.received_at = static_cast<int64_t>(i) * 700 - static_cast<int64_t>(random() % 20'000);
  }
  return out;
}

// "topic key value-as-hex @timestamp" of everything that the topology writes, internal topics too.
std::string run(const Topology& topology, const std::vector<Position>& positions) {
  MemoryRegistry registry;
  auto driver = *TestDriver::create(topology, {.registry = &registry});
  auto in = *driver->input<std::string, Position>("positions");
  for (const Position& p : positions) {
    EXPECT_TRUE(in.pipe(p.vehicle, p, std::max<int64_t>(p.received_at, 0)).ok());
  }
  std::string out;
  while (const auto record = driver->read("means")) {
    out += fmt::format("{} @{}:", record->key.value_or("-"), record->timestamp_ms);
    for (const char c : record->value.value_or("")) out += fmt::format(" {:02x}", static_cast<unsigned char>(c));
    out += '\n';
  }
  return out + fmt::format("dropped {}", driver->dropped_records());
}

TEST(RowTopology, IsThatOfStructsToTheByte) {
  const auto structs = of_structs();
  const auto rows = of_rows(program());
  ASSERT_TRUE(structs.ok()) << structs.status().message();
  ASSERT_TRUE(rows.ok()) << rows.status().message();
  EXPECT_EQ(rows->describe(), structs->describe());
  for (const uint32_t seed : {1u, 2u, 3u}) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    const auto positions = random_positions(seed, 500);
    const std::string want = run(*structs, positions);
    EXPECT_GT(std::count(want.begin(), want.end(), '\n'), 100);
    EXPECT_EQ(run(*rows, positions), want);
  }
}

TEST(RowTopology, IsWrittenWithTheProgramsSchema) {
  Program changed = program();
  const std::string mean = "\"mean\"";
  changed.mean.replace(changed.mean.find(mean), mean.size(), "\"mean\",\"doc\":\"km/h\"");
  const auto rows = of_rows(changed);
  ASSERT_TRUE(rows.ok()) << rows.status().message();
  MemoryRegistry registry;
  auto driver = *TestDriver::create(*rows, {.registry = &registry});
  ASSERT_TRUE(
      (*driver->input<std::string, Position>("positions")).pipe("V1", Position{.line = "1", .speed = 70}, 0).ok());
  const auto layout = *row_layout(changed.mean);
  auto out = *driver->output<std::string, schema::Row>("means", string_serde(), *row_serde(layout));
  EXPECT_EQ(to_string(out.read()->value->view()), R"({"line":"1","start":0,"count":1,"mean":70.0})");
}

TEST(RowTopology, ASchemaThatAvroCannotWriteIsAMistake) {
  const auto missing = of_rows({.position = "{", .sum = "", .mean = "", .filtered = "", .group = ""});
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.status().code(), Code::invalid_argument);
}

}  // namespace
}  // namespace muir::streams
