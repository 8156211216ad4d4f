# The server of mcp_server.mjs once more, for tests that start many: Perl starts in a twentieth of the time.
# `perl mcp_server.pl NAME DIRECTORY` writes its environment to DIRECTORY/NAME and offers one tool, `ping`.
use strict;
use warnings;

my ($name, $directory) = @ARGV;
open my $mark, '>', "$directory/$name" or die "$directory/$name: $!\n";
print $mark map { "$_=$ENV{$_}\n" } keys %ENV;
close $mark or die $!;

my $empty = '{"resources":[],"prompts":[],"resourceTemplates":[]}';
my %results = (
  'tools/list' => qq({"tools":[{"name":"ping","description":"$name","inputSchema":{"type":"object","properties":{}}}]}),
  'tools/call' => qq({"content":[{"type":"text","text":"pong from $name"}]}),
  'ping' => '{}',
  'resources/list' => $empty,
  'prompts/list' => $empty,
  'resources/templates/list' => $empty,
);

$| = 1;
while (my $line = <STDIN>) {
  # What clients say to a server without anything of its own has these words once.
  my ($method) = $line =~ /"method"\s*:\s*"([^"]*)"/ or next;
  my ($id) = $line =~ /"id"\s*:\s*(\d+|"[^"]*")/ or next;
  my ($version) = $line =~ /"protocolVersion"\s*:\s*"([^"]*)"/;
  $results{initialize} = sprintf
    '{"protocolVersion":"%s","capabilities":{"tools":{}},"serverInfo":{"name":"%s","version":"1"}}',
    $version // '2025-06-18', $name;
  my $result = $results{$method};
  my $answer = defined $result ? qq("result":$result) : '"error":{"code":-32601,"message":"Method not found"}';
  print qq({"jsonrpc":"2.0","id":$id,$answer}\n);
}
