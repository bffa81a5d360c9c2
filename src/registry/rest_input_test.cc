// What clients may get wrong, at every operation: each has its answer, none is an error of the server, and none writes.
#include <gtest/gtest.h>

#include "registry/rest_fixture.h"

namespace muir::registry {
namespace {

using schema::Json;

const std::string kInt = R"({"schema":"\"int\""})";
// A default that is no value of its field, as registries that do not validate have stored it.
const std::string kOdd =
    R"({"type":"record","name":"R","fields":[{"name":"a","type":"int","default":"x"},{"name":"b","type":"string","default":null}]})";

TEST_F(RestApi, AnswersRequestsOfTheWrongForm) {
  add("s", R"("int")");
  struct Row {
    const char* method;
    std::string target;
    std::string body;
    int code;
  };
  const size_t before = records_.all.size();
  for (const Row& row : std::initializer_list<Row>{
           // queries: what is malformed has not been left out
           {"GET", "/subjects?limit=%zz", "", 400},
           {"GET", "/subjects?deleted=%", "", 400},
           {"GET", "/subjects?%=1", "", 400},
           {"GET", "/schemas?latestOnly=%u0031", "", 400},
           {"DELETE", "/subjects/s?permanent=%", "", 400},
           {"DELETE", "/subjects/s/versions/1?permanent=tru%6", "", 400},
           {"POST", "/subjects/s/versions?normalize=%fg", kInt, 400},
           // no body, and bodies of another form
           {"POST", "/subjects/s/versions", "", 422},
           {"POST", "/subjects/s/versions", " \r\n", 422},
           {"POST", "/subjects/s/versions", "null", 422},
           {"POST", "/subjects/s", "", 422},
           {"POST", "/compatibility/subjects/s/versions", "", 422},
           {"PUT", "/config", "", 422},
           {"PUT", "/mode/s", "", 422},
           {"POST", "/subjects/s/versions", "{", 400},
           {"POST", "/subjects/s/versions", "[]", 400},
           {"POST", "/subjects/s/versions", "5", 400},
           {"POST", "/subjects/s/versions", "{\"schema\":\"\xC3(\"}", 400},
           {"POST", "/subjects/s/versions", R"({"schema":"\ud800"})", 400},
           {"POST", "/subjects/s/versions", std::string(1'000'000, '['), 400},
           {"PUT", "/config", "[]", 400},
           {"PUT", "/mode", "\"IMPORT\"", 400},
           // members of another type
           {"POST", "/subjects/s/versions", "{}", 42201},
           {"POST", "/subjects/s/versions", R"({"schema":null})", 42201},
           {"POST", "/subjects/s/versions", R"({"schema":5})", 42201},
           {"POST", "/subjects/s/versions", R"({"schema":{"type":"int"}})", 400},
           {"POST", "/subjects/s/versions", R"({"schema":["int"]})", 400},
           {"POST", "/subjects/s/versions", R"({"schema":"\"int\"","schemaType":[]})", 400},
           {"POST", "/subjects/s/versions", R"({"schema":"\"int\"","schemaType":"avro"})", 42201},
           {"POST", "/subjects/s/versions", R"({"schema":"\"int\"","references":{}})", 400},
           {"POST", "/subjects/s/versions", R"({"schema":"\"int\"","references":[5]})", 42201},
           {"POST", "/subjects/s/versions", R"({"schema":"\"int\"","version":"x"})", 400},
           {"POST", "/subjects/s/versions", R"({"schema":"\"int\"","version":1.5})", 400},
           {"POST", "/subjects/s/versions", R"({"schema":"\"int\"","version":true})", 400},
           {"POST", "/subjects/s/versions", R"({"schema":"\"int\"","version":4294967297})", 400},
           {"POST", "/subjects/s/versions", R"({"schema":"\"int\"","version":-7})", 42202},
           {"POST", "/subjects/s/versions", R"({"schema":"\"int\"","id":{}})", 400},
           {"POST", "/subjects/s/versions", R"({"schema":"\"int\"","id":1e3})", 400},
           {"POST", "/subjects/s/versions", R"({"schema":"\"int\"","id":99999999999999999999})", 400},
           {"POST", "/subjects/s/versions", R"({"schema":"\"int\"","id":"7"})", 42205},
           {"POST", "/subjects/s/versions", R"({"schema":"\"int\"","id":0})", 42205},
           {"PUT", "/config/s", R"({"compatibility":5})", 42203},
           {"PUT", "/config/s", "{}", 42203},
           {"PUT", "/mode/s", R"({"mode":null})", 42204},
           // a number asks for that version
           {"POST", "/subjects/s/versions", R"({"schema":"\"int\"","version":7})", 42201},
           {"POST", "/subjects/s/versions", R"({"schema":"\"int\"","version":1})", 42201},
           {"POST", "/subjects/s/versions", R"({"schema":"\"int\"","version":"7"})", 42201},
           // placeholders
           {"POST", "/subjects/%C3%28/versions", kInt, 42208},
           {"POST", "/subjects/%FF/versions", kInt, 42208},
           {"POST", "/subjects/%ED%A0%80/versions", kInt, 42208},
           {"POST", "/subjects/a%00b/versions", kInt, 42208},
           {"POST", "/subjects/a%C2%85b/versions", kInt, 42208},
           {"POST", "/subjects/__GLOBAL/versions", kInt, 42208},
           {"POST", "/subjects/%C3%28", kInt, 42208},
           {"POST", "/compatibility/subjects/%C3%28/versions/latest", kInt, 42208},
           {"PUT", "/config/%C3%28", R"({"compatibility":"NONE"})", 42208},
           {"PUT", "/config/:.ctx:s", R"({"compatibility":"NONE"})", 42208},
           {"PUT", "/mode/%C3%28", R"({"mode":"READONLY"})", 42208},
           {"PUT", "/mode/__EMPTY", R"({"mode":"READONLY"})", 42208},
           {"GET", "/subjects/%C3%28/versions", "", 40401},
           {"DELETE", "/subjects/%C3%28", "", 40401},
           {"DELETE", "/config/%C3%28", "", 40401},
           {"GET", "/mode/%C3%28", "", 40409},
           {"GET", "/subjects/s/versions/1%2E0", "", 42202},
           {"GET", "/subjects/s/versions/-2", "", 42202},
           {"GET", "/subjects/s/versions/%C3%28", "", 42202},
           {"GET", "/schemas/ids/-1", "", 40403},
           {"GET", "/schemas/ids/99999999999", "", 404},
           {"GET", "/schemas/ids/1x", "", 404},
           // pages
           {"GET", "/subjects?limit=abc", "", 404},
           {"GET", "/subjects?offset=1.5", "", 404},
           {"GET", "/subjects?limit=99999999999", "", 404},
           {"GET", "/subjects?offset=-1", "", 422},
           {"GET", "/subjects/s/versions?limit=abc", "", 404},
           {"GET", "/subjects/s/versions/1/referencedby?offset=x", "", 404},
           {"GET", "/schemas?limit=abc", "", 404},
           {"GET", "/schemas/ids/1/subjects?limit=abc", "", 404},
           {"GET", "/schemas/ids/1/versions?offset=-2147483648", "", 422},
       }) {
    const std::string answer = ask(row.method, row.target, row.body);
    const int status = row.code >= 1000 ? row.code / 100 : row.code;
    EXPECT_EQ(answer.substr(0, 3), std::to_string(status))
        << row.target << " " << row.body.substr(0, 80) << ": " << answer;
    EXPECT_EQ(code_of(answer), row.code) << row.target << " " << row.body.substr(0, 80) << ": " << answer;
  }
  EXPECT_EQ(records_.all.size(), before);
}

