/**
 * The program that the agent starts in a server's place where the system has Perl: one small process that loads no module.
 * It connects twice, first for the answers and then for what it sends, so that the server has two streams as from the agent
 * itself: what a program does to one must not change the other.
 */
export const RELAY_SCRIPT =
  `# Joins this process's standard input and output to a server that aenv runs.
my ($path) = @ARGV;
my ($mac, $most) = ($^O eq 'darwin', 262144);
$SIG{PIPE} = 'IGNORE';
sub dial {
  my $to;
  socket($to, 1, 1, 0)
    and connect($to, $mac ? pack('CCa*', 2 + length $path, 1, $path) : pack('Sa*', 1, $path))
    and return $to;
  print STDERR "aenv: cannot reach the server: the launch that it belongs to has ended\\n";
  exit 1;
}
my ($down, $up) = (dial(), dial());
for my $end (\\*STDIN, \\*STDOUT, $up, $down) {
  binmode $end;
  fcntl($end, 4, fcntl($end, 3, 0) | ($mac ? 4 : 2048));
}
my ($input, $answers, $sent, $got) = (1, 1, '', '');
while ($answers || length $got) {
  my ($read, $write) = ('', '');
  vec($read, 0, 1) = 1 if $input && length $sent < $most;
  vec($read, fileno $down, 1) = 1 if $answers && length $got < $most;
  vec($write, fileno $up, 1) = 1 if length $sent;
  vec($write, 1, 1) = 1 if length $got;
  select($read, $write, undef, undef) > 0 or next;
  take(\\*STDIN, \\$sent) or $input = 0 if vec($read, 0, 1);
  take($down, \\$got) or $answers = 0 if vec($read, fileno $down, 1);
  give(\\*STDOUT, \\$got) or exit 0 if vec($write, 1, 1);
  if ($up && vec($write, fileno $up, 1)) {
    give($up, \\$sent) or ($input, $sent) = (0, '');
  }
  if ($up && !$input && !length $sent) {
    close $up;
    undef $up;
  }
}
sub take {
  my ($from, $buffer) = @_;
  my $count = sysread $from, $$buffer, 65536, length $$buffer;
  return defined $count ? $count : again();
}
sub give {
  my ($to, $buffer) = @_;
  my $count = syswrite $to, $$buffer;
  return again() unless defined $count;
  substr($$buffer, 0, $count, '');
  return 1;
}
sub again {
  return $! == ($mac ? 35 : 11) || $! == 4;
}
`;
