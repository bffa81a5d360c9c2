#include "wire/element_limit.h"

#include <gtest/gtest.h>

#include "wire/frame.h"
#include "wire/messages/list_offsets.h"
#include "wire/messages/metadata.h"
#include "wire/messages/offset_fetch.h"

namespace muir::wire {
namespace {

template <class Message>
Bytes bytes_of(const Message& message) {
  Bytes out;
  ByteWriter writer(out);
  encode(message, Message::kVersionMax, writer);
  return out;
}

// Reads `message` with room for so many elements.
template <class Message>
bool fits(const Message& message, size_t most) {
  const Bytes bytes = bytes_of(message);
  ByteReader reader(bytes);
  Message read;
  ElementLimit limit(most);
  const Status status = decode(reader, Message::kVersionMax, read);
  EXPECT_EQ(status.ok(), !limit.exceeded());
  EXPECT_TRUE(!status.ok() || read == message);
  return status.ok();
}

// Beside its elements a message may hold as much as it likes.
TEST(ElementLimit, CountsElementsOfAllArraysAndUnknownTags) {
  MetadataRequest names;
  names.topics.emplace().resize(3);
  ListOffsetsRequest nested;
  nested.topics.resize(2);
  nested.topics[0].partitions.resize(4);
  nested.topics[1].partitions.resize(1);
  OffsetFetchRequest numbers;
  auto& group = numbers.groups.emplace_back();
  group.topics.emplace().push_back({"t", {1, 2, 3}, {}});
  MetadataRequest tagged = names;
  tagged.unknown_tags = {{100, "x"}, {101, "y"}};
  tagged.topics->at(1).unknown_tags = {{7, Bytes(1000, 'z')}};
  EXPECT_TRUE(fits(MetadataRequest{}, 0));
  EXPECT_TRUE(fits(names, 3));
  EXPECT_FALSE(fits(names, 2));
  EXPECT_TRUE(fits(nested, 7));
  EXPECT_FALSE(fits(nested, 6));
  EXPECT_TRUE(fits(numbers, 5)) << "a group, a topic, three partitions";
  EXPECT_FALSE(fits(numbers, 4));
  EXPECT_TRUE(fits(tagged, 6));
  EXPECT_FALSE(fits(tagged, 5));
}

TEST(ElementLimit, EndsWithItsScope) {
  MetadataRequest names;
  names.topics.emplace().resize(3);
  EXPECT_FALSE(fits(names, 2));
  const Bytes bytes = bytes_of(names);
  ByteReader reader(bytes);
  MetadataRequest read;
  EXPECT_TRUE(decode(reader, MetadataRequest::kVersionMax, read).ok());
}

}  // namespace
}  // namespace muir::wire
