#include "streams/runtime/state_manager.h"

#include <gtest/gtest.h>

#include "base/file_fault.h"

namespace muir::streams::internal {
namespace {

TEST(Checkpoint, IsKafkaStreamsText) {
  const Checkpoint checkpoint = {{{"app-counts-changelog", PartitionId(3)}, Offset(41)},
                                 {{"app-other-changelog", PartitionId(3)}, kCheckpointUnknown}};
  const Bytes text = "0\n2\napp-counts-changelog 3 41\napp-other-changelog 3 -4\n";
  EXPECT_EQ(encode_checkpoint(checkpoint), text);
  EXPECT_EQ(*decode_checkpoint(text), checkpoint);
}

TEST(Checkpoint, RefusesWhatIsDamaged) {
  for (const char* text :
       {"", "1\n0\n", "0\n", "0\n2\nt 0 1\n", "0\n1\nt 0\n", "0\n1\nt 0 -7\n", "0\n1\nt x 1\n", "0\n-1\n"}) {
    EXPECT_EQ(decode_checkpoint(text).status().code(), Code::data_loss) << text;
  }
}

TEST(StateDirectory, BelongsToOneProcessAndKeepsItsId) {
  FaultEnv env;
  ProcessId id;
  {
    const auto first = StateDirectory::open(env, "/state", "app");
    ASSERT_TRUE(first.ok()) << first.status().message();
    id = (*first)->process_id();
    const auto second = StateDirectory::open(env, "/state", "app");
    EXPECT_EQ(second.status().code(), Code::already_exists);
    EXPECT_NE(second.status().message().find("state.dir"), std::string::npos);
    EXPECT_TRUE(StateDirectory::open(env, "/state", "another").ok());
  }
  const auto again = StateDirectory::open(env, "/state", "app");
  ASSERT_TRUE(again.ok());
  EXPECT_EQ((*again)->process_id(), id);
  EXPECT_EQ(*env.read_file("/state/app/kafka-streams-process-metadata"), "{\"processId\":\"" + to_string(id) + "\"}");
}

TEST(StateDirectory, ATaskIsOpenInOneThreadAtATime) {
  FaultEnv env;
  const auto directory = StateDirectory::open(env, "/state", "app");
  EXPECT_TRUE((*directory)->lock_task({0, PartitionId(1)}, 1));
  EXPECT_TRUE((*directory)->lock_task({0, PartitionId(1)}, 1));
  EXPECT_FALSE((*directory)->lock_task({0, PartitionId(1)}, 2));
  (*directory)->unlock_task({0, PartitionId(1)}, 2);  // not its own
  EXPECT_FALSE((*directory)->lock_task({0, PartitionId(1)}, 2));
  (*directory)->unlock_task({0, PartitionId(1)}, 1);
  EXPECT_TRUE((*directory)->lock_task({0, PartitionId(1)}, 2));
}

TEST(StateDirectory, TellsTheLeaderWhatLiesOnDisk) {
  FaultEnv env;
  auto directory = std::move(*StateDirectory::open(env, "/state", "app"));
  for (const TaskId task : {TaskId{0, PartitionId(0)}, TaskId{1, PartitionId(2)}}) {
    ASSERT_TRUE(directory->make_folder(directory->task_folder(task)).ok());
    ASSERT_TRUE(directory
                    ->write_checkpoint(directory->task_folder(task), {{{"a", PartitionId(0)}, Offset(10)},
                                                                      {{"b", PartitionId(0)}, Offset(5)},
                                                                      {{"c", PartitionId(0)}, kCheckpointUnknown}})
                    .ok());
  }
  directory->lock_task({0, PartitionId(0)}, 1);  // open: its task speaks for it
  EXPECT_EQ(directory->closed_tasks(), (std::vector<TaskOffsetSum>{{{1, PartitionId(2)}, 15}}));
  ASSERT_TRUE(directory->wipe(directory->task_folder({1, PartitionId(2)})).ok());
  EXPECT_TRUE(directory->closed_tasks().empty());
}

}  // namespace
}  // namespace muir::streams::internal
