#include "serde/serde.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <thread>

#include "schema/avro_container.h"
#include "schema/avro_decode.h"
#include "schema/avro_encode.h"
#include "schema/avro_parse.h"
#include "schema/avro_text.h"
#include "serde/avro_wire_format.h"
#include "serde/json_codec.h"
#include "serde/json_serde.h"
#include "serde/test_types.h"
#include "testing/mutations.h"

namespace fleet {
struct Stop {
  std::string name;
  int32_t minutes = 0;
};
inline void describe(muir::Fields& f, Stop& s) { f("name", s.name)("minutes", s.minutes); }
}  // namespace fleet

template <>
struct muir::serde<fleet::Stop> : muir::JsonSerde<fleet::Stop> {};

namespace muir {
namespace {

using fleet::Everything;
using fleet::Kind;
using fleet::Position;

template <class T>
Bytes serialized(const SerdeRef<T>& serde, const T& value) {
  Bytes out;
  const Status status = serde.serialize("t", value, out);
  EXPECT_TRUE(status.ok()) << status.message();
  return out;
}

Position a_position() { return {"V1", 52.25, 21.0, 36.5F, 1'767'268'800'000}; }

Everything an_everything() {
  Everything e;
  e.flag = true;
  e.small = -5;
  e.big = INT64_MIN;
  e.single = 1.5F;
  e.wide = 0.1;
  e.text = "zażółć \"x\"";
  e.blob = std::string("\0\xff", 2);
  e.kind = Kind::exit;
  e.at = fleet::Millis(std::chrono::milliseconds(1234));
  e.maybe = 7;
  e.last = a_position();
  e.track = {a_position(), Position{}};
  e.tags = {"a", ""};
  e.limits = {{"x", 1.0}, {"y", -2.5}};
  e.children.resize(2);
  e.children[1].children.resize(1);
  return e;
}

TEST(PrimitiveSerde, BytesAreThoseOfKafkasSerializers) {
  EXPECT_EQ(hex(serialized(default_serde<int16_t>(), int16_t{-2})), "ff fe");
  EXPECT_EQ(hex(serialized(default_serde<int32_t>(), 258)), "00 00 01 02");
  EXPECT_EQ(hex(serialized(default_serde<int64_t>(), int64_t{-1})), "ff ff ff ff ff ff ff ff");
  EXPECT_EQ(hex(serialized(default_serde<float>(), 1.5F)), "3f c0 00 00");
  EXPECT_EQ(hex(serialized(default_serde<double>(), -2.0)), "c0 00 00 00 00 00 00 00");
  EXPECT_EQ(hex(serialized(default_serde<bool>(), true)), "01");
  EXPECT_EQ(serialized(string_serde(), std::string("ż")), "ż");
}

TEST(PrimitiveSerde, ReadsBackAndRefusesAnotherSize) {
  EXPECT_EQ(*default_serde<int64_t>().deserialize("t", Bytes("\0\0\0\0\0\0\1\2", 8)), 258);
  EXPECT_EQ(*default_serde<double>().deserialize("t", serialized(default_serde<double>(), 0.1)), 0.1);
  EXPECT_EQ(*string_serde().deserialize("t", "abc"), "abc");
  EXPECT_FALSE(default_serde<int64_t>().deserialize("t", "1234").ok());
  EXPECT_FALSE(default_serde<int32_t>().deserialize("t", "").ok());
  EXPECT_FALSE(default_serde<bool>().deserialize("t", "\2").ok());
}

TEST(Describe, GivesTheAvroSchemaOfAType) {
  EXPECT_EQ(
      schema::avro::to_text(*schema::avro::schema_of(layout_of<Position>())),
      R"({"type":"record","name":"Position","namespace":"fleet","fields":[{"name":"vehicle","type":"string"},{"name":"lat","type":"double"},)"
      R"({"name":"lon","type":"double"},{"name":"speed","type":"float","doc":"km/h","default":0.0},)"
      R"({"name":"timestamp","type":{"type":"long","logicalType":"timestamp-millis"}}]})");
  const std::string all = schema::avro::to_text(*schema::avro::schema_of(layout_of<Everything>()));
  const std::string_view parts[]{
      R"({"type":"record","name":"All","namespace":"fleet","doc":"one of each","fields":[{"name":"flag","type":"boolean"},{"name":"small","type":"int"})",
      R"({"name":"blob","type":"bytes"})",
      R"({"name":"kind","type":{"type":"enum","name":"Kind","symbols":["ENTER","EXIT"]}})",
      R"({"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}})",
      R"({"name":"maybe","type":["null","int"],"default":null})",
      R"({"name":"track","type":{"type":"array","items":"Position"}})",
      R"({"name":"limits","type":{"type":"map","values":"double"}})",
      R"({"name":"children","type":{"type":"array","items":"All"}})",
  };
  for (const auto part : parts) EXPECT_NE(all.find(part), std::string::npos) << part << "\n" << all;
}

