#include "schema/row.h"

#include <gtest/gtest.h>

#include <limits>
#include <unordered_set>

#include "schema/decimal.h"
#include "schema/random_schema.h"
#include "schema/schema_builder.h"
#include "schema/value.h"

namespace muir::schema {
namespace {

SchemaPtr built(const SchemaBuilder& builder) { return builder.build().value(); }

RowLayoutPtr layout_of(const SchemaBuilder& builder) {
  auto layout = RowLayout::make(built(builder));
  EXPECT_TRUE(layout.ok()) << layout.status().message();
  return *layout;
}

SchemaPtr place() {
  return built(SchemaBuilder::structure("fleet.Place")
                   .field("lat", Type::float64)
                   .field("name", SchemaBuilder(Type::string).nullable()));
}

SchemaBuilder vehicle() {
  return SchemaBuilder::structure("fleet.Vehicle")
      .field("id", Type::string)
      .field("tiny", Type::int8)
      .field("speed", SchemaBuilder(Type::float32).nullable())
      .field("at", SchemaBuilder::timestamp(TimeUnit::millis, true))
      .field("late", SchemaBuilder(Type::boolean).nullable())
      .field("kind", SchemaBuilder::enumeration("fleet.Kind", {"BUS", "TRAM"}))
      .field("price", SchemaBuilder::decimal(20, 2))
      .field("key", Type::uuid)
      .field("home", place())
      .field("work", SchemaBuilder(*place()).nullable())
      .field("track", SchemaBuilder::array(place()))
      .field("limits", SchemaBuilder::map(basic(Type::int32), basic(Type::string)))
      .field("either", SchemaBuilder::union_of({basic(Type::int64), place()}).nullable())
      .field("trailer", SchemaBuilder::reference("fleet.Vehicle").nullable());
}

enum Column : size_t { id, tiny, speed, at, late, kind, price, key, home, work, track, limits, either, trailer };

Row a_vehicle(const RowLayoutPtr& layout) {
  Row row(layout);
  row[id].set("V1234");
  row[tiny].set(int8_t{-7});
  row[speed].set(36.5F);
  row[at].set(int64_t{1'767'268'800'000});
  row[kind].set(1);
  row[price].set_decimal(*decimal_from_text("-12.50", 20, 2));
  row[key].set(*Uuid::parse("f81d4fae-7dec-11d0-a765-00a0c91e6bf6"));
  row[home].row()[0].set(52.25);
  row[home].row()[1].set("depot");
  const ListWriter items = row[track].list();
  for (int i = 0; i < 5; ++i) {
    const RowWriter item = items.append().row();
    item[0].set(static_cast<double>(i));
    if (i % 2 == 1) item[1].set(fmt::format("stop {}", i));
  }
  const ListWriter entries = row[limits].map();
  for (const int32_t limit : {50, 90}) {
    const RowWriter entry = entries.append().row();
    entry[0].set(limit);
    entry[1].set(fmt::format("km/h {}", limit));
  }
  row[either].choose(1).row()[0].set(21.0);
  row[trailer].row()[id].set("T1");
  return row;
}

TEST(Row, ANewOneIsZeroEmptyAndNull) {
  const auto layout = layout_of(vehicle());
  const Row row(layout);
  EXPECT_EQ(
      to_string(row.view()),
      R"({"id":"","tiny":0,"speed":null,"at":0,"late":null,"kind":"BUS","price":0.00,)"
      R"("key":"00000000-0000-0000-0000-000000000000","home":{"lat":0.0,"name":null},"work":null,"track":[],"limits":{},)"
      R"("either":null,"trailer":null})");
  // What is null reads as nothing, too.
  EXPECT_EQ(row.view()[trailer].row()[id].text(), "");
  EXPECT_EQ(row.view()[trailer].row()[trailer].row()[tiny].get<int8_t>(), 0);
  EXPECT_EQ(row.view()[either].held().get<int64_t>(), 0);
}

TEST(Row, HoldsWhatWasSet) {
  const auto layout = layout_of(vehicle());
  const Row row = a_vehicle(layout);
  EXPECT_EQ(
      to_string(row.view()),
      R"({"id":"V1234","tiny":-7,"speed":36.5,"at":1767268800000,"late":null,"kind":"TRAM","price":-12.50,)"
      R"("key":"f81d4fae-7dec-11d0-a765-00a0c91e6bf6","home":{"lat":52.25,"name":"depot"},"work":null,)"
      R"("track":[{"lat":0.0,"name":null},{"lat":1.0,"name":"stop 1"},{"lat":2.0,"name":null},{"lat":3.0,"name":"stop 3"},)"
      R"({"lat":4.0,"name":null}],"limits":{50:"km/h 50",90:"km/h 90"},"either":{"lat":21.0,"name":null},)"
      R"("trailer":{"id":"T1","tiny":0,"speed":null,"at":0,"late":null,"kind":"BUS","price":0.00,)"
      R"("key":"00000000-0000-0000-0000-000000000000","home":{"lat":0.0,"name":null},"work":null,"track":[],"limits":{},)"
      R"("either":null,"trailer":null}})");
  EXPECT_EQ(row.get<std::string_view>(id), "V1234");
  EXPECT_EQ(row.get<int64_t>(static_cast<size_t>(layout->column("at"))), 1'767'268'800'000);
  EXPECT_EQ(layout->column("none"), -1);
  EXPECT_EQ(decimal_as_int64(row.view()[price].decimal()), -1250);
  EXPECT_EQ(row.view()[limits].map().size(), 2U);
}

TEST(Row, IsOneBuffer) {
  const auto layout = layout_of(vehicle());
  const Row row = a_vehicle(layout);
  EXPECT_LT(row.bytes(), 900U);
  Row moved = row;
  const Row copied = row;
  moved[tiny].set(int8_t{1});
  EXPECT_EQ(copied, row);
  EXPECT_FALSE(moved == row);
  const auto flat = layout_of(SchemaBuilder::structure("P")
                                  .field("v", Type::string)
                                  .field("lat", Type::float64)
                                  .field("speed", SchemaBuilder(Type::float64).nullable()));
  EXPECT_EQ(Row(flat).bytes(), 32U);  // presence, offset and length, two doubles
}

TEST(Row, CanBeSetAgain) {
  Row row = a_vehicle(layout_of(vehicle()));
  row[id].set("a longer name than before");
  row[speed].set_null();
  row[track].list().append().row()[0].set(9.0);
  row[either].choose(0).set(int64_t{4});
  EXPECT_EQ(row.get<std::string_view>(id), "a longer name than before");
  EXPECT_TRUE(row.is_null(speed));
  EXPECT_EQ(row.view()[track].list().size(), 1U);
  EXPECT_EQ(row.view()[either].held().get<int64_t>(), 4);
  row[id].set(row.get<std::string_view>(id).substr(2, 6));  // of its own buffer
  EXPECT_EQ(row.get<std::string_view>(id), "longer");
  row.reset();
  EXPECT_EQ(row, Row(row.layout()));
}

TEST(Row, AskedForAnotherTypeEndsTheProcess) {
  Row row = a_vehicle(layout_of(vehicle()));
  EXPECT_DEATH((void)row.get<int32_t>(at), "a column of int64 is read as int32");
  EXPECT_DEATH(row[id].set(1.0), "a column of text is written as float64");
  EXPECT_DEATH((void)row.view()[99], "column 99 of 14");
  EXPECT_DEATH(row[id].set_null(), "null for string, which is not nullable");
  EXPECT_DEATH((void)Row().view(), "without a layout");
}

TEST(Row, OrdersByItsColumns) {
  const auto layout = layout_of(SchemaBuilder::structure("K")
                                    .field("a", SchemaBuilder(Type::int32).nullable())
                                    .field("b", SchemaBuilder(Type::float64)));
  // In order: each is less than all that follow.
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<std::pair<std::optional<int32_t>, double>> rows{
      {std::nullopt, 5.0}, {-1, 0.0}, {0, -INFINITY}, {0, -1.0}, {0, -0.0}, {0, 0.0}, {0, 1.0},
      {0, INFINITY},       {0, kNan}, {7, 0.0}};
  const auto made = [&](size_t i) {
    Row row(layout);
    if (rows[i].first) row[0].set(*rows[i].first);
    row[1].set(rows[i].second);
    return row;
  };
  for (size_t i = 0; i < rows.size(); ++i) {
    for (size_t j = 0; j < rows.size(); ++j) {
      const int order = compare(made(i).view(), made(j).view());
      EXPECT_EQ(order < 0, i < j) << i << " " << j;
      EXPECT_EQ(order == 0, i == j) << i << " " << j;
      EXPECT_EQ(made(i) == made(j), i == j);
      if (i == j) {
        EXPECT_EQ(made(i).hash(), made(j).hash());
      }
    }
  }
}

TEST(Row, MapsAreSetsOfEntries) {
  const auto layout =
      layout_of(SchemaBuilder::structure("M").field("m", SchemaBuilder::map(basic(Type::string), basic(Type::int32))));
  const auto made = [&](const std::vector<std::pair<std::string, int32_t>>& entries) {
    Row row(layout);
    const ListWriter map = row[0].map();
    for (const auto& [key, value] : entries) {
      const RowWriter entry = map.append().row();
      entry[0].set(key);
      entry[1].set(value);
    }
    return row;
  };
  EXPECT_EQ(made({{"a", 1}, {"b", 2}}), made({{"b", 2}, {"a", 1}}));
  EXPECT_EQ(made({{"a", 1}, {"b", 2}}).hash(), made({{"b", 2}, {"a", 1}}).hash());
  EXPECT_FALSE(made({{"a", 1}, {"b", 2}}) == made({{"a", 2}, {"b", 1}}));
}

TEST(RowLayout, SaysWhatIsWrong) {
  EXPECT_FALSE(RowLayout::make(nullptr).ok());
  EXPECT_EQ(RowLayout::make(basic(Type::int32)).status().message(), "row layout: int32 is not a struct");
  const auto lost = RowLayout::make(built(SchemaBuilder::structure("A").field("b", SchemaBuilder::reference("B"))));
  EXPECT_EQ(lost.status().message(), "row layout of A: there is no structure B within it");
}

// Structures that double with each level: what is large lies behind the fixed part.
TEST(RowLayout, StaysSmallWhereTypesRepeat) {
  SchemaPtr schema = built(SchemaBuilder::structure("S0").field("x", Type::int64));
  for (int i = 1; i < 40; ++i)
    schema = built(SchemaBuilder::structure(fmt::format("S{}", i)).field("a", schema).field("b", schema));
  const auto layout = RowLayout::make(schema);
  ASSERT_TRUE(layout.ok());
  Row row(*layout);
  EXPECT_LE(row.bytes(), 256U);
  EXPECT_EQ(row.view()[1].row()[1].row().size(), 2U);
}

TEST(Row, RandomOnesSurviveCopiesAndValues) {
  for (uint32_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    RandomSchema random(seed);
    const SchemaPtr schema = random.schema();
    const auto layout = RowLayout::make(schema);
    ASSERT_TRUE(layout.ok()) << layout.status().message();
    const auto other_layout = RowLayout::make(schema);
    Row row(*layout);
    random.fill(row);
    const Row copy = Row::of(row.view());
    EXPECT_EQ(copy, row);
    EXPECT_EQ(copy.hash(), row.hash());
    EXPECT_EQ(to_string(copy.view()), to_string(row.view()));
    Row again(*other_layout);
    for (size_t i = 0; i < row.view().size(); ++i) {
      const Value value = Value::of(row.view()[i]);
      EXPECT_TRUE(value.put(again[i]).ok());
      EXPECT_EQ(Value::of(again.view()[i]), value);
      EXPECT_EQ(Value::of(again.view()[i]).hash(), value.hash());
    }
    EXPECT_EQ(again, row) << to_string(again.view()) << "\n" << to_string(row.view());
  }
}

TEST(Value, IsPutOnlyWhereItFits) {
  Row row = a_vehicle(layout_of(vehicle()));
  const std::pair<size_t, Value> misfits[]{
      {id, Value(1)},
      {id, Value()},
      {tiny, Value(int32_t{1})},
      {kind, Value(int32_t{2})},
      {kind, Value(-1)},
      {at, Value(1)},
      {track, Value("x")},
      {limits, Value::List{}},
      {price, Value::Decimal{"\1", 3}},
      {either, Value::chosen(2, Value(1))},
      {home, Row(layout_of(SchemaBuilder::structure("x").field("y", Type::date)))},
  };
  for (const auto& [column, value] : misfits) {
    const Status status = value.put(row[column]);
    EXPECT_EQ(status.code(), Code::invalid_argument) << column;
  }
  EXPECT_EQ(Value(1).put(row[id]).message(), "the value is none of string");
  EXPECT_TRUE(Value().put(row[speed]).ok());
  EXPECT_TRUE(row.is_null(speed));
}

TEST(Value, ComparesAsRowsDo) {
  EXPECT_EQ(Value(std::numeric_limits<double>::quiet_NaN()), Value(-std::numeric_limits<double>::quiet_NaN()));
  EXPECT_FALSE(Value(0.0) == Value(-0.0));
  EXPECT_FALSE(Value(int32_t{1}) == Value(int64_t{1}));
  EXPECT_EQ((Value(Value::Entries{{"a", 1}, {"b", 2}})), (Value(Value::Entries{{"b", 2}, {"a", 1}})));
  EXPECT_FALSE((Value(Value::Entries{{"a", 1}, {"a", 2}})) == (Value(Value::Entries{{"a", 1}, {"a", 1}})));
}

}  // namespace
}  // namespace muir::schema
