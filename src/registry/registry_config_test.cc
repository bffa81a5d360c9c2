#include "registry/registry_config.h"

#include <gtest/gtest.h>

#include "registry/registry.h"

namespace muir::registry {
namespace {

TEST(RegistryConfig, ReadsItsKeysAndNamesWhatIsWrong) {
  RegistryOptions options;
  ASSERT_TRUE(registry_config().read_into(options, {}).ok());
  EXPECT_TRUE(options.validate_new_schemas);
  ASSERT_TRUE(registry_config().read_into(options, {{"schema.validate.new.schemas", "false"}, {"log.dirs", "x"}}).ok());
  EXPECT_FALSE(options.validate_new_schemas);
  const Status wrong = registry_config().read_into(options, {{"schema.validate.new.schemas", "perhaps"}});
  EXPECT_EQ(wrong.code(), Code::invalid_argument);
  EXPECT_NE(wrong.message().find("schema.validate.new.schemas"), std::string::npos) << wrong.message();
}

}  // namespace
}  // namespace muir::registry