TEST(AvroSerde, WritesConfluentsWireFormat) {
  MemoryRegistry registry;
  ASSERT_TRUE(registry.register_schema("other", "\"int\"").ok());  // takes id 1
  auto serde = default_serde<Position>();
  ASSERT_TRUE(serde.configure({&registry}, false).ok());
  Position p = a_position();
  p.timestamp_ms = 1;
  EXPECT_EQ(hex(serialized(serde, p)),
            "00 00 00 00 02 "           // magic, schema id
            "04 56 31 "                 // "V1"
            "00 00 00 00 00 20 4a 40 "  // 52.25
            "00 00 00 00 00 00 35 40 "  // 21.0
            "00 00 12 42 "              // 36.5
            "02");                      // 1
  const auto latest = registry.latest_schema("t-value");
  ASSERT_TRUE(latest.ok());
  EXPECT_EQ(latest->id, 2);
}

TEST(AvroSerde, OneDescriptionServesManyRegistriesAndBothHalvesOfARecord) {
  MemoryRegistry registries[2];
  ASSERT_TRUE(registries[1].register_schema("other", "\"int\"").ok());  // takes id 1
  const SerdeRef<Position> description = avro<Position>();
  SerdeRef<Position> bound[] = {description, description, description};
  ASSERT_TRUE(bound[0].configure({&registries[0]}, false).ok());
  ASSERT_TRUE(bound[1].configure({&registries[1]}, false).ok());
  ASSERT_TRUE(bound[2].configure({&registries[0]}, true).ok());
  const int ids[] = {1, 2, 1};
  for (int i = 0; i < 3; ++i) {
    SCOPED_TRACE(fmt::format("bound {}", i));
    const Bytes bytes = serialized(bound[i], a_position());
    EXPECT_EQ(bytes.substr(0, 5), Bytes("\0\0\0\0", 4) + static_cast<char>(ids[i]));
    const auto again = bound[i].deserialize("t", bytes);
    ASSERT_TRUE(again.ok()) << again.status().message();
    EXPECT_EQ(*again, a_position());
  }
  EXPECT_TRUE(registries[0].latest_schema("t-key").ok());
  EXPECT_FALSE(registries[1].latest_schema("t-key").ok());
  Bytes out;
  EXPECT_EQ(description.serialize("t", a_position(), out).code(), Code::failed_precondition) << "it is a description";
}

struct PythonRecord {
  int32_t a = 0;
  fleet::Millis t{};
  std::optional<std::string> u;
  bool operator==(const PythonRecord&) const = default;
};
void describe(Fields& f, PythonRecord& r) {
  f.name("x.R");
  f("a", r.a)("t", r.t)("u", r.u);
}

