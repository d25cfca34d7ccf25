#!/usr/bin/env bash
# test.sh WATCHDOG BEHAVIOUR: checks one behaviour of the watchdog.
set -u
watchdog=$1
log=$(mktemp)
trap 'rm -f "$log"' EXIT

fail() {
  echo "FAILED: $*"
  cat "$log"
  exit 1
}

expect() { # expect CODE COMMAND...
  local code=$1
  shift
  "$@" >"$log" 2>&1
  local got=$?
  [ "$got" = "$code" ] || fail "$* gave $got instead of $code"
}

case $2 in
passes_the_result)
  expect 0 "$watchdog" true
  expect 7 "$watchdog" sh -c 'exit 7'
  expect 139 "$watchdog" sh -c 'kill -SEGV $$'
  ;;
prints_stacks_on_timeout)
  start=$SECONDS
  expect 124 "$watchdog" --timeout 1 sh -c 'sleep 61 & wait'
  grep -q 'time is over after 1 s' "$log" || fail "no reason given"
  [ "$(grep -c 'watchdog: process .*sleep 61' "$log")" = 2 ] || fail "two processes expected"
  grep -Eq '#0 |sleeps in' "$log" || fail "no stacks"
  [ $((SECONDS - start)) -lt 60 ] || fail "it waited for the sleeper"
  ;;
names_leftovers)
  # In another session, and orphaned: it must be found all the same.
  expect 1 "$watchdog" --grace 1 sh -c 'setsid sleep 62 & exit 0'
  grep -q 'still run' "$log" || fail "the leftover was not noticed"
  grep -q 'sleep 62' "$log" || fail "the leftover was not named"
  expect 0 "$watchdog" sh -c 'sleep 0.3 & exit 0'
  ;;
*) fail "unknown behaviour $2" ;;
esac
