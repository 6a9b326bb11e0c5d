#!/bin/sh
# A shell in which gapmap is at hand.
cd "$(dirname "$0")" || exit 1
if [ ! -x installed/bin/gapmap ]; then
  echo "gapmap is not installed yet: start install.sh first." >&2
  exit 1
fi
PATH="$PWD/installed/bin:$PATH"
export PATH
gapmap --help
exec "${SHELL:-/bin/sh}"
