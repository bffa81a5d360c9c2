// Names, describe() and plans. The expected texts were printed by Kafka Streams for the same programs.
#include "streams/topology.h"

#include <gtest/gtest.h>

#include "streams/dsl.h"
#include "streams/plan/plan.h"

namespace muir::streams {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using Text = KStream<std::string, std::string>;

std::vector<std::string> words(const std::string& line) { return {line}; }
std::string same(const std::string& v) { return v; }
std::string joined(const std::string& v, const std::string&) { return v; }
std::string left_joined(const std::string& v, const std::string*) { return v; }
bool any(const std::string&) { return true; }

struct DescribeCase {
  std::string name;
  std::function<void(StreamsBuilder&)> build;
  std::string want;
};

std::vector<DescribeCase> cases() {
  return {
      {"filter and map_values",
       [](StreamsBuilder& b) { b.stream<std::string, std::string>("input").filter(any).map_values(same).to("output"); },
       R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [input])
      --> KSTREAM-FILTER-0000000001
    Processor: KSTREAM-FILTER-0000000001 (stores: [])
      --> KSTREAM-MAPVALUES-0000000002
      <-- KSTREAM-SOURCE-0000000000
    Processor: KSTREAM-MAPVALUES-0000000002 (stores: [])
      --> KSTREAM-SINK-0000000003
      <-- KSTREAM-FILTER-0000000001
    Sink: KSTREAM-SINK-0000000003 (topic: output)
      <-- KSTREAM-MAPVALUES-0000000002

)"},
      {"word count, generated names",
       [](StreamsBuilder& b) {
         b.stream<std::string, std::string>("streams-plaintext-input")
             .flat_map_values(words)
             .group_by(same)
             .count()
             .to_stream()
             .to("streams-wordcount-output");
       },
       R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [streams-plaintext-input])
      --> KSTREAM-FLATMAPVALUES-0000000001
    Processor: KSTREAM-FLATMAPVALUES-0000000001 (stores: [])
      --> KSTREAM-KEY-SELECT-0000000002
      <-- KSTREAM-SOURCE-0000000000
    Processor: KSTREAM-KEY-SELECT-0000000002 (stores: [])
      --> KSTREAM-FILTER-0000000006
      <-- KSTREAM-FLATMAPVALUES-0000000001
    Processor: KSTREAM-FILTER-0000000006 (stores: [])
      --> KSTREAM-SINK-0000000005
      <-- KSTREAM-KEY-SELECT-0000000002
    Sink: KSTREAM-SINK-0000000005 (topic: KSTREAM-AGGREGATE-STATE-STORE-0000000003-repartition)
      <-- KSTREAM-FILTER-0000000006

  Sub-topology: 1
    Source: KSTREAM-SOURCE-0000000007 (topics: [KSTREAM-AGGREGATE-STATE-STORE-0000000003-repartition])
      --> KSTREAM-AGGREGATE-0000000004
    Processor: KSTREAM-AGGREGATE-0000000004 (stores: [KSTREAM-AGGREGATE-STATE-STORE-0000000003])
      --> KTABLE-TOSTREAM-0000000008
      <-- KSTREAM-SOURCE-0000000007
    Processor: KTABLE-TOSTREAM-0000000008 (stores: [])
      --> KSTREAM-SINK-0000000009
      <-- KSTREAM-AGGREGATE-0000000004
    Sink: KSTREAM-SINK-0000000009 (topic: streams-wordcount-output)
      <-- KTABLE-TOSTREAM-0000000008

)"},
      {"word count, named store",
       [](StreamsBuilder& b) {
         b.stream<std::string, std::string>("streams-wordcount-input")
             .flat_map_values(words)
             .group_by(same)
             .count({.store = "counts-store"})
             .to_stream()
             .to("streams-wordcount-output");
       },
       R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [streams-wordcount-input])
      --> KSTREAM-FLATMAPVALUES-0000000001
    Processor: KSTREAM-FLATMAPVALUES-0000000001 (stores: [])
      --> KSTREAM-KEY-SELECT-0000000002
      <-- KSTREAM-SOURCE-0000000000
    Processor: KSTREAM-KEY-SELECT-0000000002 (stores: [])
      --> counts-store-repartition-filter
      <-- KSTREAM-FLATMAPVALUES-0000000001
    Processor: counts-store-repartition-filter (stores: [])
      --> counts-store-repartition-sink
      <-- KSTREAM-KEY-SELECT-0000000002
    Sink: counts-store-repartition-sink (topic: counts-store-repartition)
      <-- counts-store-repartition-filter

