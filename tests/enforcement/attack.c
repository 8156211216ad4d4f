/*
 * Tries one forbidden thing and prints what the kernel said: "done", or the name of the error. Anything after "done" is what
 * was got. Run without confinement the same words show that the attempt is real.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static int report(long result) {
  if (result < 0) {
    const char *name = strerrorname_np(errno);
    printf("%s\n", name ? name : "unknown");
  } else {
    printf("done\n");
  }
  return 0;
}

static int flags_of(const char *text) {
  int flags = strchr(text, 'x') ? 3 : strchr(text, 'w') ? (strchr(text, 'r') ? O_RDWR : O_WRONLY) : O_RDONLY;
  if (strchr(text, 'c')) flags |= O_CREAT;
  if (strchr(text, 't')) flags |= O_TRUNC;
  if (strchr(text, 'T')) flags |= O_TMPFILE;
  if (strchr(text, 'd')) flags |= O_DIRECTORY;
  return flags;
}

/* The first line of a file, after "done". */
static int read_first(const char *path) {
  char line[4096];
  int fd = open(path, O_RDONLY);
  if (fd < 0) return report(-1);
  ssize_t got = read(fd, line, sizeof line - 1);
  if (got < 0) return report(-1);
  line[got] = 0;
  line[strcspn(line, "\n")] = 0;
  printf("done %s\n", line);
  return 0;
}

static socklen_t unix_address(struct sockaddr_un *address, const char *path, int abstract) {
  memset(address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  size_t length = strlen(path);
  memcpy(address->sun_path + abstract, path, length);
  return offsetof(struct sockaddr_un, sun_path) + abstract + length + (abstract ? 0 : 1);
}

static socklen_t internet_address(struct sockaddr_storage *storage, const char *host, int port) {
  memset(storage, 0, sizeof *storage);
  struct sockaddr_in *v4 = (void *)storage;
  struct sockaddr_in6 *v6 = (void *)storage;
  if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    return sizeof *v4;
  }
  if (inet_pton(AF_INET6, host, &v6->sin6_addr) != 1) exit(2);
  v6->sin6_family = AF_INET6;
  v6->sin6_port = htons(port);
  return sizeof *v6;
}

/* Connects, and says who answered: the first line that comes. */
static int connect_and_read(int fd, const void *address, socklen_t length) {
  char line[256];
  if (connect(fd, address, length) < 0) return report(-1);
  ssize_t got = read(fd, line, sizeof line - 1);
  line[got < 0 ? 0 : got] = 0;
  line[strcspn(line, "\n")] = 0;
  printf("done %s\n", line);
  return 0;
}

static int connect_tcp(char **args) {
  struct sockaddr_storage address;
  socklen_t length = internet_address(&address, args[0], atoi(args[1]));
  int fd = socket(address.ss_family, SOCK_STREAM, args[2] ? atoi(args[2]) : 0);
  return fd < 0 ? report(-1) : connect_and_read(fd, &address, length);
}

static int connect_unix(char **args, int type, int abstract) {
  struct sockaddr_un address;
  socklen_t length = unix_address(&address, args[0], abstract);
  int fd = socket(AF_UNIX, type, 0);
  return fd < 0 ? report(-1) : connect_and_read(fd, &address, length);
}

/* Sends to a name without connecting, on a socket or on one of a pair. */
static int send_unix(char **args, int pair) {
  struct sockaddr_un address;
  socklen_t length = unix_address(&address, args[0], 0);
  int fds[2];
  if (pair ? socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) < 0 : (fds[0] = socket(AF_UNIX, SOCK_DGRAM, 0)) < 0) return report(-1);
  return report(sendto(fds[0], "x", 1, 0, (void *)&address, length));
}

static int send_internet(char **args, int type, int flags) {
  struct sockaddr_storage address;
  socklen_t length = internet_address(&address, args[0], atoi(args[1]));
  int fd = socket(address.ss_family, type, 0);
  return fd < 0 ? report(-1) : report(sendto(fd, "x", 1, flags, (void *)&address, length));
}

