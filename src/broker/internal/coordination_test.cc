// What clients begin with does not stand behind whatever topics are being made.
#include <future>

#include "broker/internal/core_fixture.h"
#include "wire/messages/find_coordinator.h"

namespace muir::broker {
namespace {

using Coordination = CoreFixture;

TEST_F(Coordination, DoesNotWaitForTheThreadThatMakesTopics) {
  std::promise<void> made;
  core_->context().admin->post([done = made.get_future().share()] { done.wait(); });
  for (const int8_t type : {int8_t{0}, int8_t{1}}) {
    wire::FindCoordinatorRequest find;
    find.key = "someone";
    find.key_type = type;
    const auto found = ask(find, 3);
    EXPECT_EQ(found.error_code, wire::ErrorCode::none);
    EXPECT_EQ(found.node_id, core_->context().node_id());
  }
  EXPECT_EQ(init(std::nullopt).error_code, wire::ErrorCode::none);
  const auto producer = init("transactional");
  EXPECT_EQ(producer.error_code, wire::ErrorCode::none);
  EXPECT_EQ(add_partition("transactional", producer), wire::ErrorCode::none);
  made.set_value();
}

}  // namespace
}  // namespace muir::broker
