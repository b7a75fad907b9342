"""Run the warehouse: `python -m examples.order_backend_grpc`."""

import asyncio
import contextlib
import os

from examples.order_backend_grpc.warehouse import work

if __name__ == "__main__":
    address = f"127.0.0.1:{os.environ.get('GRPC_PORT', '50051')}"
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(work(address, os.environ["WAREHOUSE_TOKEN"]))
