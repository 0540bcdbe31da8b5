"""Run a module as `python -m` would, ended when the launcher ends, however that happens.

`python -m tendero.rasa_jobs.serve rasa run --port 5005`
"""

from __future__ import annotations

import ctypes
import os
import runpy
import signal
import sys

from tendero.rasa_jobs.yaml_lists import keep_resolvers

PR_SET_PDEATHSIG = 1  # from Linux' sys/prctl.h


def end_with_parent(parent: int) -> None:
    """Without it a launcher that was killed would leave servers behind that hold its ports."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            sys.exit(1)


def main() -> None:
    end_with_parent(int(os.environ.get("TENDERO_LAUNCHER", os.getppid())))
    keep_resolvers()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
