// Schemas of the log that do not parse, as other registries may have written them: whoever sends a good one is told
// that a stored one is at fault, and which.
#include <gtest/gtest.h>

#include "registry/rest_fixture.h"

namespace muir::registry {
namespace {

const std::string kGood = R"({"type":"record","name":"R","fields":[{"name":"a","type":"int"}]})";
const std::string kNext =
    R"({"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":"int","default":0}]})";

class StoredFaults : public RestApi {
 protected:
  void store(int version, int id, std::string schema, std::string type = "AVRO",
             std::vector<Reference> references = {}) {
    records_.all.emplace_back(fmt::format(R"({{"keytype":"SCHEMA","subject":"s","version":{},"magic":1}})", version),
                              encode_schema({.subject = "s",
                                             .version = version,
                                             .id = id,
                                             .schema_type = std::move(type),
                                             .references = std::move(references),
                                             .schema = std::move(schema)}));
    restart();
  }
  std::string try_next(const std::string& path) { return ask("POST", path, body_of(kNext)); }
};

TEST_F(StoredFaults, AreNotThoseOfTheNewSchema) {
  std::string fields;
  for (int i = 0; i <= 10'000; ++i) fields += fmt::format(R"({}{{"name":"f{}","type":"int"}})", i == 0 ? "" : ",", i);
  struct Row {
    const char* what;
    std::string schema;
    std::vector<Reference> references;
    const char* why;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"no JSON", "{", {}, "parse JSON"},
           {"an unknown type", R"("nothing")", {}, "nothing"},
           {"no fields", R"({"type":"record","name":"R"})", {}, "fields"},
           {"too many fields", record(fields), {}, "10001 fields; at most 10000 are allowed"},
           {"a reference that is gone", kGood, {{"X", "gone", 1}}, "no schema reference found for subject \"gone\""},
       }) {
    SCOPED_TRACE(row.what);
    records_ = {};
    restart();
    add("s", kGood);
    store(2, 7, row.schema, "AVRO", row.references);
    const size_t before = records_.all.size();
    const std::string named = "Invalid schema: the stored one of subject s, version 2, id 7: ";
    for (const char* path : {"/subjects/s/versions", "/compatibility/subjects/s/versions",
                             "/compatibility/subjects/s/versions/2", "/compatibility/subjects/s/versions/latest"}) {
      const std::string answer = try_next(path);
      EXPECT_EQ(code_of(answer), 42201) << path << ": " << answer;
      EXPECT_NE(answer.find(named), std::string::npos) << path << ": " << answer;
      const auto json = schema::Json::parse(answer.substr(4));
      EXPECT_NE(json->find("message")->as_string()->find(row.why), std::string::npos) << path << ": " << answer;
    }
    const std::string verbose = try_next("/compatibility/subjects/s/versions/2?verbose=true");
    EXPECT_TRUE(verbose.starts_with(R"(200 {"is_compatible":false,"messages":["Invalid schema: the stored one of)"))
        << verbose;
    // Of two faults that of the request is told.
    EXPECT_EQ(add("s", "x").find("the stored one"), std::string::npos);
    EXPECT_EQ(records_.all.size(), before) << "something was written";

    // It can be read, its good neighbours be compared with, and other subjects be written.
    EXPECT_EQ(ask("GET", "/schemas/ids/7").substr(0, 3), "200");
    EXPECT_EQ(try_next("/compatibility/subjects/s/versions/1"), R"(200 {"is_compatible":true})");
    EXPECT_EQ(add("other", kGood), R"(200 {"id":1})");
    EXPECT_EQ(code_of(ask("POST", "/subjects/s", body_of(kNext))), 40403);
    EXPECT_EQ(add("s", kGood), R"(200 {"id":1})") << "which the subject has already";

    // The ways out: nothing is compared, or it is deleted.
    ask("PUT", "/config/s", R"({"compatibility":"NONE"})");
    EXPECT_EQ(try_next("/compatibility/subjects/s/versions/2"), R"(200 {"is_compatible":true})");
    ask("DELETE", "/config/s");
    EXPECT_EQ(ask("DELETE", "/subjects/s/versions/2"), "200 2");
    EXPECT_EQ(try_next("/subjects/s/versions"), R"(200 {"id":8})");
  }
}

TEST_F(StoredFaults, OfAnOldVersionCountWhereAllAreLookedAt) {
  store(1, 3, "{");
  store(2, 4, kGood);
  EXPECT_EQ(try_next("/compatibility/subjects/s/versions"), R"(200 {"is_compatible":true})");
  ask("PUT", "/config/s", R"({"compatibility":"FULL_TRANSITIVE"})");
  const std::string answer = try_next("/subjects/s/versions");
  EXPECT_NE(answer.find("the stored one of subject s, version 1, id 3: "), std::string::npos) << answer;
  EXPECT_EQ(code_of(answer), 42201);
}

TEST_F(StoredFaults, OfAReferenceNameIt) {
  store(1, 3, "{");
  const auto answer = ask(
      "POST", "/subjects/t/versions",
      R"({"schema":"{\"type\":\"record\",\"name\":\"T\",\"fields\":[]}","references":[{"name":"R","subject":"s","version":1}]})");
  EXPECT_EQ(code_of(answer), 42201);
  EXPECT_NE(answer.find("the stored one of subject s, version 1, id 3: "), std::string::npos) << answer;
}

// As the JVM registry has it: no schema of one type follows one of another.
TEST_F(StoredFaults, OfAnotherTypeAreIncompatible) {
  store(1, 5, "syntax = \"proto3\";", "PROTOBUF");
  const std::string answer = try_next("/subjects/s/versions");
  EXPECT_EQ(code_of(answer), 409) << answer;
  EXPECT_NE(
      answer.find("Incompatible because of different schema type: id 5 is of type PROTOBUF, {oldSchemaVersion: 1}"),
      std::string::npos)
      << answer;
  EXPECT_EQ(try_next("/compatibility/subjects/s/versions/1"), R"(200 {"is_compatible":false})");
  ask("PUT", "/config/s", R"({"compatibility":"NONE"})");
  EXPECT_EQ(try_next("/subjects/s/versions"), R"(200 {"id":6})");
}

// One that does not parse is not tried again for every request.
TEST_F(StoredFaults, AreFoundOnce) {
  store(1, 3, "{");
  const int64_t before = service_->parses();
  try_next("/subjects/s/versions");
  EXPECT_EQ(service_->parses(), before + 2) << "the new one, and the stored one";
  try_next("/subjects/s/versions");
  EXPECT_EQ(service_->parses(), before + 3) << "the new one";
}

}  // namespace
}  // namespace muir::registry