TEST_F(RestApi, TakesWhatMeansTheSame) {
  add("s", R"("int")");
  add("t", R"("int")");
  const std::pair<std::string, std::string> cases[]{
      {"/subjects?limit=0", R"(200 ["s","t"])"},
      {"/subjects?limit=-5&offset=", R"(200 ["s","t"])"},
      {"/subjects?limit=1", R"(200 ["s"])"},
      {"/subjects?offset=1&limit=9", R"(200 ["t"])"},
      {"/subjects?offset=2147483647", "200 []"},
      {"/subjects?subjectPrefix=%C3%28", "200 []"},
      {"/subjects?deleted=yes&deletedOnly=1", R"(200 ["s","t"])"},
      {"/subjects?deletedOnly=TrUe", "200 []"},
      {"/subjects/s/versions/LaTeSt/schema", R"(200 "int")"},
      {"/schemas/ids/001/schema", R"(200 "int")"},
      {"/schemas/ids/1/subjects?subject=%FF", "200 []"},
  };
  for (const auto& [target, expected] : cases) EXPECT_EQ(ask("GET", target), expected) << target;
  const size_t before = records_.all.size();
  for (const std::string body : {R"({"schema":"\"int\"","version":0,"id":-1})", R"({"schema":"\"int\"","version":-1})",
                                 R"({"schema":"\"int\"","version":1,"id":1})",
                                 R"({"schema":"\"int\"","version":"1","id":"1"})", R"(﻿{"schema":"\"int\""})"})
    EXPECT_EQ(ask("POST", "/subjects/s/versions", body), R"(200 {"id":1})") << body;
  EXPECT_EQ(records_.all.size(), before);
  EXPECT_EQ(ask("POST", "/subjects/s/versions", R"({"schema":"\"int\"","version":2})"), R"(200 {"id":1})");
  EXPECT_EQ(ask("GET", "/subjects/s/versions"), "200 [1,2]");  // the number of the next version makes one
}

