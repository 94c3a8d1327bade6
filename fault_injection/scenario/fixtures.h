// What a scenario's author adds in C++: worker steps of their own, called by name.
#ifndef ROLLCALL_FAULT_INJECTION_SCENARIO_FIXTURES_H_
#define ROLLCALL_FAULT_INJECTION_SCENARIO_FIXTURES_H_

#include <functional>
#include <map>
#include <string>

#include "absl/time/time.h"
#include "net/env.h"
#include "store/collectives.h"
#include "store/store.h"

namespace rollcall::fault {

// What a fixture is given: the worker that it is a step of.
struct FixtureContext {
  net::Env& env;  // All time, threads, network and chance must come from here.
  Store* store;   // nullptr before the worker has joined.
  Place place;
  absl::Duration timeout;
};

// Returns what an expectation may ask for as `value`. What it raises is the step's failure: a
// DistError with its code, std::invalid_argument as INVALID_ARGUMENT. Another std::exception fails
// the scenario.
using Fixture = std::function<std::string(const FixtureContext&)>;

// By the name in the step's `fixture`.
using Fixtures = std::map<std::string, Fixture>;

// Defined by the library that a test target names in its `fixtures`; by :no_fixtures if it names
// none.
Fixtures UserFixtures();

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_SCENARIO_FIXTURES_H_
