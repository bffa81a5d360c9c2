#include "apps/vts/position_file.h"

#include <gtest/gtest.h>

#include <fstream>
#include <vector>

#include "testing/temp_dir.h"

namespace muir::vts {
namespace {

constexpr const char* kHeader = "vehicle_id,ts_ms,lat,lon,speed_kmh,heading\n";

// The ids of the file's positions, and the words about its end: "a b" or "a error ...".
std::string read_all(const std::string& content) {
  const testing::TempDir dir;
  const std::string path = dir.str() + "/positions.csv";
  std::ofstream(path, std::ios::binary) << content;
  auto file = PositionFile::open(path);
  if (!file.ok()) return "error " + file.status().message().substr(path.size());
  std::string out;
  for (;;) {
    auto fix = (*file)->next();
    if (!fix.ok()) return out + "error" + fix.status().message().substr(path.size());
    if (!*fix) return out;
    out += (*fix)->vehicle_id + " ";
  }
}

TEST(PositionFile, SaysWhichLineAndColumnIsNoPosition) {
  struct Case {
    const char* name;
    std::string lines;
    std::string want;
  };
  const std::vector<Case> cases = {
      {"positions, empty lines, no last line end", "a,1,2,3\n\nb,1,2,3", "a b "},
      {"a time before 1970", "a,-1,2,3\n", "error line 2: ts_ms '-1': milliseconds are needed"},
      {"a time after the year 9999", "a,1,2,3\nb,9223372036854775807,2,3\n",
       "a error line 3: ts_ms '9223372036854775807': milliseconds are needed"},
      {"no vehicle", ",1,2,3\n", "error line 2: vehicle_id '': a vehicle is needed"},
      {"seconds with a fraction", "a,1.5,2,3\n", "error line 2: ts_ms '1.5': milliseconds are needed"},
      {"a latitude in words", "a,1,north,3\n", "error line 2: lat 'north': a number is needed"},
      {"no longitude", "a,1,2\n", "error line 2: lon '': a number is needed"},
      {"a speed with a unit", "a,1,2,3,50 km/h\n", "error line 2: speed_kmh '50 km/h': a number is needed"},
      {"a heading of letters", "a,1,2,3,50," + std::string(100, 'N') + "\n",
       "error line 2: heading '" + std::string(32, 'N') + "': a number is needed"},
      {"a line that begins with a NUL byte", std::string("a,1,2,3\n\0\n", 10), "a error line 3: a NUL byte"},
      {"a line without end", std::string(70'000, 'x'), "error line 2: longer than 65536 bytes"},
      {"an open quote", "\"a,1,2,3\n", "error line 2: a quoted field has no end"},
  };
  for (const auto& row : cases) EXPECT_EQ(read_all(kHeader + row.lines), row.want) << row.name;
}

}  // namespace
}  // namespace muir::vts
