// How a kernel's TCP behaves, as a suite on net::Syscalls: what our network code was written for,
// and so what a simulated kernel must do too.
//
//   INSTANTIATE_TEST_SUITE_P(Mine, SyscallsContract, testing::Values(SyscallsContractParam{...}),
//                            NameOfSyscallsContractParam);
#ifndef ROLLCALL_TESTING_SYSCALLS_CONTRACT_H_
#define ROLLCALL_TESTING_SYSCALLS_CONTRACT_H_

#include <functional>
#include <string>

#include "gtest/gtest.h"
#include "net/syscalls.h"

namespace rollcall {

struct SyscallsContractParam {
  std::string name;  // For the test's name: letters, digits and _.
  // Runs `scenario` to its end, where it may make blocking calls.
  std::function<void(const std::function<void(net::Syscalls&)>& scenario)> run;
};

std::string NameOfSyscallsContractParam(const testing::TestParamInfo<SyscallsContractParam>& info);

class SyscallsContract : public testing::TestWithParam<SyscallsContractParam> {
 protected:
  void Run(const std::function<void(net::Syscalls&)>& scenario) { GetParam().run(scenario); }
};

}  // namespace rollcall

#endif  // ROLLCALL_TESTING_SYSCALLS_CONTRACT_H_
