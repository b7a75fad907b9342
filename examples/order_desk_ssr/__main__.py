"""Run the desk behind the pages: `python -m examples.order_desk_ssr`."""

import os

import uvicorn

from examples.order_desk_ssr.desk import web

if __name__ == "__main__":
    uvicorn.run(web, port=int(os.environ.get("PORT", "8000")))
