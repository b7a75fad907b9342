#!/usr/bin/env bash
# grpcio 1.85: a server takes metadata up to a soft limit of 8 KiB, refuses it above a hard one of 16 KiB,
# and between the two refuses it at random, the more often the larger it is. So a token that has grown
# looks like a flaky server. Seen: all of 6 KiB taken, some of 12 KiB, none of 24 KiB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check grpcio==1.85.1
"$folder/venv/bin/python" - <<'EOF'
from concurrent.futures import ThreadPoolExecutor

import grpc


class Echo(grpc.GenericRpcHandler):
    def service(self, details):
        return grpc.unary_unary_rpc_method_handler(lambda request, context: request)


server = grpc.server(ThreadPoolExecutor(4), handlers=[Echo()])
port = server.add_insecure_port("127.0.0.1:0")
server.start()
seen = {}
with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
    call = channel.unary_unary("/test.Echo/Echo")
    for size in (6, 12, 24):
        taken, calls = 0, 50 if size < 24 else 5  # those are slow: the connection is dropped
        for _ in range(calls):
            try:
                call(b"", metadata=[("authorization", "Bearer " + "x" * size * 1024)], timeout=10)
                taken += 1
            except grpc.RpcError as error:
                assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED, error.code()
        seen[size] = taken
        print(f"{size:2} KiB of metadata: {taken} of {calls} calls taken")
server.stop(None)
assert seen[6] == 50
assert 0 < seen[12] < 50
assert seen[24] == 0
EOF