// "latest" is the newest version that is not deleted, whatever else is asked for.
TEST_F(RestApi, LatestIsNoDeletedVersion) {
  const auto schema = [](int n) { return fmt::format(R"({{"type":"int","x":{}}})", n); };
  for (int n = 1; n <= 3; ++n) add("s", schema(n));
  ask("DELETE", "/subjects/s/versions/3");
  const std::string second = Json{{"subject", "s"}, {"version", 2}, {"id", 2}, {"schema", schema(2)}}.to_string();
  for (const char* target : {"/subjects/s/versions/latest", "/subjects/s/versions/latest?deleted=true",
                             "/subjects/s/versions/-1?deleted=true"})
    EXPECT_EQ(ask("GET", target), "200 " + second) << target;
  EXPECT_EQ(code_of(ask("DELETE", "/subjects/s/versions/latest?permanent=true")), 40407);
  EXPECT_EQ(ask("GET", "/subjects/s/versions?deleted=true"), "200 [1,2,3]");
  EXPECT_EQ(ask("DELETE", "/subjects/s/versions/latest"), "200 2");
  EXPECT_EQ(ask("DELETE", "/subjects/s/versions/latest"), "200 1");
  EXPECT_EQ(code_of(ask("DELETE", "/subjects/s/versions/latest")), 40402);
  EXPECT_EQ(code_of(ask("DELETE", "/subjects/s/versions/latest?permanent=true")), 40402);
  EXPECT_EQ(code_of(ask("GET", "/subjects/s/versions/latest?deleted=true")), 40402);
  EXPECT_EQ(code_of(ask("GET", "/subjects/s/versions/latest")), 40401);
  EXPECT_EQ(ask("DELETE", "/subjects/s/versions/3?permanent=true"), "200 3");
  EXPECT_EQ(ask("GET", "/subjects/s/versions?deleted=true"), "200 [1,2]");
}

