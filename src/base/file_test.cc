#include "base/file.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/file_fault.h"

namespace muir {
namespace {

class EnvContract : public ::testing::TestWithParam<bool> {
 protected:
  EnvContract() {
    if (GetParam()) {
      std::string name = (std::filesystem::temp_directory_path() / "muir-env-XXXXXX").string();
      folder_ = mkdtemp(name.data());
    } else {
      folder_ = "/disk";
    }
    EXPECT_TRUE(env().make_folders(folder_).ok());
  }
  ~EnvContract() override { EXPECT_TRUE(env().remove_all(folder_).ok()); }
  Env& env() { return GetParam() ? system_env() : fault_; }
  std::string path(const std::string& name) const { return folder_ + "/" + name; }

  FaultEnv fault_;
  std::string folder_;
};

TEST_P(EnvContract, WhatIsWrittenIsRead) {
  auto file = env().open(path("a"), OpenMode::read_write).value();
  const BytesView parts[] = {"hello ", "", "world"};
  ASSERT_TRUE(file->write_at(0, parts).ok());
  ASSERT_TRUE(file->write_at(11, "!").ok());
  EXPECT_EQ(file->size().value(), 12u);
  EXPECT_EQ(file->read_exactly(6, 6).value(), "world!");
  EXPECT_EQ(file->read_exactly(6, 7).status().code(), Code::data_loss);
}

TEST_P(EnvContract, TruncateShortensAndReplaceFileReplaces) {
  auto file = env().open(path("a"), OpenMode::read_write).value();
  ASSERT_TRUE(file->write_at(0, "abcdef").ok());
  ASSERT_TRUE(file->truncate(2).ok());
  EXPECT_EQ(env().read_file(path("a")).value(), "ab");
  ASSERT_TRUE(env().replace_file(path("a"), "new").ok());
  EXPECT_EQ(env().read_file(path("a")).value(), "new");
  EXPECT_EQ(env().list(folder_).value(), (std::vector<std::string>{"a"}));
}

TEST_P(EnvContract, MissingFilesAreNotFoundAndRemovingThemIsFine) {
  EXPECT_EQ(env().open(path("none"), OpenMode::read).status().code(), Code::not_found);
  EXPECT_TRUE(env().remove(path("none")).ok());
  EXPECT_FALSE(env().exists(path("none")));
}

TEST_P(EnvContract, ALockIsHeldByOneHolder) {
  auto first = env().lock(path(".lock"));
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(env().lock(path(".lock")).status().code(), Code::already_exists);
  first->reset();
  EXPECT_TRUE(env().lock(path(".lock")).ok());
}

INSTANTIATE_TEST_SUITE_P(Envs, EnvContract, ::testing::Bool(),
                         [](const auto& which) { return which.param ? "System" : "Fault"; });

TEST(FaultEnv, CrashKeepsSyncedBytesAndLosesNamesThatWereNotSynced) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    FaultEnv env;
    ASSERT_TRUE(env.make_folders("/d").ok());
    auto file = env.open("/d/kept", OpenMode::read_write).value();
    ASSERT_TRUE(env.sync_folder("/d").ok());
    ASSERT_TRUE(file->write_at(0, "synced").ok());
    ASSERT_TRUE(file->sync().ok());
    ASSERT_TRUE(file->write_at(6, "maybe").ok());
    ASSERT_TRUE(env.write_file("/d/lost", "x").ok());
    env.crash(seed);
    const Bytes content = env.read_file("/d/kept").value();
    EXPECT_TRUE(content.starts_with("synced")) << "seed " << seed;
    EXPECT_LE(content.size(), 11u) << "seed " << seed;
    EXPECT_FALSE(env.exists("/d/lost"));
  }
}

TEST(FaultEnv, ReplacedFileIsOldOrNewNeverBetween) {
  FaultEnv env;
  ASSERT_TRUE(env.make_folders("/d").ok());
  ASSERT_TRUE(env.replace_file("/d/f", "old").ok());
  for (uint64_t writes = 0; writes < 2; ++writes) {
    env.fail_writes_after(writes);
    (void)env.replace_file("/d/f", "new").ok();
    env.crash(writes);
    EXPECT_EQ(env.read_file("/d/f").value(), writes == 0 ? "old" : "new");
  }
}

}  // namespace
}  // namespace muir