  Sub-topology: 1
    Source: counts-store-repartition-source (topics: [counts-store-repartition])
      --> KSTREAM-AGGREGATE-0000000003
    Processor: KSTREAM-AGGREGATE-0000000003 (stores: [counts-store])
      --> KTABLE-TOSTREAM-0000000007
      <-- counts-store-repartition-source
    Processor: KTABLE-TOSTREAM-0000000007 (stores: [])
      --> KSTREAM-SINK-0000000008
      <-- KSTREAM-AGGREGATE-0000000003
    Sink: KSTREAM-SINK-0000000008 (topic: streams-wordcount-output)
      <-- KTABLE-TOSTREAM-0000000007

)"},
      {"reduce behind a filter and a new key",
       [](StreamsBuilder& b) {
         b.stream<std::string, std::string>("sum-input")
             .filter(any)
             .select_key(same)
             .group_by_key()
             .reduce([](const std::string& x, const std::string& y) { return x + y; })
             .to_stream()
             .to("sum-output");
       },
       R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [sum-input])
      --> KSTREAM-FILTER-0000000001
    Processor: KSTREAM-FILTER-0000000001 (stores: [])
      --> KSTREAM-KEY-SELECT-0000000002
      <-- KSTREAM-SOURCE-0000000000
    Processor: KSTREAM-KEY-SELECT-0000000002 (stores: [])
      --> KSTREAM-FILTER-0000000006
      <-- KSTREAM-FILTER-0000000001
    Processor: KSTREAM-FILTER-0000000006 (stores: [])
      --> KSTREAM-SINK-0000000005
      <-- KSTREAM-KEY-SELECT-0000000002
    Sink: KSTREAM-SINK-0000000005 (topic: KSTREAM-REDUCE-STATE-STORE-0000000003-repartition)
      <-- KSTREAM-FILTER-0000000006

  Sub-topology: 1
    Source: KSTREAM-SOURCE-0000000007 (topics: [KSTREAM-REDUCE-STATE-STORE-0000000003-repartition])
      --> KSTREAM-REDUCE-0000000004
    Processor: KSTREAM-REDUCE-0000000004 (stores: [KSTREAM-REDUCE-STATE-STORE-0000000003])
      --> KTABLE-TOSTREAM-0000000008
      <-- KSTREAM-SOURCE-0000000007
    Processor: KTABLE-TOSTREAM-0000000008 (stores: [])
      --> KSTREAM-SINK-0000000009
      <-- KSTREAM-REDUCE-0000000004
    Sink: KSTREAM-SINK-0000000009 (topic: sum-output)
      <-- KTABLE-TOSTREAM-0000000008

)"},
      {"left join with a table",
       [](StreamsBuilder& b) {
         const auto s = b.stream<std::string, std::string>("temperature");
         s.left_join(b.table<std::string, std::string>("configurations"), left_joined).for_each([](const std::string&) {
         });
       },
       R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [temperature])
      --> KSTREAM-LEFTJOIN-0000000004
    Processor: KSTREAM-LEFTJOIN-0000000004 (stores: [configurations-STATE-STORE-0000000001])
      --> KSTREAM-FOREACH-0000000005
      <-- KSTREAM-SOURCE-0000000000
    Source: KSTREAM-SOURCE-0000000002 (topics: [configurations])
      --> KTABLE-SOURCE-0000000003
    Processor: KSTREAM-FOREACH-0000000005 (stores: [])
      --> none
      <-- KSTREAM-LEFTJOIN-0000000004
    Processor: KTABLE-SOURCE-0000000003 (stores: [configurations-STATE-STORE-0000000001])
      --> none
      <-- KSTREAM-SOURCE-0000000002

)"},
      {"global table, named store",
       [](StreamsBuilder& b) {
         const auto s = b.stream<std::string, std::string>("my-order");
         const auto g =
             b.global_table<std::string, std::string>("my-global-users", {}, {.store = "my-global-users-store"});
         const auto j = s.join(g, same, joined);
         j.for_each([](const std::string&) {});
         j.to("my-user-order");
       },
       R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [my-order])
      --> KSTREAM-LEFTJOIN-0000000003
    Processor: KSTREAM-LEFTJOIN-0000000003 (stores: [])
      --> KSTREAM-FOREACH-0000000004, KSTREAM-SINK-0000000005
      <-- KSTREAM-SOURCE-0000000000
    Processor: KSTREAM-FOREACH-0000000004 (stores: [])
      --> none
      <-- KSTREAM-LEFTJOIN-0000000003
    Sink: KSTREAM-SINK-0000000005 (topic: my-user-order)
      <-- KSTREAM-LEFTJOIN-0000000003

  Sub-topology: 1 for global store (will not generate tasks)
    Source: KSTREAM-SOURCE-0000000001 (topics: [my-global-users])
      --> KTABLE-SOURCE-0000000002
    Processor: KTABLE-SOURCE-0000000002 (stores: [my-global-users-store])
      --> none
      <-- KSTREAM-SOURCE-0000000001
)"},
      {"join of a repartitioned stream takes the stream's name",
       [](StreamsBuilder& b) {
         const auto s = b.stream<std::string, std::string>("score-events").select_key(same);
         const auto t = b.table<std::string, std::string>("player-events");
         b.global_table<std::string, std::string>("products");
         s.left_join(t, left_joined).for_each([](const std::string&) {});
       },
       R"(Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [score-events])
      --> KSTREAM-KEY-SELECT-0000000001
    Processor: KSTREAM-KEY-SELECT-0000000001 (stores: [])
      --> KSTREAM-FILTER-0000000009
      <-- KSTREAM-SOURCE-0000000000
    Processor: KSTREAM-FILTER-0000000009 (stores: [])
      --> KSTREAM-SINK-0000000008
      <-- KSTREAM-KEY-SELECT-0000000001
    Sink: KSTREAM-SINK-0000000008 (topic: KSTREAM-KEY-SELECT-0000000001-repartition)
      <-- KSTREAM-FILTER-0000000009

  Sub-topology: 1
    Source: KSTREAM-SOURCE-0000000010 (topics: [KSTREAM-KEY-SELECT-0000000001-repartition])
      --> KSTREAM-LEFTJOIN-0000000011
    Processor: KSTREAM-LEFTJOIN-0000000011 (stores: [player-events-STATE-STORE-0000000002])
      --> KSTREAM-FOREACH-0000000012
      <-- KSTREAM-SOURCE-0000000010
    Source: KSTREAM-SOURCE-0000000003 (topics: [player-events])
      --> KTABLE-SOURCE-0000000004
    Processor: KSTREAM-FOREACH-0000000012 (stores: [])
      --> none
      <-- KSTREAM-LEFTJOIN-0000000011
    Processor: KTABLE-SOURCE-0000000004 (stores: [player-events-STATE-STORE-0000000002])
      --> none
      <-- KSTREAM-SOURCE-0000000003

  Sub-topology: 2 for global store (will not generate tasks)
    Source: KSTREAM-SOURCE-0000000006 (topics: [products])
      --> KTABLE-SOURCE-0000000007
    Processor: KTABLE-SOURCE-0000000007 (stores: [products-STATE-STORE-0000000005])
      --> none
      <-- KSTREAM-SOURCE-0000000006
)"},
  };
}