// Every operation with everything that is odd in any of its parts.
TEST_F(RestApi, NoRequestIsTheServersFaultAndNoRefusedOneWrites) {
  const std::vector<std::string> values{"s",
                                        "latest",
                                        "-1",
                                        "0",
                                        "1",
                                        "4294967296",
                                        "%C3%28",
                                        "%00",
                                        "%2F",
                                        "%25",
                                        ":.c:s",
                                        ":*:s",
                                        "__GLOBAL",
                                        "%F0%9F%9A%8C",
                                        "%22%5C",
                                        "%EF%BF%BD",
                                        std::string(9000, 'x'),
                                        "1%20",
                                        "%ED%A0%80"};
  const std::vector<std::string> queries{"",
                                         "limit=0&offset=0",
                                         "limit=-1&offset=-1",
                                         "limit=x",
                                         "deleted=true&deletedOnly=true&permanent=true&force=true&verbose=true",
                                         "subject=%C3%28&subjectPrefix=%C3%28&%zz=%zz&=&&&",
                                         "subject=s&fetchMaxId=true&latestOnly=true&deletedAsNegative=true"};
  std::vector<std::string> bodies{"", "null", "[]", "{}", "\xFF", "{\"a\":", std::string(200'000, '{')};
  const std::vector<std::string> odd{"null",
                                     "5",
                                     "-1",
                                     "1.5",
                                     "1e999",
                                     "99999999999999999999",
                                     "true",
                                     "{}",
                                     "[]",
                                     "[null]",
                                     R"("")",
                                     R"("x")",
                                     R"("\u0000")",
                                     R"("\"int\"")",
                                     R"([{"name":"n","subject":"s","version":-1}])"};
  for (const char* member : {"schema", "schemaType", "references", "version", "id", "metadata", "ruleSet",
                             "compatibility", "mode", "normalize"}) {
    for (const auto& value : odd) {
      bodies.push_back(fmt::format(R"({{"{}":{}}})", member, value));
      bodies.push_back(
          fmt::format(R"({{"schema":"\"int\"","compatibility":"FULL","mode":"READWRITE","{}":{}}})", member, value));
    }
  }
  const auto send = [&](const net::HttpRequest& request) {
    const size_t before = records_.all.size();
    const auto response = rest_->answer(request);
    const std::string what = fmt::format("{} {} ?{} {}", request.method, request.raw_path.substr(0, 100), request.query,
                                         request.body.substr(0, 100));
    ASSERT_LT(response.status, 500) << what << ": " << response.body;
    const auto json = Json::parse(response.body);
    ASSERT_TRUE(json.ok()) << what << ": " << response.body.substr(0, 200);
    if (response.status == 200) return;
    const Json* code = json->find("error_code");
    ASSERT_TRUE(code != nullptr && code->to_string().starts_with(std::to_string(response.status))) << what;
    ASSERT_FALSE(json->find("message")->as_string()->empty()) << what;
    ASSERT_LT(response.body.size(), 20'000U) << what;
    ASSERT_EQ(records_.all.size(), before) << what << ": refused, and written: " << response.body;
  };
  for (const auto& route : rest_routes(*service_)) {
    const bool has_places = route.path.find('{') != std::string::npos;
    for (size_t i = 0; i < (has_places ? values.size() : 1); ++i) {
      net::HttpRequest request{.method = route.method, .raw_path = route.path};
      size_t next = i;
      for (size_t open = request.raw_path.find('{'); open != std::string::npos;
           open = request.raw_path.find('{', open)) {
        const std::string& value = values[next++ % values.size()];
        request.raw_path.replace(open, request.raw_path.find('}', open) + 1 - open, value);
        open += value.size();
      }
      for (const auto& query : queries) {
        request.query = query;
        request.body = kInt;
        send(request);
      }
      if (route.method == "GET" || i > 3) continue;
      request.query.clear();
      for (const auto& body : bodies) {
        request.body = body;
        send(request);
      }
    }
  }
  // What is in the log can be read again, all of it.
  const std::string all =
      ask("GET", "/schemas?deleted=true") + ask("GET", "/subjects?deleted=true") + ask("GET", "/config");
  restart();
  EXPECT_EQ(ask("GET", "/schemas?deleted=true") + ask("GET", "/subjects?deleted=true") + ask("GET", "/config"), all);
}

TEST_F(RestApi, HoldsOnlyNewSchemasToTheRulesOfDefaults) {
  // Written by a registry that does not validate.
  records_.all.emplace_back(
      R"({"keytype":"SCHEMA","subject":"s","version":1,"magic":1})",
      Json{{"subject", "s"}, {"version", 1}, {"id", 7}, {"schema", kOdd}, {"deleted", false}}.to_string());
  restart();
  const Json stored{{"subject", "s"}, {"version", 1}, {"id", 7}, {"schema", kOdd}};
  EXPECT_EQ(ask("POST", "/subjects/s", body_of(kOdd)), "200 " + stored.to_string());
  EXPECT_EQ(add("s", kOdd), R"(200 {"id":7})");
  EXPECT_EQ(add("t", kOdd), R"(200 {"id":7})");  // not new under another subject
  EXPECT_EQ(ask("POST", "/compatibility/subjects/s/versions/latest?verbose=true", body_of(kOdd)),
            R"(200 {"is_compatible":true,"messages":[]})");
  const std::string wider =
      R"({"type":"record","name":"R","fields":[{"name":"a","type":"long"},{"name":"b","type":"string"}]})";
  EXPECT_EQ(ask("POST", "/compatibility/subjects/s/versions", body_of(wider)), R"(200 {"is_compatible":true})");
  EXPECT_EQ(add("s", wider), R"(200 {"id":8})");

  const std::string new_one = R"({"type":"record","name":"Q","fields":[{"name":"a","type":"int","default":"x"}]})";
  EXPECT_EQ(code_of(add("q", new_one)), 42201);
  EXPECT_EQ(code_of(ask("POST", "/compatibility/subjects/q/versions/latest", body_of(new_one))), 42201);
  EXPECT_EQ(code_of(ask("POST", "/subjects/s", body_of(new_one))), 40403);  // asked for, not registered
  ask("PUT", "/mode/i", R"({"mode":"IMPORT"})");
  const Json imported{{"schema", new_one}, {"id", 50}};
  EXPECT_EQ(ask("POST", "/subjects/i/versions", imported.to_string()), R"(200 {"id":50})");
  const Json odd_name{{"schema", R"({"type":"fixed","name":"a-b","size":1})"}, {"id", 51}};
  EXPECT_EQ(ask("POST", "/subjects/i/versions", odd_name.to_string()), R"(200 {"id":51})");
  EXPECT_EQ(code_of(add("q", R"({"type":"fixed","name":"c-d","size":1})")), 42201);
}

TEST_F(RestApi, ValidatesNoDefaultsWhenToldSo) {
  options_.validate_new_schemas = false;
  restart();
  EXPECT_EQ(add("s", kOdd), R"(200 {"id":1})");
  EXPECT_EQ(ask("POST", "/compatibility/subjects/s/versions/latest", body_of(kOdd)), R"(200 {"is_compatible":true})");
  EXPECT_EQ(code_of(add("s", R"({"type":"fixed","name":"c-d","size":1})")), 42201);  // names are another matter
  restart();
  EXPECT_EQ(add("s", kOdd), R"(200 {"id":1})");
}

TEST_F(RestApi, TakesNamesOfEveryScript) {
  const std::string schema =
      R"({"type":"record","name":"größe","namespace":"日本","fields":[{"name":"имя","type":{"type":"enum","name":"E","symbols":["ä"]}}]})";
  EXPECT_EQ(add("gr%C3%B6%C3%9Fe", schema), R"(200 {"id":1})");
  EXPECT_EQ(ask("GET", "/subjects/gr%C3%B6%C3%9Fe/versions/1/schema"), "200 " + schema);
  EXPECT_EQ(ask("GET", "/subjects"), "200 [\"größe\"]");
}

TEST_F(RestApi, ReadonlyOverrideStandsAboveWhatSubjectsSay) {
  add("s", R"("int")");
  ask("PUT", "/mode/s", R"({"mode":"READWRITE"})");
  ask("PUT", "/mode/i", R"({"mode":"IMPORT"})");
  EXPECT_EQ(ask("PUT", "/mode", R"({"mode":"readonly_override"})"), R"(200 {"mode":"READONLY_OVERRIDE"})");
  const size_t before = records_.all.size();
  struct Row {
    const char* method;
    const char* target;
    std::string body;
    std::string expected;  // a code, or the answer
  };
  for (const Row& row : std::initializer_list<Row>{
           {"GET", "/mode", "", R"(200 {"mode":"READONLY_OVERRIDE"})"},
           {"GET", "/mode/s", "", R"(200 {"mode":"READONLY_OVERRIDE"})"},
           {"GET", "/mode/none", "", R"(200 {"mode":"READONLY_OVERRIDE"})"},
           {"GET", "/mode/s?defaultToGlobal=true", "", R"(200 {"mode":"READONLY_OVERRIDE"})"},
           {"POST", "/subjects/s/versions", kInt, R"(200 {"id":1})"},  // known already
           {"POST", "/subjects/s/versions", R"({"schema":"\"long\""})", "42205"},
           {"POST", "/subjects/i/versions", R"({"schema":"\"long\"","id":9})", "42205"},
           {"POST", "/compatibility/subjects/s/versions", kInt, R"(200 {"is_compatible":true})"},
           {"DELETE", "/subjects/s", "", "42205"},
           {"DELETE", "/subjects/s/versions/1", "", "42205"},
           {"PUT", "/config/s", R"({"compatibility":"NONE"})", "42205"},
           {"PUT", "/config", R"({"compatibility":"NONE"})", "42205"},
           {"DELETE", "/config", "", "42205"},
       }) {
    const std::string answer = ask(row.method, row.target, row.body);
    if (row.expected.size() == 5)
      EXPECT_EQ(code_of(answer), std::stoi(row.expected)) << row.method << " " << row.target << ": " << answer;
    else
      EXPECT_EQ(answer, row.expected) << row.method << " " << row.target;
  }
  EXPECT_EQ(records_.all.size(), before);
  EXPECT_EQ(ask("PUT", "/mode", R"({"mode":"READWRITE"})"), R"(200 {"mode":"READWRITE"})");  // the way out
  EXPECT_EQ(ask("GET", "/mode/i"), R"(200 {"mode":"IMPORT"})");
  EXPECT_EQ(ask("DELETE", "/subjects/s"), "200 [1]");
}

