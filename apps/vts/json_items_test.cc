#include "apps/vts/json_items.h"

#include "apps/vts/position_json.h"
#include "testing/mutations.h"

namespace muir::vts {
namespace {

TEST(BadItems, AreNamedByIndexAndPlace) {
  const std::string good = R"({"vehicleId":"V1","lat":52,"lon":21,"timestamp":1})";
  struct Row {
    const char* what;
    std::string body;
    const char* message;  // its beginning
  };
  for (const Row& row : std::initializer_list<Row>{
           {"a number without digits", "[" + good + ",\n " + good + ",\n  {\"vehicleId\":\"V2\",\"lat\":52.}]",
            "malformed JSON: item 2 (line 3, column 3): "},
           {"half an item at the end", "[" + good + ",\n{\"vehicleId\":\"V2\"",
            "malformed JSON: item 1 (line 2, column 1): "},
           {"a comma too many", "[" + good + ",\n]", "malformed JSON: item 1 (line 2, column 1): nothing is here"},
           {"two commas", "[" + good + ",," + good + "]",
            "malformed JSON: item 1 (line 1, column 53): nothing is here"},
           {"no comma", "[" + good + "\n" + good + "]", "malformed JSON: item 0 (line 1, column 2): "},
           {"no end", "[" + good, "malformed JSON: item 0 (line 1, column 2): the array has no end after it"},
           {"nothing after the bracket", "[", "malformed JSON: item 0 (line 1, column 2): the array has no end"},
           {"something behind", "[" + good + "]\n x", "malformed JSON: line 2, column 2: something follows the array"},
           {"a bracket within a text", "[{\"vehicleId\":\"],[{\\\"\"},nul]",
            "malformed JSON: item 1 (line 1, column 25): "},
           {"invalid UTF-8", "[" + good + ",{\"vehicleId\":\"\xff\"}]", "malformed JSON: item 1 (line 1, column 53): "},
           {"an object", "\n {\"vehicleId\":}", "malformed JSON: line 2, column 2: "},
           {"nothing", "", "malformed JSON: line 1, column 1: "},
           {"no JSON at all", "<xml>", "malformed JSON: line 1, column 1: "},
       }) {
    const auto parsed = parse_positions(row.body, false, 1, {});
    ASSERT_FALSE(parsed.ok()) << row.what;
    EXPECT_TRUE(parsed.status().message().starts_with(row.message)) << row.what << ": " << parsed.status().message();
    EXPECT_GT(parsed.status().message().size(), std::string_view(row.message).size() - 1) << row.what;
  }
}

TEST(BadItems, OfLinesAreNamedByTheirLine) {
  const std::string good = R"({"vehicleId":"V1","lat":52,"lon":21,"timestamp":1})";
  const auto items = parse_positions(good + "\n\n\n{\"vehicleId\"\n" + good, true, 1, {});
  ASSERT_TRUE(items.ok());
  ASSERT_EQ(items->size(), 3U);
  EXPECT_TRUE((*items)[1].error.starts_with("malformed JSON: line 4: ")) << (*items)[1].error;
}

TEST(FuzzJsonItems, SurvivesMutations) {
  testing::survive_mutations("vts_json_items", fuzz_json_items,
                             {R"([1, {"a":[2,"]"]}, bad])", "\n[{\"\\\"\":1}\n,\"bad\"", R"( {"bad":1})"},
                             {.alphabet = "[]{},\"\\ \n"});
}

}  // namespace
}  // namespace muir::vts