// Made by AvroSerializer of confluent-kafka 2.16.1 (fastavro 1.13.1), of {"a": 1, "t": 2026-01-01 00:00 UTC, "u": "hi"}
// under the schema id 3.
TEST(AvroSerde, BytesAreThoseOfConfluentsPythonSerializer) {
  const Bytes golden("\0\0\0\0\x03\x02\x80\xa0\xd5\xed\xee\x66\x02\x04hi", 16);
  const PythonRecord record{1, fleet::Millis(std::chrono::milliseconds(1'767'225'600'000)), "hi"};
  MemoryRegistry registry;
  for (const auto* other : {R"("int")", R"("long")"}) ASSERT_TRUE(registry.register_schema("other", other).ok());
  auto values = avro<PythonRecord>();
  ASSERT_TRUE(values.configure({&registry}, false).ok());
  EXPECT_EQ(hex(serialized(values, record)), hex(golden));
  EXPECT_EQ(*registry.schema_by_id(3),
            R"({"type":"record","name":"R","namespace":"x","fields":[{"name":"a","type":"int"},)"
            R"({"name":"t","type":{"type":"long","logicalType":"timestamp-millis"}},)"
            R"({"name":"u","type":["null","string"],"default":null}]})");
  const auto again = values.deserialize("t", golden);
  ASSERT_TRUE(again.ok()) << again.status().message();
  EXPECT_EQ(*again, record);
}

TEST(AvroSerde, ChoosesTheSubject) {
  struct Case {
    AvroOptions options;
    bool is_key;
    std::string subject;
  };
  for (const auto& c : {Case{{}, true, "t-key"}, Case{{}, false, "t-value"}, Case{{.subject = "x"}, false, "x"}}) {
    MemoryRegistry registry;
    auto serde = avro<Position>(c.options);
    ASSERT_TRUE(serde.configure({&registry}, c.is_key).ok());
    (void)serialized(serde, Position{});
    EXPECT_TRUE(registry.latest_schema(c.subject).ok()) << c.subject;
  }
}

TEST(AvroSerde, ReadsBackEverything) {
  MemoryRegistry registry;
  auto serde = default_serde<Everything>();
  ASSERT_TRUE(serde.configure({&registry}, false).ok());
  const Everything e = an_everything();
  const auto again = serde.deserialize("t", serialized(serde, e));
  ASSERT_TRUE(again.ok()) << again.status().message();
  EXPECT_EQ(*again, e);
  // Into an object that is full already.
  Everything used = an_everything();
  ASSERT_TRUE(serde.erased()->deserialize("t", serialized(serde, Everything{}), &used).ok());
  EXPECT_EQ(used, Everything{});
}

TEST(AvroSerde, ReadsOlderAndNewerWriters) {
  MemoryRegistry registry;
  const std::string_view older =
      R"({"type":"record","name":"OldName","fields":[{"name":"timestamp","type":"int"},{"name":"vehicle","type":"string"},{"name":"lat","type":"float"},{"name":"lon","type":"long"}]})";
  const std::string_view newer =
      R"({"type":"record","name":"Position","fields":[{"name":"extra","type":["null",{"type":"map","values":"string"}]},{"name":"vehicle","type":["null","string"]},)"
      R"({"name":"lat","type":"double"},{"name":"lon","type":"double"},{"name":"speed","type":"float"},{"name":"timestamp","type":"long"}]})";
  auto serde = default_serde<Position>();
  ASSERT_TRUE(serde.configure({&registry}, false).ok());
  Bytes bytes;
  const auto write = [&](std::string_view text, const schema::avro::Value& value) {
    bytes = Bytes("\0\0\0\0", 4) + static_cast<char>(*registry.register_schema("t-value", text));
    const auto schema = schema::avro::parse(text);
    ASSERT_TRUE(schema.ok());
    ASSERT_TRUE(schema::avro::encode(**schema, value, bytes).ok());
  };
  using schema::avro::Value;
  write(older, Value(Value::Record{{Value(5), Value("V1"), Value(1.5F), Value(int64_t{2})}}));
  auto read = serde.deserialize("t", bytes);
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_EQ(*read, (Position{"V1", 1.5, 2.0, 0, 5}));

  write(newer, Value(Value::Record{{Value::in_branch(1, Value(Value::Map{{{"a", Value("b")}}})),
                                    Value::in_branch(1, Value("V2")), Value(1.0), Value(2.0), Value(3.0F),
                                    Value(int64_t{4})}}));
  read = serde.deserialize("t", bytes);
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_EQ(*read, (Position{"V2", 1.0, 2.0, 3.0F, 4}));
}

