#include "base/config_def.h"

#include <gtest/gtest.h>

namespace muir {
namespace {

struct Limits {
  int32_t partitions = 0;
  bool create = false;
  double share = 0;
  std::string host;
  std::vector<std::string> dirs{"unset"};
  std::chrono::milliseconds retention{};
  int64_t at_least = 0;
  struct Inner {
    int64_t at_most = 0;
  } inner;
};

const ConfigDefOf<Limits>& limits() {
  using enum ConfigType;
  static const ConfigDefOf<Limits> def(
      "broker",
      {{{.name = "num.partitions", .type = int32, .fallback = "1", .min = 1, .max = 100}, &Limits::partitions},
       {{.name = "auto.create.topics.enable", .type = boolean, .fallback = "true"}, &Limits::create},
       {{.name = "cleanup.policy", .type = list, .fallback = "delete", .allowed = {"delete", "compact"}}},
       {{.name = "codec", .fallback = "none", .allowed = {"none", "lz4", "zstd"}}},
       {{.name = "sasl.jaas.config"}},
       {{.name = "pin", .type = int32, .secret = true}},
       {{.name = "quota.share", .type = float64, .fallback = "1", .above = 0, .below = 10}, &Limits::share},
       {{.name = "any.number", .type = float64, .fallback = "1"}},
       {{.name = "short.number", .type = int16}},
       {{.name = "host", .fallback = "localhost", .filled = true}, &Limits::host},
       {{.name = "log.dirs", .type = list, .fallback = "data"}, &Limits::dirs},
       {{.name = "retention.ms",
         .type = int64,
         .fallback = "5",
         .min = -1,
         .synonyms = {{"log.retention.ms"}, {"log.retention.minutes", 60'000}}},
        &Limits::retention},
       {{.name = "even",
         .type = int32,
         .check = [](std::string_view value) -> std::string {
           return config_integer(value).value_or(0) % 2 == 0 ? "" : "is not even";
         }}},
       {{.name = "at.least", .type = int64, .fallback = "1"}, &Limits::at_least},
       {{.name = "at.most", .type = int64, .fallback = "2"}, within(&Limits::inner, &Limits::Inner::at_most)}},
      {[](const Limits& limits, ConfigMistakes& out) {
        if (limits.at_least > limits.inner.at_most)
          out.push_back({"at.least", std::to_string(limits.at_least), "is more than at.most"});
      }});
  return def;
}

TEST(ConfigDef, WrongValuesAreRefusedWithWhatIsAllowed) {
  struct Case {
    Properties given;
    const char* want;  // without "configuration "
    const char* kafka;
  };
  for (const Case& c : std::initializer_list<Case>{
           {{{"num.partitions", "3"}}, "", ""},
           {{{"num.partitions", " +3 "}}, "", ""},
           {{{"num.partitions", "0"}},
            "num.partitions=0: expected a whole number from 1 to 100",
            "Value must be at least 1"},
           {{{"num.partitions", "101"}},
            "num.partitions=101: expected a whole number from 1 to 100",
            "Value must be no more than 100"},
           {{{"num.partitions", "3x"}},
            "num.partitions=3x: expected a whole number from 1 to 100",
            "Not a number of type INT"},
           {{{"num.partitions", ""}},
            "num.partitions=: expected a whole number from 1 to 100",
            "Not a number of type INT"},
           {{{"short.number", "40000"}},
            "short.number=40000: expected a whole number from -32768 to 32767",
            "Not a number of type SHORT"},
           {{{"log.retention.minutes", "x"}}, "log.retention.minutes=x: expected a whole number of at least -1", ""},
           {{{"auto.create.topics.enable", "yes"}},
            "auto.create.topics.enable=yes: expected true or false",
            "Expected value to be either true or false"},
           {{{"auto.create.topics.enable", "TRUE"}}, "", ""},
           {{{"quota.share", "0.5"}}, "", ""},
           {{{"quota.share", "-5"}}, "quota.share=-5: expected a number above 0 and below 10", "Value must be above 0"},
           {{{"quota.share", "10"}},
            "quota.share=10: expected a number above 0 and below 10",
            "Value must be below 10"},
           {{{"quota.share", "nan"}}, "quota.share=nan: expected a number above 0 and below 10", nullptr},
           {{{"quota.share", "1e400"}},
            "quota.share=1e400: expected a number above 0 and below 10",
            "Not a number of type DOUBLE"},
           {{{"any.number", "-1e300"}}, "", ""},
           {{{"any.number", "inf"}}, "any.number=inf: expected a number", nullptr},
           {{{"host", " "}}, "host= : expected something", "String must be non-empty"},
           {{{"cleanup.policy", "compact, delete"}}, "", ""},
           {{{"cleanup.policy", "drop"}},
            "cleanup.policy=drop: expected a list of delete, compact",
            "String must be one of: delete, compact"},
           {{{"codec", "gzip"}},
            "codec=gzip: expected one of none, lz4, zstd",
            "String must be one of: none, lz4, zstd"},
           {{{"even", "3"}}, "even=3: is not even", "is not even"},
           {{{"pin", "hush"}},
            "pin=[hidden]: expected a whole number from -2147483648 to 2147483647",
            "Not a number of type INT"},
           {{{"at.least", "3"}}, "at.least=3: is more than at.most", ""},
           {{{"somebody.elses", "x"}}, "", ""},
       }) {
    const std::string said = limits().validate(c.given).message();
    EXPECT_EQ(said, *c.want == 0 ? "" : "configuration " + std::string(c.want));
    const ConfigKey* key = limits().find(c.given.begin()->first);
    if (key != nullptr && c.kafka != nullptr) {
      EXPECT_EQ(why_wrong(*key, c.given.begin()->second), c.kafka);
    }
  }
}

TEST(ConfigDef, EveryMistakeIsToldAtOnce) {
  EXPECT_EQ(limits().validate({{"num.partitions", "0"}, {"host", ""}, {"codec", "lz4"}, {"even", "5"}}).message(),
            "configuration: 3 values are wrong\n"
            "  even=5: is not even\n"
            "  host=: expected something\n"
            "  num.partitions=0: expected a whole number from 1 to 100");
  const ConfigDef required("app", {{.name = "application.id", .required = true}, {.name = "b", .required = true}});
  EXPECT_EQ(required.validate({{"b", ""}}).message(),
            "configuration: 2 values are wrong\n"
            "  application.id is missing, and has no default\n"
            "  b is missing, and has no default");
}

TEST(ConfigDef, MembersTakeWhatIsGivenOrTheFallback) {
  const auto fallbacks = limits().read({});
  ASSERT_TRUE(fallbacks.ok());
  EXPECT_EQ(fallbacks->partitions, 1);
  EXPECT_TRUE(fallbacks->create);
  EXPECT_EQ(fallbacks->dirs, std::vector<std::string>{"data"});
  EXPECT_EQ(fallbacks->retention.count(), 5);
  EXPECT_EQ(fallbacks->inner.at_most, 2);
  const auto given = limits().read({{"num.partitions", " +7"},
                                    {"auto.create.topics.enable", "FALSE"},
                                    {"quota.share", "2.5"},
                                    {"log.dirs", "a, b,,c"},
                                    {"log.retention.minutes", "2"},
                                    {"at.most", "9"}});
  ASSERT_TRUE(given.ok());
  EXPECT_EQ(given->partitions, 7);
  EXPECT_FALSE(given->create);
  EXPECT_EQ(given->share, 2.5);
  EXPECT_EQ(given->dirs, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(given->retention.count(), 120'000);
  EXPECT_EQ(given->inner.at_most, 9);
  EXPECT_EQ(limits().read({{"log.dirs", ""}})->dirs, std::vector<std::string>());
}

TEST(ConfigDef, SynonymsCountInTheirOrderAndInTheirUnit) {
  const Properties given{{"log.retention.minutes", "2"}, {"log.retention.ms", "7"}};
  EXPECT_EQ(limits().value(given, "retention.ms"), "7");
  EXPECT_EQ(limits().value({{"log.retention.minutes", "-1"}}, "retention.ms"), "-1");
  std::vector<std::string> sources;
  for (const ConfigSource& one : limits().sources(given, *limits().find("retention.ms")))
    sources.push_back(fmt::format("{}={}{}", one.name, one.value, one.is_default ? " by default" : ""));
  EXPECT_EQ(sources, (std::vector<std::string>{"log.retention.ms=7", "log.retention.minutes=120000",
                                               "retention.ms=5 by default"}));
}

// What Connect's validate says of each key.
TEST(ConfigDef, ReportsEachKeyWithItsValueAndItsErrors) {
  const auto of = [](const Properties& given, std::string_view name) {
    for (const ConfigReport& one : limits().report(given)) {
      if (one.key->name == name) return one;
    }
    return ConfigReport();
  };
  using Strings = std::vector<std::string>;
  EXPECT_EQ(of({}, "num.partitions").value, "1");
  EXPECT_EQ(of({}, "codec").recommended, (Strings{"none", "lz4", "zstd"}));
  EXPECT_EQ(of({}, "auto.create.topics.enable").recommended, (Strings{"true", "false"}));
  EXPECT_EQ(of({{"num.partitions", "x"}}, "num.partitions").errors,
            Strings{"Invalid value x for configuration num.partitions: Not a number of type INT"});
  EXPECT_EQ(of({{"pin", "hush"}}, "pin").errors,
            Strings{"Invalid value [hidden] for configuration pin: Not a number of type INT"});
  EXPECT_EQ(of({{"sasl.jaas.config", "hush"}}, "sasl.jaas.config").value, "[hidden]");
  EXPECT_EQ(of({{"at.least", "3"}}, "at.least").errors,
            Strings{"Invalid value 3 for configuration at.least: is more than at.most"});
  const ConfigDef required("app", {{.name = "topics", .required = true}});
  EXPECT_EQ(required.report({}).front().errors,
            Strings{"Missing required configuration \"topics\" which has no default value."});
  EXPECT_EQ(required.report({}).front().value, std::nullopt);
}

TEST(ConfigDef, UnknownKeysAreNamedWithTheNearestKnownOne) {
  const auto warnings =
      limits().unknown_keys({{"num.partition", "1"}, {"producer.acks", "1"}, {"zzz", ""}}, {"producer."});
  EXPECT_EQ(warnings, (std::vector<std::string>{
                          "broker does not know the configuration key num.partition; did you mean num.partitions?",
                          "broker does not know the configuration key zzz"}));
}

TEST(ConfigDef, ASecretIsKnownByItsName) {
  for (const char* secret : {"ssl.keystore.password", "sasl.jaas.config", "SSL.KEY.PEM", "vts.http.ssl.keystore.key",
                             "oauth.client.secret", "access_token", "rdkafka.sasl.password"}) {
    EXPECT_TRUE(is_secret_name(secret)) << secret;
  }
  for (const char* open : {"ssl.keystore.location", "key.serializer", "application.id", "ssl.key"})
    EXPECT_FALSE(is_secret_name(open)) << open;
}

}  // namespace
}  // namespace muir
