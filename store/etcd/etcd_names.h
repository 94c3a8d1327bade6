// What a store's keys are called in etcd.
//
//   PREFIX/lease                    the number of the job's lease, on which all of these hang
//   PREFIX/k/KEY                    a key, with its value as it is
//   PREFIX/q/LENGTH/QUEUE/ELEMENT   an element of a queue, one key each; the order is that of
//   creation PREFIX/w/CLIENT/SLOT            the last write of a client's slot: see etcd_writer.h
//
// KEY and QUEUE are any bytes, unescaped; LENGTH (of QUEUE, eight hexadecimal digits) keeps one
// queue from being the beginning of another.
#ifndef ROLLCALL_STORE_ETCD_ETCD_NAMES_H_
#define ROLLCALL_STORE_ETCD_ETCD_NAMES_H_

#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace rollcall::etcd {

class EtcdNames {
 public:
  explicit EtcdNames(std::string prefix) : prefix_(std::move(prefix)) {}

  std::string Lease() const;
  std::string Key(absl::string_view key) const;
  std::string AllKeys() const { return Key(""); }
  // The key that a name from etcd stands for.
  absl::string_view KeyOf(absl::string_view name) const;
  // What all elements of a queue begin with.
  std::string Queue(absl::string_view queue) const;
  // What all slots of a client begin with.
  std::string Slots(absl::string_view client) const;

 private:
  const std::string prefix_;
};

// The end of the range of all names that begin with `beginning`.
std::string EndOf(std::string beginning);

}  // namespace rollcall::etcd

#endif  // ROLLCALL_STORE_ETCD_ETCD_NAMES_H_
