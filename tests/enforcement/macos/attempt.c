/*
 * Tries one forbidden thing and prints what the system said: "done", or the name of the error. Anything after "done" is what
 * was got. Run without confinement the same words show that the attempt is real. For macOS; on Linux it compiles without
 * what only macOS has.
 */
#ifdef __linux__
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#ifdef __APPLE__
#include <mach/mach.h>
#include <servers/bootstrap.h>
#include <sys/clonefile.h>
#endif

static const char *error_name(int error) {
  switch (error) {
    case EPERM: return "EPERM";
    case EACCES: return "EACCES";
    case ENOENT: return "ENOENT";
    case EEXIST: return "EEXIST";
    case EXDEV: return "EXDEV";
    case EROFS: return "EROFS";
    case ESRCH: return "ESRCH";
    case ENOTSUP: return "ENOTSUP";
    case ECONNREFUSED: return "ECONNREFUSED";
    default: return strerror(error);
  }
}

static int report(long result) {
  printf("%s\n", result < 0 ? error_name(errno) : "done");
  return 0;
}

static int report_line(int fd) {
  char line[4096];
  ssize_t got = read(fd, line, sizeof line - 1);
  if (got < 0) return report(-1);
  line[got] = 0;
  line[strcspn(line, "\n")] = 0;
  printf("done %s\n", line);
  return 0;
}

static int read_first(const char *path) {
  int fd = open(path, O_RDONLY);
  return fd < 0 ? report(-1) : report_line(fd);
}

static int write_word(const char *path, int flags) {
  int fd = open(path, O_WRONLY | flags, 0600);
  return fd < 0 ? report(-1) : report(write(fd, "attack\n", 7));
}

static socklen_t internet_address(struct sockaddr_storage *storage, char **args) {
  memset(storage, 0, sizeof *storage);
  struct sockaddr_in *v4 = (void *)storage;
  struct sockaddr_in6 *v6 = (void *)storage;
  if (inet_pton(AF_INET, args[0], &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(atoi(args[1]));
    return sizeof *v4;
  }
  if (inet_pton(AF_INET6, args[0], &v6->sin6_addr) != 1) exit(2);
  v6->sin6_family = AF_INET6;
  v6->sin6_port = htons(atoi(args[1]));
  return sizeof *v6;
}

/* Connects, and says who answered: the first line that comes. */
static int connect_tcp(char **args) {
  struct sockaddr_storage address;
  socklen_t length = internet_address(&address, args);
  int fd = socket(address.ss_family, SOCK_STREAM, 0);
  if (fd < 0 || connect(fd, (void *)&address, length) < 0) return report(-1);
  return report_line(fd);
}

static int listen_tcp(char **args) {
  struct sockaddr_storage address;
  socklen_t length = internet_address(&address, args);
  int fd = socket(address.ss_family, SOCK_STREAM, 0);
  if (fd < 0 || bind(fd, (void *)&address, length) < 0) return report(-1);
  return report(listen(fd, 5));
}

static int send_udp(char **args) {
  struct sockaddr_storage address;
  socklen_t length = internet_address(&address, args);
  int fd = socket(address.ss_family, SOCK_DGRAM, 0);
  return fd < 0 ? report(-1) : report(sendto(fd, "x", 1, 0, (void *)&address, length));
}

static int unix_socket(const char *path, int server) {
  struct sockaddr_un address;
  memset(&address, 0, sizeof address);
  address.sun_family = AF_UNIX;
  strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (fd < 0) return report(-1);
  if (server) return report(bind(fd, (void *)&address, sizeof address));
  if (connect(fd, (void *)&address, sizeof address) < 0) return report(-1);
  return report_line(fd);
}

/* Starts a program and says whether it could be started, not what became of it. */
static int start(char **args) {
  int told[2], error = 0;
  if (pipe(told) < 0) return report(-1);
  fcntl(told[1], F_SETFD, FD_CLOEXEC);
  int pid = fork();
  if (pid == 0) {
    int null = open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; fd++) dup2(null, fd);
    execv(args[0], args);
    error = errno;
    (void)!write(told[1], &error, sizeof error);
    _exit(127);
  }
  close(told[1]);
  int failed = read(told[0], &error, sizeof error) == sizeof error;
  kill(pid, SIGKILL);
  waitpid(pid, 0, 0);
  errno = error;
  return report(failed ? -1 : 0);
}

