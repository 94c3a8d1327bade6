// What a store's keys are called in etcd.
//
//   PREFIX/lease                    the number of the job's lease, on which all of these hang
//   PREFIX/k/KEY                    a key, with its value as it is
//   PREFIX/q/LENGTH/QUEUE/ELEMENT   an element of a queue, one key each, in order of creation
//   PREFIX/r/KEY                    a key of a TCPStore client that is not its user's: "init/"
//   PREFIX/s/LENGTH/QUEUE/ELEMENT   likewise
//   PREFIX/w/CLIENT/SLOT            the last write of a client's slot: see etcd_session.h
//   PREFIX/space/NAME/...           all of these again, of a name space of a front
//
// KEY and QUEUE are any bytes, unescaped; LENGTH (of QUEUE, eight hexadecimal digits) keeps one
// queue from being the beginning of another.
#ifndef ROLLCALL_STORE_ETCD_ETCD_NAMES_H_
#define ROLLCALL_STORE_ETCD_ETCD_NAMES_H_

#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace rollcall::etcd {

// What keys are called by those who ask for them. TCPStore's clients put a "/" before every key of
// their user, so that "k" of an EtcdStore is "/k" of theirs: both are PREFIX/k/k.
enum class KeyStyle { kOfStore, kOfWire };

class EtcdNames {
 public:
  explicit EtcdNames(std::string prefix, KeyStyle style = KeyStyle::kOfStore)
      : prefix_(std::move(prefix)), style_(style) {}

  std::string Lease() const;
  std::string Key(absl::string_view key) const;
  // What the keys of users begin with, and those of TCPStore's clients that are not.
  std::string UserKeys() const;
  std::string OtherKeys() const;
  // The key that a name from etcd stands for: one that begins with UserKeys().
  absl::string_view KeyOf(absl::string_view name) const;
  // What all elements of a queue begin with.
  std::string Queue(absl::string_view queue) const;
  // What all slots of a client begin with.
  std::string Slots(absl::string_view client) const;

  // The range that has all keys and elements, and no slots.
  std::string ContentsBegin() const { return UserKeys(); }
  std::string ContentsEnd() const;
  // What a name in that range stands for, in the style of these names.
  struct Place {
    enum Kind { kKey, kElement, kNeither };
    Kind kind = kNeither;
    std::string name;  // Of the key, or of the element's queue.
  };
  Place PlaceOf(absl::string_view name) const;

 private:
  // Whether it is a user's, and then without what its client put before it.
  bool TakeUsersName(absl::string_view& name) const;

  const std::string prefix_;
  const KeyStyle style_;
};

// What all names of a front's name space begin with, where the front's own begin with `prefix`.
std::string PrefixOfSpace(absl::string_view prefix, absl::string_view name_space);

// The end of the range of all names that begin with `beginning`.
std::string EndOf(std::string beginning);

}  // namespace rollcall::etcd

#endif  // ROLLCALL_STORE_ETCD_ETCD_NAMES_H_
