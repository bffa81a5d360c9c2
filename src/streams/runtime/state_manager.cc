#include "streams/runtime/state_manager.h"

#include <algorithm>
#include <charconv>

#include "base/log.h"

namespace muir::streams::internal {
namespace {

constexpr char kCheckpointFile[] = "/.checkpoint";
constexpr char kProcessFile[] = "/kafka-streams-process-metadata";

std::string_view take_line(BytesView& text) {
  const size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == BytesView::npos ? text.size() : end + 1);
  return line;
}

template <class Int>
bool parse_int(std::string_view text, Int& out) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), out);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
}

// "3_11" -> {3, 11}
std::optional<TaskId> parse_task(std::string_view name) {
  const size_t bar = name.find('_');
  TaskId task;
  int32_t partition = 0;
  if (bar == std::string_view::npos || !parse_int(name.substr(0, bar), task.subtopology) ||
      !parse_int(name.substr(bar + 1), partition)) {
    return std::nullopt;
  }
  task.partition = PartitionId(partition);
  return task;
}

// The value of "processId" in a small JSON object; other members are Kafka's and are ignored.
std::optional<ProcessId> find_process_id(std::string_view json) {
  const size_t key = json.find("\"processId\"");
  if (key == std::string_view::npos) return std::nullopt;
  const size_t open = json.find('"', json.find(':', key));
  if (open == std::string_view::npos) return std::nullopt;
  const size_t close = json.find('"', open + 1);
  if (close == std::string_view::npos) return std::nullopt;
  Result<ProcessId> id = parse_process_id(json.substr(open + 1, close - open - 1));
  return id.ok() ? std::optional(*id) : std::nullopt;
}

}  // namespace

Bytes encode_checkpoint(const Checkpoint& checkpoint) {
  Bytes out = fmt::format("0\n{}\n", checkpoint.size());
  for (const auto& [tp, offset] : checkpoint) out += fmt::format("{} {} {}\n", tp.topic, tp.partition, offset);
  return out;
}

Result<Checkpoint> decode_checkpoint(BytesView text) {
  const auto damaged = [] {
    return error(Code::data_loss, "checkpoint file: not \"0\", a count and that many entries");
  };
  Checkpoint out;
  int version = -1;
  size_t count = 0;
  if (!parse_int(take_line(text), version) || version != 0 || !parse_int(take_line(text), count)) return damaged();
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    const size_t first = line.find(' ');
    const size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
    if (second == std::string_view::npos) return damaged();
    int32_t partition = 0;
    int64_t offset = 0;
    if (!parse_int(line.substr(first + 1, second - first - 1), partition) ||
        !parse_int(line.substr(second + 1), offset)) {
      return damaged();
    }
    if (offset < 0 && Offset(offset) != kCheckpointUnknown) return damaged();
    out[{std::string(line.substr(0, first)), PartitionId(partition)}] = Offset(offset);
  }
  if (out.size() != count) return damaged();
  return out;
}

Result<std::unique_ptr<StateDirectory>> StateDirectory::open(Env& env, const std::string& state_dir,
                                                             const std::string& application_id) {
  const std::string root = state_dir + "/" + application_id;
  MUIR_RETURN_IF_ERROR(env.make_folders(root));
  Result<std::unique_ptr<FileLock>> lock = env.lock(root + "/.lock");
  if (!lock.ok()) {
    return lock.status().annotate(
        fmt::format("lock state folder {} (another instance of {} on this machine needs a "
                    "state.dir of its own)",
                    root, application_id));
  }
  std::optional<ProcessId> id;
  if (env.exists(root + kProcessFile)) {
    const Result<Bytes> content = env.read_file(root + kProcessFile);
    if (content.ok()) id = find_process_id(*content);
    if (!id) log::warn("{}{} is unreadable; this instance takes a new process id", root, kProcessFile);
  }
  if (!id) {
    id = random_process_id();
    MUIR_RETURN_IF_ERROR(
        env.replace_file(root + kProcessFile, fmt::format("{{\"processId\":\"{}\"}}", to_string(*id))));
  }
  return std::unique_ptr<StateDirectory>(new StateDirectory(env, root, std::move(*lock), *id));
}

std::string StateDirectory::task_folder(const TaskId& task) const { return root_ + "/" + streams::to_string(task); }

bool StateDirectory::lock_task(const TaskId& task, int thread) {
  const std::lock_guard guard(mutex_);
  return task_locks_.emplace(task, thread).first->second == thread;
}

void StateDirectory::unlock_task(const TaskId& task, int thread) {
  const std::lock_guard guard(mutex_);
  const auto found = task_locks_.find(task);
  if (found != task_locks_.end() && found->second == thread) task_locks_.erase(found);
}

std::vector<TaskOffsetSum> StateDirectory::closed_tasks() {
  std::vector<TaskOffsetSum> out;
  const Result<std::vector<std::string>> names = env_.list(root_);
  if (!names.ok()) return out;
  for (const auto& name : *names) {
    const std::optional<TaskId> task = parse_task(name);
    if (!task) continue;
    {
      const std::lock_guard guard(mutex_);
      if (task_locks_.contains(*task)) continue;
    }
    const std::optional<Checkpoint> checkpoint = read_checkpoint(task_folder(*task));
    if (!checkpoint || checkpoint->empty()) continue;
    TaskOffsetSum sum{.task = *task, .offset_sum = 0};
    for (const auto& [tp, offset] : *checkpoint) {
      if (offset >= Offset(0)) sum.offset_sum += offset.value();
    }
    out.push_back(sum);
  }
  return out;
}

std::optional<Checkpoint> StateDirectory::read_checkpoint(const std::string& folder) {
  const std::string path = folder + kCheckpointFile;
  if (!env_.exists(path)) return std::nullopt;
  const Result<Bytes> content = env_.read_file(path);
  if (!content.ok()) return std::nullopt;
  Result<Checkpoint> checkpoint = decode_checkpoint(*content);
  if (!checkpoint.ok()) {
    log::warn("{}: {}; the stores are restored from their changelogs", path, checkpoint.status().message());
    return std::nullopt;
  }
  return std::move(*checkpoint);
}

Status StateDirectory::write_checkpoint(const std::string& folder, const Checkpoint& checkpoint) {
  if (checkpoint.empty()) return {};
  return env_.replace_file(folder + kCheckpointFile, encode_checkpoint(checkpoint));
}

Status StateDirectory::remove_checkpoint(const std::string& folder) {
  const std::string path = folder + kCheckpointFile;
  if (!env_.exists(path)) return {};
  MUIR_RETURN_IF_ERROR(env_.remove(path));
  return env_.sync_folder(folder);
}

Status StateDirectory::wipe(const std::string& folder) {
  // The checkpoint goes first: should the rest not be reached, stores without checkpoint are wiped when next opened.
  MUIR_RETURN_IF_ERROR(remove_checkpoint(folder));
  if (!env_.exists(folder)) return {};
  return env_.remove_all(folder);
}

int fuzz_checkpoint(BytesView input) {
  const auto checkpoint = decode_checkpoint(input);
  if (checkpoint.ok()) {
    const auto again = decode_checkpoint(encode_checkpoint(*checkpoint));
    CHECK(again.ok() && *again == *checkpoint, "a checkpoint does not survive: {}", input);
  }
  return checkpoint.ok() || find_process_id(input) ? 1 : 0;
}

}  // namespace muir::streams::internal
