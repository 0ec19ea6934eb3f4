#!/usr/bin/perl
# A server that does what a test tells it. Arguments: the test's socket, its own name, and whatever else.
# It says hello, then carries out one command a line (words, each NAME=VALUE as in a URL), and answers each. It ends when
# the test is gone. In Perl, which starts in a sixth of the time that Node takes.
use strict;
use Cwd ();
use Socket;

my ($stage, $name) = @ARGV;
socket(my $socket, PF_UNIX, SOCK_STREAM, 0) or exit 98;
connect($socket, pack_sockaddr_un($stage)) or exit 98;
$SIG{PIPE} = sub { };

# What bytes are written; a signal may come in between.
sub put {
  my ($out, $bytes) = @_;
  for (my $done = 0 ; $done < length $bytes ;) {
    my $more = syswrite($out, $bytes, length($bytes) - $done, $done);
    if (defined $more) { $done += $more }
    elsif (!$!{EINTR}) { return }
  }
}

sub text {
  my ($bytes) = @_;
  $bytes =~ s/(["\\\x00-\x1f])/sprintf '\\u%04x', ord $1/ge;
  return "\"$bytes\"";
}
sub texts { return '[' . join(',', map { text($_) } @_) . ']' }
sub say_so { put($socket, "$_[0]\n") }
sub answer { say_so("{\"id\":$_[0],\"value\":" . ($_[1] // 'null') . '}') }

my $env = join ',', map { text($_) . ':' . text($ENV{$_}) } keys %ENV;
say_so(
  "{\"hello\":{\"name\":${\text($name)},\"pid\":$$,\"ppid\":${\getppid()},\"argv\":${\texts($^X, $0, @ARGV)},"
    . "\"env\":{$env},\"cwd\":${\text(Cwd::getcwd())},\"umask\":${\umask()}}}");

my %streams = (out => \*STDOUT, err => \*STDERR);

# Every line proves itself, so that one that was cut and glued is known.
sub print_lines {
  my ($stream, $from, $to) = @_;
  for (my $n = $from ; $n < $to ; $n += 1000) {
    my $end = $n + 1000 < $to ? $n + 1000 : $to;
    put($streams{$stream}, join '', map { sprintf "%09d %09d .\n", $_, $_ } $n .. $end - 1);
  }
}

my ($chatter, $every, $printed) = (0, 0, 0);
# Connections to its port so far, and who waits for more of them.
my ($visits, @awaited) = (0);
my ($listener, %visitors);

sub visited {
  $visits++;
  answer($_->{id}, $visits) for grep { $_->{count} == $visits } @awaited;
}

# A grandchild of the same group that no parent knows any more, and that ignores signals.
sub fork_off {
  my $pid = open(my $said, '-|') // die "cannot fork: $!";
  if ($pid == 0) {
    open(STDIN,  '<', '/dev/null');
    open(STDERR, '>', '/dev/null');
    exec '/bin/sh', '-c', q{trap '' TERM HUP INT; (sleep 600 >/dev/null & echo $!)};
  }
  my $line = <$said>;
  close $said;
  return $line + 0;
}

my %deeds = (
  print => sub { print_lines(@{$_[0]}{qw(stream from to)}); undef },
  write => sub { put($streams{$_[0]{stream}}, $_[0]{text}); undef },
  # Prints the next lines on both streams, again and again.
  chatter => sub { ($chatter, $every) = ($_[0]{lines}, $_[0]{everyMs} / 1000); undef },
  # Answers with the number of lines printed on each stream.
  hush => sub { $chatter = 0; $printed },
  ignore => sub { my $signal = $_[0]{signal}; $SIG{substr $signal, 3} = sub { say_so("{\"ignored\":\"$signal\"}") }; undef },
  fork => sub { fork_off() },
  listen => sub {
    socket($listener, PF_INET, SOCK_STREAM, 0) or die;
    setsockopt($listener, SOL_SOCKET, SO_REUSEADDR, 1);
    bind($listener, pack_sockaddr_in($_[0]{port}, INADDR_LOOPBACK)) && listen($listener, 128) or die "cannot listen: $!";
    undef;
  },
  exit => sub { exit $_[0]{code} },
);

sub carry_out {
  my %command = map { my ($key, $value) = split /=/, $_, 2; $value =~ s/%([0-9A-F]{2})/chr hex $1/ge; ($key => $value) } split / /, $_[0];
  # It answers when its port has been connected to so often from now on.
  if ($command{deed} eq 'visits') { push @awaited, { id => $command{id}, count => $visits + $command{times} } }
  else { answer($command{id}, $deeds{$command{deed}}->(\%command)) }
}

my $heard = '';
while (1) {
  my $ready = '';
  vec($ready, fileno $_, 1) = 1 for grep { defined } $socket, $listener, values %visitors;
  my $found = select($ready, undef, undef, $chatter ? $every : undef);
  next if $found < 0;
  if ($found == 0) {
    print_lines($_, $printed, $printed + $chatter) for qw(out err);
    $printed += $chatter;
    next;
  }
  if (defined $listener && vec($ready, fileno $listener, 1)) {
    my $visitor;
    if (accept($visitor, $listener)) { $visitors{fileno $visitor} = $visitor; visited() }
  }
  for my $fd (keys %visitors) {
    next unless vec($ready, $fd, 1);
    my $read = sysread($visitors{$fd}, my $bytes, 65536);
    delete $visitors{$fd} unless $read || $!{EINTR};
  }
  next unless vec($ready, fileno $socket, 1);
  my $read = sysread($socket, $heard, 65536, length $heard);
  exit 99 unless $read || (!defined $read && $!{EINTR});
  while ($heard =~ s/^([^\n]*)\n//) { carry_out($1) }
}