/* Runs a program in a terminal of its own and prints what it shows. */
static int in_terminal(char **args) {
  char bytes[4096];
  ssize_t got;
  int terminal = posix_openpt(O_RDWR | O_NOCTTY);
  if (terminal < 0 || grantpt(terminal) < 0 || unlockpt(terminal) < 0) return report(-1);
  int pid = fork();
  if (pid == 0) {
    setsid();
    int fd = open(ptsname(terminal), O_RDWR);
    ioctl(fd, TIOCSCTTY, 0);
    for (int to = 0; to < 3; to++) dup2(fd, to);
    if (fd > 2) close(fd);
    close(terminal);
    execv(args[0], args);
    _exit(127);
  }
  while ((got = read(terminal, bytes, sizeof bytes)) > 0) fwrite(bytes, 1, got, stdout);
  waitpid(pid, 0, 0);
  return 0;
}

/* Types a letter, as if the user had: where it is echoed, it comes behind what is printed here. */
static int type_letter(void) {
  struct termios settings;
  char letter = 'x';
  tcgetattr(0, &settings);
  settings.c_lflag &= ~ECHO;
  tcsetattr(0, TCSANOW, &settings);
  return report(ioctl(0, TIOCSTI, &letter));
}

#ifdef __APPLE__
/* Asks for a service by name, as every program that uses it does first. */
static int lookup(const char *name) {
  mach_port_t port = MACH_PORT_NULL;
  kern_return_t result = bootstrap_look_up(bootstrap_port, name, &port);
  if (result == KERN_SUCCESS) printf("done\n");
  else printf("%s\n", result == BOOTSTRAP_NOT_PRIVILEGED ? "EPERM" : result == BOOTSTRAP_UNKNOWN_SERVICE ? "unknown" : "other");
  return 0;
}
#endif

int main(int count, char **words) {
  if (count < 3) return 2;
  char **args = words + 2;
#define IS(word) (strcmp(words[1], word) == 0)
  if (IS("read")) return read_first(args[0]);
  if (IS("list")) return report(open(args[0], O_RDONLY | O_DIRECTORY));
  if (IS("write")) return write_word(args[0], 0);
  if (IS("create")) return write_word(args[0], O_CREAT | O_EXCL);
  if (IS("truncate")) return report(truncate(args[0], 0));
  if (IS("rename")) return report(rename(args[0], args[1]));
  if (IS("link")) return report(link(args[0], args[1]));
  if (IS("symlink")) return report(symlink(args[0], args[1]));
  if (IS("unlink")) return report(unlink(args[0]));
  if (IS("mkdir")) return report(mkdir(args[0], 0700));
  if (IS("rmdir")) return report(rmdir(args[0]));
  if (IS("chmod")) return report(chmod(args[0], strtol(args[1], 0, 8)));
  if (IS("start")) return start(args);
  if (IS("connect-tcp")) return connect_tcp(args);
  if (IS("listen-tcp")) return listen_tcp(args);
  if (IS("send-udp")) return send_udp(args);
  if (IS("connect-unix")) return unix_socket(args[0], 0);
  if (IS("listen-unix")) return unix_socket(args[0], 1);
  if (IS("kill")) return report(kill(atoi(args[0]), atoi(args[1])));
  if (IS("terminal")) return in_terminal(args);
  if (IS("type")) return type_letter();
  if (IS("wait")) { printf("waiting\n"); fflush(stdout); for (;;) pause(); }
#ifdef __APPLE__
  if (IS("clone")) return report(clonefile(args[0], args[1], 0));
  if (IS("swap")) return report(renamex_np(args[0], args[1], RENAME_SWAP));
  if (IS("lookup")) return lookup(args[0]);
#else
  if (IS("swap")) return report(renameat2(AT_FDCWD, args[0], AT_FDCWD, args[1], RENAME_EXCHANGE));
#endif
  return 2;
}
