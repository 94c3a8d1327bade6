// How many descriptors this process can have, and at what cost.
#ifndef ROLLCALL_NET_DESCRIPTORS_H_
#define ROLLCALL_NET_DESCRIPTORS_H_

namespace rollcall::net {

// Makes room for descriptors up to `count` (0 or more) in the process's table of them, as far as
// its soft limit allows. The kernel doubles that table as it fills up, and each time lets a process
// of several threads wait for all cores (RCU), 5 to 10 ms in which a server serves nobody: a
// server calls this before it has threads. It takes 8 bytes of the kernel's memory for each. Where
// it does not succeed, nothing changes.
void ReserveDescriptors(int count);

}  // namespace rollcall::net

#endif  // ROLLCALL_NET_DESCRIPTORS_H_
