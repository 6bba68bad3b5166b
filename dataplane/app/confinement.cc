#include "dataplane/app/confinement.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <memory>

#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/base/unique_fd.h"

namespace gocomet::dataplane {
namespace {

absl::Status DropCapabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
  if (::syscall(SYS_capget, &header, data) != 0)
    return absl::ErrnoToStatus(errno, "cannot read its capabilities");
  constexpr uint32_t kBindLowPorts = uint32_t{1} << CAP_NET_BIND_SERVICE;
  data[0].effective &= kBindLowPorts;
  data[0].permitted &= kBindLowPorts;
  data[0].inheritable = 0;
  data[1] = {};
  if (::syscall(SYS_capset, &header, data) != 0)
    return absl::ErrnoToStatus(errno, "cannot drop its capabilities");
  return absl::OkStatus();
}

// What the request path, libevent and gRPC never call, and what an intruder would want.
constexpr int kRefusedCalls[] = {SCMP_SYS(execve),
                                 SCMP_SYS(execveat),
                                 SCMP_SYS(fork),
                                 SCMP_SYS(vfork),
                                 SCMP_SYS(ptrace),
                                 SCMP_SYS(process_vm_readv),
                                 SCMP_SYS(process_vm_writev),
                                 SCMP_SYS(pidfd_getfd),
                                 SCMP_SYS(process_madvise),
                                 SCMP_SYS(kcmp),
                                 SCMP_SYS(mount),
                                 SCMP_SYS(umount2),
                                 SCMP_SYS(pivot_root),
                                 SCMP_SYS(chroot),
                                 SCMP_SYS(open_tree),
                                 SCMP_SYS(move_mount),
                                 SCMP_SYS(fsopen),
                                 SCMP_SYS(fsconfig),
                                 SCMP_SYS(fsmount),
                                 SCMP_SYS(fspick),
                                 SCMP_SYS(mount_setattr),
                                 SCMP_SYS(unshare),
                                 SCMP_SYS(setns),
                                 SCMP_SYS(bpf),
                                 SCMP_SYS(perf_event_open),
                                 SCMP_SYS(userfaultfd),
                                 SCMP_SYS(io_uring_setup),
                                 SCMP_SYS(io_uring_enter),
                                 SCMP_SYS(io_uring_register),
                                 SCMP_SYS(keyctl),
                                 SCMP_SYS(add_key),
                                 SCMP_SYS(request_key),
                                 SCMP_SYS(init_module),
                                 SCMP_SYS(finit_module),
                                 SCMP_SYS(delete_module),
                                 SCMP_SYS(kexec_load),
                                 SCMP_SYS(kexec_file_load),
                                 SCMP_SYS(reboot),
                                 SCMP_SYS(swapon),
                                 SCMP_SYS(swapoff),
                                 SCMP_SYS(acct),
                                 SCMP_SYS(quotactl),
                                 SCMP_SYS(syslog),
                                 SCMP_SYS(personality),
                                 SCMP_SYS(settimeofday),
                                 SCMP_SYS(clock_settime),
                                 SCMP_SYS(clock_adjtime),
                                 SCMP_SYS(adjtimex),
                                 SCMP_SYS(sethostname),
                                 SCMP_SYS(setdomainname),
                                 SCMP_SYS(open_by_handle_at),
                                 SCMP_SYS(name_to_handle_at),
                                 SCMP_SYS(iopl),
                                 SCMP_SYS(ioperm),
                                 SCMP_SYS(setuid),
                                 SCMP_SYS(setgid),
                                 SCMP_SYS(setreuid),
                                 SCMP_SYS(setregid),
                                 SCMP_SYS(setresuid),
                                 SCMP_SYS(setresgid),
                                 SCMP_SYS(setgroups),
                                 SCMP_SYS(mknod),
                                 SCMP_SYS(mknodat)};

absl::Status RefuseCalls() {
  const std::unique_ptr<void, void (*)(scmp_filter_ctx)> filter(::seccomp_init(SCMP_ACT_ALLOW),
                                                                ::seccomp_release);
  if (!filter) return absl::UnimplementedError("there is no seccomp");
  for (const int call : kRefusedCalls) {
    const int added = ::seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(EPERM), call, 0);
    if (added != 0) return absl::ErrnoToStatus(-added, Cat("cannot refuse system call ", call));
  }
  // It starts threads, never processes: those have no CLONE_THREAD. For clone3, whose flags a
  // filter cannot see, ENOSYS lets the C library use clone.
  constexpr uint64_t kCloneThread = 0x10000;
  constexpr scmp_arg_cmp kNoThread{0, SCMP_CMP_MASKED_EQ, kCloneThread, 0};
  int added =
      ::seccomp_rule_add_array(filter.get(), SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1, &kNoThread);
  if (added == 0)
    added = ::seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
  if (added != 0) return absl::ErrnoToStatus(-added, "cannot refuse new processes");
  const int loaded = ::seccomp_load(filter.get());
  if (loaded != 0) return absl::ErrnoToStatus(-loaded, "cannot load its seccomp filter");
  return absl::OkStatus();
}

