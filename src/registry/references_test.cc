// Schemas that refer to others, and how often texts are parsed for what is asked.
#include <gtest/gtest.h>

#include "registry/rest_fixture.h"

namespace muir::registry {
namespace {

// A record of that name with a field of each type.
std::string record_of(std::string_view name, const std::vector<std::string>& types) {
  std::string fields;
  for (size_t i = 0; i < types.size(); ++i)
    fields += fmt::format(R"({}{{"name":"f{}","type":"{}"}})", i == 0 ? "" : ",", i, types[i]);
  return fmt::format(R"({{"type":"record","name":"{}","fields":[{}]}})", name, fields);
}

// Refers to the first versions of the subjects that are called like the types.
SchemaRequest request_for(std::string_view name, const std::vector<std::string>& types) {
  SchemaRequest request{.schema = record_of(name, types)};
  for (const auto& type : types)
    if (type != "int") request.references.push_back({type, type, 1});
  return request;
}

class References : public RestApi {};

TEST_F(References, AreTakenToTheSameDepthBeforeAndAfterARestart) {
  std::string before = "int";
  for (int depth = 0; depth <= kReferenceDepthMax; ++depth) {
    const std::string name = fmt::format("L{}", depth);
    const auto id = service_->register_schema(name, request_for(name, {before}));
    ASSERT_TRUE(id.ok()) << depth << ": " << id.status().message();
    before = name;
  }
  for (const bool restarted : {false, true}) {
    if (restarted) restart();
    const auto deeper = service_->register_schema("deeper", request_for("deeper", {before}));
    EXPECT_EQ(deeper.status().number(Domain::registry), 42201) << restarted;
    EXPECT_NE(deeper.status().message().find("nested more than 300 deep"), std::string::npos)
        << deeper.status().message();
    const std::string last = fmt::format("L{}", kReferenceDepthMax - 1);
    EXPECT_TRUE(service_->look_up(before, request_for(before, {last}), false).ok()) << restarted;
    EXPECT_TRUE(service_->register_schema(before, request_for(before, {last})).ok()) << restarted;
    EXPECT_TRUE(service_->self_contained_text(kReferenceDepthMax + 1).ok()) << restarted;
  }
}

// Imports and other registries can make them.
TEST_F(References, InACircleAreAnErrorAndNoLoop) {
  const auto record = [&](std::string_view subject, int id, const SchemaRequest& request) {
    records_.all.emplace_back(fmt::format(R"({{"keytype":"SCHEMA","subject":"{}","version":1,"magic":1}})", subject),
                              encode_schema({.subject = std::string(subject),
                                             .version = 1,
                                             .id = id,
                                             .references = request.references,
                                             .schema = request.schema}));
  };
  record("A", 1, request_for("A", {"B", "C"}));
  record("B", 2, request_for("B", {"C", "A"}));
  record("C", 3, request_for("C", {"A", "B"}));
  record("Self", 4, request_for("Self", {"Self"}));
  restart();
  for (const char* name : {"A", "B", "C", "Self"}) {
    const auto registered = service_->register_schema("new", request_for("new", {name}));
    EXPECT_EQ(registered.status().number(Domain::registry), 42201) << name;
    EXPECT_NE(registered.status().message().find("in a circle"), std::string::npos) << registered.status().message();
    EXPECT_TRUE(service_->version(name, {}, false).ok()) << name;
  }
}

TEST_F(References, ThatFanOutAreParsedOnceEach) {
  service_->register_schema("D0", request_for("D0", {"int"})).value();
  constexpr int kLevels = 40;
  for (int level = 1; level <= kLevels; ++level) {
    const std::string below = fmt::format("D{}", level - 1);
    const std::string name = fmt::format("D{}", level);
    for (const char* side : {"a", "b"})
      service_->register_schema(name + side, request_for(name + side, {below})).value();
    service_->register_schema(name, request_for(name, {name + "a", name + "b"})).value();
  }
  restart();
  ASSERT_TRUE(service_->self_contained_text(3 * kLevels + 1).ok());
  EXPECT_EQ(service_->parses(), 3 * kLevels + 1);
}

TEST_F(References, AreFollowedWhenTheyChangeWhileAnotherRegistryWrites) {
  add("P", record_of("P", {"int"}));
  SchemaRequest request = request_for("Q", {"P"});
  request.references[0].version = -1;
  someone_registers_first("P", R"({"type":"record","name":"P","fields":[]})");
  const auto id = service_->register_schema("Q", request);
  ASSERT_TRUE(id.ok()) << id.status().message();
  EXPECT_EQ(service_->version("Q", {}, false)->references[0].version, 2);  // our first record came after theirs
}

class Parses : public RestApi {
 protected:
  int64_t parses_for(const std::function<void()>& what) {
    const int64_t before = service_->parses();
    what();
    return service_->parses() - before;
  }
};

TEST_F(Parses, AreAsFewAsThereAreNewTexts) {
  const std::string one = record("{\"name\":\"a\",\"type\":\"int\"}");
  const std::string two = record(R"({"name":"a","type":"int"},{"name":"b","type":"int","default":0})");
  const std::string other = record(R"({"name":"a","type":"string"})");
  struct Row {
    const char* name;
    std::function<std::string()> ask;
    const char* answer;
    int64_t parses;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"a new schema", [&] { return add("s", one); }, R"(200 {"id":1})", 1},
           {"again", [&] { return add("s", one); }, R"(200 {"id":1})", 1},
           {"under another subject", [&] { return add("t", one); }, R"(200 {"id":1})", 1},
           {"the next one, compared with the first", [&] { return add("s", two); }, R"(200 {"id":2})", 1},
           {"one that is refused", [&] { return add("s", other).substr(0, 3); }, "409", 1},
           {"one that is none", [&] { return add("s", "x").substr(0, 3); }, "422", 1},
           {"a look-up", [&] { return ask("POST", "/subjects/t", body_of(one)).substr(0, 3); }, "200", 1},
           {"a test", [&] { return ask("POST", "/compatibility/subjects/s/versions", body_of(two)); },
            R"(200 {"is_compatible":true})", 1},
           {"reading", [&] { return ask("GET", "/subjects/s/versions/1").substr(0, 3); }, "200", 0},
       }) {
    std::string answer;
    EXPECT_EQ(parses_for([&] { answer = row.ask(); }), row.parses) << row.name;
    EXPECT_EQ(answer, row.answer) << row.name;
  }
  // Those of the log are parsed when they are first needed.
  restart();
  EXPECT_EQ(parses_for([&] { add("s", record(R"({"name":"a","type":"int"},{"name":"c","type":"int","default":0})")); }),
            2);
  EXPECT_EQ(parses_for([&] { add("s", record(R"({"name":"a","type":"int"},{"name":"d","type":"int","default":0})")); }),
            1);
}

TEST_F(Parses, AreNoMoreWhenAnotherRegistryWritesFirst) {
  add("s", R"("int")");
  someone_registers_first("s", R"({"type":"int","x":1})");
  EXPECT_EQ(parses_for([&] { EXPECT_EQ(add("s", R"({"type":"int","x":2})"), R"(200 {"id":3})"); }), 2);  // and theirs
}

}  // namespace
}  // namespace muir::registry
