"""The list of boot cases.  Every tests/boot/cases*.py registers its own; run.py imports them all.

    from registry import case

    @case                       # in every ./check
    def grub_cd(vitrine, tmp): ...

    @case(long=True)            # only with --long
    @case(cost=60)              # how many seconds it takes: the dearest start first
"""
import glob
import importlib
import os

CASES = {}
LONG = set()
COST = {}


def case(f=None, *, long=False, cost=10, name=None):
    """Register a function of (vitrine, tmp) that raises guest.Failure, or guest.Skip."""
    if f is None:
        return lambda g: case(g, long=long, cost=cost, name=name)
    name = name or f.__name__
    if name in CASES:
        raise ValueError("two boot cases are called " + name)
    CASES[name] = f
    COST[name] = cost
    if long:
        LONG.add(name)
    return f


def load():
    """Import every cases*.py beside this file."""
    here = os.path.dirname(os.path.abspath(__file__))
    for path in sorted(glob.glob(os.path.join(here, "cases*.py"))):
        importlib.import_module(os.path.basename(path)[:-3])
