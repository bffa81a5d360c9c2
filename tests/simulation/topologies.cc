#include "simulation/topologies.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace muir::simulation {
namespace {

using namespace std::chrono_literals;
using streams::FixedKeyProcessor;
using streams::KTable;
using streams::Processor;
using streams::PunctuationType;
using streams::Record;
using streams::StreamsBuilder;
using streams::Windowed;
using Text = std::string;

constexpr int kSteps = 120;
constexpr int kKeys = 12;
constexpr int64_t kLateMs = 900;
constexpr int64_t kGraceMs = 200;

Text key(Dice& dice) { return fmt::format("k{}", dice.below(kKeys)); }
int64_t number(const Text& value) { return std::stoll(value); }

// Numbered values of a few keys, some of them late.
Script numbers_within(Dice& dice, int64_t late_ms) {
  Script script;
  int64_t now = 1'000;
  int64_t serial = 1'000;
  for (int i = 0; i < kSteps; ++i) {
    Step& step = script.steps.emplace_back();
    for (int64_t n = dice.below(5); n > 0; --n) {
      const int64_t late = dice.chance(0.3) ? dice.below(late_ms) : 0;
      step.inputs.push_back({"in", key(dice), std::to_string(serial++), now + n - late});
    }
    step.then_ms = dice.below(60);
    now += step.then_ms + 1;
  }
  return script;
}

Script numbers(Dice& dice, bool) { return numbers_within(dice, kLateMs); }

// No later than windows take them: what time it is to a windowed aggregation is forgotten by a restart, in Kafka
// Streams as here, so that a record which is too late may be taken after one.
Script numbers_in_time(Dice& dice, bool) { return numbers_within(dice, kGraceMs - 10); }

// Rows of a table: changes and deletions.
Script rows(Dice& dice, bool) {
  Script script;
  int64_t now = 1'000;
  for (int i = 0; i < kSteps; ++i) {
    Step& step = script.steps.emplace_back();
    for (int64_t n = dice.below(5); n > 0; --n) {
      OptBytes value;
      if (!dice.chance(0.1)) value = std::to_string(dice.below(1'000));
      step.inputs.push_back({"table", key(dice), std::move(value), ++now});
    }
    step.then_ms = dice.below(60);
    now += step.then_ms;
  }
  return script;
}

// The table changes and the stream asks for it by turns, with enough time between them that each record is on its
// broker before a later one can be processed. At least once a change may come before a record that is repeated.
Script asks_a_table(Dice& dice, bool exactly_once) {
  Script script;
  int64_t now = 1'000;
  int64_t serial = 1'000;
  for (int i = 0; i < kSteps; ++i) {
    const int phase = i / 15;
    const bool table = exactly_once ? phase % 2 == 0 : phase == 0;
    Step& step = script.steps.emplace_back();
    for (int64_t n = dice.below(5); n > 0; --n) {
      OptBytes value = std::to_string(serial++);
      if (table && dice.chance(0.1)) value.reset();
      step.inputs.push_back({table ? "table" : "stream", key(dice), std::move(value), ++now});
    }
    step.then_ms = (i + 1) % 15 == 0 ? 250 : dice.below(60);
    now += step.then_ms;
  }
  return script;
}

// A global table that is there before anybody starts; what changes later is asked for by nobody.
Script asks_a_global_table(Dice& dice, bool exactly_once) {
  Script script = numbers(dice, exactly_once);
  for (int i = 0; i < kKeys; ++i) script.before.push_back({"global", fmt::format("k{}", i), Text("at first"), i});
  for (int i = 0; i < kKeys / 2; ++i) script.before.push_back({"global", fmt::format("k{}", i * 2), Text("then"), i});
  for (Step& step : script.steps) {
    if (dice.chance(0.3)) step.inputs.push_back({"global", fmt::format("u{}", dice.below(9)), key(dice), 5'000});
  }
  return script;
}

void stateless(StreamsBuilder& builder) {
  auto by_parity = builder.stream<Text, Text>("in")
                       .filter([](const Text& value) { return number(value) % 10 != 9; })
                       .split({.name = "to-"})
                       .branch([](const Text& value) { return number(value) % 2 == 0; }, {.name = "even"})
                       .default_branch({.name = "odd"});
  by_parity["to-even"].map_values([](const Text& value) { return "+" + value; }).merge(by_parity["to-odd"]).to("same");
  by_parity["to-odd"]
      .select_key([](const Text& value) { return value.substr(value.size() - 1); })
      .repartition({.name = "again"})
      .to("again");
}

void counts(StreamsBuilder& builder) {
  const auto in = builder.stream<Text, Text>("in");
  in.group_by([](const Text& value) { return value.substr(value.size() - 1); }, {.name = "by-digit"})
      .count({.store = "counts"})
      .to_stream()
      .to("counts");
  in.group_by_key()
      .aggregate(int64_t{0}, [](const Text& value, const int64_t& sum) { return sum + number(value); },
                 {.store = "sums"})
      .to_stream()
      .to("sums");
}

void windows(StreamsBuilder& builder) {
  const auto in = builder.stream<Text, Text>("in").group_by_key();
  in.windowed_by({.size = 400ms, .advance = 200ms, .grace = std::chrono::milliseconds(kGraceMs + 100)})
      .count({.store = "updated"})
      .to_stream()
      .to("updated");
  in.windowed_by(
        {.size = 400ms, .grace = std::chrono::milliseconds(kGraceMs), .emit = streams::EmitStrategy::on_window_close})
      .count({.store = "closed"})
      .to_stream()
      .to("closed");
}

void greatest(StreamsBuilder& builder) {
  builder.stream<Text, Text>("in")
      .group_by_key()
      .windowed_by({.size = 500ms, .grace = std::chrono::milliseconds(kGraceMs)})
      .reduce([](const Text& a, const Text& b) { return std::max(a, b); }, {.store = "greatest"})
      .to_stream()
      .to("greatest");
}

void table_join(StreamsBuilder& builder) {
  const auto table = builder.table<Text, Text>("table", {}, {.store = "rows"});
  const auto stream = builder.stream<Text, Text>("stream");
  stream
      .left_join(table, [](const Text& value, const Text* row) { return value + ":" + (row != nullptr ? *row : "-"); })
      .to("joined");
  table.filter([](const Text& row) { return number(row) % 3 != 0; }).to_stream().to("filtered");
}

void table_aggregates(StreamsBuilder& builder) {
  builder.table<Text, Text>("table", {}, {.store = "rows"})
      .group_by([](const Text& of, const Text& row) { return std::pair(Text(row.substr(0, 1)), of + "=" + row); },
                {.name = "by-digit"})
      .aggregate(
          int64_t{0},
          [](const Text& row, const int64_t& sum) { return sum + number(row.substr(row.find('=') + 1)) + 1; },
          [](const Text& row, const int64_t& sum) { return sum - number(row.substr(row.find('=') + 1)) - 1; },
          {.store = "sums"})
      .to_stream()
      .to("sums");
}

// Counts of counts: two repartition topics and three stores in a row.
void chain(StreamsBuilder& builder) {
  builder.stream<Text, Text>("in")
      .group_by([](const Text& value) { return value.substr(value.size() - 2); }, {.name = "by-digits"})
      .count({.store = "counts"})
      .group_by([](const Text& digits, const int64_t& count) { return std::pair(digits.substr(1), count); },
                {.name = "by-digit"})
      .reduce([](const int64_t& sum, const int64_t& count) { return sum + count; },
              [](const int64_t& sum, const int64_t& count) { return sum - count; }, {.store = "totals"})
      .to_stream()
      .to("totals");
}

void global_join(StreamsBuilder& builder) {
  const auto global = builder.global_table<Text, Text>("global", {}, {.store = "global-rows"});
  builder.stream<Text, Text>("in")
      .join(
          global, [](const Text& of, const Text&) { return of; },
          [](const Text& value, const Text& row) { return value + ":" + row; })
      .to("joined");
}

// Adds values up until a timer of either kind writes the sums.
class Gather final : public Processor<Text, Text, Text, int64_t> {
 public:
  Status init(Context& context) override {
    sums_ = MUIR_TRY((context.key_value_store<Text, int64_t>("gathered")));
    context.schedule(150ms, PunctuationType::wall_clock_time, [this](int64_t now_ms) { return write(now_ms); });
    context.schedule(400ms, PunctuationType::stream_time, [this](int64_t now_ms) { return write(now_ms); });
    return {};
  }
  Status process(const Record<Text, Text>& record) override {
    const int64_t before = MUIR_TRY(sums_.get(*record.key)).value_or(0);
    if (record.value->back() == '7') context().commit();
    return sums_.put(*record.key, before + number(*record.value));
  }

 private:
  Status write(int64_t now_ms) {
    std::vector<std::pair<Text, int64_t>> sums;
    MUIR_RETURN_IF_ERROR(sums_.for_each([&](const Text& of, const int64_t& sum) { sums.emplace_back(of, sum); }));
    for (const auto& [of, sum] : sums) {
      MUIR_RETURN_IF_ERROR(context().forward({.key = &of, .value = &sum, .timestamp_ms = now_ms}));
      MUIR_RETURN_IF_ERROR(sums_.erase(of));
    }
    return {};
  }
  streams::KeyValueStore<Text, int64_t> sums_;
};

// Passes the first record of each key and last digit.
class First final : public FixedKeyProcessor<Text, Text, Text> {
 public:
  Status init(Context& context) override {
    seen_ = MUIR_TRY((context.key_value_store<Text, Text>("seen")));
    return {};
  }
  Status process(const Record<Text, Text>& record) override {
    const Text id = *record.key + record.value->substr(record.value->size() - 1);
    if (MUIR_TRY(seen_.get(id))) return {};
    MUIR_RETURN_IF_ERROR(seen_.put(id, *record.value));
    return context().forward(record);
  }

 private:
  streams::KeyValueStore<Text, Text> seen_;
};

void processors(StreamsBuilder& builder) {
  builder.add_state_store(streams::KeyValueStoreBuilder<Text, int64_t>{
      .name = "gathered", .kind = store::StoreKind::in_memory, .caching = true});
  builder.add_state_store(
      streams::KeyValueStoreBuilder<Text, Text>{.name = "seen", .kind = store::StoreKind::in_memory});
  const auto in = builder.stream<Text, Text>("in");
  in.process([] { return std::make_unique<Gather>(); }, {.name = "gather", .stores = {"gathered"}}).to("gathered");
  in.process_values([] { return std::make_unique<First>(); }, {.name = "first", .stores = {"seen"}}).to("first");
}

}  // namespace

const std::vector<Application>& applications() {
  using enum Form;
  static const std::vector<Application> all{
      {.name = "stateless",
       .topics = {"in"},
       .outputs = {{"same", sequence, sequence, set}, {"again", bag, bag, set}},
       .build = stateless,
       .script = numbers},
      {.name = "counts",
       .topics = {"in"},
       .outputs = {{"counts", values, last_value, not_less}, {"sums", sequence, last, not_less}},
       .stores = {{"counts", last, not_less}, {"sums", last, not_less}},
       .build = counts,
       .script = numbers},
      {.name = "windows",
       .topics = {"in"},
       .outputs = {{"updated", sequence, last}, {"closed", sequence, sequence}},
       .stores = {{"updated"}, {"closed"}},
       .at_least_once = false,
       .build = windows,
       .script = numbers_in_time},
      {.name = "greatest of windows",
       .topics = {"in"},
       .outputs = {{"greatest", sequence, last, last_value}},
       .stores = {{"greatest", last, last_value}},
       .build = greatest,
       .script = numbers_in_time},
      {.name = "join with a table",
       .topics = {"table", "stream"},
       .outputs = {{"joined", sequence, sequence, set}, {"filtered", sequence, last, last}},
       .stores = {{"rows", last, last}},
       .build = table_join,
       .script = asks_a_table},
      {.name = "aggregates of a table",
       .topics = {"table"},
       .outputs = {{"sums", total, total}},
       .stores = {{"rows", last, last}, {"sums", total}},
       .at_least_once = false,
       .build = table_aggregates,
       .script = rows},
      {.name = "chain",
       .topics = {"in"},
       .outputs = {{"totals", last_value, last_value}},
       .stores = {{"counts", last}, {"totals", last_value}},
       .at_least_once = false,
       .build = chain,
       .script = numbers},
      {.name = "join with a global table",
       .topics = {"in", "global"},
       .outputs = {{"joined", sequence, sequence, set}},
       .stores = {{"global-rows", last, last, true}},
       .build = global_join,
       .script = asks_a_global_table},
      {.name = "processors",
       .topics = {"in"},
       .outputs = {{"gathered", sum, sum}, {"first", sequence, sequence}},
       .stores = {{"gathered"}, {"seen"}},
       .at_least_once = false,
       .build = processors,
       .script = numbers},
  };
  return all;
}

}  // namespace muir::simulation
