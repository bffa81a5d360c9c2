// Topologies built by a program from types that are known only at run time: no template of the DSL takes part.
#include "streams/topology_builder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>

#include "streams/dsl.h"
#include "streams/test_driver.h"

namespace muir::streams {
namespace {

using namespace std::chrono_literals;

// ---- rows of named columns, as a query's would be; written as "value|value|..."
struct Schema {
  std::vector<std::string> columns;
  [[nodiscard]] size_t at(const std::string& name) const {
    return static_cast<size_t>(std::find(columns.begin(), columns.end(), name) - columns.begin());
  }
};
struct Cells {
  std::vector<std::string> values;
};

class CellsSerde final : public ErasedSerde {
 public:
  explicit CellsSerde(size_t columns) : columns_(columns) {}
  Status serialize(std::string_view, const void* value, Bytes& out) const override {
    const auto& values = static_cast<const Cells*>(value)->values;
    for (size_t i = 0; i < values.size(); ++i) out += (i == 0 ? "" : "|") + values[i];
    return {};
  }
  Status deserialize(std::string_view topic, BytesView bytes, void* out) const override {
    auto& values = static_cast<Cells*>(out)->values;
    values.assign(1, "");
    for (const char c : bytes) c == '|' ? (void)values.emplace_back() : values.back().push_back(c);
    if (values.size() == columns_) return {};
    return error(Code::invalid_argument, "row of {}: {} columns, need {}", topic, values.size(), columns_);
  }

