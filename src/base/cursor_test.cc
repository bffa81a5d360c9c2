#include "base/cursor.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace muir {
namespace {

TEST(Cursor, VarintsMatchTheZigzagVectorsOfProtobufAndKafka) {
  struct Case {
    int64_t value;
    const char* bytes;
  };
  const std::vector<Case> cases = {
      {0, "00"},
      {-1, "01"},
      {1, "02"},
      {-2, "03"},
      {63, "7e"},
      {-64, "7f"},
      {64, "80 01"},
      {-65, "81 01"},
      {8191, "fe 7f"},
      {-8192, "ff 7f"},
      {std::numeric_limits<int32_t>::max(), "fe ff ff ff 0f"},
      {std::numeric_limits<int64_t>::max(), "fe ff ff ff ff ff ff ff ff 01"},
      {std::numeric_limits<int64_t>::min(), "ff ff ff ff ff ff ff ff ff 01"},
  };
  for (const auto& c : cases) {
    Bytes out;
    ByteWriter(out).varlong(c.value);
    EXPECT_EQ(hex(out), c.bytes) << c.value;
    ByteReader reader(out);
    EXPECT_EQ(reader.varlong(), c.value);
    EXPECT_TRUE(reader.ok());
    EXPECT_EQ(reader.remaining(), 0u);
  }
}

TEST(Cursor, FixedWidthIntegersAreBigEndian) {
  Bytes out;
  ByteWriter writer(out);
  writer.i16(0x0102);
  writer.i32(-2);
  writer.i64(0x0102030405060708);
  EXPECT_EQ(hex(out), "01 02 ff ff ff fe 01 02 03 04 05 06 07 08");
  ByteReader reader(out);
  EXPECT_EQ(reader.i16(), 0x0102);
  EXPECT_EQ(reader.i32(), -2);
  EXPECT_EQ(reader.i64(), 0x0102030405060708);
}

TEST(Cursor, ReadingPastTheEndFailsAndStaysFailed) {
  ByteReader reader(BytesView("\x01\x02", 2));
  EXPECT_EQ(reader.i32(), 0);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.i8(), 0);
  EXPECT_FALSE(reader.ok());
}

TEST(Cursor, VarintsThatNeverEndOrOverflowFail) {
  for (const Bytes& bytes :
       {Bytes(11, '\xff'), Bytes(3, '\x80'), Bytes("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10)}) {
    ByteReader reader(bytes);
    reader.uvarlong();
    EXPECT_FALSE(reader.ok()) << hex(bytes);
  }
  ByteReader wide(BytesView("\xff\xff\xff\xff\x1f", 5));
  wide.uvarint();
  EXPECT_FALSE(wide.ok());
}

}  // namespace
}  // namespace muir
