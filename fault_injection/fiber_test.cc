#include "fault_injection/fiber.h"

#include <cerrno>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "fault_injection/sanitizers.h"
#include "gtest/gtest.h"

namespace rollcall::fault {
namespace {

// A fiber that a test hands the turn to and gets it back from.
class Partner {
 public:
  explicit Partner(std::function<void(Partner&)> body)
      : body_(std::move(body)), fiber_(&Partner::Main, this) {}

  // In the test: until the body calls Back() or has ended.
  void Go() { Fiber::Switch(test_, fiber_); }
  // In the body.
  void Back() { Fiber::Switch(fiber_, test_); }
  bool has_ended() const { return has_ended_; }

 private:
  static void Main(void* self) {
    auto& partner = *static_cast<Partner*>(self);
    partner.body_(partner);
    partner.has_ended_ = true;
    Fiber::SwitchForGood(partner.fiber_, partner.test_);
  }

  std::function<void(Partner&)> body_;
  Fiber test_;
  Fiber fiber_;
  bool has_ended_ = false;
};

TEST(FiberTest, KeepsItsLocalsWhileOthersRun) {
  std::vector<int> seen;
  const auto count_from = [&seen](int start) {
    return [&seen, start](Partner& self) {
      for (int i = start; i < start + 3; ++i) {
        seen.push_back(i);
        self.Back();
      }
    };
  };
  Partner ones(count_from(1));
  Partner tens(count_from(10));
  while (!ones.has_ended()) {
    ones.Go();
    tens.Go();
  }
  EXPECT_EQ(seen, (std::vector<int>{1, 10, 2, 11, 3, 12}));
  EXPECT_TRUE(tens.has_ended());
}

TEST(FiberTest, ExceptionsAreThrownAndCaughtOnIt) {
  std::string caught;
  Partner partner([&](Partner&) {
    try {
      std::vector<int>().at(7);
    } catch (const std::out_of_range& error) {
      caught = error.what();
    }
  });
  partner.Go();
  EXPECT_NE(caught, "");
}

TEST(FiberTest, ACatchBlockMayGiveTheTurnAway) {
  std::string caught;
  Partner partner([&](Partner& self) {
    try {
      throw std::runtime_error("of the fiber");
    } catch (...) {
      self.Back();
      try {
        throw;
      } catch (const std::exception& error) {
        caught = error.what();
      }
    }
  });
  partner.Go();
  EXPECT_EQ(std::current_exception(), nullptr);
  try {
    throw std::runtime_error("of the test");
  } catch (const std::exception& error) {
    partner.Go();
    EXPECT_STREQ(error.what(), "of the test");
  }
  EXPECT_EQ(caught, "of the fiber");
}

TEST(FiberTest, ADestructorThatRunsBecauseOfAnExceptionMayGiveTheTurnAway) {
  struct GivesWay {
    explicit GivesWay(Partner& partner) : self(partner) {}
    ~GivesWay() {
      in_flight_before = std::uncaught_exceptions();
      self.Back();
      in_flight_after = std::uncaught_exceptions();
    }
    Partner& self;
    int& in_flight_before = self_before();
    int& in_flight_after = self_after();
    static int& self_before() {
      static int count;
      return count;
    }
    static int& self_after() {
      static int count;
      return count;
    }
  };
  bool caught = false;
  Partner partner([&](Partner& self) {
    try {
      GivesWay gives_way(self);
      throw 1;
    } catch (int) {
      caught = true;
    }
  });
  partner.Go();
  EXPECT_EQ(std::uncaught_exceptions(), 0);
  try {
    throw 2;
  } catch (int) {
  }
  EXPECT_FALSE(caught);
  partner.Go();
  EXPECT_TRUE(caught);
  EXPECT_EQ(GivesWay::self_before(), 1);
  EXPECT_EQ(GivesWay::self_after(), 1);
}

TEST(FiberTest, HasAnErrnoOfItsOwn) {
  int seen = -1;
  Partner partner([&](Partner& self) {
    errno = ENOENT;
    self.Back();
    seen = errno;
  });
  errno = EPERM;
  partner.Go();
  EXPECT_EQ(errno, EPERM);
  errno = EBADF;
  partner.Go();
  EXPECT_EQ(seen, ENOENT);
  EXPECT_EQ(errno, EBADF);
}

TEST(FiberTest, AStackIsUsedAgain) {
  const void* first = nullptr;
  const void* second = nullptr;
  for (const void** place : {&first, &second}) {
    Partner partner([place](Partner& self) {
      *place = __builtin_frame_address(0);
      (void)self;
    });
    partner.Go();
  }
  EXPECT_EQ(first, second);
}

TEST(FiberTest, ManyAreAliveAtOnce) {
#ifdef ROLLCALL_TSAN
  constexpr int kFibers = 200;  // A thread of the ThreadSanitizer takes 10 ms to make.
#else
  constexpr int kFibers = 2000;
#endif
  int alive = 0;
  std::vector<std::unique_ptr<Partner>> partners;
  for (int i = 0; i < kFibers; ++i) {
    partners.push_back(std::make_unique<Partner>([&alive](Partner& self) {
      ++alive;
      self.Back();
      --alive;
    }));
    partners.back()->Go();
  }
  EXPECT_EQ(alive, kFibers);
  for (const auto& partner : partners) partner->Go();
  EXPECT_EQ(alive, 0);
}

}  // namespace
}  // namespace rollcall::fault
