#include "apps/vts/stats.h"

#include "apps/vts/view_fixture.h"

namespace muir::vts {
namespace {

// The board, asked once a second as the feed does.
class Board {
 public:
  Board() : board_(clock_, "test") {}
  // `positions` arrive in each of so many seconds; the rate at the end.
  double seconds(int count, int64_t positions) {
    double rate = 0;
    for (int i = 0; i < count; ++i) {
      totals_.counts.received += positions;
      clock_.advance_ms(1000);
      rate = board_.stats(totals_).positions_per_second;
    }
    return rate;
  }
  void begin() { board_.begin_rate(); }
  double now() { return board_.stats(totals_).positions_per_second; }

 private:
  ManualClock clock_{1'000'000};
  StatsBoard board_;
  ViewTotals totals_;
};

TEST(Rate, IsRightFromTheStart) {
  Board board;
  // Three seconds in which the topics are read again: 168,686 positions of former times.
  EXPECT_EQ(board.seconds(1, 100'000), 0);
  EXPECT_EQ(board.seconds(2, 34'343), 0);
  board.begin();
  EXPECT_EQ(board.now(), 0);
  EXPECT_EQ(board.seconds(7, 0), 0) << "before the first position";
  EXPECT_EQ(board.seconds(1, 85), 85);
  EXPECT_EQ(board.seconds(1, 85), 85);
  EXPECT_EQ(board.seconds(20, 85), 85);
  EXPECT_EQ(board.seconds(100, 85), 85);
}

TEST(Rate, IsTheMeanOfHalfAMinute) {
  Board board;
  board.begin();
  board.now();
  for (int burst = 0; burst < 4; ++burst) {  // as a gateway that posts every 15 seconds
    board.seconds(1, 1500);
    board.seconds(14, 0);
  }
  EXPECT_EQ(board.now(), 100);
  EXPECT_EQ(board.seconds(15, 0), 50);
  EXPECT_EQ(board.seconds(30, 0), 0);
  EXPECT_EQ(board.seconds(1, 40), 40) << "after a silence it begins anew";
}

TEST(Rate, OfOneMomentIsOfASecondAtLeast) {
  Board board;
  board.begin();
  board.now();
  EXPECT_EQ(board.seconds(1, 3), 3);
  EXPECT_EQ(board.now(), 3);
}

}  // namespace
}  // namespace muir::vts