TEST(AvroSerde, SaysWhatIsWrong) {
  MemoryRegistry registry;
  auto serde = default_serde<Position>();
  EXPECT_EQ(serde.configure({}, false).code(), Code::failed_precondition);
  ASSERT_TRUE(serde.configure({&registry}, false).ok());
  const int no_lat =
      *registry.register_schema("s", R"({"type":"record","name":"P","fields":[{"name":"vehicle","type":"string"}]})");
  const std::pair<Bytes, std::string_view> cases[]{
      {"", "too few"},
      {Bytes("\1\0\0\0\1x", 6), "magic byte 0x01"},
      {Bytes("\0\0\0\0\x63", 5), "schema id=99"},
      {Bytes("\0\0\0\0", 4) + static_cast<char>(no_lat), "/lat: the field was not written and has no default"},
  };
  for (const auto& [bytes, reason] : cases) {
    const auto read = serde.deserialize("t", bytes);
    ASSERT_FALSE(read.ok());
    EXPECT_NE(read.status().message().find(reason), std::string::npos) << read.status().message();
  }
  auto strict = avro<Position>({.auto_register = false});
  ASSERT_TRUE(strict.configure({&registry}, false).ok());
  Bytes out;
  EXPECT_EQ(strict.serialize("t", Position{}, out).code(), Code::not_found);
  EXPECT_TRUE(out.empty());
  auto everything = default_serde<Everything>();
  ASSERT_TRUE(everything.configure({&registry}, false).ok());
  Everything bad;
  bad.kind = static_cast<Kind>(3);
  EXPECT_FALSE(everything.serialize("t", bad, out).ok());
  EXPECT_TRUE(out.empty());
}

TEST(AvroSerde, ServesManyThreads) {
  MemoryRegistry registry;
  auto serde = default_serde<Position>();
  ASSERT_TRUE(serde.configure({&registry}, false).ok());
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i) {
        Bytes bytes;
        const std::string topic = fmt::format("topic-{}", (i + t) % 5);
        if (serde.serialize(topic, a_position(), bytes).ok() && serde.deserialize(topic, bytes).ok()) ++good;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 2000);
}

TEST(AvroSerde, SurvivesMutatedBytes) {
  const uint32_t seed = 20260106;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  MemoryRegistry registry;
  auto serde = default_serde<Everything>();
  ASSERT_TRUE(serde.configure({&registry}, false).ok());
  const Bytes good = serialized(serde, an_everything());
  int decoded = 0;
  for (int i = 0; i < 20'000; ++i) {
    Bytes bytes = good;
    for (auto n = 1 + random() % 3; n > 0; --n) bytes[random() % bytes.size()] = static_cast<char>(random());
    if (random() % 8 == 0) bytes.resize(random() % bytes.size());
    decoded += serde.deserialize("t", bytes).ok() ? 1 : 0;
  }
  EXPECT_GT(decoded, 1000);
}

TEST(JsonSerde, WritesMembersInTheOrderOfDescribe) {
  const auto text = to_json_text(a_position());
  ASSERT_TRUE(text.ok());
  EXPECT_EQ(*text, R"({"vehicle":"V1","lat":52.25,"lon":21.0,"speed":36.5,"timestamp":1767268800000})");
}

TEST(JsonSerde, IsTheDefaultOfATypeThatSaysSo) {
  const auto serde = default_serde<fleet::Stop>();
  EXPECT_EQ(serialized(serde, fleet::Stop{"Centrum", 3}), R"({"name":"Centrum","minutes":3})");
  const auto again = serde.deserialize("t", R"({"name":"Wola","minutes":7})");
  ASSERT_TRUE(again.ok()) << again.status().message();
  EXPECT_EQ(again->minutes, 7);
}

TEST(JsonSerde, ReadsBackEverything) {
  auto serde = json<Everything>();
  const Everything e = an_everything();
  const auto again = serde.deserialize("t", serialized(serde, e));
  ASSERT_TRUE(again.ok()) << again.status().message();
  EXPECT_EQ(*again, e);
}

TEST(JsonSerde, TakesDefaultsAndSkipsUnknownMembers) {
  const auto p = from_json_text<Position>(R"({"timestamp":5.0,"lon":1,"x":{"y":[]},"lat":-2.5e1,"vehicle":"V"})");
  ASSERT_TRUE(p.ok()) << p.status().message();
  EXPECT_EQ(*p, (Position{"V", -25, 1, 0, 5}));
}

