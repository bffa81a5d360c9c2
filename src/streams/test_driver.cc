#include "streams/test_driver.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <filesystem>

#include "store/record_cache.h"
#include "streams/nodes/runner.h"

namespace muir::streams {

using internal::RunnerEnvironment;
using internal::SubtopologyPlan;
using internal::SubtopologyRunner;

namespace {

constexpr PartitionId kPartition{0};  // the only one of every topic

struct QueuedRecord {
  RawRecord record;
  Offset offset;
  uint64_t arrival = 0;  // among all topics
};

// The views that a runner reads a record through.
class RecordView {
 public:
  RecordView(const RawRecord& record, Offset offset) {
    headers_.reserve(record.headers.size());
    for (const auto& header : record.headers) headers_.push_back({header.name, to_view(header.value)});
    view.offset = offset;
    view.timestamp_ms = record.timestamp_ms;
    view.key = to_view(record.key);
    view.value = to_view(record.value);
    view.headers = headers_;
  }
  client::ConsumedRecord view;

 private:
  std::vector<client::Header> headers_;
};

std::string temporary_folder() {
  std::string path = (std::filesystem::temp_directory_path() / "muir-test-driver-XXXXXX").string();
  MUIR_CHECK(::mkdtemp(path.data()) != nullptr, "cannot make {}", path);
  return path;
}

}  // namespace

struct TestDriver::Impl final : internal::RecordSink {
  // One subtopology and the records that wait for it.
  struct Task {
    const SubtopologyPlan* plan = nullptr;
    std::unique_ptr<SubtopologyRunner> runner;
    std::map<std::string, std::deque<QueuedRecord>> queues;
    std::map<std::string, int64_t> partition_times_ms;
    int64_t stream_time_ms = -1;
  };

  std::shared_ptr<const internal::TopologyPlan> plan;
  TestDriverOptions options;
  SerdeContext serdes;
  ManualClock clock;
  std::string folder;
  std::optional<store::CacheBudget> cache;  // outlives the tasks
  int starts = 0;
  int commits = 0;
  uint64_t arrivals = 0;
  std::vector<Task> tasks;
  std::map<std::string, std::vector<RawRecord>> written;  // all of it, for restart()
  std::map<std::string, size_t> read_up_to;
  std::map<std::string, int64_t> piped;  // records that came in from the test, by topic
  std::map<std::string, std::vector<RawRecord>> global_input;

  ~Impl() override {
    tasks.clear();
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }

  Status start() {
    const std::string state = folder + "/" + std::to_string(starts++);
    for (const SubtopologyPlan& sub : plan->subtopologies()) {
      if (sub.is_global) MUIR_RETURN_IF_ERROR(start_task(sub, state));
    }
    for (const SubtopologyPlan& sub : plan->subtopologies()) {
      if (!sub.is_global) MUIR_RETURN_IF_ERROR(start_task(sub, state));
    }
    return {};
  }

  Status start_task(const SubtopologyPlan& sub, const std::string& state) {
    RunnerEnvironment environment{.application_id = options.application_id,
                                  .task = {sub.id, kPartition},
                                  .state_dir = state + "/" + to_string(TaskId{sub.id, kPartition}),
                                  .sink = this,
                                  .clock = &clock,
                                  .serdes = &serdes,
                                  .on_failure = make_failure_handler(options.errors)};
    // A bad record never ends the reading of global tables.
    if (sub.is_global) environment.on_failure = log_and_continue();
    environment.cache = &*cache;
    environment.request_commit = [this] { ++commits; };
    environment.global_store = [this](const std::string& name) { return find_store(name, true); };
    Task task{.plan = &sub};
    task.runner = MUIR_TRY(internal::make_runner(plan, sub.id, std::move(environment)));
    MUIR_RETURN_IF_ERROR(task.runner->open_stores());
    for (const auto& store : sub.stores) MUIR_RETURN_IF_ERROR(restore(*task.runner, store));
    MUIR_RETURN_IF_ERROR(task.runner->init_processors());
    tasks.push_back(std::move(task));
    return {};
  }