constexpr uint64_t kRead = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr uint64_t kSockets = LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REMOVE_FILE;
constexpr uint64_t kOwn =
    kRead | kSockets | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG;
constexpr uint64_t kLogs = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG;
// Everything of the interface's first version: to be granted or refused.
constexpr uint64_t kHandled = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;

// What libraries look at while it runs.
constexpr const char* kReadable[] = {"/proc/self", "/sys/devices/system/cpu", "/dev/urandom",
                                     "/etc/localtime", "/usr/share/zoneinfo"};

absl::Status Allow(int rules, const std::string& path, uint64_t access) {
  const UniqueFd fd(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!fd.valid()) return absl::ErrnoToStatus(errno, Cat("cannot open ", path));
  landlock_path_beneath_attr rule = {};
  rule.allowed_access = access;
  rule.parent_fd = fd.get();
  if (::syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
    return absl::ErrnoToStatus(errno, Cat("cannot allow ", path));
  return absl::OkStatus();
}

absl::Status CloseFiles(const Confinement& confinement) {
  landlock_ruleset_attr handled = {};
  handled.handled_access_fs = kHandled;
  const UniqueFd rules(
      static_cast<int>(::syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled), 0)));
  if (!rules.valid()) return absl::ErrnoToStatus(errno, "the kernel has no Landlock");
  for (const std::string& directory : confinement.own_directories)
    GOCOMET_RETURN_IF_ERROR(Allow(rules.get(), directory, kOwn));
  for (const std::string& directory : confinement.log_directories)
    GOCOMET_RETURN_IF_ERROR(Allow(rules.get(), directory, kLogs));
  for (const std::string& directory : confinement.socket_directories)
    GOCOMET_RETURN_IF_ERROR(Allow(rules.get(), directory, kSockets));
  for (const char* path : kReadable) {
    // A rule for a file may only name what files have.
    const uint64_t file_only = LANDLOCK_ACCESS_FS_READ_FILE;
    if (::access(path, R_OK) != 0) continue;
    absl::Status allowed = Allow(rules.get(), path, kRead);
    if (!allowed.ok()) allowed = Allow(rules.get(), path, file_only);
    GOCOMET_RETURN_IF_ERROR(allowed);
  }
  if (::syscall(SYS_landlock_restrict_self, rules.get(), 0) != 0)
    return absl::ErrnoToStatus(errno, "cannot close the files of others");
  return absl::OkStatus();
}

}  // namespace

absl::Status Confine(const Confinement& confinement) {
#ifdef GOCOMET_UNCONFINED
  return absl::OkStatus();
#endif
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return absl::ErrnoToStatus(errno, "cannot refuse new privileges");
  absl::Status problem = CloseFiles(confinement);
  problem.Update(DropCapabilities());
  problem.Update(RefuseCalls());
  return problem;
}

}  // namespace gocomet::dataplane
