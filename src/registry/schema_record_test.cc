#include "registry/schema_record.h"

#include <gtest/gtest.h>

#include <random>

namespace muir::registry {
namespace {

TEST(SchemaRecord, SurvivesMutatedRecords) {
  const uint32_t seed = 20260107;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const std::string originals[]{
      R"({"keytype":"SCHEMA","subject":"s","version":1,"magic":1})",
      R"({"keytype":"DELETE_SUBJECT","subject":"s","magic":0})",
      R"({"subject":"s","version":1,"id":1,"md5":"x","schemaType":"JSON","references":[{"name":"n","subject":"t","version":2}],"schema":"{}","deleted":false})",
  };
  for (int i = 0; i < 20'000; ++i) {
    std::string text = originals[random() % std::size(originals)];
    for (auto n = random() % 3; n > 0; --n) text[random() % text.size()] = static_cast<char>(' ' + random() % 95);
    if (random() % 8 == 0) text.resize(random() % text.size());
    fuzz_schema_record(text);
  }
}

TEST(SchemaRecord, RefusesKeysWithoutTheirParts) {
  const std::string_view keys[]{"",
                                "[]",
                                "{}",
                                R"({"keytype":"SCHEMA","subject":"s"})",
                                R"({"keytype":"SCHEMA","version":1})",
                                R"({"keytype":"SCHEMA","subject":"s","version":0})",
                                R"({"keytype":"DELETE_SUBJECT","magic":0})"};
  for (const auto key : keys) EXPECT_FALSE(decode_key(key).ok()) << key;
  EXPECT_EQ(decode_key(R"({"keytype":"SOMETHING_NEW"})")->kind, RecordKind::other);
}

}  // namespace
}  // namespace muir::registry
