#!/bin/sh
# Find a Python that the bundle has wheels for, and let it install gapmap.
cd "$(dirname "$0")" || exit 1
for version in @LINUX@; do
  if "python$version" -c "import venv" 2>/dev/null; then
    exec "python$version" files/install.py "$@"
  fi
done
if command -v python3 >/dev/null 2>&1; then
  exec python3 files/install.py "$@"  # says what it lacks
fi
echo "Python is not on this computer. Install it first (START-HERE.html, step 1), then start install.sh again." >&2
exit 1
