// SPDX-License-Identifier: GPL-2.0-or-later
//
// Runs a piece of a test in a child process, for what would change the whole process: resource
// limits, the umask, and mounts that nobody else shall see.
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <string>

namespace kmd::test
{

/// What `body` returned, or what became of the child instead.
inline std::string in_child(const std::function<std::string()>& body)
{
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        throw std::runtime_error("pipe2");
    }
    const pid_t child = ::fork();
    if (child < 0) {
        throw std::runtime_error("fork");
    }
    if (child == 0) {
        std::string answer;
        try {
            answer = body();
        } catch (const std::exception& error) {
            answer = std::string("exception: ") + error.what();
        }
        const bool sent = ::write(ends[1], answer.data(), answer.size()) == ssize_t(answer.size());
        ::_exit(sent ? 0 : 1);
    }
    ::close(ends[1]);
    std::string answer;
    char buffer[4096];
    ssize_t now = 0;
    while ((now = ::read(ends[0], buffer, sizeof(buffer))) > 0) {
        answer.append(buffer, static_cast<std::size_t>(now));
    }
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) {
        return std::string("killed by signal ") + std::to_string(WTERMSIG(status));
    }
    if (WEXITSTATUS(status) != 0) {
        return "exit code " + std::to_string(WEXITSTATUS(status));
    }
    return answer;
}

inline void must(bool worked, const char* what)
{
    if (!worked) {
        throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
    }
}

/// Mounts of this process are its own from here on. Call it in a child. Works for root, and for
/// others where the kernel lets them have a user namespace.
inline void private_mounts()
{
    const auto uid = ::geteuid();
    const auto gid = ::getegid();
    if (uid == 0) {
        must(::unshare(CLONE_NEWNS) == 0, "unshare(CLONE_NEWNS)");
    } else {
        must(::unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0, "unshare(CLONE_NEWUSER | CLONE_NEWNS)");
        std::ofstream("/proc/self/setgroups") << "deny";
        std::ofstream("/proc/self/uid_map") << "0 " << uid << " 1";
        std::ofstream("/proc/self/gid_map") << "0 " << gid << " 1";
    }
    must(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "mount --make-rprivate /");
}

inline void mount_tmpfs(const std::string& folder, const std::string& options)
{
    must(::mount("none", folder.c_str(), "tmpfs", 0, options.c_str()) == 0, "mount tmpfs");
}

inline void remount_read_only(const std::string& folder)
{
    must(::mount("none", folder.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) == 0, "remount ro");
}

} // namespace kmd::test