TEST(Describe, PrintsWhatKafkaStreamsPrints) {
  for (const auto& c : cases()) {
    SCOPED_TRACE(c.name);
    StreamsBuilder builder;
    c.build(builder);
    const auto topology = builder.build();
    ASSERT_TRUE(topology.ok()) << topology.status().to_string();
    EXPECT_EQ(topology->describe(), c.want);
  }
}

struct NameCase {
  std::string name;
  std::function<std::string(StreamsBuilder&)> build;  // yields the name of its last operator
  std::string want;
};

TEST(Names, SpendIndicesAsKafkaDoes) {
  const auto s = [](StreamsBuilder& b) { return b.stream<std::string, std::string>("t"); };
  const std::vector<NameCase> all{
      {"a named operator spends an index",
       [&](auto& b) { return s(b).filter(any, {.name = "f"}).map_values(same).name(); },
       "KSTREAM-MAPVALUES-0000000002"},
      {"a named processor spends none",
       [&](auto& b) {
         struct P : Processor<std::string, std::string, std::string, std::string> {
           Status process(const Record<std::string, std::string>&) override { return {}; }
         };
         return s(b).process([] { return std::make_unique<P>(); }, {.name = "p"}).filter(any).name();
       },
       "KSTREAM-FILTER-0000000001"},
      {"a named repartition spends the three of its nodes",
       [&](auto& b) { return s(b).repartition({.name = "r"}).filter(any).name(); }, "KSTREAM-FILTER-0000000004"},
      {"an unnamed one spends four", [&](auto& b) { return s(b).repartition().filter(any).name(); },
       "KSTREAM-FILTER-0000000005"},
      {"a branch spends one each",
       [&](auto& b) {
         auto branches = s(b).split().branch(any, {.name = "A"}).branch(any).default_branch();
         return branches.at("KSTREAM-BRANCH-0000000001A").filter(any).name();
       },
       "KSTREAM-FILTER-0000000005"},
      {"count with options but no store spends one more",
       [&](auto& b) { return s(b).group_by_key().count({.logging = false}).name(); }, "KSTREAM-AGGREGATE-0000000003"},
      {"count without", [&](auto& b) { return s(b).group_by_key().count().name(); }, "KSTREAM-AGGREGATE-0000000002"},
      {"windowed reduce",
       [&](auto& b) {
         return s(b)
             .group_by_key()
             .windowed_by({.size = 5ms, .grace = 0ms})
             .reduce([](const std::string& x, const std::string&) { return x; })
             .name();
       },
       "KSTREAM-REDUCE-0000000002"},
      {"table", [](auto& b) { return b.template table<std::string, std::string>("t").filter(any).name(); },
       "KTABLE-FILTER-0000000003"},
      {"named table", [](auto& b) { return b.template table<std::string, std::string>("t", {.name = "N"}).name(); },
       "N"},
      {"to_table", [&](auto& b) { return s(b).to_table().to_stream().name(); }, "KTABLE-TOSTREAM-0000000003"},
      {"the same topic twice is one source",
       [&](auto& b) {
         s(b);
         return s(b).name();
       },
       "KSTREAM-SOURCE-0000000000"},
  };
  for (const auto& c : all) {
    SCOPED_TRACE(c.name);
    StreamsBuilder builder;
    EXPECT_EQ(c.build(builder), c.want);
  }
}

