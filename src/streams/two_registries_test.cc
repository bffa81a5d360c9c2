// One topology, and the serdes in it, serve any number of applications at once, each with its own registry.
#include <gtest/gtest.h>

#include <string>

#include "serde/registry_port.h"
#include "streams/dsl.h"
#include "streams/test_driver.h"

namespace muir::streams {
namespace {

using Text = std::string;
using std::chrono_literals::operator""ms;

struct Reading {
  Text place;
  int64_t sum = 0;
  bool operator==(const Reading&) const = default;
};
void describe(Fields& fields, Reading& reading) { fields("place", reading.place)("sum", reading.sum); }

struct Place {
  Text name;
};
void describe(Fields& fields, Place& place) { fields("name", place.name); }

constexpr auto plus = [](const Reading& a, const Reading& b) { return Reading{a.place, a.sum + b.sum}; };

// Avro at every place that has serdes: source, sink, repartition topic, stores of all kinds, keys of windows and of
// sessions; one serde object at several of them.
Topology topology() {
  StreamsBuilder builder;
  const SerdeRef<Reading> shared = avro<Reading>();
  const auto names = builder.global_table<Text, Reading>("names", {.value = shared}, {.store = "names"});
  const auto in = builder.stream<Text, Reading>("in", {.value = shared});
  const auto by_place =
      in.group_by([](const Reading& reading) { return Place{reading.place}; }, {.name = "by-place", .value = shared});
  by_place.reduce(plus, {.store = "sums"}).to_stream().to("sums");
  by_place.windowed_by({.size = 10ms, .grace = 0ms}).reduce(plus, {.store = "windows"}).to_stream().to("windows");
  by_place.windowed_by(SessionWindows{.gap = 10ms, .grace = 0ms})
      .reduce(plus, {.store = "sessions"})
      .to_stream()
      .to("sessions");
  in.join(
        names, [](const Text& key, const Reading&) { return key; },
        [](const Reading& reading, const Reading& name) {
          return Reading{name.place, reading.sum};
        })
      .to("joined");
  in.left_join(
        builder.stream<Text, Reading>("others", {.value = shared}),
        [](const Reading& left, const Reading* right) {
          return Reading{right == nullptr ? "alone" : right->place, left.sum};
        },
        JoinWindows::of(1ms, 0ms))
      .to("met");
  auto built = builder.build();
  MUIR_CHECK(built.ok(), "{}", built.status().message());
  return *built;
}

// The last value that an output topic got.
template <class K>
Reading last(TestDriver& driver, const Text& topic) {
  auto out = driver.output<K, Reading>(topic);
  EXPECT_TRUE(out.ok()) << topic << ": " << out.status().message();
  if (!out.ok()) return {};
  const auto all = out->read_all();
  EXPECT_TRUE(all.ok()) << topic << ": " << all.status().message();
  if (!all.ok() || all->empty() || !all->back().value) return {"nothing", -1};
  return *all->back().value;
}

TEST(TwoRegistries, OneTopologyServesBothAtOnce) {
  const Topology shared = topology();
  MemoryRegistry registries[2];
  // The second has given out ids before: what belongs to the one makes no sense to the other.
  for (int i = 1; i <= 40; ++i) {
    const Text text = fmt::format(R"({{"type":"fixed","name":"F{0}","size":{0}}})", i);
    ASSERT_TRUE(registries[1].register_schema("other", text).ok());
  }
  std::unique_ptr<TestDriver> drivers[2];
  for (int i = 0; i < 2; ++i) {
    auto made = TestDriver::create(shared, {.registry = &registries[i]});
    ASSERT_TRUE(made.ok()) << made.status().message();
    drivers[i] = std::move(*made);
  }
  // In turns, so that what one driver bound would be another's if it were shared.
  for (int64_t turn = 1; turn <= 3; ++turn) {
    for (auto& driver : drivers) {
      for (const Text topic : {"names", "others", "in"}) {
        auto input = *driver->input<Text, Reading>(topic);
        const Status piped = input.pipe("a", Reading{topic == "in" ? "here" : "Alpha", turn}, turn);
        ASSERT_TRUE(piped.ok()) << topic << ": " << piped.to_string();
      }
    }
  }
  for (int i = 0; i < 2; ++i) {
    SCOPED_TRACE(fmt::format("registry {}", i));
    EXPECT_EQ(last<Place>(*drivers[i], "sums"), (Reading{"here", 6}));
    EXPECT_EQ(last<Windowed<Place>>(*drivers[i], "windows"), (Reading{"here", 6}));
    EXPECT_EQ(last<Text>(*drivers[i], "joined"), (Reading{"Alpha", 3}));
    EXPECT_EQ(last<Text>(*drivers[i], "met"), (Reading{"Alpha", 3}));
    // Each has the schemas of all topics under ids of its own.
    for (const char* subject : {"in-value", "sums-key", "sums-value", "windows-key", "windows-value", "sessions-key",
                                "sessions-value", "joined-value", "met-value", "test-sums-changelog-key",
                                "test-windows-changelog-key", "test-by-place-repartition-key"}) {
      const auto known = registries[i].latest_schema(subject);
      ASSERT_TRUE(known.ok()) << subject;
      EXPECT_EQ(known->id > 40, i == 1) << subject << " has id " << known->id;
    }
  }
}

// A session that grew is deleted under its old times: the last of a topic is the new one.
TEST(TwoRegistries, KeysOfSessionsAreTheirs) {
  const Topology shared = topology();
  for (int i = 0; i < 2; ++i) {
    MemoryRegistry registry;
    auto driver = TestDriver::create(shared, {.registry = &registry});
    ASSERT_TRUE(driver.ok()) << driver.status().message();
    auto in = *(*driver)->input<Text, Reading>("in");
    ASSERT_TRUE(in.pipe("a", Reading{"here", 1}, 1).ok());
    ASSERT_TRUE(in.pipe("a", Reading{"here", 2}, 2).ok());
    auto out = (*driver)->output<Windowed<Place>, Reading>("sessions", session_windowed_serde<Place>());
    ASSERT_TRUE(out.ok()) << out.status().message();
    const auto all = out->read_all();
    ASSERT_TRUE(all.ok()) << all.status().message();
    ASSERT_FALSE(all->empty());
    EXPECT_EQ(all->back().key->key.name, "here");
    EXPECT_EQ(all->back().key->window, (Window{1, 2}));
    EXPECT_EQ(all->back().value, (Reading{"here", 3}));
  }
}

// What a serde needs and its application has not is told at the start, whoever else has it.
TEST(TwoRegistries, ABoundTopologyHelpsNobodyElse) {
  const Topology shared = topology();
  MemoryRegistry registry;
  ASSERT_TRUE(TestDriver::create(shared, {.registry = &registry}).ok());
  EXPECT_EQ(TestDriver::create(shared, {}).status().code(), Code::failed_precondition);
}

}  // namespace
}  // namespace muir::streams
