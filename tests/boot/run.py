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
import cases  # noqa: E402
from guest import Failure  # noqa: E402


def run(name, vitrine, keep):
    tmp = tempfile.mkdtemp(prefix="vitrine-%s-" % name)
    t = time.monotonic()
    try:
        cases.CASES[name](vitrine, tmp)
        return name, None, time.monotonic() - t
    except Failure as e:
        return name, str(e), time.monotonic() - t
    except Exception:
        return name, traceback.format_exc()[-600:], time.monotonic() - t
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
    p.add_argument("names", nargs="*")
    a = p.parse_args()
    names = a.names or [n for n in cases.CASES if a.long or n not in cases.LONG]
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(a.jobs) as pool:
        for f in concurrent.futures.as_completed([pool.submit(run, n, a.vitrine, a.keep) for n in names]):
            name, why, secs = f.result()
            if why:
                bad += 1
                print("FAILED %s (%.0f s) %s" % (name, secs, " ".join(why.split())), flush=True)
            else:
                print("ok %s (%.0f s)" % (name, secs), flush=True)
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