TEST(Plan, NamesTopicsAndStoresOfEachSubtopology) {
  StreamsBuilder builder;
  const auto positions = builder.stream<std::string, std::string>("positions", {.reset = Reset::latest});
  const auto zones = builder.table<std::string, std::string>("zones", {}, {.store = "zones-store"});
  const auto master = builder.global_table<std::string, std::string>("master", {}, {.store = "master-store"});
  positions.join(zones, joined).join(master, same, joined).to("alerts");
  positions.group_by(same, {.name = "by"})
      .windowed_by({.size = 10s, .grace = 5s})
      .count({.store = "w", .topic_configs = {{"min.cleanable.dirty.ratio", "0.1"}}})
      .to_stream()
      .to("counts");
  const auto plan = *builder.build()->plan("app");
  const auto& subs = plan->subtopologies();
  ASSERT_EQ(subs.size(), 3u);
  EXPECT_EQ(subs[0].source_topics, (std::vector<std::string>{"positions", "zones"}));
  EXPECT_EQ(subs[0].sink_topics, (std::vector<std::string>{"alerts", "app-by-repartition"}));
  ASSERT_EQ(subs[0].stores.size(), 1u);
  EXPECT_EQ(subs[0].stores[0].changelog_topic, "app-zones-store-changelog");
  EXPECT_TRUE(subs[1].is_global);
  EXPECT_EQ(subs[1].stores[0].changelog_topic, "master");
  EXPECT_TRUE(subs[1].stores[0].source_topic_is_changelog);
  EXPECT_EQ(subs[2].source_topics, (std::vector<std::string>{"app-by-repartition"}));
  EXPECT_EQ(subs[2].stores[0].changelog_topic, "app-w-changelog");

  std::map<std::string, internal::InternalTopic> topics;
  for (const auto& topic : plan->internal_topics()) topics[topic.name] = topic;
  ASSERT_EQ(topics.size(), 3u);
  EXPECT_FALSE(topics.at("app-by-repartition").changelog);
  EXPECT_EQ(topics.at("app-by-repartition").configs,
            (std::map<std::string, std::string>{{"cleanup.policy", "delete"},
                                                {"segment.bytes", "52428800"},
                                                {"retention.ms", "-1"},
                                                {"message.timestamp.type", "CreateTime"}}));
  EXPECT_EQ(
      topics.at("app-zones-store-changelog").configs,
      (std::map<std::string, std::string>{{"cleanup.policy", "compact"}, {"message.timestamp.type", "CreateTime"}}));
  EXPECT_EQ(topics.at("app-w-changelog").configs,
            (std::map<std::string, std::string>{{"cleanup.policy", "compact,delete"},
                                                {"retention.ms", "86415000"},
                                                {"message.timestamp.type", "CreateTime"},
                                                {"min.cleanable.dirty.ratio", "0.1"}}));
  EXPECT_EQ(plan->copartition_groups(), (std::vector<std::vector<std::string>>{{"positions", "zones"}}));
  EXPECT_EQ(plan->source_settings("positions").earliest, false);
  EXPECT_EQ(plan->source_settings("zones").earliest, std::nullopt);
  EXPECT_EQ(plan->source_settings("app-by-repartition").earliest, true);
}

