// FaultEnv: a file system in memory that forgets what was not made durable, for tests of recovery.
//
// It keeps for every file what a reader sees and what the disk has: sync() copies the first to the second, and
// sync_folder() does so for names. crash() is a loss of power.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "base/file.h"

namespace muir {

// Thread-safe.
class FaultEnv final : public Env {
 public:
  FaultEnv();
  ~FaultEnv() override;

  // Everything that was not durable is lost, except that each file keeps a part, chosen from `seed`, of the bytes
  // appended since its last sync, and the last of these may be garbage. Files open before the crash are disconnected.
  void crash(uint64_t seed);
  // The next `count` writes succeed; those after it fail as on a full disk, until called with nullopt.
  void fail_writes_after(std::optional<uint64_t> count);
  // All files together take so many bytes, and a write that would need more fails as on a full disk; nullopt: any
  // number. Names and empty files take none.
  void limit_bytes(std::optional<uint64_t> bytes);
  // What they take now.
  [[nodiscard]] uint64_t used_bytes() const;
  // Reads fail from now on, as of a disk that is going.
  void fail_reads(bool fail);
  // sync() fails from now on.
  void fail_syncs(bool fail);
  [[nodiscard]] uint64_t syncs() const;
  // Called by whoever is about to sync a file or a folder, before anything is durable: a disk that takes its time.
  // `syncing` outlives the environment's use, and may block.
  void when_syncing(std::function<void()> syncing);

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<std::vector<std::string>> list(const std::string& folder) override;
  bool exists(const std::string& path) override;
  Status make_folders(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status remove_all(const std::string& folder) override;
  Status sync_folder(const std::string& folder) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;

  struct State;
  struct Inode;

 private:
  // Shared with the open files, which may outlive the environment.
  std::shared_ptr<State> state_;
};

}  // namespace muir