  Status restore(SubtopologyRunner& runner, const internal::StorePlan& store) {
    if (store.changelog_topic.empty()) return {};
    const auto& records =
        store.source_topic_is_changelog ? global_input[store.changelog_topic] : written[store.changelog_topic];
    for (size_t i = 0; i < records.size(); ++i) {
      const RecordView record(records[i], Offset(static_cast<int64_t>(i)));
      MUIR_RETURN_IF_ERROR(runner.restore_store(store.name, {&record.view, 1}));
    }
    return {};
  }

  store::StateStore* find_store(const std::string& name, bool global_only) {
    for (Task& task : tasks) {
      if (global_only && !task.plan->is_global) continue;
      if (auto* found = task.runner->store(name); found != nullptr) return found;
    }
    return nullptr;
  }

  Status send(std::string_view topic, std::optional<PartitionId>, OptBytesView key, OptBytesView value,
              int64_t timestamp_ms, std::span<const client::Header> headers) override {
    RawRecord record{.key = to_owned(key), .value = to_owned(value), .timestamp_ms = timestamp_ms};
    for (const auto& header : headers) record.headers.push_back({std::string(header.name), to_owned(header.value)});
    auto& topic_records = written[std::string(topic)];
    topic_records.push_back(record);
    return enqueue(std::string(topic), record, Offset(static_cast<int64_t>(topic_records.size()) - 1));
  }

  // Waiting for what can never come is a mistake of the test.
  Status check_output(const std::string& topic) const {
    std::set<std::string> topics;
    for (const SubtopologyPlan& sub : plan->subtopologies()) {
      if (sub.sinks_choose_topics) return {};
      topics.insert(sub.sink_topics.begin(), sub.sink_topics.end());
    }
    for (const auto& internal : plan->internal_topics()) topics.insert(internal.name);
    if (!options.errors.dead_letter_topic.empty()) topics.insert(options.errors.dead_letter_topic);
    if (topics.contains(topic)) return {};
    return error(Code::invalid_argument, "output topic={}: the topology does not write it; it writes {}", topic,
                 topics.empty() ? "nothing" : fmt::format("{}", fmt::join(topics, ", ")));
  }

  // A record to be lost is a mistake of the test.
  Status check_input(const std::string& topic) const {
    std::set<std::string> topics;
    for (const SubtopologyPlan& sub : plan->subtopologies())
      topics.insert(sub.source_topics.begin(), sub.source_topics.end());
    if (topics.contains(topic)) return {};
    return error(Code::invalid_argument, "input topic={}: the topology does not read it; it reads {}", topic,
                 topics.empty() ? "nothing" : fmt::format("{}", fmt::join(topics, ", ")));
  }

  // Hands a record to the tasks that read its topic; global ones take it at once.
  Status enqueue(const std::string& topic, const RawRecord& record, Offset offset) {
    for (Task& task : tasks) {
      const auto& sources = task.plan->source_topics;
      if (std::find(sources.begin(), sources.end(), topic) == sources.end()) continue;
      if (task.plan->is_global) {
        global_input[topic].push_back(record);
        const RecordView view(record, offset);
        MUIR_RETURN_IF_ERROR(task.runner->process(topic, kPartition, view.view));
      } else {
        task.queues[topic].push_back({record, offset, ++arrivals});
      }
    }
    return {};
  }

  // The task and topic whose first record is the earliest; records of equal time in the order of their arrival.
  std::pair<Task*, std::string> choose() {
    Task* best = nullptr;
    std::string best_topic;
    std::pair<int64_t, uint64_t> earliest;
    for (Task& task : tasks) {
      for (auto& [topic, queue] : task.queues) {
        if (queue.empty()) continue;
        const RecordView head(queue.front().record, queue.front().offset);
        const auto known = task.partition_times_ms.find(topic);
        const int64_t partition_time_ms = known == task.partition_times_ms.end() ? -1 : known->second;
        const auto time_ms = task.runner->extract_timestamp(topic, head.view, partition_time_ms);
        // One whose time cannot be read fails when it is processed, as in a running application.
        const std::pair at(time_ms.ok() ? *time_ms : partition_time_ms, queue.front().arrival);
        if (best == nullptr || at < earliest) {
          best = &task;
          best_topic = topic;
          earliest = at;
        }
      }
    }
    if (best != nullptr && earliest.first >= 0) {
      int64_t& known = best->partition_times_ms.try_emplace(best_topic, -1).first->second;
      known = std::max(known, earliest.first);
      best->stream_time_ms = std::max(best->stream_time_ms, earliest.first);
    }
    return std::pair(best, best_topic);
  }

