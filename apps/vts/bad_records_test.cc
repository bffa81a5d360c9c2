// Records of the input topics that no program of ours has written: each becomes a dead letter that says why and where
// it lies, and what comes after is processed.
#include <limits>

#include "apps/vts/dead_letters.h"
#include "apps/vts/patience.h"
#include "apps/vts/topology_testing.h"
#include "apps/vts/view.h"
#include "apps/vts/zone_directory.h"

namespace muir::vts {
namespace {

template <class T>
Bytes encoded(RegistryPort& registry, std::string_view topic, const T& value) {
  SerdeRef<T> serde = default_serde<T>();
  EXPECT_TRUE(serde.configure({.registry = &registry}, false).ok());
  Bytes out;
  EXPECT_TRUE(serde.serialize(topic, value, out).ok());
  return out;
}

// What is no value in any of the topics. `good` is one of the topic.
struct BadValue {
  const char* what;
  std::string value;
  const char* why;  // part of the dead letter's message
};
std::vector<BadValue> bad_values(RegistryPort& registry, const Bytes& good) {
  const Bytes other = encoded(registry, "other", ZoneOccupancy{.zone_id = "east", .vehicles = 1});
  return {
      {"text", "nonsense", "magic byte 0x6e instead of 0x00"},
      {"JSON", R"({"line":"189"})", "magic byte 0x7b instead of 0x00"},
      {"nothing", "", "0 bytes are too few for a magic byte and a schema id"},
      {"half a frame", std::string("\0\0\0", 3), "3 bytes are too few"},
      {"an unknown schema", std::string("\0\0\0\x27\x0f\2", 6), "schema id=9999"},
      {"a negative schema id", std::string("\0\xff\xff\xff\xff\2", 6), "schema id=-1"},
      {"a frame without data", good.substr(0, 5), "deserialize muir.vts."},
      {"data cut off", good.substr(0, good.size() - 1), "deserialize muir.vts."},
      {"data and more", good + "x", "deserialize muir.vts."},
      {"another record's data", other, "schema id=2"},
      {"its data under its own schema, damaged", good.substr(0, 5) + std::string(40, '\xff'), "deserialize muir.vts."},
  };
}

const VehicleMaster kRow{.line = "189", .brigade = "3", .name = "Our first", .speed_limit = 30};
const ZoneMaster kZone{.zone_id = "west", .name = "West", .kind = "test", .polygons = {{{20, 52, 20.5, 52, 20.5, 53}}}};

RawPosition fix_of(const char* vehicle, int64_t timestamp) {
  return {
      .vehicle_id = vehicle, .lat = 52.5, .lon = 20.5, .speed = 40, .timestamp = timestamp, .received_at = timestamp};
}

class BadRecords : public ::testing::Test {
 protected:
  void pipe(std::string_view topic, std::optional<std::string> key, std::optional<std::string> value,
            int64_t timestamp_ms = kBase) {
    const Status status = line_.driver().pipe(
        std::string(topic), {.key = std::move(key), .value = std::move(value), .timestamp_ms = timestamp_ms});
    EXPECT_TRUE(status.ok()) << status.to_string();
  }
  // The one dead letter that there is now.
  std::optional<streams::TestRecord<std::string, DeadLetter>> letter() {
    auto letters = line_.read<DeadLetter>(kDlqTopic);
    EXPECT_EQ(letters.size(), 1U);
    return letters.empty() ? std::nullopt : std::optional(letters.front());
  }
  void expect_letter(const std::string& what, std::string_view topic, int64_t offset, const std::string& payload,
                     const std::string& why) {
    const auto record = letter();
    ASSERT_TRUE(record) << what;
    EXPECT_EQ(record->value->rule, kUndecodable) << what;
    EXPECT_EQ(record->value->topic, topic) << what;
    EXPECT_EQ(record->value->partition, 0) << what;
    EXPECT_EQ(record->value->offset, offset) << what;
    EXPECT_EQ(record->value->payload, hex(payload)) << what;
    EXPECT_NE(record->value->message.find(why), std::string::npos) << what << ": " << record->value->message;
  }