// Registries have written the same key in other bytes, which compaction takes for another key.
TEST_F(RestApi, WhatIsDeletedStaysSoHoweverItsKeyIsSpelled) {
  struct Row {
    const char* name;
    std::vector<std::pair<std::string, std::string>> records;  // keys that stand for the same, and their values
    const char* read;                                          // and what it answers when they are gone
    const char* gone;
    std::vector<const char*> deletes;
  };
  const std::string schema = R"({"subject":"s","version":1,"id":3,"schema":"\"int\"","deleted":false})";
  for (const Row& row : std::initializer_list<Row>{
           {"the global level",
            {{R"({"keytype":"CONFIG","subject":null,"magic":0})", R"({"subject":null,"compatibilityLevel":"FULL"})"},
             {R"({"keytype":"CONFIG","magic":0})", R"({"compatibilityLevel":"NONE"})"}},
            "/config",
            R"(200 {"compatibilityLevel":"BACKWARD"})",
            {"/config"}},
           {"the global level, the other way round",
            {{R"({"keytype":"CONFIG","magic":0})", R"({"compatibilityLevel":"NONE"})"},
             {R"({"keytype":"CONFIG","subject":null,"magic":0})", R"({"subject":null,"compatibilityLevel":"FULL"})"}},
            "/config",
            R"(200 {"compatibilityLevel":"BACKWARD"})",
            {"/config"}},
           {"the global mode",
            {{R"({"magic":0,"keytype":"MODE"})", R"({"mode":"READONLY"})"},
             {R"({"keytype":"MODE","subject":null,"magic":0})", R"({"mode":"READONLY"})"}},
            "/mode",
            R"(200 {"mode":"READWRITE"})",
            {"/mode"}},
           {"a subject's level",
            {{R"({"subject":"s","magic":0,"keytype":"CONFIG"})", R"({"subject":"s","compatibilityLevel":"FULL"})"},
             {R"({"keytype":"CONFIG","subject":"s","magic":0})", R"({"subject":"s","compatibilityLevel":"FULL"})"}},
            "/config/s?defaultToGlobal=true",
            R"(200 {"compatibilityLevel":"BACKWARD"})",
            {"/config/s"}},
           {"a version",
            {{R"({"subject": "s", "version": 1, "magic": 1, "keytype": "SCHEMA"})", schema}},
            "/schemas?deleted=true",
            "200 []",
            {"/subjects/s", "/subjects/s?permanent=true"}},
       }) {
    records_.all.clear();
    for (const auto& [key, value] : row.records) records_.all.emplace_back(key, value);
    restart();
    EXPECT_NE(ask("GET", row.read), row.gone) << row.name;
    for (const char* target : row.deletes) EXPECT_EQ(ask("DELETE", target).substr(0, 3), "200") << row.name;
    EXPECT_EQ(ask("GET", row.read), row.gone) << row.name;
    compact();
    restart();
    EXPECT_EQ(ask("GET", row.read), row.gone) << row.name << ": it came back";
  }
}

TEST_F(RestApi, AChangedSettingStaysSoHoweverItsKeyWasSpelled) {
  records_.all.emplace_back(R"({"keytype":"CONFIG","subject":null,"magic":0})",
                            R"({"subject":null,"compatibilityLevel":"FULL","normalize":true})");
  restart();
  ask("PUT", "/config", R"({"compatibility":"NONE"})");
  EXPECT_EQ(newest(R"({"keytype":"CONFIG","magic":0})"), R"({"compatibilityLevel":"NONE","normalize":true})");
  compact();
  restart();
  EXPECT_EQ(ask("GET", "/config"), R"(200 {"compatibilityLevel":"NONE"})");
}

}  // namespace
}  // namespace muir::registry
