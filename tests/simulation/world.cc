#include "simulation/world.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "streams/topology.h"

namespace muir::simulation {
namespace {

constexpr int64_t kBegin = 1'000'000;
constexpr int64_t kStepMs = 50;             // of what follows the script
constexpr int64_t kTransactionMs = 1'500;   // until the coordinator ends a transaction
constexpr int64_t kQuietMs = 1'500;         // without anything happening
constexpr int64_t kRestWithinMs = 120'000;  // everything comes to rest

bool suits(const Application& application, bool exactly_once, Sabotage sabotage) {
  if (!exactly_once && !application.at_least_once) return false;
  const bool stateful = !application.stores.empty() && !application.stores.front().global;
  switch (sabotage) {
    case Sabotage::none: return true;
    case Sabotage::flush_does_not_wait: return !exactly_once;
    case Sabotage::reads_uncommitted: return exactly_once;
    default: return exactly_once && stateful;
  }
}

std::map<std::string, std::string> properties_of(const Setting& setting, bool disturbed) {
  return {{"application.id", "app"},
          {"bootstrap.servers", "memory:1"},
          {"processing.guarantee", setting.exactly_once ? "exactly_once_v2" : "at_least_once"},
          {"commit.interval.ms", "100"},
          {"num.stream.threads", std::to_string(disturbed ? setting.threads : 1)},
          {"statestore.cache.max.bytes", setting.cached ? "4000" : "0"},
          {"repartition.purge.interval.ms", "400"},
          {"main.consumer.max.poll.interval.ms", std::to_string(setting.membership_ms)},
          {"producer.transaction.timeout.ms", std::to_string(kTransactionMs)}};
}

Result<std::shared_ptr<const streams::internal::TopologyPlan>> plan_of(const Setting& setting) {
  streams::StreamsBuilder builder;
  setting.application->build(builder);
  const auto topology = MUIR_TRY(builder.build());
  return topology.plan("app", {.kind = setting.in_rocksdb ? store::StoreKind::rocksdb : store::StoreKind::in_memory});
}

}  // namespace

Setting draw_setting(uint64_t seed, Sabotage sabotage) {
  Dice dice(seed);
  Setting setting{.seed = seed};
  const auto& all = applications();
  setting.application = &all[seed % all.size()];
  setting.exactly_once = !setting.application->at_least_once || dice.chance(0.7);
  while (!suits(*setting.application, setting.exactly_once, sabotage)) {
    setting.application = &all[static_cast<size_t>(dice.below(static_cast<int64_t>(all.size())))];
    setting.exactly_once = dice.chance(0.5);
  }
  setting.cached = dice.chance(0.4);
  setting.in_rocksdb = dice.chance(0.15);
  setting.partitions = static_cast<int>(1 + dice.below(4));
  setting.processes = static_cast<int>(1 + dice.below(3));
  setting.threads = static_cast<int>(1 + dice.below(2));
  setting.script = setting.application->script(dice, setting.exactly_once);
  if (sabotage != Sabotage::none) setting.processes = 3;
  // Either the coordinator ends what a process has open first, or the group gives its tasks to others.
  setting.membership_ms = sabotage == Sabotage::none && dice.chance(0.5) ? 2'000 : 500;
  return setting;
}

std::string to_string(const Setting& setting) {
  return fmt::format("seed {}: {}, {}, {}{}, {} partitions, {} processes of {} threads", setting.seed,
                     setting.application->name, setting.exactly_once ? "exactly once" : "at least once",
                     setting.in_rocksdb ? "in RocksDB" : "in memory", setting.cached ? " with caches" : "",
                     setting.partitions, setting.processes, setting.threads);
}

Outcome run_undisturbed(const Setting& setting) { return World(setting, false, Sabotage::none).run(); }
Outcome run_disturbed(const Setting& setting, Sabotage sabotage) { return World(setting, true, sabotage).run(); }

World::World(const Setting& setting, bool disturbed, Sabotage sabotage)
    : setting_(setting),
      disturbed_(disturbed),
      sabotage_(sabotage),
      clock_(kBegin),
      dice_(setting.seed + 0x51),
      cluster_(clock_, {.keep_history = true}),
      machine_{clock_, dice_, cluster_, files_, plan_of(setting).value(), properties_of(setting, disturbed)},
      client_(cluster_.client()),
      admin_(client_->admin().value()),
      producer_(client_->producer().value()) {
  std::vector<std::string> topics = setting_.application->topics;
  for (const Output& output : setting_.application->outputs) topics.push_back(output.topic);
  for (const std::string& topic : topics) {
    const Status created =
        admin_->create_topic({.name = topic, .partitions = setting_.partitions, .replication_factor = 1});
    CHECK(created.ok(), "{}", created.message());
  }
  if (!disturbed_) {
    places_.resize(1);
    return;
  }
  places_.resize(static_cast<size_t>(setting_.processes));
  // Runs differ in how hard they are: some have one kind of fault only.
  const auto some = [this](double most) {
    return dice_.chance(0.6) ? most * static_cast<double>(dice_.below(101)) / 100 : 0.0;
  };
  faults_ = {.send_fails = some(0.02),
             .commit_aborted = some(0.03),
             .commit_unanswered = some(0.03),
             .producer_fenced = setting_.exactly_once ? some(0.01) : 0,
             .member_lost = some(0.01),
             .poll_empty = some(0.3),
             .offset_commit_fails = some(0.05)};
  link_faults_ = {.refused = some(0.01),
                  .answer_lost = some(0.02),
                  .pause = setting_.exactly_once ? some(sabotage_ != Sabotage::none ? 0.01 : 0.004) : 0,
                  .cut = some(0.002),
                  .lingers = some(0.5)};
}

World::~World() {
  for (Place& place : places_) place.process.reset();
}

void World::note(std::string what) {
  outcome_.trace.push_back(fmt::format("{} ms: {}", clock_.now_ms() - kBegin, std::move(what)));
}
void World::problem(std::string what) {
  note("problem: " + what);
  outcome_.problems.push_back(std::move(what));
}

void World::write(const std::vector<Input>& inputs) {
  cluster_.inject({});
  for (const Input& input : inputs) {
    const client::ProducedRecord record{
        .topic = input.topic, .key = input.key, .value = to_view(input.value), .timestamp_ms = kBegin + input.after_ms};
    const Status sent = producer_->send(std::span(&record, 1));
    CHECK(sent.ok() && producer_->flush(0).ok(), "{}", sent.message());
  }
  if (disturbed_ && !calm_) {
    faults_.seed = dice_.draw();
    cluster_.inject(faults_);
  }
}

void World::start(Place& place) {
  if (place.folder == 0) place.folder = ++folders_;
  place.process = std::make_unique<Process>(machine_, fmt::format("/state/{}", place.folder), place.folder, sabotage_);
  note(fmt::format("process {} starts", place.folder));
  if (!disturbed_ || calm_) return;
  place.process->link.faults = link_faults_;
  place.process->link.on_pause = [this, &place] { stand_still(place); };
  place.process->link.on_cut = [this, &place] { note(fmt::format("process {} dies at a request", place.folder)); };
}

// A process that stands still within a request, while the world goes on, and then finds itself somewhere else in time.
void World::stand_still(Place& place) {
  if (calm_ || standing_still_ >= 2) return;
  ++standing_still_;
  const int64_t until = clock_.now_ms() + dice_.below(2 * setting_.membership_ms);
  note(fmt::format("process {} stands still", place.folder));
  while (clock_.now_ms() < until && at_ < setting_.script.steps.size()) step();
  note(fmt::format("process {} goes on", place.folder));
  --standing_still_;
}

// Takes away what was closed; what it leaves open the cluster goes on believing in.
void World::clear(Place& place) {
  Link& link = place.process->link;
  std::move(link.left_producers.begin(), link.left_producers.end(), std::back_inserter(left_producers_));
  std::move(link.left_members.begin(), link.left_members.end(), std::back_inserter(left_members_));
  place.process.reset();
}

// The end of a process that nobody could prepare for.
void World::bury(Place& place, bool lose_state) {
  place.process->link.cut();
  place.process->close(false);
  clear(place);
  note(fmt::format("process {} is dead{}", place.folder, lose_state ? ", its state lost" : ""));
  if (lose_state) place.folder = 0;
}

// What happens to a machine between two turns.
void World::befall(Place& place) {
  if (!place.process) {
    if (dice_.chance(0.1)) start(place);
    return;
  }
  if (dice_.chance(0.004)) {
    bury(place, dice_.chance(0.4));
  } else if (dice_.chance(0.004)) {
    note(fmt::format("process {} is closed", place.folder));
    place.process->busy = true;
    place.process->close(true);
    clear(place);
    if (dice_.chance(0.3)) place.folder = 0;
  } else if (dice_.chance(0.004)) {
    place.frozen_until_ms = clock_.now_ms() + dice_.below(2 * setting_.membership_ms);
    note(fmt::format("process {} is frozen", place.folder));
  } else if (dice_.chance(0.004)) {
    place.process->link.away_until_ms = clock_.now_ms() + dice_.below(setting_.membership_ms);
    note(fmt::format("process {} reaches no broker", place.folder));
  }
}

void World::turn(Place& place) {
  Process& process = *place.process;
  process.busy = true;
  const Status done = process.turn();
  process.busy = false;
  if (process.link.is_cut()) {
    bury(place, dice_.chance(0.4));
  } else if (!done.ok()) {
    problem(fmt::format("process {} ends: {}", place.folder, done.to_string()));
    bury(place, true);
  }
}

void World::step() {
  int64_t then_ms = kStepMs;
  if (at_ < setting_.script.steps.size()) {
    const Step& now = setting_.script.steps[at_++];
    write(now.inputs);
    then_ms = now.then_ms;
  }
  for (Place& place : places_) {
    if (place.process && place.process->busy) continue;
    if (disturbed_ && !calm_) befall(place);
    if (place.process && clock_.now_ms() >= place.frozen_until_ms) turn(place);
  }
  clock_.advance_ms(then_ms);
}

bool World::settle(int64_t at_least_ms) {
  const int64_t began = clock_.now_ms();
  size_t happened = cluster_.history_size();
  int64_t quiet_since = began;
  while (clock_.now_ms() - began < kRestWithinMs) {
    step();
    const bool rests = std::all_of(places_.begin(), places_.end(),
                                   [](const Place& place) { return !place.process || place.process->at_rest(); });
    if (const size_t now = cluster_.history_size(); now != happened || !rests) {
      happened = now;
      quiet_since = clock_.now_ms();
    }
    if (clock_.now_ms() - quiet_since >= kQuietMs && clock_.now_ms() - began >= at_least_ms) return true;
  }
  problem(fmt::format("nothing has come to rest within {} ms", kRestWithinMs));
  return false;
}

void World::read_outputs() {
  for (const Output& output : setting_.application->outputs) {
    auto& all = outcome_.outputs[output.topic];
    all.clear();
    for (int p = 0; p < setting_.partitions; ++p) {
      for (const auto& record : cluster_.stored({output.topic, PartitionId(p)})) {
        using State = client::StoredRecord::State;
        if (record.state == State::pending) problem(output.topic + ": a transaction never ends");
        if (record.state == State::committed)
          all.push_back({record.key.value_or(""), record.value, record.timestamp_ms});
      }
    }
  }
}

void World::read_stores(std::map<std::string, Rows>& out) {
  Stores all;
  std::set<std::string> global;
  for (const StoreRows& store : setting_.application->stores) {
    if (store.global) global.insert(store.name);
  }
  for (Place& place : places_) {
    if (!place.process) continue;
    auto open = place.process->read_stores();
    if (!open.ok()) return problem(open.status().message());
    for (auto& [name, parts] : *open) {
      for (auto& [partition, rows] : parts) {
        const auto [at, fresh] = all[name].try_emplace(partition, rows);
        if (fresh) continue;
        if (!global.contains(name)) problem(fmt::format("store {}, partition {} is open twice", name, partition));
        if (at->second != rows) problem(fmt::format("store {} differs between processes", name));
      }
    }
  }
  for (auto& [name, parts] : all) {
    const size_t wanted = global.contains(name) ? 1 : static_cast<size_t>(setting_.partitions);
    if (parts.size() != wanted) problem(fmt::format("store {} has {} of {} partitions", name, parts.size(), wanted));
    for (auto& [partition, rows] : parts) out[name].merge(rows);
  }
}

// What was read is committed, to the last record.
void World::check_offsets() {
  for (const std::string& topic : setting_.application->topics) {
    const bool global = topic == "global";
    for (int p = 0; p < setting_.partitions && !global; ++p) {
      const TopicPartition partition{topic, PartitionId(p)};
      const auto records = cluster_.stored(partition);
      if (records.empty()) continue;
      const auto committed = admin_->committed_offsets("app", {partition}, false);
      const auto found = committed.ok() ? committed->find(partition) : client::Offsets::const_iterator();
      const Offset at = committed.ok() && found != committed->end() ? found->second.offset : kNoOffset;
      if (at != records.back().offset + 1) {
        problem(fmt::format("{}-{}: offset {} is committed, not {}", topic, p, at, records.back().offset + 1));
      }
    }
  }
}

Outcome World::run() {
  write(setting_.script.before);
  start(places_.front());
  while (at_ < setting_.script.steps.size()) step();
  calm_ = true;
  cluster_.inject({});
  note("calm");
  for (Place& place : places_) {
    place.frozen_until_ms = 0;
    if (!place.process) continue;
    place.process->link.faults = {};
    place.process->link.away_until_ms = 0;
  }
  if (std::none_of(places_.begin(), places_.end(), [](const Place& place) { return place.process != nullptr; }))
    start(places_.front());
  if (settle(2 * setting_.membership_ms + kTransactionMs)) {
    read_outputs();
    read_stores(outcome_.live);
    check_offsets();
    // All of it once more, from what the cluster has alone.
    for (Place& place : places_) {
      if (place.process) place.process->close(true);
      place.process.reset();
      place.folder = 0;
    }
    start(places_.front());
    if (settle(0)) {
      const auto before = outcome_.outputs;
      read_outputs();
      // At least once a producer that is closed may still write to a repartition topic what was sent again since.
      if (setting_.exactly_once && outcome_.outputs != before) problem("a start without input writes records");
      read_stores(outcome_.restored);
    }
  }
  const auto mix = [this](const std::vector<std::string>& lines) {
    for (const std::string& line : lines) {
      for (const char c : line) outcome_.hash = (outcome_.hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
    }
  };
  mix(cluster_.history());
  mix(outcome_.trace);
  return std::move(outcome_);
}

}  // namespace muir::simulation
