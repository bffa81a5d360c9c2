// Mutations of everything that people and devices send, or give as files.
#include <gtest/gtest.h>
#include <zlib.h>

#include "apps/vts/master_data.h"
#include "apps/vts/master_rows.h"
#include "apps/vts/position_file.h"
#include "apps/vts/position_json.h"
#include "testing/mutations.h"

namespace muir::vts {
namespace {

constexpr const char* kRecording =
    "vehicle_id,ts_ms,lat,lon,speed_kmh,heading\n743,1708000000000,52.23,21.01,40.5,359\n\"a,b\",1708000001000,52,21,,"
    "\n";

Bytes gzipped(BytesView text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  Bytes out(text.size() + 100, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

TEST(FuzzPositions, SurviveMutations) {
  testing::survive_mutations(
      "vts_positions", fuzz_positions,
      {R"([{"vehicleId":"V1","lat":52.23,"lon":21.01,"speed":40,"heading":90,"timestamp":"2026-01-01T12:00:00Z"},{"vehicleId":"V2","lat":1e3,"lon":0,"timestamp":5}])",
       R"({"vehicleId":7,"lat":-52.5,"lon":0,"timestamp":"31.12.2025 \u017c"})",
       "{\"vehicleId\":\"a\",\"lat\":1,\"lon\":2,\"timestamp\":1.5e12}\n\n{\"vehicleId\":\"b\",\"lat\":1,\"lon\":2}\n"},
      {.alphabet = "{}[]\",:\n0123456789.eE+-TZ"});
}

TEST(FuzzMasterData, SurvivesMutations) {
  testing::survive_mutations(
      "vts_master_data", fuzz_master_data,
      {"vehicle_id,line,brigade,speed_limit\n743,250,2,50\n\"a\",\"b\"\"c\",,\n",
       R"({"line":"5","brigade":"2","speedLimit":50.5,"name":null})",
       R"({"type":"Feature","properties":{"name":"Z"},"geometry":{"type":"MultiPolygon","coordinates":[[[[0,0],[1,0],[1,1],[0,0]]]]}})",
       R"({"features":[{"properties":{"zone_id":"z","kind":"k"},"geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}}]})"},
      {.alphabet = "{}[]\",:\n0123456789.eE+-"});
}

TEST(FuzzPositionFile, SurvivesMutations) {
  testing::survive_mutations("vts_position_file", fuzz_position_file, {kRecording, gzipped(kRecording)},
                             {.alphabet = ",\"\r\n0123456789.-e"});
}

TEST(FuzzMasterRow, SurvivesMutations) {
  MemoryRegistry registry;
  auto vehicles = avro<VehicleMaster>();
  auto zones = avro<ZoneMaster>();
  ASSERT_TRUE(vehicles.configure({&registry}, false).ok());
  ASSERT_TRUE(zones.configure({&registry}, false).ok());
  std::vector<Bytes> valid(3);
  ASSERT_TRUE(vehicles.serialize(kVehicleMasterTopic, {.line = "5", .brigade = "2", .speed_limit = 50}, valid[0]).ok());
  ZoneMaster zone{
      .zone_id = "z", .name = "Z", .kind = "k", .polygons = {{{0, 0, 3, 0, 3, 3, 0, 3}, {1, 1, 2, 1, 2, 2}}}};
  ASSERT_TRUE(zones.serialize(kZoneMasterTopic, zone, valid[1]).ok());
  zone.polygons.push_back({{-180, 60, 180, 60, 0, 80}});
  ASSERT_TRUE(zones.serialize(kZoneMasterTopic, zone, valid[2]).ok());
  testing::survive_mutations("vts_master_row", fuzz_master_row, valid);
}

}  // namespace
}  // namespace muir::vts
