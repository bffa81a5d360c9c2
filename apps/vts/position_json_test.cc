#include "apps/vts/position_json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "apps/vts/master_data.h"
#include "net/query_check.h"

namespace muir::vts {
namespace {

std::string text_of(const ParsedItem& item) {
  return item.error.empty() ? to_json(item.position) : "refused: " + item.error;
}

TEST(Positions, AreReadFromJson) {
  struct Row {
    const char* body;
    const char* expected;
  };
  for (const Row& row : std::initializer_list<Row>{
           {R"({"vehicleId":"V1","lat":52.23,"lon":21.01,"speed":40,"heading":90,"timestamp":"2026-01-01T12:00:00Z"})",
            R"({"vehicleId":"V1","lat":52.23,"lon":21.01,"speed":40.0,"heading":90.0,"timestamp":1767268800000})"},
           {R"({"vehicleId":"V1","lat":52,"lon":21,"timestamp":1767268800000})",
            R"({"vehicleId":"V1","lat":52.0,"lon":21.0,"timestamp":1767268800000})"},
           {R"({"vehicleId":"V1","lat":52,"lon":21,"timestamp":"1767268800000"})",
            R"({"vehicleId":"V1","lat":52.0,"lon":21.0,"timestamp":1767268800000})"},
           {R"({"vehicleId":7,"lat":52,"lon":21,"speed":null,"timestamp":1767268800000.9})",
            R"({"vehicleId":"7","lat":52.0,"lon":21.0,"timestamp":1767268800000})"},
           {R"({"vehicleId":"V1","lat":52,"lon":21,"timestamp":"noon"})",
            R"({"vehicleId":"V1","lat":52.0,"lon":21.0,"timestamp":"noon"})"},
           {R"({"vehicleId":"V1","lat":52,"lon":21})", R"({"vehicleId":"V1","lat":52.0,"lon":21.0,"timestamp":""})"},
           {R"({"vehicleId":"V1","lat":52,"lon":21,"timestamp":null})",
            R"({"vehicleId":"V1","lat":52.0,"lon":21.0,"timestamp":""})"},
           {R"({"vehicleId":"V1","lat":52,"lon":21,"timestamp":true})",
            R"({"vehicleId":"V1","lat":52.0,"lon":21.0,"timestamp":"true"})"},
           {R"({"vehicleId":"V1","lat":52,"lon":21,"timestamp":1767268800})",
            R"({"vehicleId":"V1","lat":52.0,"lon":21.0,"timestamp":1767268800000})"},
           {R"({"vehicleId":"V1","lat":52,"lon":21,"timestamp":1767268800.125})",
            R"({"vehicleId":"V1","lat":52.0,"lon":21.0,"timestamp":1767268800125})"},
           {R"({"vehicleId":"V1","lat":52,"lon":21,"timestamp":1767268800123456789})",
            R"({"vehicleId":"V1","lat":52.0,"lon":21.0,"timestamp":1767268800123})"},
           {R"({"vehicleId":"V1","lat":52,"lon":21,"timestamp":18446744073709551615})",
            R"({"vehicleId":"V1","lat":52.0,"lon":21.0,"timestamp":"18446744073709551615"})"},
           {R"({"vehicleId":"V1","lat":52,"lon":21,"speed":-1,"heading":-1,"timestamp":"2026-01-01T12:00+00"})",
            R"({"vehicleId":"V1","lat":52.0,"lon":21.0,"speed":-1.0,"heading":-1.0,"timestamp":1767268800000})"},
           {R"({"vehicleId":"V1","lat":52,"lon":21,"timestamp":-5})",
            R"({"vehicleId":"V1","lat":52.0,"lon":21.0,"timestamp":"-5"})"},
           {R"({"vehicleId":"V1","lat":952,"lon":21,"timestamp":1767268800000})",
            R"({"vehicleId":"V1","lat":952.0,"lon":21.0,"timestamp":1767268800000})"},
           {R"({"lat":52,"lon":21})", "refused: vehicleId is missing"},
           {R"({"vehicleId":null,"lat":52,"lon":21})", "refused: vehicleId is missing"},
           {R"({"vehicleId":"","lat":52,"lon":21})", "refused: vehicleId is empty"},
           {R"({"vehicleId":["V1"],"lat":52,"lon":21})", "refused: vehicleId is neither a string nor a whole number"},
           {R"({"vehicleId":"V12345678901234567890","lat":52,"lon":21})",
            "refused: vehicleId has 21 bytes, at most 20 are allowed"},
           {R"({"vehicleId":"V1","lon":21})", "refused: lat is missing"},
           {R"({"vehicleId":"V1","lat":52,"lon":"21"})", "refused: lon is no number"},
           {R"({"vehicleId":"V1","lat":52,"lon":21,"speed":"fast"})", "refused: speed is no number"},
           {R"({"vehicleId":1.0,"lat":52,"lon":21})", "refused: vehicleId is neither a string nor a whole number"},
           {R"({"vehicleId":18446744073709551615,"lat":52,"lon":21,"timestamp":1767268800})",
            R"({"vehicleId":"18446744073709551615","lat":52.0,"lon":21.0,"timestamp":1767268800000})"},
           {"\xEF\xBB\xBF{\"vehicleId\":-7,\"lat\":52,\"lon\":21,\"timestamp\":0}",
            R"({"vehicleId":"-7","lat":52.0,"lon":21.0,"timestamp":0})"},
           {R"(7)", "refused: not an object"},
       }) {
    const auto items = parse_positions(row.body, false, 1, {.vehicle_id_bytes_max = 20});
    ASSERT_TRUE(items.ok()) << row.body;
    ASSERT_EQ(items->size(), 1U);
    EXPECT_EQ(text_of((*items)[0]), row.expected) << row.body;
  }
}

// What is good JSON and more than a machine's number or text can hold concerns the item that uses it alone.
TEST(Positions, AreRefusedAloneForWhatTheyUse) {
  const std::string good = R"({"vehicleId":"V1","lat":52,"lon":21,"timestamp":1767268800})";
  const std::string taken = R"({"vehicleId":"V1","lat":52.0,"lon":21.0,"timestamp":1767268800000})";
  const auto nested = [](size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  const auto with = [](const std::string& members) {
    return R"({"vehicleId":"V1","lat":52,"lon":21,"timestamp":1767268800)" + members + "}";
  };
  const std::string large = with(R"(,"y":1e400,"x":")" + std::string(70'000, 'x') + '"');
  struct Row {
    const char* what;
    std::string item;
    std::string expected;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"an ignored 1e400", with(R"(,"odometer":1e400)"), taken},
           {"an ignored whole number beyond 64 bits", with(R"(,"serial":123456789012345678901234567890)"), taken},
           {"the same below zero, in an object", with(R"(,"x":{"y":[-123456789012345678901234567890]})"), taken},
           {"half a surrogate pair that is ignored", with(R"(,"note":"\ud800")"), taken},
           {"the other half", with(R"(,"note":"\udc00 x")"), taken},
           {"a member named by one", with(R"(,"\ud800":1)"), taken},
           {"a member that is ignored twice", with(R"(,"x":1,"x":1e400)"), taken},
           {"deep", with(R"(,"x":)" + nested(500)), taken},
           {"deeper", with(R"(,"x":)" + nested(600)), "refused: values are nested more than 512 deep"},
           {"very deep", with(R"(,"x":)" + nested(100'000)), "refused: values are nested more than 512 deep"},
           {"as deep beside what simdjson does not read", with(R"(,"y":1e400,"x":)" + nested(511)), taken},
           {"speed 1e400", with(R"(,"speed":1e400)"), "refused: speed is a number that is too large"},
           {"heading -1e999", with(R"(,"heading":-1e999)"), "refused: heading is a number that is too large"},
           {"speed 1e-400", with(R"(,"speed":1e-400)"),
            R"({"vehicleId":"V1","lat":52.0,"lon":21.0,"speed":0.0,"timestamp":1767268800000})"},
           {"speed twice", with(R"(,"speed":1,"speed":2)"), "refused: speed is given twice"},
           {"speed twice, one too large", with(R"(,"speed":1,"speed":1e400)"), "refused: speed is given twice"},
           {"the id twice", with(R"(,"vehicleId":"V2")"), "refused: vehicleId is given twice"},
           {"the time twice, once null", with(R"(,"timestamp":null)"), "refused: timestamp is given twice"},
           {"latitude 1e400", R"({"vehicleId":"V1","lat":1e400,"lon":21})",
            "refused: lat is a number that is too large"},
           {"longitude of 310 digits", R"({"vehicleId":"V1","lat":1,"lon":1)" + std::string(309, '0') + "}",
            "refused: lon is a number that is too large"},
           {"latitude of 30 digits, which a rule rejects",
            R"({"vehicleId":"V1","lat":123456789012345678901234567890,"lon":21,"timestamp":1767268800})",
            R"({"vehicleId":"V1","lat":1.2345678901234568e+29,"lon":21.0,"timestamp":1767268800000})"},
           {"an id beyond 64 bits", R"({"vehicleId":18446744073709551616,"lat":1,"lon":2})",
            "refused: vehicleId is a number beyond 64 bits: write it as a string"},
           {"an id 1e400", R"({"vehicleId":1e400,"lat":1,"lon":2})",
            "refused: vehicleId is neither a string nor a whole number"},
           {"an id with half a surrogate pair", R"({"vehicleId":"V\ud83d","lat":1,"lon":2})",
            "refused: vehicleId is not UTF-8"},
           {"an id with halves in the wrong order", R"({"vehicleId":"\ude00\ud83d","lat":1,"lon":2})",
            "refused: vehicleId is not UTF-8"},
           {"an id with a whole pair", R"({"vehicleId":"\ud83d\ude8c","lat":1,"lon":2,"timestamp":0})",
            "{\"vehicleId\":\"\U0001F68C\",\"lat\":1.0,\"lon\":2.0,\"timestamp\":0}"},
           {"an id of minus zero", R"({"vehicleId":-0,"lat":-0,"lon":-0.0,"timestamp":0})",
            R"({"vehicleId":"0","lat":0.0,"lon":-0.0,"timestamp":0})"},
           {"numbers with exponents", R"({"vehicleId":"V1","lat":5.2e1,"lon":2100e-2,"timestamp":1.7672688e9})", taken},
           {"a time beyond 64 bits, which a rule rejects",
            R"({"vehicleId":"V1","lat":52,"lon":21,"timestamp":99999999999999999999})",
            R"({"vehicleId":"V1","lat":52.0,"lon":21.0,"timestamp":"99999999999999999999"})"},
           {"a time of 1e400", R"({"vehicleId":"V1","lat":52,"lon":21,"timestamp":1e400})",
            R"({"vehicleId":"V1","lat":52.0,"lon":21.0,"timestamp":"1e400"})"},
           {"a number", "1e400", "refused: not an object"},
           {"one in an item of a size that no position has", large,
            fmt::format("refused: Problem while parsing a number in an item of {} bytes", large.size())},
       }) {
    for (const bool alone : {true, false}) {
      const auto items =
          parse_positions(alone ? row.item : fmt::format("[{0},\n {1},{0}]", good, row.item), false, 1, {});
      ASSERT_TRUE(items.ok()) << row.what << ": " << items.status().message();
      ASSERT_EQ(items->size(), alone ? 1U : 3U) << row.what;
      EXPECT_EQ(text_of((*items)[alone ? 0 : 1]), row.expected) << row.what;
      EXPECT_EQ(text_of(items->back()), alone ? row.expected : taken) << row.what;
    }
    const auto lines = parse_positions(good + "\n" + row.item + "\n" + good, true, 1, {});
    ASSERT_TRUE(lines.ok() && lines->size() == 3) << row.what;
    EXPECT_EQ(text_of((*lines)[1]), row.expected) << row.what;
  }
  // Beside such an item, what is no JSON at all is still the fault of the whole, and named by its place.
  const auto bad = parse_positions("[" + with(R"(,"x":1e400)") + ",\n{\"lat\":01}]", false, 1, {});
  ASSERT_FALSE(bad.ok());
  EXPECT_TRUE(bad.status().message().starts_with("malformed JSON: item 1 (line 2, column 1): "))
      << bad.status().message();
  const auto many = parse_positions("[1e400,1,2]", false, 1, {.items_max = 2});
  EXPECT_EQ(many.status().code(), Code::resource_exhausted);
}

TEST(Positions, AreWrittenWithNumbersOrNull) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  EXPECT_EQ(to_json({.vehicle_id = "V1", .lat = std::nan(""), .lon = kInf, .speed = -kInf, .timestamp = 1}),
            R"({"vehicleId":"V1","lat":null,"lon":null,"speed":null,"timestamp":1})");
}

TEST(Positions, ComeInLinesByAnyNameOfThatType) {
  for (const char* type : {"application/x-ndjson", "Application/X-NDJSON; charset=utf-8", "application/ndjson",
                           "application/jsonl", "application/jsonlines", "application/x-jsonlines", "text/jsonl"})
    EXPECT_TRUE(is_lines_type(type)) << type;
  for (const char* type : {"", "application/json", "application/json; x=ndjson", "text/plain", "application/json-seq"})
    EXPECT_FALSE(is_lines_type(type)) << type;
}

TEST(Positions, ComeAloneInArraysOrLineByLine) {
  const char* good = R"({"vehicleId":"V1","lat":52,"lon":21,"timestamp":1})";
  EXPECT_EQ(parse_positions(fmt::format("[{0},5,{0}]", good), false, 1, {})->size(), 3U);
  EXPECT_EQ(parse_positions("[]", false, 1, {})->size(), 0U);
  const auto lines = parse_positions(fmt::format("{0}\n\n{{nonsense\r\n{0}", good), true, 1, {});
  ASSERT_EQ(lines->size(), 3U);
  EXPECT_TRUE((*lines)[1].error.starts_with("malformed JSON"));
  EXPECT_EQ(parse_positions("{\"vehicleId\":", false, 1, {}).status().code(), Code::invalid_argument);
  EXPECT_EQ(parse_positions("", false, 1, {}).status().code(), Code::invalid_argument);
  EXPECT_EQ(parse_positions("[1,2,3]", false, 1, {.items_max = 2}).status().code(), Code::resource_exhausted);
}

TEST(MasterData, ReadsVehiclesAndZones) {
  const auto vehicles =
      parse_vehicles_csv("vehicle_id,line,brigade,speed_limit\r\n743,250,2,\r\n\"7,44\",\"75\"\"0\",,70\n");
  ASSERT_TRUE(vehicles.ok()) << vehicles.status().to_string();
  ASSERT_EQ(vehicles->size(), 2U);
  EXPECT_EQ((*vehicles)[0].second.line, "250");
  EXPECT_FALSE((*vehicles)[0].second.speed_limit);
  EXPECT_EQ((*vehicles)[1].first, "7,44");
  EXPECT_EQ((*vehicles)[1].second.line, "75\"0");
  EXPECT_FALSE((*vehicles)[1].second.brigade);
  EXPECT_EQ((*vehicles)[1].second.speed_limit, 70);
  EXPECT_FALSE(parse_vehicles_csv("id\n1\n").ok());
  EXPECT_FALSE(parse_vehicles_csv("vehicle_id,speed_limit\n1,fast\n").ok());
  EXPECT_FALSE(parse_vehicles_csv("vehicle_id\n\"1\n").ok());

  const auto zone = parse_zone(
      "z",
      R"({"type":"Feature","properties":{"name":"Z"},"geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}})");
  ASSERT_TRUE(zone.ok()) << zone.status().to_string();
  EXPECT_EQ(zone->zone_id, "z");
  EXPECT_EQ(zone->polygons, (std::vector<std::vector<std::vector<double>>>{{{0, 0, 1, 0, 1, 1, 0, 0}}}));
  for (const char* bad : {"{}", "[", R"({"geometry":{"type":"Point","coordinates":[1,2]}})",
                          R"({"geometry":{"type":"Polygon","coordinates":[]}})",
                          R"({"geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[0,0]]]}})",
                          R"({"geometry":{"type":"Polygon","coordinates":[[[0,0],[1,100],[1,1],[0,0]]]}})"}) {
    EXPECT_FALSE(parse_zone("z", bad).ok()) << bad;
  }
}

