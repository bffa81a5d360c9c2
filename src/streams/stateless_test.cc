// Stateless operators: what each lets pass, on the test driver.
#include <gtest/gtest.h>

#include <fstream>

#include "streams/dsl.h"
#include "streams/test_driver.h"
#include "testing/temp_dir.h"

namespace muir::streams {
namespace {

using Text = KStream<std::string, std::string>;
using TextRecord = TestRecord<std::string, std::string>;

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

auto text_in(TestDriver& driver) { return *driver.input<std::string, std::string>("in"); }
auto text_out(TestDriver& driver) { return *driver.output<std::string, std::string>("out"); }

// "k:v" for a record, "-" for null parts, in order.
std::string show(const std::vector<TextRecord>& records) {
  std::string out;
  for (const auto& r : records) {
    out += (out.empty() ? "" : " ") + r.key.value_or("-") + ":" + r.value.value_or("-");
  }
  return out;
}

// Runs "in" -> build -> "out" over the records and shows what came out.
std::string run(const std::function<void(const Text&)>& build, const std::vector<TextRecord>& records,
                uint64_t* dropped = nullptr) {
  StreamsBuilder builder;
  build(builder.stream<std::string, std::string>("in"));
  auto topology = builder.build();
  EXPECT_TRUE(topology.ok()) << topology.status().to_string();
  auto driver = TestDriver::create(*topology);
  EXPECT_TRUE(driver.ok()) << driver.status().to_string();
  auto in = (*driver)->input<std::string, std::string>("in");
  for (const auto& record : records) {
    const Status status = in->pipe(record);
    EXPECT_TRUE(status.ok()) << status.to_string();
  }
  if (dropped != nullptr) *dropped = (*driver)->dropped_records();
  return show(*text_out(**driver).read_all());
}

struct OperatorCase {
  std::string name;
  std::function<void(const Text&)> build;
  std::string want;
  uint64_t dropped = 0;
};

const std::vector<TextRecord>& inputs() {
  static const std::vector<TextRecord> all{
      {"a", "x", 1}, {"b", "yy", 2}, {"c", std::nullopt, 3}, {std::nullopt, "z", 4}};
  return all;
}

TEST(StatelessOperators, LetPassWhatKafkasDo) {
  const std::vector<OperatorCase> cases{
      {"source to sink keeps nulls", [](const Text& s) { s.to("out"); }, "a:x b:yy c:- -:z"},
      {"filter by value", [](const Text& s) { s.filter([](const std::string& v) { return v != "x"; }).to("out"); },
       "b:yy -:z", 1},
      {"filter by key and value",
       [](const Text& s) { s.filter([](const std::string& k, const std::string&) { return k != "a"; }).to("out"); },
       "b:yy", 2},
      {"filter with pointers sees nulls",
       [](const Text& s) { s.filter([](const std::string* v) { return v == nullptr; }).to("out"); }, "c:-"},
      {"filter_not", [](const Text& s) { s.filter_not([](const std::string& v) { return v == "x"; }).to("out"); },
       "b:yy -:z", 1},
      {"map",
       [](const Text& s) {
         s.map([](const std::string& k, const std::string& v) { return std::pair(v, k); }).to("out");
       },
       "x:a yy:b", 2},
      {"map_values lets a null value pass", [](const Text& s) { s.map_values(upper).to("out"); }, "a:X b:YY c:- -:Z"},
      {"flat_map",
       [](const Text& s) {
         s.flat_map([](const std::string& v) {
            return std::vector<std::pair<std::string, std::string>>{{v, "1"}, {v, "2"}};
          }).to("out");
       },
       "x:1 x:2 yy:1 yy:2 z:1 z:2", 1},
      {"flat_map_values",
       [](const Text& s) {
         s.flat_map_values([](const std::string& v) { return std::vector<char>(v.begin(), v.end()); })
             .map_values([](char c) { return std::string(1, c); })
             .to("out");
       },
       "a:x b:y b:y -:z", 1},
      {"select_key", [](const Text& s) { s.select_key([](const std::string& v) { return v; }).to("out"); },
       "x:x yy:yy z:z", 1},
      {"peek sees and passes", [](const Text& s) { s.peek([](const std::string&) {}).to("out"); }, "a:x b:yy c:- -:z"},
      {"merge, children in the order in which they were added",
       [](const Text& s) { s.merge(s.map_values(upper)).to("out"); }, "a:X a:x b:YY b:yy c:- c:- -:Z -:z"},
      {"repartition lets no null key pass", [](const Text& s) { s.repartition().to("out"); }, "a:x b:yy c:-"},
      {"split gives a record to the first branch that takes it",
       [](const Text& s) {
         auto branches = s.split({.name = "by-"})
                             .branch([](const std::string& v) { return v == "x"; }, {.name = "x"})
                             .branch([](const std::string& v) { return v.size() == 1; })
                             .default_branch();
         branches.at("by-x").map_values([](const std::string&) { return std::string("first"); }).to("out");
         branches.at("by-2")
             .map_values([](const std::string&) { return std::string("second"); })
             .to("out", {.name = "s2"});
         branches.at("by-0")
             .map_values([](const std::string*) { return std::string("rest"); })
             .to("out", {.name = "s3"});
       },
       "a:first b:rest c:rest -:second"},
      {"topic by function",
       [](const Text& s) { s.to([](const std::string* v) { return std::string(v != nullptr ? "out" : "other"); }); },
       "a:x b:yy -:z"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    uint64_t dropped = 0;
    EXPECT_EQ(run(c.build, inputs(), &dropped), c.want);
    EXPECT_EQ(dropped, c.dropped);
  }
}

TEST(StatelessOperators, KeepTimestampAndHeaders) {
  StreamsBuilder builder;
  builder.stream<std::string, std::string>("in")
      .map_values(upper)
      .filter([](const std::string&) { return true; })
      .to("out");
  auto driver = *TestDriver::create(*builder.build());
  const TextRecord record{"k", "v", 77, {{"trace", "1"}, {"none", std::nullopt}}};
  ASSERT_TRUE(text_in(*driver).pipe(record).ok());
  EXPECT_EQ(*text_out(*driver).read(), (TextRecord{"k", "V", 77, {{"trace", "1"}, {"none", std::nullopt}}}));
}

TEST(StatelessOperators, PrintWritesALineForEachRecord) {
  const muir::testing::TempDir folder;
  const auto printed = [&](const std::function<void(const Text&, Printed)>& print, Printed options) {
    StreamsBuilder builder;
    options.file = folder.str() + "/printed";
    print(builder.stream<std::string, std::string>("in", {.name = "source"}), std::move(options));
    auto driver = *TestDriver::create(*builder.build());
    EXPECT_TRUE(text_in(*driver).pipe("a", "x", 0).ok());
    EXPECT_TRUE(driver->pipe("in", {"b", std::nullopt, 1}).ok());
    EXPECT_TRUE(driver->pipe("in", {std::nullopt, "z", 2}).ok());
    std::ifstream file(folder.str() + "/printed");
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  const auto plain = [](const Text& s, Printed options) { s.print(std::move(options)); };
  EXPECT_EQ(printed(plain, {}), "[source]: a, x\n[source]: b, null\n[source]: null, z\n");
  EXPECT_EQ(printed(plain, {.label = "L"}), "[L]: a, x\n[L]: b, null\n[L]: null, z\n");
  const auto mapped = [](const Text& s, Printed options) {
    s.print([](const std::string& v) { return "<" + v + ">"; }, std::move(options));
  };
  EXPECT_EQ(printed(mapped, {.label = "L"}), "[L]: <x>\n[L]: null\n[L]: <z>\n");
  StreamsBuilder builder;
  builder.stream<std::string, std::string>("in").print({.file = folder.str() + "/no/such/folder"});
  EXPECT_NE(builder.build().status().message().find("cannot write " + folder.str()), std::string::npos);
}

TEST(StatelessOperators, FunctionsKeepStatePerTask) {
  StreamsBuilder builder;
  builder.stream<std::string, std::string>("in")
      .map_values([n = 0](const std::string&) mutable { return std::to_string(++n); })
      .to("out");
  const Topology topology = *builder.build();
  for (int round = 0; round < 2; ++round) {
    auto driver = *TestDriver::create(topology);
    ASSERT_TRUE(text_in(*driver).pipe("a", "", 0).ok());
    ASSERT_TRUE(text_in(*driver).pipe("a", "", 0).ok());
    EXPECT_EQ(show(*text_out(*driver).read_all()), "a:1 a:2");
  }
}

TEST(StatelessOperators, NumbersAndOtherTypesByTheirSerdes) {
  StreamsBuilder builder;
  builder.stream<int64_t, double>("in", {.reset = Reset::earliest})
      .map([](int64_t k, double v) { return std::pair(std::to_string(k), static_cast<int32_t>(v)); })
      .to("out");
  auto driver = *TestDriver::create(*builder.build());
  ASSERT_TRUE((driver->input<int64_t, double>("in")->pipe(7, 2.5, 1).ok()));
  EXPECT_EQ(*(driver->output<std::string, int32_t>("out")->read()), (TestRecord<std::string, int32_t>{"7", 2, 1}));
}

}  // namespace
}  // namespace muir::streams
