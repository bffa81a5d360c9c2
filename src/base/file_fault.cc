#include "base/file_fault.h"

#include <algorithm>
#include <random>

namespace muir {

struct FaultEnv::Inode {
  Bytes seen;
  Bytes durable;
};

struct FaultEnv::State {
  mutable std::mutex mutex;
  std::map<std::string, std::shared_ptr<Inode>> names;
  std::map<std::string, std::shared_ptr<Inode>> durable_names;
  std::set<std::string> folders;
  std::set<std::string> locks;
  std::optional<uint64_t> writes_left;
  std::optional<uint64_t> bytes_max;
  bool fail_reads = false;
  bool fail_syncs = false;
  uint64_t syncs = 0;
  std::function<void()> syncing{};

  void wait_for_disk() {
    std::function<void()> wait;
    {
      const std::lock_guard guard(mutex);
      wait = syncing;
    }
    if (wait) wait();
  }

  [[nodiscard]] uint64_t used_bytes() const {
    uint64_t out = 0;
    for (const auto& [name, inode] : names) out += inode->seen.size();
    return out;
  }
};

namespace {

class FaultFile final : public File {
 public:
  FaultFile(std::shared_ptr<FaultEnv::State> state, std::shared_ptr<FaultEnv::Inode> inode)
      : state_(std::move(state)), inode_(std::move(inode)) {}

  Result<size_t> read_at(uint64_t position, char* out, size_t size) const override {
    const std::lock_guard guard(state_->mutex);
    if (state_->fail_reads) return error(Code::io_error, "read: input/output error");
    const Bytes& seen = inode_->seen;
    if (position >= seen.size()) return size_t{0};
    const size_t n = std::min(size, seen.size() - position);
    std::copy_n(seen.data() + position, n, out);
    return n;
  }

  using File::write_at;
  Status write_at(uint64_t position, std::span<const BytesView> parts) override {
    const std::lock_guard guard(state_->mutex);
    if (state_->writes_left) {
      if (*state_->writes_left == 0) return error(Code::resource_exhausted, "write: no space left on device");
      --*state_->writes_left;
    }
    uint64_t end = position;
    for (const BytesView part : parts) end += part.size();
    const uint64_t more = end - std::min<uint64_t>(end, inode_->seen.size());
    if (state_->bytes_max && more > 0 && state_->used_bytes() + more > *state_->bytes_max)
      return error(Code::resource_exhausted, "write: no space left on device");
    for (const BytesView part : parts) {
      if (inode_->seen.size() < position + part.size()) inode_->seen.resize(position + part.size());
      std::copy(part.begin(), part.end(), inode_->seen.begin() + static_cast<std::ptrdiff_t>(position));
      position += part.size();
    }
    return {};
  }

  Status sync() override {
    state_->wait_for_disk();
    const std::lock_guard guard(state_->mutex);
    ++state_->syncs;
    if (state_->fail_syncs) return error(Code::io_error, "fdatasync: input/output error");
    inode_->durable = inode_->seen;
    return {};
  }

  Status truncate(uint64_t size) override {
    const std::lock_guard guard(state_->mutex);
    inode_->seen.resize(size);
    return {};
  }

  Result<uint64_t> size() const override {
    const std::lock_guard guard(state_->mutex);
    return static_cast<uint64_t>(inode_->seen.size());
  }

 private:
  std::shared_ptr<FaultEnv::State> state_;
  std::shared_ptr<FaultEnv::Inode> inode_;
};

class FaultLock final : public FileLock {
 public:
  FaultLock(std::shared_ptr<FaultEnv::State> state, std::string path)
      : state_(std::move(state)), path_(std::move(path)) {}
  ~FaultLock() override {
    const std::lock_guard guard(state_->mutex);
    state_->locks.erase(path_);
  }
  FaultLock(const FaultLock&) = delete;
  FaultLock& operator=(const FaultLock&) = delete;