TEST(JsonSerde, NamesThePathOfWhatIsWrong) {
  const std::pair<std::string_view, std::string_view> cases[]{
      {"[]", "at /: an object is expected, not []"},
      {R"({"vehicle":1})", "at /vehicle: a string is expected, not 1"},
      {R"({"vehicle":"v","lat":"1"})", "at /lat: a number is expected"},
      {R"({"vehicle":"v","lat":1,"lon":1,"timestamp":1.5})", "at /timestamp: a 64-bit integer"},
      {R"({"vehicle":"v","lat":1,"lon":1})", "at /timestamp: the member is missing"},
      {R"({"vehicle":)", "parse JSON"},
  };
  for (const auto& [text, reason] : cases) {
    const auto read = from_json_text<Position>(text);
    ASSERT_FALSE(read.ok()) << text;
    EXPECT_NE(read.status().message().find(reason), std::string::npos) << read.status().message();
  }
}

TEST(FuzzJsonObject, SurvivesMutations) {
  testing::survive_mutations(
      "serde_json_object", fuzz_json_object,
      {R"({"flag":true,"small":-7,"wide":1.5e3,"text":"a\u00e9b","blob":"\u00ff","maybe":null,"children":[{"limits":{"x":1}},{}],"limits":{"y":2.5}})",
       R"({"maybe":9223372036854775807,"small":2147483647,"wide":"NaN","limits":{"z":"-Infinity"},"unknown":[{}]})"},
      {.rounds = 20'000, .alphabet = "{}[]\",:\\0123456789.eE+-"});
}

TEST(FuzzAvroSerde, SurvivesMutations) {
  const Bytes own = Bytes(
                        "\0\0\0\0\x01\x01\x0d\0\0\0\0\0\0\xf8\x3f\x02"
                        "a\x02\xff\x02\x0a\x02",
                        22) +
                    Bytes(16, '\0') + Bytes("\x02\x02x\0\0\x80\x3f\0", 8);
  const Bytes old("\0\0\0\0\x02\x02\x02\x02k\x02v\0\x06\x02t\0\x04\x02\0\x08\0\x02\0\0", 24);
  testing::survive_mutations("serde_avro_serde", fuzz_avro_serde, {own, old}, {.rounds = 20'000});
}

TEST(AvroContainer, HoldsDescribedStructs) {
  Bytes file;
  auto writer = schema::avro::ContainerWriter::create([&](BytesView bytes) { return file.append(bytes), Status(); },
                                                      schema::avro::schema_of(layout_of<Position>()), {.sync_seed = 1});
  ASSERT_TRUE(writer.ok());
  const Position p = a_position();
  ASSERT_TRUE((*writer)->append(layout_of<Position>(), &p).ok());
  ASSERT_TRUE((*writer)->close().ok());
  auto reader = schema::avro::ContainerReader::open([&file](char* buffer, size_t size) -> Result<size_t> {
    const size_t count = std::min(size, file.size());
    std::copy_n(file.data(), count, buffer);
    file.erase(0, count);
    return count;
  });
  ASSERT_TRUE(reader.ok());
  Position again;
  int seen = 0;
  ASSERT_TRUE(reader->for_each(layout_of<Position>(), &again, [&] { return ++seen, Status(); }).ok());
  EXPECT_EQ(seen, 1);
  EXPECT_EQ(again, p);
}

}  // namespace

struct Opaque {
  int x = 0;
};
template <>
struct serde<Opaque> {
  static void encode(const Opaque& value, Bytes& out) { out += std::to_string(value.x); }
  static Status decode(BytesView bytes, Opaque& out) {
    out.x = std::stoi(std::string(bytes));
    return {};
  }
};

namespace {

struct Unknown {};

TEST(Serializable, IsKnownOfATypeAtCompileTime) {
  static_assert(Serializable<int64_t> && Serializable<std::string> && Serializable<Position> && Serializable<Opaque>);
  static_assert(!Serializable<Unknown> && !Serializable<std::vector<int>>);
  EXPECT_EQ(serialized(default_serde<Opaque>(), Opaque{12}), "12");
}

}  // namespace
}  // namespace muir
