// Files are read once for all who ask for them, and again when they have changed.
#include "net/internal/static_files.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "testing/temp_dir.h"

namespace muir::net {
namespace {

namespace fs = std::filesystem;

void write(const fs::path& path, const std::string& text, int second) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
  fs::last_write_time(path, fs::file_time_type(std::chrono::seconds(1'000'000'000 + second)));
}

HttpRequest get(const std::string& path) {
  HttpRequest out;
  out.method = "GET";
  out.path = path;
  return out;
}

TEST(StaticFiles, AreReadOnceUntilTheyChange) {
  const testing::TempDir dir;
  write(dir.path() / "a.txt", "one", 1);
  const StaticFiles files("/", dir.str());
  const auto first = files.answer(get("/a.txt"));
  EXPECT_EQ(first.body_view(), "one");
  EXPECT_EQ(files.answer(get("/a.txt")).shared_body, first.shared_body) << "one text for both";
  write(dir.path() / "a.txt", "two", 2);
  EXPECT_EQ(files.answer(get("/a.txt")).body_view(), "two") << "as long as the one before, but newer";
  EXPECT_EQ(first.body_view(), "one") << "an answer on its way stays whole";
  write(dir.path() / "a.txt", "", 3);
  EXPECT_EQ(files.answer(get("/a.txt")).body_view(), "");
  fs::remove(dir.path() / "a.txt");
  EXPECT_EQ(files.answer(get("/a.txt")).status, 404);
}

TEST(StaticFiles, KeepWhatWasAskedForLastWithinTheirBounds) {
  const testing::TempDir dir;
  constexpr size_t kSize = StaticFiles::kCacheBytesMax / 4;
  for (const char* name : {"a", "b", "c", "d", "e"}) write(dir.path() / name, std::string(kSize, *name), 1);
  write(dir.path() / "large", std::string(kSize + 1, 'l'), 1);
  const StaticFiles files("/", dir.str());
  const auto kept = [&](const std::string& path) {  // in memory, when nobody else holds it
    const std::weak_ptr<const std::string> text = files.answer(get(path)).shared_body;
    return !text.expired();
  };
  for (const char* path : {"/a", "/b", "/c", "/d"}) EXPECT_TRUE(kept(path)) << path;
  EXPECT_FALSE(kept("/large"));
  const std::weak_ptr<const std::string> a = files.answer(get("/a")).shared_body;
  const std::weak_ptr<const std::string> c = files.answer(get("/c")).shared_body;
  EXPECT_TRUE(kept("/e"));  // instead of b, which nobody has asked for since
  EXPECT_FALSE(a.expired());
  EXPECT_FALSE(c.expired());
}

}  // namespace
}  // namespace muir::net
