// Expectations on the errors that stores raise.
#ifndef ROLLCALL_TESTING_DIST_ERROR_MATCHERS_H_
#define ROLLCALL_TESTING_DIST_ERROR_MATCHERS_H_

#include <optional>

#include "gtest/gtest.h"
#include "store/dist_error.h"

namespace rollcall {

// What `call` raised, or nullopt if it raised no DistError. Other exceptions pass.
template <typename Call>
std::optional<DistError> DistErrorOf(Call call) {
  try {
    call();
  } catch (const DistError& error) {
    return error;
  }
  return std::nullopt;
}

}  // namespace rollcall

// Fails unless `statement` raises a DistError with this code.
#define EXPECT_DIST_ERROR(statement, expected_code)        \
  do {                                                     \
    const std::optional<::rollcall::DistError> raised =    \
        ::rollcall::DistErrorOf([&] { statement; });       \
    if (!raised.has_value()) {                             \
      ADD_FAILURE() << #statement << " raised nothing";    \
    } else {                                               \
      EXPECT_EQ(::rollcall::ErrorCodeName(raised->code()), \
                ::rollcall::ErrorCodeName(expected_code))  \
          << raised->what();                               \
    }                                                      \
  } while (false)

#endif  // ROLLCALL_TESTING_DIST_ERROR_MATCHERS_H_