/* Listens, and connects to itself. */
static int serve_tcp(char **args) {
  struct sockaddr_storage address;
  socklen_t length = internet_address(&address, args[0], atoi(args[1]));
  int fd = socket(address.ss_family, SOCK_STREAM, 0), yes = 1;
  if (fd < 0) return report(-1);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(fd, (void *)&address, length) < 0 || listen(fd, 5) < 0) return report(-1);
  if (args[2]) {
    /* Tells its port and serves until it is told to stop. */
    length = sizeof address;
    getsockname(fd, (void *)&address, &length);
    FILE *told = fopen(args[2], "w");
    fprintf(told, "%d\n", ntohs(((struct sockaddr_in *)&address)->sin_port));
    fclose(told);
    for (;;) {
      int peer = accept(fd, 0, 0);
      if (peer < 0) return report(-1);
      dprintf(peer, "from inside\n");
      close(peer);
    }
  }
  length = sizeof address;
  getsockname(fd, (void *)&address, &length);
  int port = ntohs(((struct sockaddr_in *)&address)->sin_port);
  if (fork() == 0) {
    int peer = accept(fd, 0, 0);
    dprintf(peer, "from inside\n");
    _exit(0);
  }
  char text[16];
  snprintf(text, sizeof text, "%d", port);
  char *to[] = {args[0][0] == ':' ? "::1" : "127.0.0.1", text, 0};
  return connect_tcp(to);
}

static int serve_unix(char **args) {
  struct sockaddr_un address;
  socklen_t length = unix_address(&address, args[0], 0);
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (fd < 0 || bind(fd, (void *)&address, length) < 0 || listen(fd, 5) < 0) return report(-1);
  if (fork() == 0) {
    int peer = accept(fd, 0, 0);
    dprintf(peer, "from inside\n");
    _exit(0);
  }
  return connect_unix(args, SOCK_STREAM, 0);
}

static int read_memory(char **args) {
  char byte;
  uintptr_t at = strtoull(args[1], 0, 0);
  struct iovec local = {&byte, 1}, remote = {(void *)at, 1};
  return report(process_vm_readv(atoi(args[0]), &local, 1, &remote, 1, 0));
}

static int link_temporary(char **args) {
  char path[64];
  int fd = open(args[0], O_TMPFILE | O_WRONLY, 0600);
  if (fd < 0) return report(-1);
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  return report(linkat(AT_FDCWD, path, AT_FDCWD, args[1], AT_SYMLINK_FOLLOW));
}

static int list_descriptors(void) {
  printf("done");
  for (int fd = 3; fd < 1024; fd++)
    if (fcntl(fd, F_GETFD) >= 0) printf(" %d", fd);
  printf("\n");
  return 0;
}

static int type_into_terminal(unsigned long request) {
  char byte = request == 0x541c ? 2 : 'x';
  int fd = open("/dev/tty", O_RDWR);
  return report(ioctl(fd < 0 ? 0 : fd, request, &byte));
}

static int child_of_clone(void *unused) {
  (void)unused;
  return 0;
}

static int clone_with(unsigned long flags) {
  static char stack[65536] __attribute__((aligned(16)));
  int pid = clone(child_of_clone, stack + sizeof stack, flags | SIGCHLD, 0);
  if (pid > 0) waitpid(pid, 0, 0);
  return report(pid);
}

static int clone3_with(uint64_t flags) {
  uint64_t args[8] = {flags, 0, 0, 0, SIGCHLD, 0, 0, 0};
  long pid = syscall(SYS_clone3, args, sizeof args);
  if (pid == 0) _exit(0);
  if (pid > 0) waitpid(pid, 0, 0);
  return report(pid);
}

/* Any call by number; s:TEXT is a string, m:SIZE memory of zeros. */
static int any_call(char **args) {
  long values[7] = {0};
  for (int i = 0; i < 7 && args[i]; i++) {
    if (strncmp(args[i], "s:", 2) == 0) values[i] = (long)(args[i] + 2);
    else if (strncmp(args[i], "m:", 2) == 0) values[i] = (long)calloc(1, atoi(args[i] + 2));
    else values[i] = strtoll(args[i], 0, 0);
  }
  return report(syscall(values[0], values[1], values[2], values[3], values[4], values[5], values[6]));
}

/* Runs code that is in no file. */
static int run_memory(char **args) {
  int from = open(args[0], O_RDONLY), to = memfd_create("x", 0);
  char buffer[65536];
  ssize_t got;
  if (from < 0 || to < 0) return report(-1);
  while ((got = read(from, buffer, sizeof buffer)) > 0)
    if (write(to, buffer, got) != got) return report(-1);
  fexecve(to, args, (char *[]){0});
  return report(-1);
}

/* Connects while another thread changes the address: how often the second one answered. */
static struct sockaddr_in flipping;
static struct sockaddr_un flipping_path;
static volatile int stop;
static in_addr_t good, bad;
static char *good_path, *bad_path;

