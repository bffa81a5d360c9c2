// Mutations of what other members of a group, changelogs and local files say. Golden bytes: subscription_info_test.cc.
#include <gtest/gtest.h>

#include "base/cursor.h"
#include "streams/group/subscription_info.h"
#include "streams/nodes/change.h"
#include "streams/nodes/foreign_key_wire.h"
#include "streams/nodes/held_records.h"
#include "streams/nodes/suppress_buffer.h"
#include "streams/nodes/unmatched_records.h"
#include "streams/runtime/state_manager.h"
#include "streams/windows.h"
#include "testing/mutations.h"

namespace muir::streams::internal {
namespace {

TEST(FuzzHeldKey, SurvivesMutations) {
  Bytes key;
  append_held_key({258, "k", 1}, key);
  EXPECT_EQ(hex(key), "00 00 00 00 00 00 00 01 02 6b 00 00 00 01");
  testing::survive_mutations("streams_held_key", fuzz_held_key, {key, Bytes(13, '\0')});
}

TEST(FuzzSubscriptionInfo, SurvivesMutations) {
  const Bytes process = Bytes(15, '\0') + '\x07';
  const Bytes subscription = Bytes("\0\0\0\x0b\0\0\0\x0b", 8) + process + Bytes("\0\0\0\x04h:80", 8) +
                             Bytes("\0\0\0\x01\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\x05\xff\xff", 22) +
                             Bytes(
                                 "\x03\0\0\0\0\0\0\0\x01\0\0\0\x01z\0\0\0\x02"
                                 "eu",
                                 20);
  const Bytes nested = Bytes("\0\0\0\x09\0\0\0\x0b", 8) + process + Bytes("\0\0\0\0", 4) +
                       Bytes("\0\0\0\x01\0\0\0\x02\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\x03\0\0\0\0\0", 29);
  const Bytes assignment(
      "\0\0\0\x0b\0\0\0\x0b\0\0\0\x01\0\0\0\0\0\0\0\x01\0\0\0\0"
      "\0\0\0\x01\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\x01\0\x01t\0\0\0\0"
      "\0\0\0\x01\0\0\0\0\0\x01"
      "a"
      "\0\0\0\x01\0\x01h\0\0\0\x50\0\0\0\x01\0\0\0\0\0\0\0\x01"
      "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x09",
      24 + 27 + 11 + 23 + 16);
  const Bytes consumer_subscription(
      "\0\x03\0\0\0\x02\0\x01"
      "a\0\x01"
      "b\0\0\0\x01U\0\0\0\x01\0\x01"
      "a\0\0\0\x02\0\0\0\0\0\0\0\x02\0\0\0\x04\xff\xff",
      42);
  const Bytes consumer_assignment(
      "\0\x03\0\0\0\x02\0\x01"
      "a\0\0\0\x01\0\0\0\x01\0\x01"
      "b\0\0\0\x01\0\0\0\0\0\0\0\x01V",
      33);
  testing::survive_mutations("streams_subscription_info", fuzz_subscription_info,
                             {subscription, nested, assignment, consumer_subscription, consumer_assignment,
                              "AgAAAAAAAABkAAAAAQAAAAJzMQAAAAAAAAAF"},
                             {.rounds = 30'000});
}

TEST(FuzzCheckpoint, SurvivesMutations) {
  testing::survive_mutations("streams_checkpoint", fuzz_checkpoint,
                             {"0\n2\napp-counts-changelog 3 41\napp-other-changelog 3 -4\n",
                              R"({"processId":"0191f3c2-9c1e-4d0a-8f00-0123456789ab"})"},
                             {.alphabet = "0123456789 \n-:\"{}"});
}

TEST(FuzzChange, SurvivesMutations) {
  testing::survive_mutations("streams_change", fuzz_change,
                             {Bytes("new\x01"), Bytes("old\0", 4), Bytes("\x06newold\x02", 8),
                              Bytes("\x02"
                                    "ab\x01\x05",
                                    5),
                              Bytes("x\0\x04", 3)});
}

TEST(FuzzUnmatchedRecord, SurvivesMutations) {
  testing::survive_mutations("streams_unmatched_record", fuzz_unmatched_record,
                             {Bytes("\0\0\0\0\0\0\x01\x02\x01k", 10),
                              Bytes("\x01\0\0\0\x01\0\0\0\x02\x01"
                                    "A",
                                    11),
                              Bytes("\x01\0\0\0\x02\0\0\0\x02\0"
                                    "A\0\0\0\x01\0",
                                    16)});
}

TEST(FuzzForeignKeyWire, SurvivesMutations) {
  const Hash128 hash{1, 2};
  std::vector<Bytes> valid(6);
  append_subscription({.instruction = Instruction::answer, .hash = hash, .primary_key = "k", .partition = 3}, valid[0]);
  append_subscription({.instruction = Instruction::unsubscribe, .primary_key = "k", .partition = 3}, valid[1]);
  append_subscription({.instruction = Instruction::answer_if_found, .hash = hash, .primary_key = "key"}, valid[2]);
  append_answer({.hash = hash, .value = "value"}, valid[3]);
  append_answer({}, valid[4]);
  append_combined_prefix("fk", valid[5]);
  testing::survive_mutations("streams_foreign_key_wire", fuzz_foreign_key_wire, valid);
}

TEST(FuzzBufferedChange, SurvivesMutations) {
  const Bytes context("\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\0\x02\0\0\0\x01t\0\0\0\0\0\0\0\x01\0\0\0\x01h\xff\xff\xff\xff",
                      38);
  const Bytes time("\0\0\0\0\0\0\0\x09", 8);
  testing::survive_mutations("streams_buffered_change", fuzz_buffered_change,
                             {context + Bytes("\0\0\0\x01p\xff\xff\xff\xfe\0\0\0\x01n", 14) + time,
                              context + Bytes("\xff\xff\xff\xff\0\0\0\x01o\xff\xff\xff\xff", 13) + time});
}

TEST(FuzzWindowedKey, SurvivesMutations) {
  testing::survive_mutations("streams_windowed_key", fuzz_windowed_key,
                             {Bytes("vehicle\0\0\x01\x8c\xff\0\0\0", 15), Bytes(8, '\x7f')});
}

}  // namespace
}  // namespace muir::streams::internal
