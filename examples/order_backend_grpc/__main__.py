"""Run the warehouse: `python -m examples.order_backend_grpc`."""

import asyncio
import contextlib
import os
import sys

from examples.order_backend_grpc.warehouse import work

if __name__ == "__main__":
    address = f"127.0.0.1:{os.environ.get('GRPC_PORT', '50051')}"
    if (token := os.environ.get("WAREHOUSE_TOKEN")) is None:
        sys.exit("set WAREHOUSE_TOKEN to the token whose hash the desk has as WAREHOUSE_HASH")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(work(address, token))
