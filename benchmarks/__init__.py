"""Benchmarks: ours and the peers in turn, within one run.

    nox -s bench                    all of them
    nox -s bench -- fan_out codec   some of them
    nox -s bench -- --help

Only ratios within one run mean anything: absolute times on shared cores do not.
"""
