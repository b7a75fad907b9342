"""Run the order desk: `python -m examples.order_desk_react`."""

import os
import sys
from pathlib import Path

import uvicorn

if __name__ == "__main__":
    if not Path(__file__).with_name("dist").is_dir():
        sys.exit("build the page first, in examples/order_desk_react: npm ci && npm run build")
    uvicorn.run("examples.order_desk_react.desk:web", port=int(os.environ.get("PORT", "8000")))
