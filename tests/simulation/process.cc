#include "simulation/process.h"

#include <algorithm>

#include "store/window_store.h"
#include "streams/error_handlers.h"
#include "streams/plan/plan.h"

namespace muir::simulation {

using namespace streams::internal;

namespace {

bool passing(const Status& status) { return status.code() == Code::unavailable || status.code() == Code::timed_out; }

// The machine's files; no simulated process outlives a loss of power, and nothing waits for a disk.
class Files final : public Env {
 public:
  explicit Files(Env& env) : env_(env) {}
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override { return env_.open(path, mode); }
  Result<std::vector<std::string>> list(const std::string& folder) override { return env_.list(folder); }
  bool exists(const std::string& path) override { return env_.exists(path); }
  Status make_folders(const std::string& path) override { return env_.make_folders(path); }
  Status rename(const std::string& from, const std::string& to) override { return env_.rename(from, to); }
  Status remove(const std::string& path) override { return env_.remove(path); }
  Status remove_all(const std::string& folder) override { return env_.remove_all(folder); }
  Status sync_folder(const std::string&) override { return {}; }
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override { return env_.lock(path); }

 private:
  Env& env_;
};

streams::StreamsConfig parse(std::map<std::string, std::string> properties, const std::string& folder) {
  properties["state.dir"] = folder;
  auto config = streams::StreamsConfig::parse(properties);
  CHECK(config.ok(), "{}", config.status().message());
  return *config;
}

Status read_rows(store::StateStore& store, Rows& rows) {
  if (auto* by_key = store.as<store::KeyValueStore>()) {
    const auto all = MUIR_TRY(by_key->all());
    while (all->next()) rows[Bytes(all->key())] = {all->timestamp_ms(), Bytes(all->value())};
    return all->status();
  }
  // A store that was opened again knows the time only from its segments, and may still show what is past the retention.
  auto& windows = *store.as<store::WindowStore>();
  const int64_t retention_ms = windows.options().retention_ms;
  std::map<int64_t, Rows> by_start;
  const auto all = MUIR_TRY(windows.all());
  while (all->next()) {
    by_start[all->window_start_ms()][fmt::format("{}@{}", all->key(), all->window_start_ms())] = {all->timestamp_ms(),
                                                                                                  Bytes(all->value())};
  }
  for (auto& [start_ms, some] : by_start) {
    if (start_ms > by_start.rbegin()->first - retention_ms) rows.merge(some);
  }
  return all->status();
}

}  // namespace

Process::Process(Machine& machine, const std::string& folder, int number, Sabotage sabotage)
    : link(machine.dice, machine.clock),
      machine_(machine),
      config_(parse(machine.properties, folder)),
      files_(std::make_unique<Files>(machine.files)),
      client_(behind(link, machine.cluster.client())) {
  link.sabotage = sabotage;
  context_.plan = machine.plan;
  context_.config = &config_;
  context_.stores = &stores_;
  context_.counters = &counters_;
  context_.clock = &machine.clock;
  context_.serdes = &serdes_;
  context_.disk_helpers_max = 0;
  context_.on_failure = streams::make_failure_handler({});
  context_.global_store = [this](const std::string& name) { return global_ ? global_->store(name) : nullptr; };
  for (const auto& sub : machine.plan->subtopologies()) {
    for (const auto& store : sub.stores) stores_.declare(store.name);
  }
  // A process draws its id; here the number of its folder stands for it, so that runs repeat.
  const std::string root = folder + "/" + config_.application_id;
  const std::string file = root + "/kafka-streams-process-metadata";
  CHECK(files_->make_folders(root).ok(), "{}", root);
  if (!files_->exists(file)) {
    const Status written =
        files_->write_file(file, fmt::format("{{\"processId\":\"00000000-0000-4000-8000-{:012}\"}}", number));
    CHECK(written.ok(), "{}", written.message());
  }
  auto directory = StateDirectory::open(*files_, folder, config_.application_id);
  CHECK(directory.ok(), "{}", directory.status().message());
  directory_ = std::move(*directory);
  context_.directory = directory_.get();
}

Process::~Process() { close(false); }

Status Process::start() {
  const std::string client_id = "app-" + streams::internal::to_string(directory_->process_id());
  if (!GlobalThread::needless(*machine_.plan) && !global_ready_) {
    if (!global_) {
      global_ = std::make_unique<GlobalThread>(context_, *client_, client_id);
      const Status opened = global_->open();
      if (!opened.ok()) {
        global_.reset();
        return opened;
      }
    }
    const Result<bool> complete = global_->bootstrap(0);
    if (!complete.ok()) return complete.status();
    if (!*complete) return {};
    global_ready_ = true;
  }
  for (int i = 1; i <= config_.num_stream_threads; ++i) {
    workers_.push_back({std::make_unique<StreamThread>(context_, *client_, i, client_id, nullptr)});
  }
  return {};
}

Status Process::turn() {
  link.turn();
  if (workers_.empty()) {
    const Status started = start();
    if (!started.ok() && !passing(started)) return started;
  } else if (global_) {
    const Status read = global_->run_once(0);
    if (!read.ok() && !passing(read)) return read;
  }
  const size_t first = workers_.size() > 1 ? static_cast<size_t>(machine_.dice.below(2)) : 0;
  for (size_t i = 0; i < workers_.size() && !link.is_cut(); ++i) {
    MUIR_RETURN_IF_ERROR(turn(workers_[(first + i) % workers_.size()]));
  }
  return {};
}

Status Process::turn(Worker& worker) {
  const int64_t now = machine_.clock.steady_ms();
  if (now < worker.not_before_ms) return {};
  if (!worker.open) {
    const Status opened = worker.thread->open();
    if (!opened.ok()) return passing(opened) ? Status() : opened;
    worker.open = true;
  }
  const Result<int64_t> rest_ms = worker.thread->run_once();
  if (!rest_ms.ok()) return link.is_cut() ? Status() : rest_ms.status();
  // What polls wait for does not take time here.
  worker.not_before_ms = *rest_ms >= 100 ? machine_.clock.steady_ms() + *rest_ms : 0;
  return {};
}

void Process::close(bool clean) {
  for (Worker& worker : workers_) {
    if (worker.open) worker.thread->close(clean);
  }
  workers_.clear();
  global_.reset();
  global_ready_ = false;
}

bool Process::at_rest() const {
  return !workers_.empty() && std::all_of(workers_.begin(), workers_.end(), [&](const Worker& worker) {
    return worker.open && worker.thread->state() == ThreadState::running &&
           machine_.clock.steady_ms() >= worker.not_before_ms - 100;
  });
}

Result<Stores> Process::read_stores() {
  Stores out;
  for (const std::string& name : stores_.names()) {
    auto open = stores_.lease(name);
    if (!open.ok()) continue;
    for (const auto& lease : *open) MUIR_RETURN_IF_ERROR(read_rows(lease.store(), out[name][lease.partition()]));
  }
  return out;
}

}  // namespace muir::simulation