  Status drain() {
    while (true) {
      const auto [task, topic] = choose();
      if (task == nullptr) return {};
      QueuedRecord next = std::move(task->queues[topic].front());
      task->queues[topic].pop_front();
      const RecordView view(next.record, next.offset);
      MUIR_RETURN_IF_ERROR(task->runner->process(topic, kPartition, view.view));
      MUIR_RETURN_IF_ERROR(task->runner->punctuate_stream_time(task->stream_time_ms));
      MUIR_RETURN_IF_ERROR(task->runner->flush());
    }
  }
};

Result<std::unique_ptr<TestDriver>> TestDriver::create(const Topology& topology, TestDriverOptions options) {
  auto impl = std::make_unique<Impl>();
  impl->plan = MUIR_TRY(topology.plan(options.application_id, options.stores));
  impl->serdes.registry = options.registry;
  impl->cache.emplace(static_cast<size_t>(options.cache_max_bytes));
  impl->clock.set_ms(options.wall_clock_ms);
  impl->options = std::move(options);
  impl->folder = temporary_folder();
  MUIR_RETURN_IF_ERROR(impl->start());
  return std::unique_ptr<TestDriver>(new TestDriver(std::move(impl)));
}

TestDriver::TestDriver(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TestDriver::~TestDriver() = default;

Status TestDriver::pipe(const std::string& topic, const RawRecord& record) {
  MUIR_RETURN_IF_ERROR(impl_->check_input(topic));
  MUIR_RETURN_IF_ERROR(impl_->enqueue(topic, record, Offset(impl_->piped[topic]++)));
  return impl_->drain();
}

std::optional<RawRecord> TestDriver::read(const std::string& topic) {
  if (queue_size(topic) == 0) return std::nullopt;
  return impl_->written[topic][impl_->read_up_to[topic]++];
}

size_t TestDriver::queue_size(const std::string& topic) const {
  const auto all = impl_->written.find(topic);
  if (all == impl_->written.end()) return 0;
  const auto read = impl_->read_up_to.find(topic);
  return all->second.size() - (read == impl_->read_up_to.end() ? 0 : read->second);
}

std::set<std::string> TestDriver::produced_topics() const {
  std::set<std::string> out;
  for (const auto& [topic, records] : impl_->written) {
    if (!records.empty()) out.insert(topic);
  }
  return out;
}

Status TestDriver::advance_wall_clock(std::chrono::milliseconds by) {
  impl_->clock.advance_ms(by.count());
  for (auto& task : impl_->tasks) {
    MUIR_RETURN_IF_ERROR(task.runner->punctuate_wall_clock(impl_->clock.now_ms()));
    MUIR_RETURN_IF_ERROR(task.runner->flush());
  }
  return impl_->drain();
}

ManualClock& TestDriver::clock() { return impl_->clock; }
int TestDriver::commits_requested() const { return impl_->commits; }

uint64_t TestDriver::dropped_records() const {
  uint64_t out = 0;
  for (const auto& task : impl_->tasks) out += task.runner->dropped_records();
  return out;
}

store::StateStore* TestDriver::state_store(const std::string& name) { return impl_->find_store(name, false); }

Status TestDriver::restart() {
  std::map<int32_t, std::map<std::string, int64_t>> metadata;
  for (auto& task : impl_->tasks) {
    metadata[task.plan->id] = task.runner->metadata();
    MUIR_RETURN_IF_ERROR(task.runner->close());
  }
  impl_->tasks.clear();
  MUIR_RETURN_IF_ERROR(impl_->start());
  for (auto& task : impl_->tasks) task.runner->restore_metadata(metadata[task.plan->id]);
  return {};
}

Status TestDriver::check_input(const std::string& topic) const { return impl_->check_input(topic); }
Status TestDriver::check_output(const std::string& topic) const { return impl_->check_output(topic); }
const SerdeContext& TestDriver::serdes() const { return impl_->serdes; }

std::string TestDriver::store_topic(const std::string& name) const {
  return impl_->options.application_id + "-" + name + "-changelog";
}

}  // namespace muir::streams
