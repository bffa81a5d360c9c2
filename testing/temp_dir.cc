#include "testing/temp_dir.h"

#include <cstdlib>

#include "base/check.h"

namespace muir::testing {

TempDir::TempDir(const std::filesystem::path& parent) {
  std::string name = (parent / "muir-test-XXXXXX").string();
  CHECK(mkdtemp(name.data()) != nullptr, "cannot make temporary folder {}", name);
  path_ = name;
}

TempDir::~TempDir() {
  std::error_code ignored;  // A test that leaves a busy folder behind must not fail for it.
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace muir::testing