 private:
  std::shared_ptr<FaultEnv::State> state_;
  std::string path_;
};

// As file systems do.
Status check_name(const std::string& path) {
  constexpr size_t kNameBytesMax = 255;
  const size_t slash = path.rfind('/');
  const size_t bytes = path.size() - (slash == std::string::npos ? 0 : slash + 1);
  if (bytes > kNameBytesMax) return error(Code::invalid_argument, "{}: file name too long", path);
  return {};
}

bool is_below(const std::string& path, const std::string& folder) {
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

// Moves `from`, and everything below it when it is a folder, to `to`.
template <class Map>
void move_names(Map& names, const std::string& from, const std::string& to) {
  Map moved;
  for (auto it = names.begin(); it != names.end();) {
    if (it->first == from || is_below(it->first, from)) {
      moved[to + it->first.substr(from.size())] = it->second;
      it = names.erase(it);
    } else {
      ++it;
    }
  }
  for (auto& [name, inode] : moved) names[name] = inode;
}

// What a disk may hold after power was lost while `seen` was written over `durable`.
Bytes torn(const Bytes& durable, const Bytes& seen, std::mt19937_64& random) {
  Bytes out = durable;
  if (seen.size() <= durable.size()) return out;
  const size_t kept = random() % (seen.size() - durable.size() + 1);
  out.append(seen, durable.size(), kept);
  if (kept > 0 && random() % 2 == 0) {
    const size_t garbage = std::min<size_t>(kept, 1 + random() % 64);
    for (size_t i = out.size() - garbage; i < out.size(); ++i) out[i] = static_cast<char>(random());
  }
  return out;
}

}  // namespace

FaultEnv::FaultEnv() : state_(std::make_shared<State>()) {}
FaultEnv::~FaultEnv() = default;

void FaultEnv::crash(uint64_t seed) {
  std::mt19937_64 random(seed);
  const std::lock_guard guard(state_->mutex);
  state_->names.clear();
  for (auto& [name, inode] : state_->durable_names) {
    auto fresh = std::make_shared<Inode>();
    fresh->seen = torn(inode->durable, inode->seen, random);
    fresh->durable = fresh->seen;
    state_->names[name] = fresh;
  }
  state_->durable_names = state_->names;
  state_->locks.clear();
  state_->writes_left.reset();
  state_->fail_reads = false;
  state_->fail_syncs = false;
}

void FaultEnv::fail_writes_after(std::optional<uint64_t> count) {
  const std::lock_guard guard(state_->mutex);
  state_->writes_left = count;
}

void FaultEnv::limit_bytes(std::optional<uint64_t> bytes) {
  const std::lock_guard guard(state_->mutex);
  state_->bytes_max = bytes;
}

uint64_t FaultEnv::used_bytes() const {
  const std::lock_guard guard(state_->mutex);
  return state_->used_bytes();
}

void FaultEnv::fail_reads(bool fail) {
  const std::lock_guard guard(state_->mutex);
  state_->fail_reads = fail;
}

void FaultEnv::fail_syncs(bool fail) {
  const std::lock_guard guard(state_->mutex);
  state_->fail_syncs = fail;
}

void FaultEnv::when_syncing(std::function<void()> syncing) {
  const std::lock_guard guard(state_->mutex);
  state_->syncing = std::move(syncing);
}

uint64_t FaultEnv::syncs() const {
  const std::lock_guard guard(state_->mutex);
  return state_->syncs;
}

Result<std::unique_ptr<File>> FaultEnv::open(const std::string& path, OpenMode mode) {
  const std::lock_guard guard(state_->mutex);
  auto it = state_->names.find(path);
  if (it == state_->names.end()) {
    if (mode == OpenMode::read) return error(Code::not_found, "open {}: no such file", path);
    if (!state_->folders.contains(parent_folder(path))) return error(Code::not_found, "open {}: no such folder", path);
    MUIR_RETURN_IF_ERROR(check_name(path));
    it = state_->names.emplace(path, std::make_shared<Inode>()).first;
  } else if (mode == OpenMode::truncate) {
    it->second->seen.clear();
  }
  return std::unique_ptr<File>(std::make_unique<FaultFile>(state_, it->second));
}

Result<std::vector<std::string>> FaultEnv::list(const std::string& folder) {
  const std::lock_guard guard(state_->mutex);
  std::set<std::string> found;
  const auto add = [&](const std::string& path) {
    if (is_below(path, folder))
      found.insert(path.substr(folder.size() + 1, path.find('/', folder.size() + 1) - folder.size() - 1));
  };
  for (const auto& [name, inode] : state_->names) add(name);
  for (const auto& name : state_->folders) add(name);
  if (found.empty() && !state_->folders.contains(folder))
    return error(Code::not_found, "list {}: no such folder", folder);
  return std::vector<std::string>(found.begin(), found.end());
}

bool FaultEnv::exists(const std::string& path) {
  const std::lock_guard guard(state_->mutex);
  return state_->names.contains(path) || state_->folders.contains(path);
}

Status FaultEnv::make_folders(const std::string& path) {
  MUIR_RETURN_IF_ERROR(check_name(path));
  const std::lock_guard guard(state_->mutex);
  for (std::string part = path; part != "." && part != "/"; part = parent_folder(part)) state_->folders.insert(part);
  return {};
}

Status FaultEnv::rename(const std::string& from, const std::string& to) {
  MUIR_RETURN_IF_ERROR(check_name(to));
  const std::lock_guard guard(state_->mutex);
  if (state_->folders.contains(from)) {
    // Renames of folders are taken as durable at once: recovery does not depend on either outcome.
    std::map<std::string, bool> folders;
    for (const auto& folder : state_->folders) folders[folder] = true;
    move_names(folders, from, to);
    state_->folders.clear();
    for (const auto& [folder, present] : folders) state_->folders.insert(folder);
    move_names(state_->names, from, to);
    move_names(state_->durable_names, from, to);
    return {};
  }
  if (!state_->names.contains(from)) return error(Code::not_found, "rename {}: no such file", from);
  move_names(state_->names, from, to);
  return {};
}

Status FaultEnv::remove(const std::string& path) {
  const std::lock_guard guard(state_->mutex);
  state_->names.erase(path);
  return {};
}

Status FaultEnv::remove_all(const std::string& folder) {
  const std::lock_guard guard(state_->mutex);
  const auto gone = [&](const auto& name) { return name == folder || is_below(name, folder); };
  std::erase_if(state_->names, [&](const auto& entry) { return gone(entry.first); });
  std::erase_if(state_->durable_names, [&](const auto& entry) { return gone(entry.first); });
  std::erase_if(state_->folders, gone);
  return {};
}

Status FaultEnv::sync_folder(const std::string& folder) {
  state_->wait_for_disk();
  const std::lock_guard guard(state_->mutex);
  const auto here = [&](const auto& entry) { return parent_folder(entry.first) == folder; };
  std::erase_if(state_->durable_names, here);
  for (const auto& entry : state_->names) {
    if (here(entry)) state_->durable_names.insert(entry);
  }
  return {};
}

Result<std::unique_ptr<FileLock>> FaultEnv::lock(const std::string& path) {
  const std::lock_guard guard(state_->mutex);
  if (!state_->locks.insert(path).second) return error(Code::already_exists, "lock {}: another process holds it", path);
  return std::unique_ptr<FileLock>(std::make_unique<FaultLock>(state_, path));
}

}  // namespace muir