TEST(Vehicles, AreRefusedWithWhatIsWrong) {
  struct Row {
    const char* body;
    const char* message;  // empty: taken
  };
  for (const Row& row : std::initializer_list<Row>{
           {R"({})", ""},
           {R"({"line":"189","brigade":"3","name":null,"speedLimit":70})", ""},
           {R"({"line":189})", "line: a text is needed"},
           {R"({"brigade":3})", "brigade: a text is needed"},
           {R"({"name":5.0})", "name: a text is needed"},
           {R"({"name":true})", "name: a text is needed"},
           {R"({"speedLimit":"70"})", "speedLimit: a number is needed"},
           {R"({"speedlimit":30})", "unknown member 'speedlimit'; did you mean 'speedLimit'?"},
           {R"({"colour of it":"red"})",
            "unknown member 'colour of it'; a vehicle has line, brigade, name, speedLimit"},
           {R"({"line":{}})", "line: a text is needed"},
           {R"({"speedLimit":[30]})", "speedLimit: a number is needed"},
           {R"({"speedLimit":-3})", "speed limit '-3': a number of km/h above 0 and below 1000"},
           {R"([])", "a vehicle is a JSON object"},
           {R"({"speedLimit":1e400})", "speed limit '1e400': a number of km/h above 0 and below 1000"},
           {R"({"speedLimit":-0})", "speed limit '-0': a number of km/h above 0 and below 1000"},
           {R"({"speedLimit":5e1})", ""},
           {R"({"line":123456789012345678901234567890})", "line: a text is needed"},
           {R"({"line":"1","line":"2"})", "parse JSON at byte 22: member 'line' is given twice"},
           {R"({"name":"\ud800"})", "parse JSON at byte 15: half a surrogate pair"},
       }) {
    const auto vehicle = parse_vehicle(row.body);
    EXPECT_EQ(vehicle.ok() ? "" : vehicle.status().message(), row.message) << row.body;
  }
}

