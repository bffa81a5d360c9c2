// Every message against bytes that Apache Kafka 4.3.1's own classes wrote (testdata/GoldenMessages.java).
#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <set>
#include <sstream>

#include "wire/message_table.h"

namespace muir::wire {
namespace {

Bytes from_hex(std::string_view text) {
  Bytes out;
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    uint8_t byte = 0;
    std::from_chars(text.data() + i, text.data() + i + 2, byte, 16);
    out.push_back(static_cast<char>(byte));
  }
  return out;
}

TEST(GoldenMessages, WhatKafkaWroteIsReadAndWrittenByteForByte) {
  std::ifstream file(MUIR_WIRE_TESTDATA "/kafka-4.3.1.txt");
  ASSERT_TRUE(file) << MUIR_WIRE_TESTDATA;
  const auto table = message_table();
  std::set<std::string> seen;
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string name;
    int16_t version = 0;
    std::string digits;
    words >> name >> version >> digits;
    SCOPED_TRACE(fmt::format("{} v{}: {}", name, version, digits));
    const auto info = std::find_if(table.begin(), table.end(), [&](const auto& m) { return m.name == name; });
    ASSERT_NE(info, table.end());
    seen.insert(name);
    const Bytes bytes = from_hex(digits);
    ByteReader reader(bytes);
    Bytes again;
    const Status status = info->recode(reader, version, again);
    EXPECT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(reader.remaining(), 0u);
    EXPECT_EQ(hex(again), hex(bytes));
  }
  // Keys of coordinator records carry their kind as version, which Kafka's classes count differently.
  EXPECT_GE(seen.size() + 1, table.size());
}

}  // namespace
}  // namespace muir::wire
