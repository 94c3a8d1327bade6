// The contract of the system calls, on this machine's kernel and through a decorator.
#include "testing/syscalls_contract.h"

#include "gtest/gtest.h"
#include "net/syscalls.h"
#include "net/syscalls_decorator.h"

namespace rollcall {
namespace {

INSTANTIATE_TEST_SUITE_P(Real, SyscallsContract,
                         testing::Values(SyscallsContractParam{"Kernel",
                                                               [](const auto& scenario) {
                                                                 scenario(net::RealSyscalls());
                                                               }},
                                         SyscallsContractParam{"Decorated",
                                                               [](const auto& scenario) {
                                                                 net::SyscallsDecorator decorator;
                                                                 scenario(decorator);
                                                               }}),
                         NameOfSyscallsContractParam);

}  // namespace
}  // namespace rollcall
