"""protovalidate's conformance suite on generated code.

`python -m tests.support.protovalidate_suite` builds it from Go's module proxy and judges all of
its cases of proto3 in Python and in Node.
"""
