// Several grouped streams into one table: timelines on virtual time. topologies_test.cc runs more of them beside the
// JVM.
#include <gtest/gtest.h>

#include "streams/dsl.h"
#include "streams/test_driver.h"

namespace muir::streams {
namespace {

using namespace std::chrono_literals;
using Text = std::string;

Text add_text(const Text& value, const Text& all) { return all + value; }
Text add_number(const int64_t& value, const Text& all) { return all + std::to_string(value); }

// Texts and numbers of a key.
auto both(StreamsBuilder& builder) {
  const auto texts = builder.stream<Text, Text>("texts").group_by_key();
  const auto numbers = builder.stream<Text, int64_t>("numbers").group_by_key();
  return texts.cogroup<Text>(add_text).cogroup(numbers, add_number);
}

std::string key_of(const Text& key) { return key; }
std::string key_of(const Windowed<Text>& key) {
  return fmt::format("{}[{},{}]", key.key, key.window.start_ms, key.window.end_ms);
}

struct Step {
  Text text;  // empty: a number
  int64_t number;
  int64_t timestamp_ms;
  const char* want;
};

template <class K>
void expect(const std::function<KTable<K, Text>(StreamsBuilder&)>& build, const std::vector<Step>& steps) {
  for (const int64_t cache_bytes : {0, 1'000'000}) {
    StreamsBuilder builder;
    build(builder)
        .to_stream()
        .map([](const K* key, const Text* value) {
          return std::pair(key_of(*key), value == nullptr ? Text("-") : *value);
        })
        .to("out");
    const auto topology = builder.build();
    ASSERT_TRUE(topology.ok()) << topology.status().message();
    const auto driver = *TestDriver::create(*topology, {.cache_max_bytes = cache_bytes});
    auto texts = *driver->input<Text, Text>("texts");
    auto numbers = *driver->input<Text, int64_t>("numbers");
    for (const Step& step : steps) {
      SCOPED_TRACE(fmt::format("@{}, cache of {} bytes", step.timestamp_ms, cache_bytes));
      const Status piped = step.text.empty() ? numbers.pipe("k", step.number, step.timestamp_ms)
                                             : texts.pipe("k", step.text, step.timestamp_ms);
      ASSERT_TRUE(piped.ok()) << piped.message();
      std::string told;
      while (const auto record = driver->read("out"))
        told += fmt::format("{}{}={}@{}", told.empty() ? "" : " ", *record->key, *record->value, record->timestamp_ms);
      EXPECT_EQ(told, step.want);
    }
  }
}

TEST(Cogroup, EachGroupHasItsFunction) {
  expect<Text>([](auto& b) { return both(b).aggregate("<" + Text()); },
               {{"a", 0, 1, "k=<a@1"}, {"", 7, 2, "k=<a7@2"}, {"b", 0, 1, "k=<a7b@2"}});
}

TEST(Cogroup, InWindows) {
  expect<Windowed<Text>>(
      [](auto& b) { return both(b).windowed_by({.size = 10ms, .grace = 0ms}).aggregate(Text(), {.retention = 1s}); },
      {{"a", 0, 1, "k[0,10]=a@1"},
       {"", 7, 9, "k[0,10]=a7@9"},
       {"", 8, 11, "k[10,20]=8@11"},
       // Each group has a time of its own, as in Kafka Streams: texts have come to 1.
       {"b", 0, 2, "k[0,10]=a7b@9"},
       {"", 9, 3, ""}});
}

TEST(Cogroup, InSlidingWindows) {
  expect<Windowed<Text>>(
      [](auto& b) { return both(b).windowed_by({.difference = 10ms, .grace = 50ms}).aggregate(Text()); },
      {{"a", 0, 20, "k[10,20]=a@20"}, {"", 7, 25, "k[21,31]=7@25 k[15,25]=a7@25"}});
}

TEST(Cogroup, InSessions) {
  const auto merge = [](const Text& a, const Text& b) { return a + "|" + b; };
  StreamsBuilder builder;
  both(builder)
      .windowed_by({.gap = 10ms, .grace = 50ms})
      .aggregate(Text(), merge, {.store = "kept"})
      .to_stream()
      .to("out");
  const auto driver = *TestDriver::create(*builder.build());
  auto texts = *driver->input<Text, Text>("texts");
  auto numbers = *driver->input<Text, int64_t>("numbers");
  ASSERT_TRUE(texts.pipe("k", "a", 100).ok());
  ASSERT_TRUE(numbers.pipe("k", 7, 120).ok());
  ASSERT_TRUE(texts.pipe("k", "b", 110).ok());
  auto out = *driver->output<Windowed<Text>, Text>("out", session_windowed_serde<Text>());
  const auto told = *out.read_to_map();
  EXPECT_EQ(told.at({"k", {100, 120}}), "|a|7b");
  EXPECT_EQ(told.at({"k", {100, 100}}), std::nullopt);
  EXPECT_EQ(told.at({"k", {120, 120}}), std::nullopt);
}

TEST(Cogroup, MistakesAreToldByBuild) {
  StreamsBuilder other;
  struct Mistake {
    std::string name;
    std::function<void(StreamsBuilder&)> build;
    std::string want;
  };
  for (const Mistake& c : {
           Mistake{"one group twice",
                   [](auto& b) {
                     const auto texts = b.template stream<Text, Text>("texts").group_by_key();
                     texts.template cogroup<Text>(add_text).cogroup(texts, add_text).aggregate(Text());
                   },
                   "it has one group twice"},
           Mistake{"told when windows close",
                   [](auto& b) {
                     both(b)
                         .windowed_by({.size = 1s, .grace = 0s, .emit = EmitStrategy::on_window_close})
                         .aggregate(Text());
                   },
                   "told at every update"},
           Mistake{"windows without size",
                   [](auto& b) { both(b).windowed_by({.size = 0s, .grace = 0s}).aggregate(Text()); },
                   "must be positive"},
           Mistake{"another topology",
                   [&other](auto& b) {
                     const auto texts = b.template stream<Text, Text>("texts").group_by_key();
                     texts.template cogroup<Text>(add_text)
                         .cogroup(other.stream<Text, Text>("others").group_by_key(), add_text)
                         .aggregate(Text());
                   },
                   "belong to different StreamsBuilders"},
       }) {
    SCOPED_TRACE(c.name);
    StreamsBuilder builder;
    c.build(builder);
    const auto built = builder.build();
    ASSERT_FALSE(built.ok());
    EXPECT_NE(built.status().message().find(c.want), std::string::npos) << built.status().message();
  }
}

}  // namespace
}  // namespace muir::streams