static void *flip_address(void *unused) {
  (void)unused;
  while (!stop) {
    *(volatile in_addr_t *)&flipping.sin_addr.s_addr = bad;
    *(volatile in_addr_t *)&flipping.sin_addr.s_addr = good;
  }
  return 0;
}

static void *flip_path(void *unused) {
  (void)unused;
  while (!stop) {
    memcpy(flipping_path.sun_path, bad_path, strlen(bad_path) + 1);
    memcpy(flipping_path.sun_path, good_path, strlen(good_path) + 1);
  }
  return 0;
}

static void *flip_link(void *unused) {
  char temporary[300];
  (void)unused;
  snprintf(temporary, sizeof temporary, "%s.new", flipping_path.sun_path);
  while (!stop) {
    for (int i = 0; i < 2; i++) {
      unlink(temporary);
      if (symlink(i ? good_path : bad_path, temporary) == 0) rename(temporary, flipping_path.sun_path);
    }
  }
  return 0;
}

static int race(char **args, void *(*flip)(void *), int family) {
  pthread_t thread;
  int reached = 0, escaped = 0, denied = 0, tries = atoi(args[0]);
  pthread_create(&thread, 0, flip, 0);
  for (int i = 0; i < tries; i++) {
    char line[64] = "";
    int fd = socket(family, SOCK_STREAM, 0);
    void *address = family == AF_UNIX ? (void *)&flipping_path : (void *)&flipping;
    socklen_t length = family == AF_UNIX ? sizeof flipping_path : sizeof flipping;
    if (connect(fd, address, length) == 0) {
      if (read(fd, line, sizeof line - 1) > 0 && strncmp(line, "forbidden", 9) == 0) escaped++;
      else reached++;
    } else if (errno == EACCES) denied++;
    close(fd);
  }
  stop = 1;
  pthread_join(thread, 0);
  printf("done escaped=%d reached=%s denied=%s\n", escaped, reached ? "some" : "none", denied ? "some" : "none");
  return 0;
}

static int race_address(char **args) {
  flipping.sin_family = AF_INET;
  flipping.sin_port = htons(atoi(args[1]));
  inet_pton(AF_INET, args[2], &good);
  inet_pton(AF_INET, args[3], &bad);
  flipping.sin_addr.s_addr = good;
  return race(args, flip_address, AF_INET);
}

static int race_path(char **args, int links) {
  good_path = args[1];
  bad_path = args[2];
  flipping_path.sun_family = AF_UNIX;
  strcpy(flipping_path.sun_path, links ? args[3] : good_path);
  return race(args, links ? flip_link : flip_path, AF_UNIX);
}

/* Many connects at once from threads; says how many failed. */
static char **crowd_args;
static int crowd_failed;
static void *one_of_crowd(void *unused) {
  (void)unused;
  for (int i = 0; i < 20; i++) {
    struct sockaddr_storage address;
    char line[64];
    socklen_t length = internet_address(&address, crowd_args[0], atoi(crowd_args[1]));
    int fd = socket(address.ss_family, SOCK_STREAM, 0);
    if (connect(fd, (void *)&address, length) < 0 || read(fd, line, sizeof line) <= 0) __sync_fetch_and_add(&crowd_failed, 1);
    close(fd);
  }
  return 0;
}

static int crowd(char **args) {
  pthread_t threads[32];
  crowd_args = args;
  for (int i = 0; i < 32; i++) pthread_create(&threads[i], 0, one_of_crowd, 0);
  for (int i = 0; i < 32; i++) pthread_join(threads[i], 0);
  printf("done failed=%d\n", crowd_failed);
  return 0;
}

static void nothing(int signal) { (void)signal; }

/* Connects while signals arrive all the time; with or without SA_RESTART. */
static int interrupted(char **args) {
  struct sigaction action = {.sa_handler = nothing, .sa_flags = atoi(args[2]) ? SA_RESTART : 0};
  struct itimerval often = {{0, 150}, {0, 150}};
  int wrong = 0;
  sigaction(SIGALRM, &action, 0);
  setitimer(ITIMER_REAL, &often, 0);
  for (int i = 0; i < 500; i++) {
    struct sockaddr_storage address;
    socklen_t length = internet_address(&address, args[0], atoi(args[1]));
    int fd = socket(address.ss_family, SOCK_STREAM, 0), result;
    /* Interrupted, it is asked again; what was begun by then is under way, or done. */
    do result = connect(fd, (void *)&address, length);
    while (result < 0 && (errno == EINTR || errno == EALREADY));
    if (result < 0 && errno != EISCONN) wrong++;
    close(fd);
  }
  printf("done wrong=%d\n", wrong);
  return 0;
}

