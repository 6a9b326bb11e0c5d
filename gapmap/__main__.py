"""The command line as ``gapmap``, and as ``python -m gapmap`` for where the folder of scripts is not on the path.

In: arguments. Out: an exit code. Method: what takes time to import is imported where Ctrl-C is caught.
"""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line of the process.

    Returns
    -------
    int
        The exit code, 130 where it is stopped.

    Raises
    ------
    SystemExit
        With 0 where all went well, 2 on wrong use.
    """
    try:
        from gapmap import cli

        return cli.main()
    except KeyboardInterrupt:
        sys.stderr.write("Aborted.\n")
        return 130


if __name__ == "__main__":
    sys.exit(main())