 private:
  const size_t columns_;
};

ObjectType type_of(const Schema& schema) {
  return {.name = "row",
          .create = [](const ObjectType& type) -> void* {
            return new Cells{std::vector<std::string>(static_cast<const Schema*>(type.layout)->columns.size())};
          },
          .destroy = [](void* object) { delete static_cast<Cells*>(object); },
          .assign = [](void* to, const void* from) { *static_cast<Cells*>(to) = *static_cast<const Cells*>(from); },
          .default_serde = [](const ObjectType& type) -> SharedSerde {
            return std::make_shared<CellsSerde>(static_cast<const Schema*>(type.layout)->columns.size());
          },
          .layout = &schema};
}

const Cells& cells(const void* object) { return *static_cast<const Cells*>(object); }
int64_t number(const std::string& text) {
  int64_t out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

// ---- a little planner: statements, each a kind and its words, over the columns of schemas
class Planner {
 public:
  // Schemas outlive the topology.
  explicit Planner(std::map<std::string, Schema>& schemas) : schemas_(schemas) {}

  const ObjectType* type(const std::string& schema) {
    const auto [at, is_new] = types_.emplace(schema, nullptr);
    if (is_new) at->second = builder.keep(type_of(schemas_.at(schema)));
    return at->second;
  }
  OperatorId from(const std::string& topic, const std::string& key, const std::string& value) {
    return builder.add({.yields = {type(key), type(value)}, .kind = logical::Source{.topics = {topic}}});
  }
  OperatorId table(const std::string& topic, const std::string& key, const std::string& value) {
    return builder.add(
        {.yields = {type(key), type(value)}, .kind = logical::TableSource{.source = {.topics = {topic}}}});
  }
  OperatorId where(OperatorId in, const std::string& schema, const std::string& column, int64_t above) {
    const size_t at = schemas_.at(schema).at(column);
    return stateless(in, logical::Stateless::filter, Keeps::both, {}, [at, above](const Row& row, Downstream& down) {
      return number(cells(row.value).values[at]) > above ? down.forward(row) : Status();
    });
  }
  OperatorId select(OperatorId in, const std::string& from, const std::string& to) {
    const Schema& source = schemas_.at(from);
    std::vector<size_t> picked;
    for (const auto& column : schemas_.at(to).columns) picked.push_back(source.at(column));
    return stateless(in, logical::Stateless::map_values, Keeps::key, {nullptr, type(to)},
                     [picked](const Row& row, Downstream& down) {
                       Cells out;
                       for (const size_t at : picked) out.values.push_back(cells(row.value).values[at]);
                       return down.forward(row.with_value(&out));
                     });
  }
  OperatorId group_by(OperatorId in, const std::string& value, const std::string& key) {
    const size_t at = schemas_.at(value).at(schemas_.at(key).columns.front());
    const OperatorId keyed = stateless(in, logical::Stateless::select_key, Keeps::value, {type(key), nullptr},
                                       [at](const Row& row, Downstream& down) {
                                         const Cells out{{cells(row.value).values[at]}};
                                         return down.forward(row.with_key(&out));
                                       });
    return builder.add({.inputs = {keyed}, .kind = logical::Group{}});
  }
  // Counts into a row of one column.
  OperatorId count(OperatorId group, const std::string& key, const std::string& value, const TimeWindows& windows) {
    logical::Aggregate count{.initial = [](void* out) { static_cast<Cells*>(out)->values.assign(1, "0"); }};
    count.apply = [](const Row&, bool present, void* out) {
      std::string& text = static_cast<Cells*>(out)->values[0];
      text = std::to_string(present ? number(text) + 1 : 1);
      return true;
    };
    count.windows = windows.erased();
    count.windowed = {builder.keep(runtime_windowed_type(type(key))), runtime_windowed_ops()};
    return builder.add({.inputs = {group}, .yields = {count.windowed.type, type(value)}, .kind = std::move(count)});
  }
  // The windows' rows under their inner keys, the window's start as a column more.
  OperatorId unwindow(OperatorId table, const std::string& key, const std::string& value) {
    const OperatorId changes = builder.add({.inputs = {table}, .kind = logical::ToStream{}});
    return stateless(changes, logical::Stateless::map, Keeps::nothing, {type(key), type(value)},
                     [](const Row& row, Downstream& down) {
                       const auto& windowed = *static_cast<const RuntimeWindowed*>(row.key);
                       const Cells out{{std::to_string(windowed.window.start_ms), cells(row.value).values[0]}};
                       return down.forward(row.with_key(windowed.key.get()).with_value(&out));
                     });
  }
  OperatorId join(OperatorId in, OperatorId table, const std::string& value) {
    logical::TableJoin join{.table = builder.types(table)};
    join.apply = [](const Row& row, const void* found, Downstream& down) {
      Cells out = cells(row.value);
      for (const auto& cell : cells(found).values) out.values.push_back(cell);
      return down.forward(row.with_value(&out));
    };
    return builder.add({.inputs = {in, table}, .yields = {nullptr, type(value)}, .kind = std::move(join)});
  }
  void into(OperatorId in, const std::string& topic) {
    builder.add({.inputs = {in}, .kind = logical::Sink{.topic = topic}});
  }

  TopologyBuilder builder;

 private:
  OperatorId stateless(OperatorId in, logical::Stateless::Kind kind, Keeps keeps, TypePair yields, Apply apply) {
    return builder.add({.inputs = {in},
                        .takes = builder.types(in),
                        .keeps = keeps,
                        .yields = yields,
                        .kind = logical::Stateless{kind, std::move(apply)}});
  }

  std::map<std::string, Schema>& schemas_;
  std::map<std::string, const ObjectType*> types_;
};

std::map<std::string, Schema>& schemas() {
  static std::map<std::string, Schema> all{{"id", {{"id"}}},     {"position", {{"zone", "speed", "driver"}}},
                                           {"fast", {{"zone"}}}, {"zone", {{"zone"}}},
                                           {"n", {{"n"}}},       {"windowed", {{"start", "n"}}},
                                           {"name", {{"name"}}}, {"named", {{"start", "n", "name"}}}};
  return all;
}

// SELECT zone, start, COUNT(*), name FROM positions JOIN zones WHERE speed > 50 GROUP BY zone, windows of 10 ms
Result<Topology> fast_per_zone() {
  Planner plan(schemas());
  const OperatorId positions = plan.from("positions", "id", "position");
  const OperatorId zones = plan.table("zones", "zone", "name");
  const OperatorId fast = plan.select(plan.where(positions, "position", "speed", 50), "position", "fast");
  const OperatorId counts = plan.count(plan.group_by(fast, "fast", "zone"), "zone", "n", {.size = 10ms, .grace = 5ms});
  plan.into(plan.join(plan.unwindow(counts, "zone", "windowed"), zones, "named"), "out");
  return plan.builder.build();
}

TEST(TopologyBuilder, RunsATopologyOfRowsKnownAtRunTime) {
  const auto topology = fast_per_zone();
  ASSERT_TRUE(topology.ok()) << topology.status().message();
  auto driver = *TestDriver::create(*topology);
  const auto pipe = [&](const std::string& topic, const Bytes& key, const Bytes& value, int64_t at_ms) {
    ASSERT_TRUE(driver->pipe(topic, RawRecord{.key = key, .value = value, .timestamp_ms = at_ms}).ok());
  };
  pipe("zones", "a", "Harbour", 0);
  pipe("zones", "b", "Airport", 0);
  pipe("positions", "v1", "a|60|kim", 1);
  pipe("positions", "v2", "a|40|lee", 2);  // not fast
  pipe("positions", "v3", "b|51|ann", 3);
  pipe("positions", "v1", "a|70|kim", 9);
  pipe("positions", "v1", "c|70|kim", 9);   // no such zone
  pipe("positions", "v1", "a|70|kim", 12);  // the next window
  pipe("positions", "v1", "a|70|kim", 8);   // late, within the grace
  pipe("positions", "v1", "a|70|kim", 30);
  pipe("positions", "v1", "a|70|kim", 8);  // too late
  std::string got;
  while (const auto record = driver->read("out")) {
    got += fmt::format("{}:{}@{} ", *record->key, *record->value, record->timestamp_ms);
  }
  EXPECT_EQ(got,
            "a:0|1|Harbour@1 b:0|1|Airport@3 a:0|2|Harbour@9 a:10|1|Harbour@12 a:0|3|Harbour@9 a:30|1|Harbour@30 ");
  EXPECT_EQ(driver->dropped_records(), 1u);
}

// One numbering, one plan: the DSL's topology of the same operators has the same names, topics and stores.
TEST(TopologyBuilder, HasTheNamesThatTheDslHas) {
  using Text = std::string;
  StreamsBuilder dsl;
  const auto positions = dsl.stream<Text, Text>("positions");
  const auto zones = dsl.table<Text, Text>("zones");
  positions.filter([](const Text&) { return true; })
      .map_values([](const Text& v) { return v; })
      .group_by([](const Text& v) { return v; })
      .windowed_by({.size = 10ms, .grace = 5ms})
      .count()
      .to_stream()
      .map([](const Windowed<Text>& key, const int64_t& n) { return std::pair(key.key, std::to_string(n)); })
      .join(zones, [](const Text& a, const Text& b) { return a + b; })
      .to("out");
  EXPECT_EQ(fast_per_zone()->describe(), dsl.build()->describe());
}

TEST(TopologyBuilder, TellsWhatDoesNotFit) {
  using Kind = logical::Stateless;
  const ObjectType* text = object_type<std::string>();
  const ObjectType* count = object_type<int64_t>();
  const Apply pass = [](const Row& row, Downstream& down) { return down.forward(row); };
  struct Unkept {
    explicit Unkept(int) {}
  };
  struct Case {
    std::string name;
    std::function<void(TopologyBuilder&, OperatorId stream, OperatorId table)> add;
    std::string want;
  };
  const std::vector<Case> cases{
      {"a function of other types",
       [&](auto& b, OperatorId s, OperatorId) {
         b.add({.name = "f", .inputs = {s}, .takes = {text, count}, .kind = logical::Stateless{Kind::filter, pass}});
       },
       "f takes rows of (std::__cxx11::basic_string<char>, long int), and KSTREAM-SOURCE-0000000000 yields "
       "(std::__cxx11::basic_string<char>, std::__cxx11::basic_string<char>)"},
      {"a stream where a table belongs",
       [&](auto& b, OperatorId s, OperatorId) { b.add({.name = "t", .inputs = {s}, .kind = logical::ToStream{}}); },
       "operator 't' needs a table, and KSTREAM-SOURCE-0000000000 is a stream"},
      {"a table where a stream belongs",
       [&](auto& b, OperatorId, OperatorId t) { b.add({.name = "s", .inputs = {t}, .kind = logical::Sink{"out"}}); },
       "operator 's' needs a stream, and KTABLE-SOURCE-0000000003 is a table"},
      {"an aggregate without group",
       [&](auto& b, OperatorId s, OperatorId) {
         b.add({.name = "c", .inputs = {s}, .yields = {text, count}, .kind = logical::count()});
       },
       "operator 'c' needs a grouped stream"},
      {"one input for a merge",
       [&](auto& b, OperatorId s, OperatorId) { b.add({.name = "m", .inputs = {s}, .kind = logical::Merge{}}); },
       "operator 'm' has 1 inputs; it needs 2"},
      {"two for a sink",
       [&](auto& b, OperatorId s, OperatorId) {
         b.add({.name = "o", .inputs = {s, s}, .kind = logical::Sink{"out"}});
       },
       "operator 'o' has 2 inputs; it needs 1"},
      {"behind nothing",
       [&](auto& b, OperatorId, OperatorId) { b.add({.name = "o", .inputs = {77}, .kind = logical::Sink{"out"}}); },
       "operator 'o' stands behind one that was not added"},
      {"streams of two types merged",
       [&](auto& b, OperatorId s, OperatorId) {
         const OperatorId other = b.add({.yields = {text, count}, .kind = logical::Source{.topics = {"n"}}});
         b.add({.name = "m", .inputs = {s, other}, .kind = logical::Merge{}});
       },
       "m takes rows of"},
      {"a join for another table",
       [&](auto& b, OperatorId s, OperatorId t) {
         logical::TableJoin join{.table = {text, count}};
         join.apply = [](const Row&, const void*, Downstream&) { return Status(); };
         b.add({.name = "j", .inputs = {s, t}, .yields = {nullptr, text}, .kind = join});
       },
       "j takes rows of"},
      {"no function",
       [&](auto& b, OperatorId s, OperatorId) { b.add({.name = "f", .inputs = {s}, .kind = logical::Stateless{}}); },
       "operator 'f' has no function"},
      {"no type", [&](auto& b, OperatorId, OperatorId) { b.add({.kind = logical::Source{.topics = {"u"}}}); },
       "topic u key has no type"},
      {"a table of two topics",
       [&](auto& b, OperatorId, OperatorId) {
         b.add({.yields = {text, text}, .kind = logical::TableSource{.source = {.topics = {"u", "v"}}}});
       },
       "a table reads 2 topics; it needs one"},
      {"what cannot be read from bytes",
       [&](auto& b, OperatorId, OperatorId) {
         b.add({.yields = {text, object_type<Unkept>()}, .kind = logical::Source{.topics = {"u"}}});
       },
       "needs a default constructor and assignment"},
      {"windows without the type of their keys",
       [&](auto& b, OperatorId s, OperatorId) {
         logical::Aggregate windowed = logical::count();
         windowed.windows = TimeWindows{.size = 5ms, .grace = 0ms}.erased();
         const OperatorId group = b.add({.inputs = {s}, .kind = logical::Group{}});
         b.add({.name = "w", .inputs = {group}, .yields = {text, count}, .kind = windowed});
       },
       "operator 'w' has no type of windowed keys"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    TopologyBuilder builder;
    const OperatorId stream = builder.add({.yields = {text, text}, .kind = logical::Source{.topics = {"t"}}});
    const OperatorId table =
        builder.add({.yields = {text, text}, .kind = logical::TableSource{.source = {.topics = {"tab"}}}});
    c.add(builder, stream, table);
    // What stands behind a mistake makes none of its own, and nothing crashes.
    builder.add({.inputs = {kNoOperator}, .kind = logical::Sink{"out"}});
    const auto built = builder.build();
    ASSERT_FALSE(built.ok());
    EXPECT_NE(built.status().message().find(c.want), std::string::npos) << built.status().message();
  }
}

}  // namespace
}  // namespace muir::streams