/* A call of the 32-bit interface: getpid, whose number means something else here. */
static int old_call(void) {
#ifdef __x86_64__
  long result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(20) : "memory", "r8", "r9", "r10", "r11");
  return report(result);
#else
  return report(0);
#endif
}

int main(int count, char **words) {
  if (count < 2) return 2;
  char **args = words + 2;
#define IS(word) (strcmp(words[1], word) == 0)
  if (IS("open")) return report(open(args[0], flags_of(args[1]), 0600));
  if (IS("read")) return read_first(args[0]);
  if (IS("truncate")) return report(truncate(args[0], 0));
  if (IS("rename")) return report(rename(args[0], args[1]));
  if (IS("exchange")) return report(renameat2(AT_FDCWD, args[0], AT_FDCWD, args[1], RENAME_EXCHANGE));
  if (IS("link")) return report(link(args[0], args[1]));
  if (IS("symlink")) return report(symlink(args[0], args[1]));
  if (IS("unlink")) return report(unlink(args[0]));
  if (IS("mkdir")) return report(mkdir(args[0], 0700));
  if (IS("rmdir")) return report(rmdir(args[0]));
  if (IS("mkfifo")) return report(mkfifo(args[0], 0600));
  if (IS("chmod")) return report(chmod(args[0], strtol(args[1], 0, 8)));
  if (IS("list")) return report(open(args[0], O_RDONLY | O_DIRECTORY));
  if (IS("link-temporary")) return link_temporary(args);
  if (IS("exec")) { execv(args[0], args); return report(-1); }
  if (IS("run-memory")) return run_memory(args);
  if (IS("socket")) return report(socket(atoi(args[0]), atoi(args[1]), atoi(args[2])));
  if (IS("connect-tcp")) return connect_tcp(args);
  if (IS("connect-unix")) return connect_unix(args, SOCK_STREAM, 0);
  if (IS("connect-seqpacket")) return connect_unix(args, SOCK_SEQPACKET, 0);
  if (IS("connect-abstract")) return connect_unix(args, SOCK_STREAM, 1);
  if (IS("send-unix")) return send_unix(args, 0);
  if (IS("send-pair")) return send_unix(args, 1);
  if (IS("send-udp")) return send_internet(args, SOCK_DGRAM, 0);
  if (IS("fast-open")) return send_internet(args, SOCK_STREAM, MSG_FASTOPEN);
  if (IS("serve-tcp")) return serve_tcp(args);
  if (IS("serve-unix")) return serve_unix(args);
  if (IS("kill")) return report(kill(atoi(args[0]), atoi(args[1])));
  if (IS("tgkill")) return report(syscall(SYS_tgkill, atoi(args[0]), atoi(args[0]), atoi(args[1])));
  if (IS("tkill")) return report(syscall(SYS_tkill, atoi(args[0]), atoi(args[1])));
  if (IS("queue")) return report(sigqueue(atoi(args[0]), atoi(args[1]), (union sigval){0}));
  if (IS("pidfd-signal")) return report(syscall(SYS_pidfd_send_signal, syscall(SYS_pidfd_open, atoi(args[0]), 0), atoi(args[1]), 0, 0));
  if (IS("own")) { int fds[2]; return report(pipe(fds) < 0 || fcntl(fds[0], F_SETOWN, atoi(args[0])) < 0 ? -1 : 0); }
  if (IS("ptrace")) return report(ptrace(PTRACE_SEIZE, atoi(args[0]), 0, 0));
  if (IS("read-memory")) return read_memory(args);
  if (IS("descriptors")) return list_descriptors();
  if (IS("type")) return type_into_terminal(strtoul(args[0], 0, 0));
  if (IS("clone")) return clone_with(strtoul(args[0], 0, 0));
  if (IS("clone3")) return clone3_with(strtoull(args[0], 0, 0));
  if (IS("unshare")) return report(unshare(strtol(args[0], 0, 0)));
  if (IS("old-call")) return old_call();
  if (IS("call")) return any_call(args);
  if (IS("race-address")) return race_address(args);
  if (IS("race-path")) return race_path(args, 0);
  if (IS("race-link")) return race_path(args, 1);
  if (IS("crowd")) return crowd(args);
  if (IS("interrupted")) return interrupted(args);
  return 2;
}
