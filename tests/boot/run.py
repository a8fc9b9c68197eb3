#!/usr/bin/env python3
"""Boot real guests and look at what they do.  One line a case: "ok NAME", "skip NAME why" or
"FAILED NAME why"; exit status 1 if any failed."""
import argparse
import concurrent.futures
import os
import shutil
import sys
import tempfile
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import registry  # noqa: E402
from guest import Failure, Skip  # noqa: E402


def run(name, vitrine, keep):
    tmp = tempfile.mkdtemp(prefix="vitrine-%s-" % name)
    t = time.monotonic()
    try:
        registry.CASES[name](vitrine, tmp)
        return name, "ok", "", time.monotonic() - t
    except Skip as e:
        return name, "skip", str(e), time.monotonic() - t
    except Failure as e:
        return name, "FAILED", str(e), time.monotonic() - t
    except Exception:
        return name, "FAILED", traceback.format_exc()[-600:], time.monotonic() - t
    finally:
        if keep:
            print("#", name, "left", tmp, flush=True)
        else:
            shutil.rmtree(tmp, ignore_errors=True)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--vitrine", required=True)
    p.add_argument("--long", action="store_true")
    p.add_argument("--jobs", type=int, default=2)
    p.add_argument("--keep", action="store_true", help="leave the temporary folders")
    p.add_argument("--list", action="store_true", help="the cases and what they are")
    p.add_argument("names", nargs="*")
    a = p.parse_args()
    registry.load()
    wrong = [n for n in a.names if n not in registry.CASES]
    if wrong:
        p.error("there is no case %s; there are: %s" % (wrong[0], " ".join(sorted(registry.CASES))))
    if a.list:
        for n, f in registry.CASES.items():
            print("%-22s %s%s" % (n, "(long) " if n in registry.LONG else "", (f.__doc__ or "").split("\n")[0]))
        return 0
    names = a.names or [n for n in registry.CASES if a.long or n not in registry.LONG]
    names.sort(key=lambda n: -registry.COST[n])  # the dearest first: no long tail with one core busy
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(a.jobs) as pool:
        for f in concurrent.futures.as_completed([pool.submit(run, n, a.vitrine, a.keep) for n in names]):
            name, status, why, secs = f.result()
            bad += status == "FAILED"
            print("%s %s (%.0f s) %s" % (status, name, secs, " ".join(why.split())), flush=True)
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
