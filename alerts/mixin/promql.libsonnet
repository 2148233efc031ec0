// Changes of PromQL texts. They know words, not the grammar: enough for the rules of this repository, which promtool reads
// again after the change.
local names = import 'metrics.json';

local inWord(char) = std.member('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:', char);

// eachWord gives replace() what follows each occurrence of a word, and puts the answer in place of both. Parts of longer words
// and values in quotes are left alone.
local eachWord(text, word, replace) =
  local parts = std.split(text, word);
  local charBefore(i) =
    local before = parts[i - 1];
    if before != '' then before[std.length(before) - 1] else if i == 1 then ' ' else word[std.length(word) - 1];
  local charAfter(i) = if parts[i] != '' then parts[i][0] else if i == std.length(parts) - 1 then ' ' else word[0];
  local isWord(i) =
    local before = charBefore(i);
    before != '"' && !inWord(before) && !inWord(charAfter(i));
  std.join('', [parts[0]] + [
    if isWord(i) then replace(parts[i]) else word + parts[i]
    for i in std.range(1, std.length(parts) - 1)
  ]);

{
  // select puts a selector to every series of the exporter. Recorded series have none: they are made from selected ones.
  select(text, selector):: if selector == '' then text else
    local selected(name) = function(rest)
      if std.startsWith(rest, '{}') then '%s{%s}%s' % [name, selector, rest[2:]]
      else if std.startsWith(rest, '{') then '%s{%s, %s' % [name, selector, rest[1:]]
      else '%s{%s}%s' % [name, selector, rest];
    std.foldl(function(done, name) eachWord(done, name, selected(name)), names, text),

  renameLabel(text, from, to):: if from == to then text else eachWord(text, from, function(rest) to + rest),

  // renameSeverities does so by way of a mark that no PromQL has: a new name may be the old one of another severity.
  renameSeverities(text, severities)::
    local old = 'severity="%s"', mark = 'severity=<%s>', names = std.objectFields(severities);
    local marked = std.foldl(function(done, name) std.strReplace(done, old % name, mark % name), names, text);
    std.foldl(function(done, name) std.strReplace(done, mark % name, old % severities[name]), names, marked),

  // inQueries changes what stands between backquotes after a printf of a Go template.
  inQueries(text, change)::
    local parts = std.split(text, '`');
    std.join('`', [
      if i > 0 && std.endsWith(parts[i - 1], 'printf ') then change(parts[i]) else parts[i]
      for i in std.range(0, std.length(parts) - 1)
    ]),
}