TEST(MasterData, HasTextsOfALengthThatAPageCanShow) {
  const auto text = [](size_t size) { return std::string(size, 'n'); };
  const auto zone = [](const std::string& properties) {
    return R"({"type":"Feature","properties":{)" + properties +
           R"(},"geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}})";
  };
  struct Row {
    Status status;
    const char* message;  // empty: taken
  };
  const auto vehicle = [](const std::string& body) { return parse_vehicle(body).status(); };
  const auto csv = [](const std::string& row) {
    return parse_vehicles_csv("vehicle_id,line,name,speed_limit\n1,,,\n" + row + "\n").status();
  };
  for (const Row& row : std::initializer_list<Row>{
           {vehicle(R"({"name":")" + text(256) + R"("})"), ""},
           {vehicle(R"({"name":")" + text(257) + R"("})"), "name has 257 bytes, at most 256 are allowed"},
           {vehicle(R"({"line":")" + text(100'000) + R"("})"), "line has 100000 bytes, at most 256 are allowed"},
           {vehicle(R"({"brigade":")" + text(257) + R"("})"), "brigade has 257 bytes, at most 256 are allowed"},
           {csv("2,189," + text(256) + ",50"), ""},
           {csv("2,189," + text(257) + ","), "vehicles line 3: name has 257 bytes, at most 256 are allowed"},
           {csv(text(129) + ",189,,"), "vehicles line 3: vehicle_id has 129 bytes, at most 128 are allowed"},
           {csv(",189,,"), "vehicles line 3: vehicle_id is empty"},
           {csv("V\xff,189,,"), "vehicles line 3: vehicle_id is not UTF-8"},
           {csv("2,189,\xc3\x28,"), "vehicles line 3: name is not UTF-8"},
           {csv("2,189,,fast"),
            "vehicles line 3: speed_limit: speed limit 'fast': a number of km/h above 0 and below 1000"},
           {csv("2,189,,-5"),
            "vehicles line 3: speed_limit: speed limit '-5': a number of km/h above 0 and below 1000"},
           {csv("2,189,,nan"),
            "vehicles line 3: speed_limit: speed limit 'nan': a number of km/h above 0 and below 1000"},
           {parse_zone("z", zone(R"("name":")" + text(256) + R"(")")).status(), ""},
           {parse_zone("z", zone(R"("name":")" + text(257) + R"(")")).status(),
            "name has 257 bytes, at most 256 are allowed"},
           {parse_zone("z", zone(R"("kind":")" + text(257) + R"(")")).status(),
            "kind has 257 bytes, at most 256 are allowed"},
           {parse_zones_geojson(R"({"features":[)" + zone(R"("zone_id":"a")") + "," +
                                zone(R"("zone_id":")" + text(129) + R"(")") + "]}")
                .status(),
            "zones: feature 1: zone_id has 129 bytes, at most 128 are allowed"},
       }) {
    EXPECT_EQ(row.status.message(), row.message);
  }
}

TEST(Queries, NameOnlyWhatTheirPathTakes) {
  struct Row {
    const char* query;
    const char* message;  // empty: good
  };
  for (const Row& row : std::initializer_list<Row>{
           {"", ""},
           {"limit=5", ""},
           {"&limit=5&", ""},
           {"lim%69t=5", ""},
           {"limti=5", "unknown query parameter 'limti'; did you mean 'limit'?"},
           {"from=5&limit=1", "unknown query parameter 'from'; this path takes limit"},
           {"limit=5&limit=6", "query parameter 'limit' is given twice"},
           {"limit=%zz", "query parameter 'limit=%zz': malformed percent-encoding"},
       }) {
    EXPECT_EQ(net::check_query(row.query, {"limit"}).message(), row.message) << row.query;
  }
  EXPECT_EQ(net::check_query("x=1", {}).message(), "unknown query parameter 'x'; this path takes none");
}

}  // namespace
}  // namespace muir::vts
