#!/usr/bin/env bash
# check.sh SOURCE COMPILER FLAGS...: SOURCE must fail to compile, and the compiler must print every
# text that the first lines of SOURCE ask for:
#   // expect: TEXT
# A source whose first line is `// expect-ok` must compile: it proves that the flags are right.
# A line `// flags: FLAGS` adds flags; `// errors: N` says how many errors there are to be in all.
set -u
source=$1
shift
read -ra flags < <(sed -n 's/^\/\/ flags: //p' "$source")
output=$("$@" "${flags[@]}" -fsyntax-only "$source" 2>&1)
code=$?

fail() {
  printf 'FAILED %s: %s\nThe compiler printed:\n%s\n' "$source" "$1" "$output"
  exit 1
}

if head -n 1 "$source" | grep -q '^// expect-ok$'; then
  [ "$code" = 0 ] || fail "it must compile"
  exit 0
fi
[ "$code" != 0 ] || fail "it compiles, but must not"
expected=$(sed -n '/^\/\/ expect: /!q; s/^\/\/ expect: //p' "$source")
[ -n "$expected" ] || fail "its first line does not say what to expect (// expect: TEXT)"
errors=$(sed -n 's/^\/\/ errors: //p' "$source")
[ -z "$errors" ] || [ "$(grep -c 'error: ' <<<"$output")" = "$errors" ] ||
  fail "there must be $errors errors"
while IFS= read -r text; do
  grep -qF -- "$text" <<<"$output" || fail "the compiler does not say \"$text\""
done <<<"$expected"
