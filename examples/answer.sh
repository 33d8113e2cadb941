#!/bin/sh
# Answers a message, once, however often it is run for it:
#   colony watch --kind message --exec examples/answer.sh
# The event is JSON on stdin; what others wrote never becomes part of a command.
sender=$(sed -n 's/.*"actor":"\([A-Za-z0-9_-]*\)".*/\1/p') || exit 1
[ -n "$sender" ] || exit 0
exec colony dm "$sender" "I have your message." --idempotency-key "$COLONY_IDEMPOTENCY_KEY"
