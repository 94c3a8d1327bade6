// What goes wrong on a network while a soak runs: one trouble after another, at random.
#ifndef ROLLCALL_TOOLS_SOAK_TROUBLES_H_
#define ROLLCALL_TOOLS_SOAK_TROUBLES_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "fault_injection/proxy/fault_proxy.h"
#include "net/env.h"

namespace rollcall::soak {

// Troubles one route of a proxy from Start until its end, then leaves it healed. Each trouble is
// over before the next begins, after a pause. None changes a byte, so whoever gets an answer gets
// the right one.
class Troubles {
 public:
  // `env` and `proxy` must outlive it.
  static std::unique_ptr<Troubles> Start(net::Env& env, fault::FaultProxy& proxy, std::string route,
                                         uint64_t seed);
  virtual ~Troubles() = default;

  // How often each has been, by name.
  virtual std::map<std::string, int64_t> Counts() const = 0;
};

}  // namespace rollcall::soak

#endif  // ROLLCALL_TOOLS_SOAK_TROUBLES_H_
