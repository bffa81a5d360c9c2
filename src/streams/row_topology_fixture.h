// For test and benchmark: the mean speed of fast vehicles per line and minute, once written for C++ structs, once put
// together at run time for rows whose schemas are texts.
#pragma once

#include <string>
#include <utility>

#include "serde/fields.h"
#include "streams/dsl.h"
#include "streams/row_type.h"

namespace muir::streams::mean_speed {

using namespace std::chrono_literals;

// ---- by structs
struct Position {
  std::string vehicle;
  std::string line;
  double lat = 0;
  double lon = 0;
  std::optional<double> speed;
  int64_t received_at = 0;
};
inline void describe(Fields& f, Position& p) {
  f.name("fleet.Position");
  f("vehicle", p.vehicle)("line", p.line)("lat", p.lat)("lon", p.lon)("speed", p.speed)("receivedAt", p.received_at);
}
struct Sum {
  int64_t count = 0;
  double sum = 0;
};
inline void describe(Fields& f, Sum& s) {
  f.name("fleet.Sum");
  f("count", s.count)("sum", s.sum);
}
struct Mean {
  std::string line;
  int64_t start = 0;
  int64_t count = 0;
  double mean = 0;
};
inline void describe(Fields& f, Mean& m) {
  f.name("fleet.Mean");
  f("line", m.line)("start", m.start)("count", m.count)("mean", m.mean);
}

inline Result<Topology> of_structs() {
  StreamsBuilder builder;
  builder.stream<std::string, Position>("positions")
      .filter([](const Position& p) { return p.speed.value_or(0) > 50; })
      .group_by([](const Position& p) { return p.line; })
      .windowed_by({.size = 60s, .grace = 10s})
      .aggregate(Sum{},
                 [](const Position& p, Sum& sum) {
                   ++sum.count;
                   sum.sum += *p.speed;
                 })
      .to_stream()
      .map([](const Windowed<std::string>& key, const Sum& sum) {
        return std::pair(key.key,
                         Mean{key.key, key.window.start_ms, sum.count, sum.sum / static_cast<double>(sum.count)});
      })
      .to("means");
  return builder.build();
}

// ---- by what a program reads at its start
struct Program {
  std::string position;  // Avro
  std::string sum;
  std::string mean;
  std::string filtered;  // columns
  double above = 0;
  std::string group;
};

inline Program program() {
  return {.position =
              R"({"type":"record","name":"Position","namespace":"fleet","fields":[{"name":"vehicle","type":"string"},
             {"name":"line","type":"string"},{"name":"lat","type":"double"},{"name":"lon","type":"double"},
             {"name":"speed","type":["null","double"],"default":null},{"name":"receivedAt","type":"long"}]})",
          .sum = R"({"type":"record","name":"Sum","namespace":"fleet","fields":[{"name":"count","type":"long"},
             {"name":"sum","type":"double"}]})",
          .mean = R"({"type":"record","name":"Mean","namespace":"fleet","fields":[{"name":"line","type":"string"},
             {"name":"start","type":"long"},{"name":"count","type":"long"},{"name":"mean","type":"double"}]})",
          .filtered = "speed",
          .above = 50,
          .group = "line"};
}

class Planner {
 public:
  TopologyBuilder builder;
  const ObjectType* text = object_type<std::string>();

  struct Rows {
    schema::RowLayoutPtr layout;
    const ObjectType* type = nullptr;
    [[nodiscard]] size_t at(const std::string& column) const { return static_cast<size_t>(layout->column(column)); }
  };
  Result<Rows> rows(const std::string& schema) {
    const auto layout = MUIR_TRY(row_layout(schema));
    return Rows{layout, row_type(builder, layout)};
  }
  OperatorId stateless(OperatorId in, logical::Stateless::Kind kind, Keeps keeps, TypePair yields, Apply apply) {
    return builder.add({.inputs = {in},
                        .takes = builder.types(in),
                        .keeps = keeps,
                        .yields = yields,
                        .kind = logical::Stateless{kind, std::move(apply)}});
  }
  OperatorId where(OperatorId in, size_t column, double above) {
    return stateless(in, logical::Stateless::filter, Keeps::both, {}, [=](const Row& row, Downstream& down) {
      const auto cell = as_row(row.value).view()[column];
      return !cell.is_null() && cell.get<double>() > above ? down.forward(row) : Status();
    });
  }
  OperatorId group_by(OperatorId in, size_t column) {
    const OperatorId keyed = stateless(in, logical::Stateless::select_key, Keeps::value, {text, nullptr},
                                       [column, key = std::string()](const Row& row, Downstream& down) mutable {
                                         key = as_row(row.value).get<std::string_view>(column);
                                         return down.forward(row.with_key(&key));
                                       });
    return builder.add({.inputs = {keyed}, .kind = logical::Group{}});
  }
  OperatorId sum(OperatorId group, size_t column, const Rows& sums, const TimeWindows& windows) {
    const auto initial = [](void* out) { as_row(out).reset(); };
    logical::Aggregate sum{.initial = initial};
    sum.apply = [=, count = sums.at("count"), total = sums.at("sum")](const Row& row, bool present, void* out) {
      if (!present) initial(out);
      schema::Row& into = as_row(out);
      into[count].set(into.get<int64_t>(count) + 1);
      into[total].set(into.get<double>(total) + as_row(row.value).get<double>(column));
      return true;
    };
    sum.windows = windows.erased();
    sum.windowed = {builder.keep(runtime_windowed_type(text)), runtime_windowed_ops()};
    return builder.add({.inputs = {group}, .yields = {sum.windowed.type, sums.type}, .kind = std::move(sum)});
  }
  OperatorId mean(OperatorId table, const Rows& sums, const Rows& means) {
    const OperatorId changes = builder.add({.inputs = {table}, .kind = logical::ToStream{}});
    return stateless(changes, logical::Stateless::map, Keeps::nothing, {text, means.type},
                     [sums, means, out = schema::Row(means.layout)](const Row& row, Downstream& down) mutable {
                       const auto& key = *static_cast<const RuntimeWindowed*>(row.key);
                       const auto& line = *static_cast<const std::string*>(key.key.get());
                       const auto sum = as_row(row.value).view();
                       const auto count = sum.get<int64_t>(sums.at("count"));
                       out.reset();
                       out[means.at("line")].set(std::string_view(line));
                       out[means.at("start")].set(key.window.start_ms);
                       out[means.at("count")].set(count);
                       out[means.at("mean")].set(sum.get<double>(sums.at("sum")) / static_cast<double>(count));
                       return down.forward(row.with_key(&line).with_value(&out));
                     });
  }
};

inline Result<Topology> of_rows(const Program& program) {
  Planner plan;
  const auto positions = MUIR_TRY(plan.rows(program.position));
  const auto sums = MUIR_TRY(plan.rows(program.sum));
  const auto means = MUIR_TRY(plan.rows(program.mean));
  const OperatorId in =
      plan.builder.add({.yields = {plan.text, positions.type}, .kind = logical::Source{.topics = {"positions"}}});
  const size_t filtered = positions.at(program.filtered);
  const OperatorId fast = plan.where(in, filtered, program.above);
  const OperatorId grouped = plan.group_by(fast, positions.at(program.group));
  const OperatorId summed = plan.sum(grouped, filtered, sums, {.size = 60s, .grace = 10s});
  plan.builder.add({.inputs = {plan.mean(summed, sums, means)}, .kind = logical::Sink{.topic = "means"}});
  return plan.builder.build();
}

}  // namespace muir::streams::mean_speed
