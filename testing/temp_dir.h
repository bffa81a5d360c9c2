// TempDir: a fresh folder for one test, removed with everything in it. Owned by one thread.
#pragma once

#include <filesystem>
#include <string>

namespace muir::testing {

class TempDir {
 public:
  // In the folder for temporary files, or in `parent`.
  explicit TempDir(const std::filesystem::path& parent = std::filesystem::temp_directory_path());
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::string str() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace muir::testing