TEST(Plan, NamedGroupSharesItsRepartitionTopic) {
  StreamsBuilder builder;
  const auto group = builder.stream<std::string, std::string>("t").group_by(same, {.name = "g"});
  group.count({.store = "a"});
  group.count({.store = "b"});
  const auto plan = *builder.build()->plan("app");
  EXPECT_EQ(plan->subtopologies().size(), 2u);
  EXPECT_EQ(plan->subtopologies()[1].stores.size(), 2u);
}

struct NoSerde {
  int x = 0;
};

// A text whose bytes are not those of the library's serde.
class Reversed final : public ErasedSerde {
  Status serialize(std::string_view, const void* value, Bytes& out) const override {
    const auto& text = *static_cast<const std::string*>(value);
    out.append(text.rbegin(), text.rend());
    return {};
  }
  Status deserialize(std::string_view, BytesView bytes, void* out) const override {
    static_cast<std::string*>(out)->assign(bytes.rbegin(), bytes.rend());
    return {};
  }
};

// Kafka's selector and repartition topic both take the name of Grouped.
TEST(Describe, AGroupsNameIsThatOfItsSelector) {
  StreamsBuilder builder;
  builder.stream<std::string, std::string>("t")
      .group_by([](const std::string& v) { return v; }, {.name = "by-word"})
      .count({.store = "s"});
  const std::string text = builder.build()->describe();
  for (const char* line :
       {"Processor: by-word (stores: [])\n      --> by-word-repartition-filter",
        "Processor: by-word-repartition-filter (stores: [])\n      --> by-word-repartition-sink",
        "Source: by-word-repartition-source (topics: [by-word-repartition])\n      --> KSTREAM-AGGREGATE-0000000002"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
  }
}

TEST(Build, TellsTheFirstMistake) {
  struct P : Processor<std::string, std::string, std::string, std::string> {
    Status process(const Record<std::string, std::string>&) override { return {}; }
  };
  struct Case {
    std::string name;
    std::function<void(StreamsBuilder&)> build;
    std::string want;
  };
  const std::vector<Case> all{
      {"two stores of one name",
       [](StreamsBuilder& b) {
         b.stream<std::string, std::string>("t").group_by_key().count({.store = "s"});
         b.stream<std::string, std::string>("u").group_by_key().count({.store = "s"});
       },
       "two state stores are named s"},
      {"two operators of one name",
       [](StreamsBuilder& b) {
         b.stream<std::string, std::string>("t").filter(any, {.name = "f"}).filter(any, {.name = "f"});
       },
       "two operators are named f"},
      {"store of a processor missing",
       [](StreamsBuilder& b) {
         b.stream<std::string, std::string>("t").process([] { return std::make_unique<P>(); },
                                                         {.name = "p", .stores = {"gone"}});
       },
       "p uses state store gone, which was not added"},
      {"one topic, two types",
       [](StreamsBuilder& b) {
         b.stream<std::string, std::string>("t");
         b.stream<std::string, int64_t>("t");
       },
       "topic t is read with two different types"},
      {"overlapping sources",
       [](StreamsBuilder& b) {
         b.stream<std::string, std::string>("t");
         b.stream<std::string, std::string>(std::vector<std::string>{"t", "u"});
       },
       "topic t is read by KSTREAM-SOURCE-0000000000 and KSTREAM-SOURCE-0000000001"},
      {"stream and global table",
       [](StreamsBuilder& b) {
         b.stream<std::string, std::string>("t");
         b.global_table<std::string, std::string>("t");
       },
       "topic t is read by KSTREAM-SOURCE-0000000000 and KSTREAM-SOURCE-0000000002"},
      {"no topic", [](StreamsBuilder& b) { b.stream<std::string, std::string>(std::vector<std::string>{}); },
       "stream KSTREAM-SOURCE-0000000000 names no topic"},
      {"name of an operator",
       [](StreamsBuilder& b) { b.stream<std::string, std::string>("t").filter(any, {.name = "a b"}); },
       "name 'a b' must have"},
      {"name of a store",
       [](StreamsBuilder& b) {
         b.stream<std::string, std::string>("t").group_by_key().count({.store = std::string(250, 'x')});
       },
       "must have 1 to 249 of the characters"},
      {"name of a group that needs no topic",
       [](StreamsBuilder& b) { b.stream<std::string, std::string>("t").group_by_key({.name = "a/b"}).count(); },
       "name 'a/b' must have"},
      {"name of a join that needs no topic",
       [](StreamsBuilder& b) {
         const auto rows = b.table<std::string, std::string>("u");
         b.stream<std::string, std::string>("t").join(rows, std::plus<std::string>(), {.name = ".."});
       },
       "name '..' must have"},
      {"name of a join of streams",
       [](StreamsBuilder& b) {
         const auto in = b.stream<std::string, std::string>("t");
         in.join(in, std::plus<std::string>(), JoinWindows::of(1s, 0s), {.store = "a b"});
       },
       "name 'a b' must have"},
      {"setting of a changelog",
       [](StreamsBuilder& b) {
         b.stream<std::string, std::string>("t").group_by_key().count(
             {.store = "s", .topic_configs = {{"retentoin.ms", "1"}}});
       },
       "changelog of store s: no topic has a setting 'retentoin.ms'; did you mean retention.ms?"},
      {"setting of the changelogs of a join",
       [](StreamsBuilder& b) {
         const auto in = b.stream<std::string, std::string>("t");
         in.join(in, std::plus<std::string>(), JoinWindows::of(1s, 0s), {.store = "s", .topic_configs = {{"x", "1"}}});
       },
       "changelog of store s-other-join-store: no topic has a setting 'x'"},
      {"setting of a processor's changelog",
       [](StreamsBuilder& b) {
         b.stream<std::string, std::string>("t");
         b.add_state_store(
             KeyValueStoreBuilder<std::string, int64_t>{.name = "s", .topic_configs = {{"cleanup-policy", "compact"}}});
       },
       "did you mean cleanup.policy?"},
      {"no serde",
       [](StreamsBuilder& b) {
         b.stream<std::string, std::string>("t").map_values([](const std::string&) { return NoSerde{}; }).to("u");
       },
       "no serde for KSTREAM-SINK-0000000002 value"},
      {"two repartitions of one name",
       [](StreamsBuilder& b) {
         b.stream<std::string, std::string>("t").repartition({.name = "r"}).repartition({.name = "r"});
       },
       "two operators repartition through r-repartition"},
      {"nothing", [](StreamsBuilder&) {}, "it reads no topic"},
      {"a store alone",
       [](StreamsBuilder& b) { b.add_state_store(KeyValueStoreBuilder<std::string, int64_t>{.name = "s"}); },
       "it reads no topic"},
      {"no partitions",
       [](StreamsBuilder& b) { b.stream<std::string, std::string>("t").repartition({.name = "r", .partitions = 0}); },
       "repartition topic r-repartition: 0 partitions"},
      {"fewer than none",
       [](StreamsBuilder& b) { b.stream<std::string, std::string>("t").repartition({.name = "r", .partitions = -3}); },
       "repartition topic r-repartition: -3 partitions"},
      {"empty topic", [](StreamsBuilder& b) { b.stream<std::string, std::string>(""); },
       "KSTREAM-SOURCE-0000000000 reads topic ''"},
      {"illegal topic", [](StreamsBuilder& b) { b.table<std::string, std::string>("a/b"); },
       "KSTREAM-SOURCE-0000000001 reads topic 'a/b'"},
      {"illegal sink", [](StreamsBuilder& b) { b.stream<std::string, std::string>("t").to("out put"); },
       "KSTREAM-SINK-0000000001 writes topic 'out put'"},
      {"long sink", [](StreamsBuilder& b) { b.stream<std::string, std::string>("t").to(std::string(250, 'x')); },
       "which no topic can be named"},
      {"illegal repartition",
       [](StreamsBuilder& b) { b.stream<std::string, std::string>("t").repartition({.name = "r s"}); },
       "name 'r s' must have"},
      {"long repartition",
       [](StreamsBuilder& b) { b.stream<std::string, std::string>("t").repartition({.name = std::string(240, 'r')}); },
       "repartitions through topic 'rrr"},
      {"window without size",
       [](StreamsBuilder& b) {
         b.stream<std::string, std::string>("t");
         b.add_state_store(WindowStoreBuilder<std::string, int64_t>{
             .name = "w", .window_size = 0ms, .retention = std::chrono::hours(1)});
       },
       "window store w: window size 0 ms must be positive"},
      {"window longer than it is kept",
       [](StreamsBuilder& b) {
         b.stream<std::string, std::string>("t");
         b.add_state_store(WindowStoreBuilder<std::string, int64_t>{
             .name = "w", .window_size = std::chrono::hours(2), .retention = std::chrono::hours(1)});
       },
       "window store w: retention 3600000 ms below the window size, 7200000 ms"},
      {"grace not said",
       [](StreamsBuilder& b) {
         b.stream<std::string, std::string>("t").group_by_key().windowed_by({.size = 5ms}).count();
       },
       "time windows of 5 ms: no grace is given; say how long after its end a window takes late records"},
      {"a branch misspelt",
       [](StreamsBuilder& b) {
         const auto branches = b.stream<std::string, std::string>("t")
                                   .split({.name = "by-"})
                                   .branch(any, {.name = "x"})
                                   .default_branch({.name = "rest"});
         branches["by-X"].map_values(same).group_by_key().count().to_stream().to("u");
       },
       "there is no branch 'by-X'; there are: by-rest, by-x"},
      {"branch behind the default one",
       [](StreamsBuilder& b) {
         auto split = b.stream<std::string, std::string>("t").split({.name = "by-"});
         split.branch(any, {.name = "x"}).default_branch();
         split.branch(any, {.name = "y"});
       },
       "a branch stands behind by-0, the default branch"},
      {"two default branches",
       [](StreamsBuilder& b) {
         auto split = b.stream<std::string, std::string>("t").split({.name = "by-"});
         split.default_branch({.name = "x"});
         split.default_branch({.name = "y"});
       },
       "a branch stands behind by-x, the default branch"},
      {"two branches of one name",
       [](StreamsBuilder& b) {
         b.stream<std::string, std::string>("t").split().branch(any, {.name = "x"}).branch(any, {.name = "x"});
       },
       "two operators are named KSTREAM-BRANCH-0000000001x"},
      {"windows that are none",
       [](StreamsBuilder& b) {
         b.stream<std::string, std::string>("t").group_by_key().windowed_by(std::shared_ptr<const Windows>()).count();
       },
       "has no windows"},
      {"streams of two builders",
       [](StreamsBuilder& b) {
         StreamsBuilder other;
         const auto ours = b.stream<std::string, std::string>("t");
         ours.merge(other.stream<std::string, std::string>("u")).to("v");
       },
       "KSTREAM-SOURCE-0000000000 and KSTREAM-SOURCE-0000000000 belong to different StreamsBuilders"},
      {"a table of another builder",
       [](StreamsBuilder& b) {
         StreamsBuilder other;
         const auto table = other.table<std::string, std::string>("u");
         b.stream<std::string, std::string>("t").join(table, [](const auto& v, const auto&) { return v; }).to("v");
       },
       "belong to different StreamsBuilders"},
      {"one topic, two resets",
       [](StreamsBuilder& b) {
         b.stream<std::string, std::string>("t", {.reset = Reset::earliest});
         b.stream<std::string, std::string>("t", {.reset = Reset::latest});
       },
       "topic t is read twice with different offset resets"},
      {"one topic, a reset and none",
       [](StreamsBuilder& b) {
         b.stream<std::string, std::string>("t");
         b.table<std::string, std::string>("t", {.reset = Reset::latest});
       },
       "topic t is read twice with different offset resets"},
      {"one topic, two serdes",
       [](StreamsBuilder& b) {
         b.stream<std::string, std::string>("t");
         b.stream<std::string, std::string>("t", {.value = SerdeRef<std::string>(std::make_shared<Reversed>())});
       },
       "topic t is read twice with different serdes of the value"},
      {"one topic, with and without extractor",
       [](StreamsBuilder& b) {
         b.stream<std::string, std::string>("t");
         b.stream<std::string, std::string>("t", {.timestamp = [](const auto&, int64_t) { return int64_t{1}; }});
       },
       "topic t is read twice with different timestamp extractors"},
      {"one topic, two rules for timestamps",
       [](StreamsBuilder& b) {
         b.stream<std::string, std::string>("t");
         b.stream<std::string, std::string>("t", {.invalid_timestamp = InvalidTimestamp::skip});
       },
       "topic t is read twice with different rules for invalid timestamps"},
      {"a store named twice",
       [](StreamsBuilder& b) {
         b.stream<std::string, std::string>("t").group_by_key().count(
             {.store = "a", .supplier = store::key_value_supplier({.name = "b"})});
       },
       "store 'a' behind KSTREAM-SOURCE-0000000000: its supplier calls it b"},
      {"a kind beside a supplier",
       [](StreamsBuilder& b) {
         b.stream<std::string, std::string>("t").group_by_key().count(
             {.kind = StoreKind::in_memory, .supplier = store::key_value_supplier({.name = "b"})});
       },
       "store 'b' behind KSTREAM-SOURCE-0000000000: its supplier decides its kind"},
      {"retention without windows",
       [](StreamsBuilder& b) {
         b.stream<std::string, std::string>("t").group_by_key().count(
             {.store = "s", .retention = std::chrono::hours(1)});
       },
       "store 's' behind KSTREAM-SOURCE-0000000000: only windows have a .retention"},
      {"settings of a changelog that is not there",
       [](StreamsBuilder& b) {
         b.table<std::string, std::string>("t", {},
                                           {.store = "s", .logging = false, .topic_configs = {{"retention.ms", "1"}}});
       },
       "store 's': without .logging there is no changelog"},
      {"negative grace",
       [](StreamsBuilder& b) {
         b.stream<std::string, std::string>("t").group_by_key().windowed_by({.size = 5ms, .grace = -1ms}).count();
       },
       "grace -1 ms is negative"},
  };
  for (const auto& c : all) {
    SCOPED_TRACE(c.name);
    StreamsBuilder builder;
    c.build(builder);
    const auto built = builder.build();
    ASSERT_FALSE(built.ok());
    EXPECT_NE(built.status().message().find(c.want), std::string::npos) << built.status().message();
  }
}

TEST(Plan, TopicsThatNoClusterCouldCreateAreAMistake) {
  StreamsBuilder builder;
  builder.stream<std::string, std::string>("t").group_by_key().count({.store = std::string(200, 's')});
  const Topology topology = *builder.build();
  const size_t room = 249 - 200 - std::string("--changelog").size();
  EXPECT_TRUE(topology.plan(std::string(room, 'a')).ok());
  struct Case {
    std::string name;
    std::string application_id;
    std::string want;
  };
  for (const Case& c : {Case{"too long", std::string(room + 1, 'a'), "of 250 characters cannot be created"},
                        Case{"illegal", "a b", "its topic 'a b-sss"}}) {
    SCOPED_TRACE(c.name);
    const auto plan = topology.plan(c.application_id);
    ASSERT_FALSE(plan.ok());
    EXPECT_NE(plan.status().message().find(c.want), std::string::npos) << plan.status().message();
  }
}

}  // namespace
}  // namespace muir::streams