  Line line_;
};

TEST_F(BadRecords, OfVehicleRowsLeaveTheRowBeforeThem) {
  pipe(kVehicleMasterTopic, "V1", encoded(line_.registry(), kVehicleMasterTopic, kRow));
  int64_t offset = 1;
  int64_t time = kBase;
  for (const BadValue& bad : bad_values(line_.registry(), encoded(line_.registry(), kVehicleMasterTopic, kRow))) {
    pipe(kVehicleMasterTopic, "V1", bad.value);
    expect_letter(bad.what, kVehicleMasterTopic, offset++, bad.value, bad.why);
    line_.post(fix_of("V1", time += 10'000));
    const auto enriched = line_.read<EnrichedPosition>(kEnrichedTopic);
    ASSERT_EQ(enriched.size(), 1U) << bad.what;
    EXPECT_EQ(enriched[0].value->line, "189") << bad.what;
    EXPECT_EQ(enriched[0].value->speed_limit, 30) << bad.what;
  }
  EXPECT_EQ(line_.counts().dead_letters, 0) << "these are no positions";
}

TEST_F(BadRecords, OfZonesAreNoZones) {
  ZoneDirectory directory;
  ASSERT_TRUE(directory.configure({.registry = &line_.registry()}).ok());
  const Bytes good = encoded(line_.registry(), kZoneMasterTopic, kZone);
  int64_t offset = 0;
  for (const BadValue& bad : bad_values(line_.registry(), good)) {
    pipe(kZoneMasterTopic, "west", bad.value);
    expect_letter(bad.what, kZoneMasterTopic, offset++, bad.value, bad.why);
    const std::vector<client::ConsumedRecord> records{{.offset = Offset(0), .key = "west", .value = good},
                                                      {.offset = Offset(1), .key = "west", .value = bad.value}};
    directory.apply({.partition = {std::string(kZoneMasterTopic), PartitionId(0)}, .records = records});
    directory.loaded();
    EXPECT_NE(directory.zones()->zone("west"), nullptr) << bad.what;
  }
  EXPECT_TRUE(line_.read<Bytes>(kZoneRowsTopic).empty()) << "none of these is a row";
  pipe(kZoneMasterTopic, "west", good);
  pipe(kZoneMasterTopic, "west", "nonsense");
  EXPECT_EQ(line_.read<DeadLetter>(kDlqTopic).size(), 1U);
  pipe(kZoneMasterTopic, "west", std::nullopt);
  EXPECT_TRUE(line_.read<DeadLetter>(kDlqTopic).empty());
  const auto rows = line_.read<Bytes>(kZoneRowsTopic);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].key, "west");
  EXPECT_EQ(rows[0].value, good) << "as it came";
  EXPECT_EQ(rows[1].key, "west");
  EXPECT_EQ(rows[1].value, std::nullopt);
}

// What a PUT refuses is no row either, by the same words.
TEST_F(BadRecords, OfMasterDataAreWhatAPutRefuses) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  constexpr double infinity = std::numeric_limits<double>::infinity();
  using Polygons = std::vector<std::vector<std::vector<double>>>;
  struct ZoneRow {
    const char* what;
    const char* id;
    Polygons polygons;
    const char* why;
  };
  ZoneDirectory directory;
  ASSERT_TRUE(directory.configure({.registry = &line_.registry()}).ok());
  const Bytes good = encoded(line_.registry(), kZoneMasterTopic, kZone);
  int64_t offset = 0;
  for (const ZoneRow& row : std::initializer_list<ZoneRow>{
           {"no number", "west", {{{20, 52, nan, 52, 20.5, 53}}}, "ring 0: position [nan, 52] is not on the earth"},
           {"infinity", "west", {{{20, 52, 20.5, -infinity, 20.5, 53}}}, "position [20.5, -inf] is not on the earth"},
           {"longitude 500", "west", {{{20, 52, 500, 52, 20.5, 53}}}, "position [500, 52] is not on the earth"},
           {"latitude 91", "west", {{{20, 52, 21, 91, 20.5, 53}}}, "position [21, 91] is not on the earth"},
           {"across 180 degrees", "west", {{{170, 0, -170, 0, -170, 10, 170, 10}}}, "spans 340 degrees of longitude"},
           {"a line", "west", {{{20, 52, 21, 53, 22, 54}}}, "encloses nothing"},
           {"half a position", "west", {{{20, 52, 20.5, 52, 20.5, 53, 20}}}, "a ring of 7 numbers"},
           {"two positions", "west", {{{20, 52, 21, 53, 20, 52}}}, "at least three positions"},
           {"an empty ring", "west", {{{}}}, "at least three positions"},
           {"no ring", "west", {{}}, "a polygon needs a ring"},
           {"no polygon", "west", {}, "a zone needs a polygon"},
           {"too many positions", "west", {{std::vector<double>(400'002, 1)}}, "a ring of 200001 positions"},
           {"a hole outside", "west", {{{20, 52, 21, 52, 21, 53}, {30, 52, 31, 52, 31, 53}}}, "outside of ring 0"},
           {"a bad second", "west", {{{20, 52, 21, 52, 21, 53}}, {{20, 52, 21, 53, 22, 54}}}, "polygon 1: ring 0: "},
           {"another's id", "east", kZone.polygons, "the record's key is not its zoneId 'east'"},
           {"no id", "", kZone.polygons, "the record's key is not its zoneId ''"},
       }) {
    const Bytes bad =
        encoded(line_.registry(), kZoneMasterTopic, ZoneMaster{.zone_id = row.id, .polygons = row.polygons});
    pipe(kZoneMasterTopic, "west", bad);
    expect_letter(row.what, kZoneMasterTopic, offset++, bad.substr(0, kPayloadBytesMax), row.why);
    const std::vector<client::ConsumedRecord> records{{.offset = Offset(0), .key = "west", .value = good},
                                                      {.offset = Offset(1), .key = "west", .value = bad}};
    directory.apply({.partition = {std::string(kZoneMasterTopic), PartitionId(0)}, .records = records});
    directory.loaded();
    ASSERT_NE(directory.zones()->zone("west"), nullptr) << row.what;
    EXPECT_EQ(directory.zones()->zone("west")->polygons, kZone.polygons) << row.what << ": the row before it stays";
  }

  pipe(kVehicleMasterTopic, "V1", encoded(line_.registry(), kVehicleMasterTopic, kRow));
  offset = 1;
  for (const double limit : {1e9, 1000.0, 0.0, -5.0, nan, infinity}) {
    const Bytes bad = encoded(line_.registry(), kVehicleMasterTopic, VehicleMaster{.speed_limit = limit});
    pipe(kVehicleMasterTopic, "V1", bad);
    expect_letter(std::to_string(limit), kVehicleMasterTopic, offset, bad, fmt::format("speed limit '{}'", limit));
    line_.post(fix_of("V1", kBase + 10'000 * offset++));
    EXPECT_EQ(line_.read<EnrichedPosition>(kEnrichedTopic).at(0).value->speed_limit, 30) << limit;
  }
}

// A time of receipt that cannot be one leaves no trace in its vehicle, and no result is ahead of the clock: its topic
// would refuse it, and its task begin anew with it for ever.
TEST_F(BadRecords, MayClaimAnyTime) {
  constexpr int64_t year_2100 = 4'102'444'800'000;
  struct Row {
    const char* what;
    int64_t timestamp;
    int64_t received_at;
    int64_t record_time;
    std::string_view rule;  // empty: accepted
  };
  int64_t offset = 0;
  for (const Row& row : std::initializer_list<Row>{
           {"year 2100", year_2100, year_2100, kBase, kFutureTime},
           {"a good fix, received in 2100", kBase, year_2100, kBase, kFutureTime},
           {"a fix of 2100, received now", year_2100, kWallClock, kBase, kFutureTime},
           {"microseconds", kBase * 1000, kBase * 1000, kBase, kFutureTime},
           {"the greatest number", INT64_MAX, INT64_MAX, kBase, kFutureTime},
           {"the least number", kBase, INT64_MIN, kBase, kPastTime},
           {"seconds", kBase, kBase / 1000, kBase, kPastTime},
           {"no time", kBase, 0, kBase, kPastTime},
           {"just too far ahead", kWallClock, kWallClock + kClockSkewMs + 1, kBase, kFutureTime},
           {"received long ago", kBase, kBase, kBase, ""},
           {"its record's time is in 2100", kBase + 10'000, kBase + 10'000, year_2100, ""},
           {"and rejected", 0, kBase + 10'000, year_2100, kPastTime},
           {"the greatest record's time", kBase + 20'000, kBase + 20'000, INT64_MAX, ""},
           {"clocks differ", kWallClock + kClockSkewMs, kWallClock + kClockSkewMs, kBase, ""},
       }) {
    RawPosition position = fix_of("V1", row.timestamp);
    position.received_at = row.received_at;
    pipe(kRawTopic, "V1", encoded(line_.registry(), kRawTopic, position), row.record_time);
    const auto enriched = line_.read<EnrichedPosition>(kEnrichedTopic);
    EXPECT_EQ(enriched.size(), row.rule.empty() ? 1U : 0U) << row.what;
    for (const auto& record : enriched) EXPECT_LE(record.timestamp_ms, kWallClock) << row.what;
    const auto letters = line_.read<DeadLetter>(kDlqTopic);
    ASSERT_EQ(letters.size(), row.rule.empty() ? 0U : 1U) << row.what;
    for (const auto& record : letters) {
      EXPECT_EQ(record.value->rule, row.rule) << row.what << ": " << record.value->message;
      EXPECT_EQ(record.value->vehicle_id, "V1") << row.what;
      EXPECT_EQ(record.value->topic, kRawTopic) << row.what;
      EXPECT_EQ(record.value->offset, offset) << row.what;
      EXPECT_LE(record.value->received_at, kWallClock) << row.what;
      EXPECT_LE(record.timestamp_ms, kWallClock) << row.what;
    }
    ++offset;
  }
  pipe(kRawTopic, "V1", "nonsense", INT64_MAX);
  const auto undecodable = letter();
  ASSERT_TRUE(undecodable);
  EXPECT_LE(undecodable->timestamp_ms, kWallClock);
  EXPECT_EQ(line_.counts(), (PartitionCounts{.received = 15, .accepted = 4, .dead_letters = 11}));
}

TEST_F(BadRecords, OfPositionsAreCounted) {
  const Bytes good = encoded(line_.registry(), kRawTopic, fix_of("V1", kBase));
  int64_t offset = 0;
  for (const BadValue& bad : bad_values(line_.registry(), good)) {
    pipe(kRawTopic, "V1", bad.value);
    expect_letter(bad.what, kRawTopic, offset++, bad.value, bad.why);
  }
  pipe(kRawTopic, "V1", good);
  EXPECT_EQ(line_.counts(), (PartitionCounts{.received = offset + 1, .accepted = 1, .dead_letters = offset}));
}

TEST_F(BadRecords, OfEveryTopicMayLackAKeyOrHaveOneThatIsNone) {
  const std::string long_key(100'000, 'k');
  struct Row {
    const char* what;
    std::string_view topic;
    std::optional<std::string> key;
    std::optional<std::string> value;
    const char* why;  // empty: a deletion, which is none of a row
  };
  MemoryRegistry& registry = line_.registry();
  const std::string vehicle = encoded(registry, kVehicleMasterTopic, kRow);
  const std::string zone = encoded(registry, kZoneMasterTopic, kZone);
  const std::string position = encoded(registry, kRawTopic, fix_of("V1", kBase));
  VehicleMaster long_name = kRow;
  long_name.name = std::string(100'000, 'n');
  ZoneMaster long_zone = kZone;
  long_zone.kind = std::string(257, 'k');
  std::map<std::string_view, int64_t> offsets;
  for (const Row& row : std::initializer_list<Row>{
           {"a vehicle without key", kVehicleMasterTopic, std::nullopt, vehicle, "no key"},
           {"a vehicle with an empty one", kVehicleMasterTopic, "", vehicle, "no key"},
           {"a deletion without key", kVehicleMasterTopic, std::nullopt, std::nullopt, "no key"},
           {"a deletion with an empty one", kVehicleMasterTopic, "", std::nullopt, "no key"},
           {"a deletion of what cannot be", kVehicleMasterTopic, long_key, std::nullopt, ""},
           {"a vehicle with a long key", kVehicleMasterTopic, long_key, vehicle, "the key has 100000 bytes"},
           {"a vehicle whose key is no text", kVehicleMasterTopic, "\xff", vehicle, "the key is not UTF-8"},
           {"a vehicle with a long name", kVehicleMasterTopic, "V1", encoded(registry, kVehicleMasterTopic, long_name),
            "name has 100000 bytes, at most 256"},
           {"a zone without key", kZoneMasterTopic, std::nullopt, zone, "no key"},
           {"a zone with a long key", kZoneMasterTopic, long_key, zone, "the key has 100000 bytes"},
           {"a zone with a long kind", kZoneMasterTopic, "west", encoded(registry, kZoneMasterTopic, long_zone),
            "kind has 257 bytes"},
           {"a position without key", kRawTopic, std::nullopt, position, "no key"},
           {"a position of another key", kRawTopic, "V2", position, "key is not its vehicleId 'V1'"},
           {"a position without value", kRawTopic, "V1", std::nullopt, "no value"},
           {"a position of nobody", kRawTopic, "", encoded(registry, kRawTopic, fix_of("", kBase)),
            "vehicleId is empty"},
           {"a position of a long id", kRawTopic, long_key,
            encoded(registry, kRawTopic, fix_of(long_key.c_str(), kBase)), "vehicleId has 100000 bytes"},
       }) {
    pipe(row.topic, row.key, row.value);
    const int64_t offset = offsets[row.topic]++;
    if (*row.why == 0) {
      EXPECT_TRUE(line_.read<DeadLetter>(kDlqTopic).empty()) << row.what;
    } else {
      expect_letter(row.what, row.topic, offset, row.value.value_or("").substr(0, kPayloadBytesMax), row.why);
    }
  }
  line_.post(fix_of("V1", kBase));
  EXPECT_EQ(line_.read<EnrichedPosition>(kEnrichedTopic).size(), 1U);
}

// The first record of a partition decides nothing: there is no time before it that could stand for its own.
TEST_F(BadRecords, MayHaveNoTime) {
  const auto position = [&](int64_t timestamp) {
    return encoded(line_.registry(), kRawTopic, fix_of("V1", timestamp));
  };
  for (const int64_t time : {int64_t{-1}, INT64_MIN}) {
    pipe(kRawTopic, "V1", position(kBase + time % 1000), time);
    pipe(kVehicleMasterTopic, "V1", encoded(line_.registry(), kVehicleMasterTopic, kRow), time);
    pipe(kZoneMasterTopic, "west", encoded(line_.registry(), kZoneMasterTopic, kZone), time);
  }
  EXPECT_EQ(line_.counts().accepted, 2);
  EXPECT_TRUE(line_.read<DeadLetter>(kDlqTopic).empty());
}

// What follows from a record is about as large as it: what is large in it must not make that too large for its topic.
TEST_F(BadRecords, AreNotAsLargeAsTheyCame) {
  const std::vector<std::pair<std::string, std::string>> headers{{"trace", std::string(1'000'000, 'h')}};
  struct Row {
    const char* what;
    RawPosition position;
  };
  RawPosition late_text = fix_of("V1", 0);
  late_text.timestamp.reset();
  late_text.timestamp_text = std::string(1'000'000, 't');
  for (const Row& row : {Row{"a good one", fix_of("V1", kBase)}, Row{"a rejected one", late_text}}) {
    streams::RawRecord record{
        .key = "V1", .value = encoded(line_.registry(), kRawTopic, row.position), .timestamp_ms = kBase};
    for (const auto& [name, value] : headers) record.headers.push_back({name, value});
    ASSERT_TRUE(line_.driver().pipe(std::string(kRawTopic), record).ok());
    for (const std::string_view topic : {kEnrichedTopic, kStateTopic, kDlqTopic}) {
      while (const auto out = line_.driver().read(std::string(topic))) {
        size_t bytes = out->value ? out->value->size() : 0;
        for (const auto& header : out->headers) bytes += header.value ? header.value->size() : 0;
        EXPECT_LT(bytes, 10'000U) << row.what << " on " << topic;
      }
    }
  }
}

// What another program, or damage, has put into a store's changelog, and a restart has taken over.
TEST_F(BadRecords, OfStateBeginAnew) {
  pipe(kVehicleMasterTopic, "V1", encoded(line_.registry(), kVehicleMasterTopic, kRow));
  for (const char* vehicle : {"V1", "V2"}) line_.post(fix_of(vehicle, kBase));
  auto* tracks = dynamic_cast<store::KeyValueStore*>(line_.driver().state_store(kTrackStore));
  auto* rows = dynamic_cast<store::KeyValueStore*>(line_.driver().state_store(kVehicleRowsStore));
  ASSERT_TRUE(tracks != nullptr && rows != nullptr);
  for (const BadValue& bad : bad_values(line_.registry(), encoded(line_.registry(), "other", kRow))) {
    ASSERT_TRUE(tracks->put("V1", BytesView(bad.value), 0).ok());
    ASSERT_TRUE(tracks->put("V3", BytesView(bad.value), 0).ok());
    ASSERT_TRUE(line_.driver().restart().ok()) << bad.what;
    tracks = dynamic_cast<store::KeyValueStore*>(line_.driver().state_store(kTrackStore));
    ASSERT_TRUE(line_.driver().advance_wall_clock(std::chrono::minutes(1)).ok()) << bad.what;  // the sweep
    line_.read<EnrichedPosition>(kEnrichedTopic);
    line_.post(fix_of("V1", kBase + 10'000));
    EXPECT_EQ(line_.read<EnrichedPosition>(kEnrichedTopic).size(), 1U) << bad.what << ": a first fix again";
    ASSERT_TRUE(tracks->put("V1", BytesView(bad.value), 0).ok());
    line_.remove("V1");
    EXPECT_EQ(line_.read<VehicleState>(kStateTopic).back().value, std::nullopt) << bad.what;
    line_.post(fix_of("V2", kBase + 10'000));
    line_.read<EnrichedPosition>(kEnrichedTopic);
  }
  ASSERT_TRUE(line_.driver().restart().ok());
  rows = dynamic_cast<store::KeyValueStore*>(line_.driver().state_store(kVehicleRowsStore));
  ASSERT_TRUE(rows->put("V4", BytesView("nonsense"), 0).ok());
  line_.read<EnrichedPosition>(kEnrichedTopic);
  line_.post(fix_of("V4", kBase));
  EXPECT_EQ(line_.read<EnrichedPosition>(kEnrichedTopic).size(), 1U);
  EXPECT_TRUE(line_.read<DeadLetter>(kDlqTopic).empty());
}

// The topics that REST and page are made of are read by every instance: what is none there is left out.
TEST_F(BadRecords, OfOutputTopicsAreLeftOut) {
  View view;
  MemoryRegistry& registry = line_.registry();
  ASSERT_TRUE(view.configure({.registry = &registry}).ok());
  const auto apply = [&view](std::string_view topic, OptBytesView key, OptBytesView value) {
    const std::vector<client::ConsumedRecord> records{{.offset = Offset(0), .key = key, .value = value}};
    view.apply({.partition = {std::string(topic), PartitionId(0)}, .records = records});
  };
  const std::pair<std::string_view, Bytes> goods[]{
      {kStateTopic, encoded(registry, kStateTopic, VehicleState{.vehicle_id = "V1", .timestamp = kBase})},
      {kOccupancyTopic, encoded(registry, kOccupancyTopic, ZoneOccupancy{.zone_id = "east", .vehicles = 1})},
      {kSpeedTopic, encoded(registry, kSpeedTopic, SpeedAverage{.vehicle_id = "V1"})},
      {kAlertsTopic, encoded(registry, kAlertsTopic, Alert{.alert_id = "a"})},
      {kDlqTopic, encoded(registry, kDlqTopic, DeadLetter{.rule = "r"})},
      {kCountsTopic, encoded(registry, kCountsTopic, PartitionCounts{.received = 1})},
  };
  for (const auto& [topic, good] : goods) {
    for (const BadValue& bad : bad_values(registry, good)) {
      if (bad.what == std::string_view("another record's data") && topic == kOccupancyTopic) continue;  // its own
      apply(topic, "V1", BytesView(bad.value));
    }
    apply(topic, std::nullopt, std::nullopt);
  }
  EXPECT_EQ(view.vehicles().size() + view.alerts(10).size() + view.dead_letters(10).size() + view.speeds("V1").size(),
            0U);
  for (const auto& [topic, good] : goods) apply(topic, "V1", BytesView(good));
  EXPECT_EQ(view.vehicles().size(), 1U);
  EXPECT_EQ(view.alerts(10).size(), 1U);
  EXPECT_EQ(view.dead_letters(10).size(), 1U);
  EXPECT_EQ(view.speeds("V1").size(), 1U);
  EXPECT_EQ(view.totals().counts.received, 1);
}

TEST(View, CountsDeadLettersByTopicAndRule) {
  MemoryRegistry registry;
  View view;
  ASSERT_TRUE(view.configure({.registry = &registry}).ok());
  int64_t offset = 0;
  const auto reject = [&](std::string_view topic, std::string_view rule) {
    const Bytes value =
        encoded(registry, kDlqTopic, DeadLetter{.rule = std::string(rule), .topic = std::string(topic)});
    const client::ConsumedRecord record{.offset = Offset(offset++), .value = BytesView(value)};
    view.apply({.partition = {std::string(kDlqTopic), PartitionId(0)}, .records = std::span(&record, 1)});
  };
  reject(kRawTopic, kUndecodable);
  reject(kRawTopic, kUndecodable);
  reject(kRawTopic, kNotProcessed);
  reject(kVehicleMasterTopic, kUndecodable);
  reject(kZoneMasterTopic, kUndecodable);
  reject("of another program", kUndecodable);
  using Counts = std::map<std::pair<std::string, std::string>, int64_t>;
  EXPECT_EQ(view.rejections(), (Counts{{{"other", "undecodable"}, 1},
                                       {{"vehicle.location.raw", "not_processed"}, 1},
                                       {{"vehicle.location.raw", "undecodable"}, 2},
                                       {{"vehicle.master", "undecodable"}, 1},
                                       {{"zone.master", "undecodable"}, 1}}));
  for (size_t i = 0; i < 2 * View::kRulesMax; ++i) reject(fmt::format("topic {}", i), fmt::format("rule {}", i));
  EXPECT_EQ(view.rejections().size(), View::kRulesMax + 1) << "with one for all the rest";
}

TEST(Patience, WaitsForAnAnswerNotForARecord) {
  struct Row {
    const char* what;
    std::vector<Code> answers;  // in turn; ok: a value
    Code given;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"a value", {Code::ok}, Code::ok},
           {"a bad record", {Code::invalid_argument, Code::ok}, Code::invalid_argument},
           {"a registry that is away for a moment", {Code::unavailable, Code::ok}, Code::ok},
           {"and then says that there is none", {Code::timed_out, Code::not_found, Code::ok}, Code::not_found},
       }) {
    Patience patience;
    size_t asked = 0;
    const auto value = patience.read([&]() -> Result<int> {
      const Code code = row.answers[asked++];
      if (code == Code::ok) return 1;
      return error(code, "why");
    });
    EXPECT_EQ(value.status().code(), row.given) << row.what;
  }
  Patience ended;
  ended.end();
  EXPECT_EQ(ended.read([]() -> Result<int> { return error(Code::unavailable, "away"); }).status().code(),
            Code::unavailable);
}

// A registry that does not answer is no fault of the record.
TEST(BadRecord, IsNotWhatTheRegistryCannotTell) {
  struct Row {
    Code code;
    bool of_record;
  };
  for (const Row& row : std::initializer_list<Row>{
           {Code::invalid_argument, true},
           {Code::not_found, true},
           {Code::failed_precondition, true},
           {Code::unavailable, false},
           {Code::timed_out, false},
           {Code::permission_denied, false},
           {Code::data_loss, false},
           {Code::io_error, false},
           {Code::resource_exhausted, false},
       })
    EXPECT_EQ(is_of_record(Status(row.code, "why")), row.of_record) << static_cast<int>(row.code);
}

}  // namespace
}  // namespace muir::vts
