// What is said of repeated measurements: a median and a range.
#ifndef ROLLCALL_TOOLS_BENCH_STATISTICS_H_
#define ROLLCALL_TOOLS_BENCH_STATISTICS_H_

#include <vector>

namespace rollcall::bench {

struct Spread {
  double lowest = 0;
  double median = 0;
  double highest = 0;
};

// The median of an even number of values is the mean of the two in the middle. `values` is not
// empty.
Spread SpreadOf(std::vector<double> values);

// The smallest value that at least `share` (0 < share <= 1) of `values` do not exceed. `values` is
// not empty; its order changes.
double Percentile(std::vector<double>& values, double share);

}  // namespace rollcall::bench

#endif  // ROLLCALL_TOOLS_BENCH_STATISTICS_H_
